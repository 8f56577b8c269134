// The machine's clock and dice.

import { randomFillSync } from 'node:crypto'
import { subjectId, type SubjectId } from '../core/model/ids.ts'

/**
 * Whole milliseconds since 1970 that never run backwards and do not follow jumps of the wall clock: read
 * once at the start, then counted. Times shown to people may drift from the wall until a restart.
 */
export function now(): number {
  return Math.round(performance.timeOrigin + performance.now())
}

/** Milliseconds since 1970 by the wall clock: it jumps, and is right again after the machine slept. */
export function wallNow(): number {
  return Date.now()
}

/** So many bytes nobody can guess. */
export function random(bytes: number): Uint8Array {
  return randomFillSync(new Uint8Array(bytes))
}

/**
 * The id of an operation, and of what it makes. The same on every try, so that the try that was thought
 * lost and the next one are one.
 */
export function newOperation(): SubjectId {
  return subjectId(random(16))
}

/**
 * How long until the clock stands at a whole multiple of `ms`: half of `ms` at least. Servers of one
 * machine, and of any with true clocks, tick together so, and what one says at a tick does not wake
 * another that sleeps.
 */
export function untilTogether(ms: number): number {
  const leftMs = ms - (now() % ms)
  return leftMs < ms / 2 ? leftMs + ms : leftMs
}
