// Complaints: said once, bounded, and forgotten when they are over.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Complaints } from './complaints.ts'
import { Voice } from './voice.ts'

function complaints() {
  const voice = new Voice()
  const lines = () => voice.take().flatMap((each) => (each.type === 'log' ? [each.text] : []))
  return { made: new Complaints(voice), lines }
}

test('what is so three times a second is said once, and now and then how often it was', () => {
  const { made, lines } = complaints()
  for (let now = 0; now < 3600_000; now += 300) made.add(now, 'b is wrong')
  assert.deepEqual(
    lines().map((line) => line.replace(/\d+/, 'N')),
    [
      'b is wrong',
      ...Array.from({ length: 5 }, () => 'b is wrong (N times since this was said last)'),
    ],
  )
})

test('of sentences without end few are said', () => {
  const { made, lines } = complaints()
  for (let now = 0; now < 60_000; now++) made.add(now, `${now} is wrong`)
  assert.equal(lines().length, 33)
  made.add(60_000, 'x'.repeat(10_000))
  assert.ok(lines().every(({ length }) => length < 400))
  // An hour later there is room again.
  made.add(3600_000, 'b is wrong')
  assert.deepEqual(lines(), ['b is wrong'])
})

test('what was so a moment ago is so now, and a while later it is not', () => {
  const { made } = complaints()
  made.add(0, 'b is wrong')
  made.add(9000, 'b is wrong')
  assert.deepEqual(made.current(20_000), ['b is wrong'])
  assert.deepEqual(made.current(60_000), [])
})
