// The simulator in `npm test`: some hundred schedules are good, each planted bug is found, and a seed
// gives the same schedule again.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { planOf } from './drawn-plan.ts'
import type { Plan } from './plan.ts'
import { isPlantName, plants, type Plant } from './plants.ts'
import { Random } from './random.ts'
import { live } from './schedule.ts'
import { liveSeed } from './worker.ts'

/** Ten times as many are one command: npm run sim -- --schedules 3000. */
const schedules = 300
/** Most plants are found in a handful. */
const plantedMax = 1500
/** Some are found in a few of 1000 schedules, or of 10,000: it begins near one. */
const beginAt: { [plant: string]: number } = {
  'drop-fan-out': 1390,
  'purge-at-once': 60,
  'forget-operations': 170,
}

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

for (const plant of Object.keys(plants).filter(isPlantName)) {
  test(`C15 the planted bug is found: ${plant}`, (t) => {
    const begin = beginAt[plant] ?? 1
    for (let seed = begin; seed < begin + plantedMax; seed++) {
      const [first] = liveSeed(seed, plant).violations
      if (!first) continue
      t.diagnostic(`seed ${seed}: ${first.checker} ${first.text.slice(0, 200)}`)
      return
    }
    assert.fail(`${plant} was not found in ${plantedMax} schedules`)
  })
}

test('it is ignoring the gap that is found, not the loss: a mind that refuses gaps mends them', () => {
  const lossy = (random: Random): Plant => ({
    hearing: () => (message) =>
      message.message.case === 'updates' && random.chance(0.02) ? [] : [message],
  })
  const bad = Array.from({ length: 60 }, (_, index) =>
    live(plan(index + 1), { plant: lossy }),
  ).flatMap(({ violations }) => violations.slice(0, 1))
  assert.deepEqual(bad, [])
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
