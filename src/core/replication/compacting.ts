// Subjects that wait to be compacted: one at a time, and only as far as every connected peer is.

import type { SubjectId } from '../model/ids.ts'
import type { VersionVector } from '../model/version-vector.ts'
import type { Links } from './links.ts'
import type { Voice } from './voice.ts'

/** So many wait; one that was forgotten asks again with its next updates. */
const waitingMax = 1000

export interface CompactingOptions {
  links: Links
  /** What is on this disk. */
  vector: VersionVector
  voice: Voice
}

export class Compacting {
  readonly #options: CompactingOptions
  readonly #waiting = new Set<SubjectId>()
  #isUnderWay = false

  constructor(options: CompactingOptions) {
    this.#options = options
  }

  ask(subject: SubjectId): void {
    if (this.#waiting.size < waitingMax) this.#waiting.add(subject)
    this.#next()
  }

  /** The one under way has ended. */
  done(): void {
    this.#isUnderWay = false
    this.#next()
  }

  #next(): void {
    const [subject] = this.#waiting
    if (this.#isUnderWay || subject === undefined) return
    this.#waiting.delete(subject)
    this.#isUnderWay = true
    this.#options.voice.say({ type: 'compact', subject, upTo: this.#stable() })
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
