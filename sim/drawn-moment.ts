// When something happens in a drawn schedule.

import type { Random } from './random.ts'

/** Between the first and this, files are made, before most schedules begin to fail. */
export const settledMs = 500

/** A moment after which there is something to work with, and before everything heals. */
export function drawnMoment(random: Random, runMs: number): number {
  return random.between(settledMs, runMs - 1)
}
