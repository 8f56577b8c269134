// Stamps: the order in which writes of one field are ranked, the same everywhere.

import type { Stamp } from './wire.ts'

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
