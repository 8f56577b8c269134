// The name of the life that the set is in: from the moment when all servers stood there without a name
// until all their disks are lost.
//
//   unnamed ── a peer has a name, or all are there ──> being stored ── on disk ──> named
//
// A server whose disk was emptied hears the name from the others: the life goes on while one of them
// has it. Of two names the smaller one wins, so that servers that named it at once agree.

import { isOrigin, type Origin } from '../model/ids.ts'
import type { StorageReader } from '../ports.ts'
import type { Item } from './gathering.ts'
import type { Links } from './links.ts'

export class SetLife {
  readonly #origin: Origin
  readonly #isFirst: boolean
  readonly #links: Links
  /** On this disk. */
  #name: string
  /** On this disk, or on its way there. */
  #chosen: string

  constructor(options: { origin: Origin; isFirst: boolean; reader: StorageReader }, links: Links) {
    this.#origin = options.origin
    this.#isFirst = options.isFirst
    this.#links = links
    this.#name = options.reader.life()
    this.#chosen = this.#name
  }

  /** Empty: none is on this disk. */
  get name(): string {
    return this.#name
  }

  /** A name that is to be stored now. */
  next(): string | undefined {
    const peers = [...this.#links.peers()]
    const names = [this.#chosen, ...peers.map(({ life }) => life)].filter(isOrigin)
    // Every start of a server draws a fresh one: the smallest was never a name before.
    const origins = [this.#origin, ...peers.map(({ origin }) => origin)]
    const mayName = this.#links.areAllOpen || this.#isFirst
    const [chosen] = (names.length > 0 || !mayName ? names : origins).toSorted()
    if (chosen === undefined || chosen === this.#chosen) return undefined
    this.#chosen = chosen
    return chosen
  }

  /** Whether a name came onto this disk. */
  stored(items: readonly Item[]): boolean {
    const named = items.findLast(({ life }) => life !== undefined)
    if (named?.life === undefined) return false
    this.#name = named.life
    return true
  }
}
