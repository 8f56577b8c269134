// The simulator in `npm test`: some hundred schedules are good, and a seed gives the same schedule again.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { planOf } from './drawn-plan.ts'
import type { Plan } from './plan.ts'
import { Random } from './random.ts'
import { live } from './schedule.ts'
import { liveSeed } from './worker.ts'

/** Ten times as many are one command: npm run sim -- --schedules 3000. */
const schedules = 300

const plan = (seed: number): Plan => planOf(seed, new Random(seed))

test(`${schedules} schedules are good`, () => {
  const bad: string[] = []
  let edits = 0
  for (let seed = 1; seed <= schedules; seed++) {
    const told = liveSeed(seed, undefined)
    edits += told.edits
    const [first] = told.violations
    if (first) bad.push(`npm run sim -- --seed ${seed} --verbose: ${first.checker} ${first.text}`)
  }
  assert.deepEqual(bad, [])
  assert.ok(edits > 20 * schedules, `${edits} words were typed`)
})

test('a seed gives the same schedule again, to the last message', () => {
  for (const seed of [3, 10, 17]) {
    const [one, other] = [live(plan(seed)), live(plan(seed))]
    assert.equal(one.hash, other.hash)
    assert.equal(one.messages, other.messages)
    assert.ok(one.messages > 100)
  }
  assert.notEqual(live(plan(3)).hash, live(plan(4)).hash)
})

test('a schedule whose messages are encoded is one in ten, and no other', () => {
  const encoded = Array.from({ length: 40 }, (_, index) => plan(index + 1).isEncoded)
  assert.equal(encoded.filter(Boolean).length, 4)
})

test('in one schedule of 24 all disks are lost, and often one of before comes back', () => {
  const plans = Array.from({ length: 240 }, (_, index) => plan(index + 1))
  const rebirths = plans.flatMap(({ faults }) => faults.filter(({ type }) => type === 'rebirth'))
  assert.equal(rebirths.length, 10)
  assert.ok(rebirths.some((fault) => fault.type === 'rebirth' && fault.old !== undefined))
})

test('people change several entries by one operation, in every way', () => {
  const acts = Array.from({ length: 40 }, (_, index) => plan(index + 1).people)
    .flat()
    .flatMap((person) => person.acts)
  const changes = acts.flatMap((act) => (act.type === 'several' ? [act.change] : []))
  assert.deepEqual([...new Set(changes)].sort(), ['erase', 'move', 'restore', 'trash'])
})
