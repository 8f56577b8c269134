// When the updates of a subject are merged: after so many of them, more for a long one, and not again
// right away.

import type { SubjectId } from '../model/ids.ts'
import {
  compactAfterMs,
  compactAfterUpdates,
  compactBytesPerUpdate,
  compactUpdatesMax,
} from '../model/limits.ts'

/** Subjects whose updates are counted; a forgotten one starts again at 0. */
const countsMax = 10_000

interface Count {
  /** The loose updates since it was merged last. */
  loose: number
  /** With how many it is looked at again. */
  dueAt: number
  mergedAt: number
}

export interface MergingOptions {
  merge: (subject: SubjectId) => void
  /** How much merging it once more reads and writes. */
  mergedBytes: (subject: SubjectId) => number
}

export class Merging {
  readonly #options: MergingOptions
  /** The one heard of longest ago first. */
  readonly #counts = new Map<SubjectId, Count>()
  /** Those with many that were merged just now: nobody may write there any more who would tell. */
  readonly #crowded = new Set<SubjectId>()

  constructor(options: MergingOptions) {
    this.#options = options
  }

  /** An update of a subject is on disk. */
  count(now: number, subject: SubjectId): void {
    const known = this.#counts.get(subject) ?? newCount()
    known.loose++
    this.#counts.delete(subject)
    this.#counts.set(subject, known)
    const isNew = known.loose >= known.dueAt && !this.#crowded.has(subject)
    if (isNew && this.#isDue(subject, known)) this.#crowded.add(subject)
    if (this.#crowded.has(subject)) this.#mergeWhenTime(now, subject)
    if (this.#counts.size <= countsMax) return
    const [oldest] = this.#counts.keys()
    if (oldest !== undefined) this.#counts.delete(oldest)
  }

  tick(now: number): void {
    for (const subject of this.#crowded) this.#mergeWhenTime(now, subject)
  }

  #isDue(subject: SubjectId, known: Count): boolean {
    const forLength = this.#options.mergedBytes(subject) / compactBytesPerUpdate
    known.dueAt = Math.min(compactAfterUpdates + Math.ceil(forLength), compactUpdatesMax)
    return known.loose >= known.dueAt
  }

  #mergeWhenTime(now: number, subject: SubjectId): void {
    const known = this.#counts.get(subject)
    if (known && now - known.mergedAt < compactAfterMs) return
    this.#crowded.delete(subject)
    if (known) this.#counts.set(subject, { ...newCount(), mergedAt: now })
    this.#options.merge(subject)
  }
}

const newCount = (): Count => ({ loose: 0, dueAt: compactAfterUpdates, mergedAt: -Infinity })
