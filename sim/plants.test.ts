// The planted bugs are found, each within a number of schedules.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { planOf } from './drawn-plan.ts'
import { isPlantName, plants, type Plant } from './plants.ts'
import { Random } from './random.ts'
import { live } from './schedule.ts'
import { liveSeed } from './worker.ts'

/** Most plants are found in a handful. */
const plantedMax = 1500
/** Some are found in a few of 1000 schedules, or of 10,000: it begins near one. */
const beginAt: { [plant: string]: number } = {
  'drop-fan-out': 1394,
  'drop-news': 108,
  'purge-at-once': 121,
  'forget-operations': 179,
  'forget-coming-operations': 52,
}

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
    live(planOf(index + 1, new Random(index + 1)), { plant: lossy }),
  ).flatMap(({ violations }) => violations.slice(0, 1))
  assert.deepEqual(bad, [])
})
