// Simulated time and chance: the ground on which a schedule can be replayed.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Random } from './random.ts'
import { Timeline } from './timeline.ts'
import { Trace } from './trace.ts'

test('what is planned happens in order of time, then of planning', () => {
  const timeline = new Timeline()
  const random = new Random(1)
  const planned: { at: number; number: number }[] = []
  const lived: { at: number; number: number }[] = []
  for (let number = 0; number < 500; number++) {
    const moment = { at: random.below(50), number }
    planned.push(moment)
    timeline.at(moment.at, () => {
      assert.equal(timeline.now, moment.at)
      lived.push(moment)
    })
  }
  timeline.run(100)
  planned.sort((one, other) => one.at - other.at || one.number - other.number)
  assert.deepEqual(lived, planned)
  assert.equal(timeline.now, 100)
})

test('what is planned for the past happens now, and later things wait', () => {
  const timeline = new Timeline()
  const lived: string[] = []
  timeline.at(10, () => timeline.at(5, () => lived.push(`late at ${timeline.now}`)))
  timeline.at(30, () => lived.push('too late'))
  timeline.run(20)
  assert.deepEqual(lived, ['late at 10'])
})

test('a seed gives the same numbers, and a fork disturbs nobody', () => {
  const one = new Random(7)
  const other = new Random(7)
  other.fork('network').next()
  const draw = (random: Random) => Array.from({ length: 20 }, () => random.below(1000))
  assert.deepEqual(draw(one), draw(other))
  assert.notDeepEqual(draw(new Random(7)), draw(new Random(8)))
  assert.notDeepEqual(draw(new Random(7).fork('a')), draw(new Random(7).fork('b')))
})

test('chance is even', () => {
  const random = new Random(3)
  const counts = Array.from({ length: 10 }, () => 0)
  for (let index = 0; index < 10_000; index++) counts[random.below(10)]! += 1
  for (const count of counts) assert.ok(count > 850 && count < 1150, `${count} of 10,000`)
})

test('one different line gives another trace', () => {
  const traces = ['x', 'y'].map((text) => {
    const trace = new Trace()
    trace.note(1, 'a>b hello')
    trace.note(2, text)
    return trace.hash
  })
  assert.notEqual(traces[0], traces[1])
})
