// How far logs are held: origin -> highest contiguous seq. Absent counts as 0.

import type { Origin } from './ids.ts'

export type VersionVector = Map<Origin, number>

/** The wire's form of a vector. */
export type SeenRecord = { [origin: string]: number }

/** What `held` has and `other` lacks, as a vector of the held seqs; empty when nothing. */
export function missing(other: VersionVector, held: VersionVector): VersionVector {
  const lacks: VersionVector = new Map()
  for (const [origin, seq] of held) if (seq > (other.get(origin) ?? 0)) lacks.set(origin, seq)
  return lacks
}

/** Whether `held` has everything that `other` has. */
export function covers(held: VersionVector, other: VersionVector): boolean {
  for (const [origin, seq] of other) if ((held.get(origin) ?? 0) < seq) return false
  return true
}

/** Raises `vector` to at least `other`, in place. */
export function raise(vector: VersionVector, other: Iterable<[Origin, number]>): void {
  for (const [origin, seq] of other) raiseTo(vector, origin, seq)
}

/** The same for one log. */
export function raiseTo(vector: VersionVector, origin: Origin, seq: number): void {
  if (seq > (vector.get(origin) ?? 0)) vector.set(origin, seq)
}

/** How many updates `held` has that `other` lacks; at most as many as a message can say. */
export function lag(other: VersionVector, held: VersionVector): number {
  let count = 0
  for (const [origin, seq] of held) count += Math.max(0, seq - (other.get(origin) ?? 0))
  return Math.min(count, 2 ** 32 - 1)
}

/** As messages and records hold it. */
export function toSeen(vector: VersionVector): SeenRecord {
  return Object.fromEntries(vector)
}

/** Of nothing: none is held. What comes from outside is checked elsewhere. */
export function fromSeen(seen: SeenRecord | undefined): VersionVector {
  return new Map(Object.entries(seen ?? {}) as [Origin, number][])
}
