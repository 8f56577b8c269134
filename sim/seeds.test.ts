// Schedules that once found a bug, kept for ever: test/seeds.json says what each of them found.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import type { Plan } from './plan.ts'
import { live } from './schedule.ts'

interface Kept {
  seed: number
  /** The shrunk plan, in test/plans: a seed alone means another plan when the planning changes. */
  plan: string
  why: string
}

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../test/${path}`, import.meta.url), 'utf8'))

for (const { seed, plan, why } of read('seeds.json') as Kept[]) {
  test(`seed ${seed}: ${why}`, () => {
    const { violations } = live(read(`plans/${plan}`) as Plan)
    assert.deepEqual(violations, [])
  })
}
