// What a vector has to reach to cover a mark, when part of it was said again in another log.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Origin } from '../model/ids.ts'
import { Marks } from './marks.ts'

const [burnt, own, other] = ['a', 'b', 'c'].map((name) => `${name}.0123456789abc` as Origin) as [
  Origin,
  Origin,
  Origin,
]

test('who is to hold what was said again must have come so far in the log where it was', () => {
  const marks = new Marks(0, new Map([[burnt, 3]]))
  const further = marks.add(0, new Map([[burnt, 7]]))
  const last = marks.add(0, new Map([[other, 2]]))
  const whole = new Map([[other, 2]])
  assert.equal(marks.covered(whole, 0), 0, 'nobody has that log')
  marks.restate(new Map([[burnt, 3]]), whole, [own, 5])
  assert.equal(marks.covered(new Map([...whole, [own, 4]]), 0), 0)
  assert.equal(marks.covered(new Map([...whole, [own, 5]]), 0), further - 1)
  assert.equal(marks.covered(new Map([...whole, [own, 5], [burnt, 7]]), 0), last)
})
