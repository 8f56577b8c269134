// After how many updates a subject is merged. That it is, and when again: replica.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subjectId } from '../model/ids.ts'
import {
  compactAfterMs,
  compactAfterUpdates,
  compactBytesPerUpdate,
  compactUpdatesMax,
} from '../model/limits.ts'
import { Merging } from './merging.ts'

const file = subjectId(new Uint8Array(16))

/** Updates come, each some time after the other, until the text is merged: how many. It was looked at so often. */
function untilMerged(mergedBytes: number): { updates: number; looks: number } {
  let isMerged = false
  let looks = 0
  const merging = new Merging({
    merge: () => (isMerged = true),
    mergedBytes: () => {
      looks++
      return mergedBytes
    },
  })
  let updates = 0
  while (!isMerged) merging.count(++updates * compactAfterMs, file)
  return { updates, looks }
}

test('a short text is merged after some updates, a long one after more, by its length', () => {
  assert.deepEqual(untilMerged(0), { updates: compactAfterUpdates, looks: 1 })
  const bytes = 1000 * compactBytesPerUpdate
  assert.deepEqual(untilMerged(bytes), { updates: compactAfterUpdates + 1000, looks: 2 })
})

test('12 however long a text is, its loose updates have a bound', () => {
  assert.equal(untilMerged(Number.MAX_SAFE_INTEGER).updates, compactUpdatesMax)
})

test('what waits to be merged is not measured with every update', () => {
  let looks = 0
  let merges = 0
  const merging = new Merging({
    merge: () => void merges++,
    mergedBytes: () => {
      looks++
      return 0
    },
  })
  for (let count = 0; count < 10 * compactAfterUpdates; count++) merging.count(1, file)
  assert.deepEqual({ looks, merges }, { looks: 2, merges: 1 })
  merging.tick(1 + compactAfterMs)
  assert.equal(merges, 2)
})
