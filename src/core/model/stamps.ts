// Stamps: the order in which writes of one field are ranked, the same everywhere.

import type { Stamp } from './wire.ts'

/** What counts up by one with each change gets nowhere near this in the life of a set. */
export const counterMax = 2 ** 31

/**
 * As far as one counts on from a counter that somebody else said: not from one so far up that no set
 * came there. It outranks others, and that is all; else a single lie would leave nobody a next one.
 */
export function counted(counter: number): number {
  return counter <= counterMax / 2 ? counter : 0
}

/** Whether they are of one write. */
export function isSameStamp(a: Stamp | undefined, b: Stamp | undefined): boolean {
  return !newer(a, b) && !newer(b, a)
}

/** Whether `a` outranks `b`. An absent stamp is outranked by every other. */
export function newer(a: Stamp | undefined, b: Stamp | undefined): boolean {
  if (a === undefined) return false
  if (b === undefined) return true
  return a.counter > b.counter || (a.counter === b.counter && a.origin > b.origin)
}
