// A thread of the simulator: lives through the seeds it is given and tells how each went.

import { parentPort } from 'node:worker_threads'
import { planOf } from './drawn-plan.ts'
import type { PlantName } from './plants.ts'
import { Random } from './random.ts'
import { live, type Outcome } from './schedule.ts'

/** Some seeds in a row. */
export interface Order {
  from: number
  count: number
  plant: PlantName | undefined
}

/** What is told of a schedule: all of it when it is bad. */
export type Told = Pick<Outcome, 'violations' | 'edits' | 'savedMs' | 'convergedMs'> & {
  seed: number
}

/** Lives through the plan of a seed. */
export function liveSeed(seed: number, plant: PlantName | undefined): Told {
  const plan = planOf(seed, new Random(seed))
  const { violations, edits, savedMs, convergedMs } = live(plan, plant ? { plant } : {})
  return { seed, violations, edits, savedMs, convergedMs }
}

parentPort?.on('message', ({ from, count, plant }: Order) => {
  const told: Told[] = []
  for (let seed = from; seed < from + count; seed++) told.push(liveSeed(seed, plant))
  parentPort!.postMessage(told)
})
