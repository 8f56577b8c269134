// How many things are done at once, and when the others have their turn.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'

import { FewAtOnce } from './few-at-once.ts'

test('12 few things are done at once, and each of the others in its turn', async () => {
  const few = new FewAtOnce(2)
  const begun: number[] = []
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>())
  const all = ends.map(({ promise }, index) =>
    few.run(() => {
      begun.push(index)
      return promise
    }),
  )
  const settled = Promise.allSettled(all)
  assert.deepEqual(begun, [0, 1])
  ends[1]!.reject(new Error('no gzip'))
  await assert.rejects(all[1]!)
  await setImmediate()
  assert.deepEqual(begun, [0, 1, 2])
  for (const [index, end] of ends.entries()) end.resolve(index)
  await settled
  assert.deepEqual(begun, [0, 1, 2, 3, 4])
  assert.equal(await few.run(() => Promise.resolve('free again')), 'free again')
})
