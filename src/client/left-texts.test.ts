// How many of the texts that were left are held.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeftTexts, leftBytesMax } from './left-texts.ts'

test('a text that was left is there once, with what was counted in it', () => {
  const left = new LeftTexts()
  const update = new Uint8Array(10)
  left.keep('a', update, 7)
  assert.equal(left.bytes, 10)
  assert.deepEqual(left.take('a'), { update, clock: 7 })
  assert.equal(left.bytes, 0)
  assert.deepEqual(left.take('b'), undefined)
})

test('a text that was left before all of it was here again counts as much as ever', () => {
  const left = new LeftTexts()
  left.keep('a', new Uint8Array(leftBytesMax + 1), 7)
  assert.deepEqual(left.take('a'), { update: undefined, clock: 7 })
  const part = new Uint8Array(10)
  left.keep('a', part, 3)
  assert.deepEqual(left.take('a'), { update: part, clock: 7 })
})

test('12 beyond a bound the oldest are let go of, and only their counts stay', () => {
  const left = new LeftTexts()
  const part = leftBytesMax / 4
  for (const id of ['a', 'b', 'c', 'd']) left.keep(id, new Uint8Array(part), 1)
  left.keep('a', new Uint8Array(part), 2)
  assert.equal(left.bytes, leftBytesMax)
  left.keep('e', new Uint8Array(part), 3)
  assert.equal(left.bytes, leftBytesMax)
  assert.deepEqual(left.take('b'), { update: undefined, clock: 1 })
  assert.equal(left.take('a')?.update?.length, part)
  left.keep('large', new Uint8Array(leftBytesMax + 1), 4)
  assert.equal(left.bytes, 0)
  assert.deepEqual(left.take('large'), { update: undefined, clock: 4 })
})
