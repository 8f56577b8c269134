// How far a text had come when it was read: how many units were ever typed into it, deleted ones
// included. That only grows, so a text that reaches less has not got something back: a server that is
// behind has it yet to come, and what no server has any more was lost, which is no deletion (G15).

import { readMoment } from '../model/text-moment.ts'

export interface Reach {
  /** Of all writers together, at least. */
  units: number
  /** Of groups of writers, each by itself: group, units. */
  groups: [number, number][]
}

/** A text of years has thousands of writers, and what is kept of it is written with every change. */
const groupsMax = 64

/** From what a server tells with a text (ReadFile.state); undefined: it tells nothing. */
export function reachOf(state: Uint8Array): Reach | undefined {
  if (state.length === 0) return undefined
  const groups = new Map<number, number>()
  let units = 0
  for (const [writer, count] of readMoment(state).vector) {
    const group = writer % groupsMax
    groups.set(group, (groups.get(group) ?? 0) + count)
    units += count
  }
  return { units, groups: [...groups] }
}

/** The reach after a text became another by an edit. */
export function reachAfter(before: Reach | undefined, from: string, to: string): Reach {
  const { units, groups } = before ?? { units: from.length, groups: [] }
  return { units: units + Math.max(0, to.length - from.length), groups }
}

/** At least as far as both. */
export function farther(one: Reach, other: Reach | undefined): Reach {
  if (!other) return one
  const groups = new Map(one.groups)
  for (const [group, units] of other.groups) {
    groups.set(group, Math.max(units, groups.get(group) ?? 0))
  }
  return { units: Math.max(one.units, other.units), groups: [...groups] }
}

/** Whether a text lacks something of what it had. */
export function isLess(now: Reach, before: Reach): boolean {
  const groups = new Map(now.groups)
  return (
    now.units < before.units ||
    before.groups.some(([group, units]) => (groups.get(group) ?? 0) < units)
  )
}
