// Deletions one after the other: together they may be too much, and stay that until a person answers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deletionsWithinMs, isMassDeletion, LateDeletions } from './deletions.ts'

test('deletions of a moment ago count with those that follow', () => {
  const late = new LateDeletions()
  for (let count = 0; count < 5; count++) late.add(1000)
  assert.equal(late.count(1000 + deletionsWithinMs - 1, false), 5)
  assert.equal(isMassDeletion(1 + 5, 10), true)
  assert.equal(late.count(1000 + deletionsWithinMs, false), 0)
})

test('while a person is asked they go on counting', () => {
  const late = new LateDeletions()
  late.add(1000)
  assert.equal(late.count(1e6, true), 1)
  assert.equal(late.count(1e6, false), 0)
})
