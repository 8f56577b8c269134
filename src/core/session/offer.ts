// What goes to a server with which a document was just compared, in order, and what it will have then.

import * as Y from 'yjs'
import { updateBytesMax } from '../model/limits.ts'
import { deletesOf, joinDeletes, splitTextUpdate, type Deletes } from '../model/text-update.ts'
import type { Outbox, Span } from './outbox.ts'
import type { Relay } from './relays.ts'

export interface OfferOptions {
  now: number
  document: string
  /** What the server has: clocks, and what is deleted. */
  known: Map<number, number>
  deletes: Deletes
  /** What is owed, and stands for all that is pushed; undefined: nothing. */
  span: Span | undefined
}

export class Offer {
  /** What the server will have. */
  readonly known: Map<number, number>
  readonly deletes: Deletes
  readonly #outbox: Outbox
  readonly #now: number
  readonly #document: string
  #span: Span | undefined
  #isEmpty = true
  #isCut = false

  constructor(outbox: Outbox, { now, document, known, deletes, span }: OfferOptions) {
    this.known = known
    this.deletes = deletes
    this.#outbox = outbox
    this.#now = now
    this.#document = document
    this.#span = span
  }

  /** Nothing of this person was offered. */
  get isEmpty(): boolean {
    return this.#isEmpty
  }

  /** There was no room for all: nothing may be offered behind it. */
  get isCut(): boolean {
    return this.#isCut
  }

  get stateVector(): Uint8Array {
    return Y.encodeStateVector(this.known)
  }

  /** Whether the server will be behind these clocks. */
  lacks(held: Map<number, number>): boolean {
    for (const [writer, clock] of held) if (clock > (this.known.get(writer) ?? 0)) return true
    return false
  }

  /** Edits of this person. */
  push(update: Uint8Array): void {
    const parts = splitTextUpdate(update, updateBytesMax)
    const span = this.#span ?? this.#outbox.whole(this.#now, this.#document)
    this.#isCut = !this.#outbox.offered(this.#now, this.#document, parts, span)
    // People read a number of edits: they are counted once.
    this.#span = { ...span, count: 0 }
    this.#isEmpty = false
    this.expect(update)
  }

  /** An edit of somebody else. */
  relay(relay: Relay): void {
    this.#outbox.relay(relay)
    this.expect(relay.update)
  }

  /** A push is on its way to the server. */
  expect(update: Uint8Array): void {
    const { from, to } = Y.parseUpdateMeta(update)
    for (const [writer, clock] of from) {
      const before = this.known.get(writer) ?? 0
      // After a gap the server will not take it.
      if (clock <= before) this.known.set(writer, Math.max(before, to.get(writer) ?? 0))
    }
    // Nor will it take a delete of text that it lacks. That text would be offered as deleted, and
    // whoever has it as text must be told of the delete with it.
    const sure: Deletes = new Map()
    for (const [writer, ranges] of deletesOf(update)) {
      const reach = this.known.get(writer) ?? 0
      const there = ranges.filter(([clock, length]) => clock + length <= reach)
      if (there.length > 0) sure.set(writer, there)
    }
    joinDeletes(this.deletes, sure)
  }
}
