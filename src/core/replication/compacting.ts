// Subjects that wait to be compacted: one at a time, and only as far as every connected peer is. Those
// that are to go for good wait until nobody can bring them back:
//
//   asked ── others hold what was here then, and this all that they hold ──> due ── asked twice ──> gone
//     └── not asked any more ──> forgotten
//
// Safety: what comes before it is due may bring it back. Whoever asks has heard of all that when it
// asks again; of two requests the first may have been on its way.

import type { SubjectId } from '../model/ids.ts'
import { covers, type VersionVector } from '../model/version-vector.ts'
import type { Mark } from '../ports.ts'
import type { Links } from './links.ts'
import type { Marks } from './marks.ts'
import type { Voice } from './voice.ts'

/** So many wait; one that was forgotten asks again with its next updates. */
const waitingMax = 1000
/** What is to go is asked for every few seconds; nobody wants any more what was not for so long. */
const forgetMs = 60_000
/** Requests since it was due. */
const dueAsks = 2

export interface CompactingOptions {
  links: Links
  marks: Marks
  /** What is on this disk. */
  vector: VersionVector
  voice: Voice
}

interface Purge {
  /** What all others must hold before. */
  mark: Mark
  askedAt: number
  /** How often it was asked for since nobody can bring it back; undefined: somebody may. */
  asks: number | undefined
}

export class Compacting {
  readonly #options: CompactingOptions
  readonly #waiting = new Set<SubjectId>()
  /** To go for good. */
  readonly #purges = new Map<SubjectId, Purge>()
  /** To go for good, as soon as it is their turn. */
  readonly #final = new Set<SubjectId>()
  #isUnderWay = false

  constructor(options: CompactingOptions) {
    this.#options = options
  }

  ask(subject: SubjectId): void {
    if (this.#waiting.size < waitingMax) this.#waiting.add(subject)
    this.next()
  }

  purge(now: number, subject: SubjectId): void {
    const known = this.#purges.get(subject)
    if (!known) {
      if (this.#purges.size >= waitingMax) return
      const { last: mark } = this.#options.marks
      this.#purges.set(subject, { mark, askedAt: now, asks: undefined })
      return
    }
    known.askedAt = now
    if (known.asks === undefined || ++known.asks < dueAsks) return
    this.#purges.delete(subject)
    this.#final.add(subject)
    this.next()
  }

  tick(now: number): void {
    const held = this.#purges.size > 0 ? this.#heldByAll() : 0
    for (const [subject, purge] of this.#purges) {
      if (now - purge.askedAt > forgetMs) this.#purges.delete(subject)
      else if (purge.mark <= held) purge.asks ??= 0
    }
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
    const [compacted] = this.#waiting
    const [purged] = this.#final
    const subject = compacted ?? purged
    if (subject === undefined) return
    const isPurge = compacted === undefined
    if (isPurge) this.#final.delete(subject)
    else this.#waiting.delete(subject)
    this.#isUnderWay = true
    this.#options.voice.say({ type: 'compact', subject, upTo: this.#stable(), isPurge })
  }

  /** The mark that all others cover of whom this server holds all; −∞: that cannot be told. */
  #heldByAll(): Mark {
    const { links, vector } = this.#options
    if (!links.areAllOpen) return -Infinity
    let held = Infinity
    for (const { covered, have, isRecovering } of links.peers()) {
      if (isRecovering || !covers(vector, have)) return -Infinity
      held = Math.min(held, covered)
    }
    return held
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
