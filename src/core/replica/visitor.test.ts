// What a channel may still send.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Allowance } from './visitor.ts'

test('an allowance gives its most at once, then so many a second', () => {
  const allowance = new Allowance(0, 50, 500)
  const taken = (now: number) => {
    let count = 0
    while (allowance.take(now, 1)) count++
    return count
  }
  assert.equal(taken(0), 500)
  assert.equal(taken(0), 0)
  assert.equal(taken(1000), 50)
  assert.equal(taken(1_000_000), 500)
})
