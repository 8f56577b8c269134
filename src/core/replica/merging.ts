// When the updates of a subject are merged: after so many of them, and not again right away.

import type { SubjectId } from '../model/ids.ts'
import { compactAfterMs, compactAfterUpdates } from '../model/limits.ts'

/** Subjects whose updates are counted; a forgotten one starts again at 0. */
const countsMax = 10_000

export class Merging {
  readonly #merge: (subject: SubjectId) => void
  /** The loose updates of subjects since they were merged last; the one heard of longest ago first. */
  readonly #counts = new Map<SubjectId, { loose: number; mergedAt: number }>()
  /** Those with many that were merged just now: nobody may write there any more who would tell. */
  readonly #crowded = new Set<SubjectId>()

  constructor(merge: (subject: SubjectId) => void) {
    this.#merge = merge
  }

  /** An update of a subject is on disk. */
  count(now: number, subject: SubjectId): void {
    const known = this.#counts.get(subject) ?? { loose: 0, mergedAt: -Infinity }
    known.loose++
    this.#counts.delete(subject)
    this.#counts.set(subject, known)
    if (known.loose >= compactAfterUpdates) {
      this.#crowded.add(subject)
      this.#mergeWhenDue(now, subject)
    }
    if (this.#counts.size <= countsMax) return
    const [oldest] = this.#counts.keys()
    if (oldest !== undefined) this.#counts.delete(oldest)
  }

  tick(now: number): void {
    for (const subject of this.#crowded) this.#mergeWhenDue(now, subject)
  }

  #mergeWhenDue(now: number, subject: SubjectId): void {
    const known = this.#counts.get(subject)
    if (known && now - known.mergedAt < compactAfterMs) return
    this.#crowded.delete(subject)
    if (known) Object.assign(known, { loose: 0, mergedAt: now })
    this.#merge(subject)
  }
}
