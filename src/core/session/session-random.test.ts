// A client's mind against random schedules of crashes, freezes and losses on four model servers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { live } from '../../../test/session-schedule.ts'

const schedules = Number(process.env['FOURFOLD_SCHEDULES'] ?? 2000)
const firstSeed = Number(process.env['FOURFOLD_SEED'] ?? 1)

test(`${schedules} random schedules: nothing is lost, nothing doubled, no receipt is false`, () => {
  for (let seed = firstSeed; seed < firstSeed + schedules; seed++) {
    const { problems } = live(seed)
    assert.deepEqual(problems, [], `seed ${seed}`)
  }
})
