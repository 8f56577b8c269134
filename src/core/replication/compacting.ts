// Subjects that wait to be compacted: one at a time, and only as far as every connected peer is. Those
// that are to go for good wait until nobody can bring them back.

import type { SubjectId } from '../model/ids.ts'
import { covers, type VersionVector } from '../model/version-vector.ts'
import type { Mark } from '../ports.ts'
import type { Links } from './links.ts'
import type { Marks } from './marks.ts'
import type { Voice } from './voice.ts'

/** So many wait; one that was forgotten asks again with its next updates. */
const waitingMax = 1000

export interface CompactingOptions {
  links: Links
  marks: Marks
  /** What is on this disk. */
  vector: VersionVector
  voice: Voice
}

export class Compacting {
  readonly #options: CompactingOptions
  readonly #waiting = new Set<SubjectId>()
  /** To go for good, with what all others must hold before. */
  readonly #purges = new Map<SubjectId, Mark>()
  #isUnderWay = false

  constructor(options: CompactingOptions) {
    this.#options = options
  }

  ask(subject: SubjectId): void {
    if (this.#waiting.size < waitingMax) this.#waiting.add(subject)
    this.next()
  }

  purge(subject: SubjectId): void {
    if (this.#purges.size >= waitingMax || this.#purges.has(subject)) return
    this.#purges.set(subject, this.#options.marks.last)
    this.next()
  }

  /** The one under way has ended. */
  done(): void {
    this.#isUnderWay = false
    this.next()
  }

  /** Begins with the next one, when it may. */
  next(): void {
    if (this.#isUnderWay) return
    const [subject] = this.#waiting
    if (subject !== undefined) this.#waiting.delete(subject)
    const purged = subject === undefined ? this.#duePurge() : undefined
    const next = subject ?? purged
    if (next === undefined) return
    this.#isUnderWay = true
    const isPurge = purged !== undefined
    this.#options.voice.say({ type: 'compact', subject: next, upTo: this.#stable(), isPurge })
  }

  /** What a server held before it knew is here, because all that it holds now is. */
  #duePurge(): SubjectId | undefined {
    const { links, vector } = this.#options
    const [first] = this.#purges
    if (!first || !links.areAllOpen) return undefined
    const [subject, mark] = first
    for (const { covered, have, isRecovering } of links.peers()) {
      if (isRecovering || covered < mark || !covers(vector, have)) return undefined
    }
    this.#purges.delete(subject)
    return subject
  }

  // What every connected peer holds too: it need not be sent as whole subjects.
  #stable(): VersionVector {
    const { links, vector } = this.#options
    const stable = new Map(vector)
    for (const { have } of links.peers()) {
      for (const [origin, seq] of stable) stable.set(origin, Math.min(seq, have.get(origin) ?? 0))
    }
    return stable
  }
}
