// How many deletions, together with those of a moment ago, need a person's word.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMassDeletion, LateDeletions } from './deletions.ts'

const none = { atOnce: 0, lately: 0 }

test('more than 100 at once, most of four or more, or all need a word', () => {
  const cases: [deletions: number, entries: number, isMass: boolean][] = [
    [100, 1000, false],
    [101, 1000, true],
    [3, 5, false],
    [4, 8, false],
    [4, 7, true],
    [1, 1, false],
    [2, 2, true],
    [0, 0, false],
  ]
  for (const [deletions, entries, isMass] of cases) {
    assert.equal(isMassDeletion(deletions, entries, none), isMass, `${deletions} of ${entries}`)
  }
})

test('many small ones in ten seconds are a large one', () => {
  const late = new LateDeletions()
  late.add(1000, 60)
  late.add(5000, 40)
  assert.equal(isMassDeletion(1, 1000, late.before(10_999)), true)
  assert.equal(isMassDeletion(1, 1000, late.before(11_000)), false)
  assert.equal(isMassDeletion(0, 1000, late.before(11_000)), false)
})

test('a small folder may be tidied up in several steps, but not emptied at once', () => {
  const late = new LateDeletions()
  late.add(1000, 3)
  assert.equal(isMassDeletion(5, 11, late.before(1500)), true)
  assert.equal(isMassDeletion(5, 11, late.before(2000)), false)
})
