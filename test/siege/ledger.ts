// What people did and were told, against what servers and screens show: the siege's own account.

import assert from 'node:assert/strict'

import { Bits } from '../../sim/bits.ts'
import { Checkers, type CheckerId, type Violation } from '../../sim/checkers.ts'
import { Journal, type Edit } from '../../sim/journal.ts'
import type { Event } from './typists.ts'

/** One person's edits of one document, in order. */
interface Run {
  edits: Edit[]
  /** By server: so many of them it is said to hold. */
  held: Map<string, number>
}

export class Ledger {
  readonly violations: Violation[] = []
  readonly journal = new Journal()
  readonly #checkers: Checkers
  readonly #runs = new Map<string, Run>()
  #now = 0

  constructor() {
    this.#checkers = new Checkers({
      journal: this.journal,
      now: () => this.#now,
      report: (violation) => this.violations.push(violation),
      canReach: () => true,
    })
  }

  /** Edits that some server was said to hold. */
  get acknowledgedCount(): number {
    let count = 0
    for (const { held } of this.#runs.values()) count += Math.max(0, ...held.values())
    return count
  }

  count(...checkers: CheckerId[]): number {
    return this.violations.filter(({ checker }) => checkers.includes(checker)).length
  }

  report(checker: CheckerId, text: string): void {
    this.violations.push({ checker, at: this.#now, text })
  }

  absorb(events: Event[]): void {
    // A word may be deleted by somebody whose report is read before its writer's.
    for (const event of events) if (event.type === 'typed') this.#typed(event)
    for (const event of events) {
      this.#now = Math.max(this.#now, event.at)
      switch (event.type) {
        case 'typed':
          this.#run(event).edits.push(this.#token(event.document, event.name))
          break
        case 'deleted': {
          const token = this.#token(event.document, event.name)
          this.#run(event).edits.push(this.journal.deleted(event.at, event.label, token))
          break
        }
        case 'told':
          this.#told(event)
          break
      }
    }
  }

  #typed({ label, document, at, name, follows }: Extract<Event, { type: 'typed' }>): void {
    const known = follows === undefined ? undefined : this.#token(document, follows)
    const seen = new Bits()
    const person = label
    const token = this.journal.typed({ at, person, label, document, seen, follows: known })
    assert.equal(token.name, name, 'people number their words one by one')
  }

  #told(event: Extract<Event, { type: 'told' }>): void {
    const { at, count, servers } = event
    const { edits, held } = this.#run(event)
    for (const server of servers) {
      const before = held.get(server) ?? 0
      for (const edit of edits.slice(before, count)) this.journal.told(at, edit, server)
      held.set(server, Math.max(before, count))
    }
  }

  #token(document: string, name: string) {
    const token = this.journal.document(document).byName.get(name)
    assert.ok(token, `${name} was typed before it is followed or deleted`)
    return token
  }

  #run({ label, document }: Event): Run {
    const key = `${label}/${document}`
    let run = this.#runs.get(key)
    if (!run) this.#runs.set(key, (run = { edits: [], held: new Map() }))
    return run
  }

  // ------------------------------------------------------------------------------- checks

  /** What a server answers for a document: no torn, doubled, unknown, lost or revived words. */
  readServer(server: string, document: string, text: string): void {
    this.#checkers.read({ kind: 'disk', name: server }, document, text)
  }

  readScreen(label: string, document: string, text: string): void {
    this.#checkers.read({ kind: 'screen', name: label }, document, text)
  }

  /** What the server was last seen to hold, against all receipts that name it. */
  checkReceipts(server: string, documents: readonly string[]): void {
    this.#checkers.checkReceipts(server, (document) => documents.includes(document))
  }

  checkSame(document: string, readings: { where: string; value: string }[]): void {
    this.#checkers.checkSame(document, readings)
  }

  checkEnd(document: string, text: string): void {
    this.#checkers.checkEnd(document, text)
  }

  /** A server's disk was destroyed: that alone excuses a loss. */
  destroyed(at: number, server: string): void {
    this.journal.destroyed(at, server)
    this.#checkers.forget({ kind: 'disk', name: server })
  }
}
