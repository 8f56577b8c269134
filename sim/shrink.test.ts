// Shrinking: what is left of a plan is what the failure needs.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { planOf } from './drawn-plan.ts'
import type { Plan } from './plan.ts'
import { Random } from './random.ts'
import { shrunk, sizeOf } from './shrink.ts'

test('a plan shrinks to what its failure needs', () => {
  let shrunkCount = 0
  for (let seed = 1; seed <= 100; seed++) {
    const plan = planOf(seed, new Random(seed))
    const isBad = ({ people, faults }: Plan) =>
      faults.some(({ type }) => type === 'kill') &&
      people.some(({ acts }) => acts.some(({ type }) => type === 'undo'))
    if (!isBad(plan)) continue
    const small = shrunk(plan, isBad)
    assert.ok(isBad(small))
    assert.equal(sizeOf(small), 3, JSON.stringify(small))
    shrunkCount++
  }
  assert.ok(shrunkCount > 10)
})

test('a plan is the same for a seed, and survives being written down', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const plan = planOf(seed, new Random(seed))
    assert.deepEqual(planOf(seed, new Random(seed)), plan)
    assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan)
    assert.ok(
      plan.people.every(({ acts }) => acts.every(({ at }) => at >= 0 && at <= plan.runMs + 2)),
    )
  }
})
