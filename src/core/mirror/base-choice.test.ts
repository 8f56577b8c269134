// Which text a change on the disk was made from: late writers, open editors, people who go back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseOf } from './base-choice.ts'

const before = 'one\ntwo\nthree\n'
const now = 'one\ntwo\nthree\nand what others typed\n'
const earlier = [{ text: before, replacedAt: 1000 }]

test('a change of what is there was made from it', () => {
  assert.equal(baseOf(`zero\n${now}`, now, earlier, 1500), now)
})

test('a change of what was there before was made from that', () => {
  assert.equal(baseOf(`zero\n${before}`, now, earlier, 1500), before)
  assert.equal(baseOf(`zero\n${before}`, now, earlier, 300_000), before)
})

test('after ten minutes what was there before is forgotten', () => {
  assert.equal(baseOf(`zero\n${before}`, now, earlier, 700_000), now)
})

test('back to exactly what was there is a late write at first, then a wish', () => {
  assert.equal(baseOf(before, now, earlier, 2000), before)
  assert.equal(baseOf(before, now, earlier, 5000), now)
})

test('without anything earlier there is no choice', () => {
  assert.equal(baseOf('all new', now, [], 2000), now)
})

test('of many earlier texts it is the closest, however long ago', () => {
  const texts = Array.from({ length: 100 }, (_, index) => `${before}${'word '.repeat(index)}\n`)
  const all = texts.map((text, index) => ({ text, replacedAt: index * 1000 })).reverse()
  const last = `${texts[99]!}more\n`
  assert.equal(baseOf(texts[3]!.replace('two', 'twenty'), last, all, 120_000), texts[3])
})

test('what has little of an earlier text was written anew, or emptied: all that is there goes', () => {
  assert.equal(baseOf('', now, earlier, 1500), now)
  assert.equal(baseOf('all new\n', now, earlier, 1500), now)
  assert.equal(baseOf('all new\n', now, [{ text: '', replacedAt: 1000 }], 1500), now)
})

test('what is written into an emptied file is all new, whatever was there before', () => {
  assert.equal(baseOf(`zero\n${before}`, '', earlier, 1500), '')
})
