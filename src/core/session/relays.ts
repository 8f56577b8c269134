// Others' edits as they arrived, sealed by the server that told them: it may be dead before any other
// server has them, and then whoever heard of them brings them there. A device keeps them with the text.

import * as Y from 'yjs'
import { relayBytesMax } from '../model/limits.ts'
import { deletesOf, type Deletes } from '../model/text-update.ts'

export interface Relay {
  readonly document: string
  /** When it came, or was read from the device. */
  readonly at: number
  readonly update: Uint8Array
  /** What has one seal is one edit. */
  readonly seal: Uint8Array
  /**
   * How far the text of each of this person's Yjs client ids went here when this came: what is below
   * may be a cause of this, and what is not may be an effect. Empty: this was here before, and any of
   * it may be an effect.
   */
  readonly own: ReadonlyMap<number, number>
}

/** What came just now, before it is integrated into `doc`. `writers`: this person's Yjs client ids. */
export function relayOf(came: Omit<Relay, 'own'>, doc: Y.Doc, writers: ReadonlySet<number>): Relay {
  const clockOf = (writer: number) => Y.getState(doc.store, writer)
  const { to } = Y.parseUpdateMeta(came.update)
  const isHere = to.size > 0 && [...to].every(([writer, clock]) => clock <= clockOf(writer))
  if (isHere) return { ...came, own: new Map() }
  const own = [...writers].map((writer) => [writer, clockOf(writer)] as const)
  return { ...came, own: new Map(own.filter(([, clock]) => clock > 0)) }
}

/** Those of all documents that a client has open. */
export class Relays {
  /** By document and seal, in the order of arrival: causes before effects. */
  readonly #kept = new Map<string, Relay>()
  #bytes = 0

  keep(relay: Relay): void {
    const key = `${relay.document} ${String.fromCharCode(...relay.seal)}`
    const known = this.#kept.get(key)
    if (known && [...relay.own.keys()].every((writer) => known.own.has(writer))) return
    this.#bytes -= known ? bytesOf(known) : 0
    // Another program on the device heard of it, too, when it had other text of this person.
    const own = new Map([...relay.own, ...(known?.own ?? [])])
    const kept = { ...(known ?? relay), own }
    this.#kept.set(key, kept)
    this.#bytes += bytesOf(kept)
    for (const [oldest, relay] of this.#kept) {
      if (this.#bytes <= relayBytesMax) return
      this.#drop(oldest, relay)
    }
  }

  of(document: string): Relay[] {
    return [...this.#kept.values()].filter((relay) => relay.document === document)
  }

  /** The last of them, together of at most so many bytes. */
  lastOf(document: string, bytesMax: number): Relay[] {
    const all = this.of(document)
    let first = all.length
    for (let bytes = 0; first > 0; first--) {
      bytes += bytesOf(all[first - 1]!)
      if (bytes > bytesMax) break
    }
    return all.slice(first)
  }

  forget(document: string): void {
    for (const [key, relay] of this.#kept) if (relay.document === document) this.#drop(key, relay)
  }

  #drop(key: string, relay: Relay): void {
    this.#kept.delete(key)
    this.#bytes -= bytesOf(relay)
  }
}

function bytesOf({ update, seal, own }: Relay): number {
  return update.length + seal.length + own.size * ownBytes
}

/** Two numbers, as they are kept. */
const ownBytes = 16

/** Those that somebody who knows these clocks and deletes lacks. */
export function lacking(
  relays: readonly Relay[],
  known: Map<number, number>,
  deletes: Deletes,
): Relay[] {
  return relays.filter(({ update }) => isNews(update, known, deletes))
}

function isNews(update: Uint8Array, known: Map<number, number>, deletes: Deletes): boolean {
  for (const [writer, clock] of Y.parseUpdateMeta(update).to) {
    if (clock > (known.get(writer) ?? 0)) return true
  }
  for (const [writer, ranges] of deletesOf(update)) {
    const gone = deletes.get(writer) ?? []
    for (const [clock, length] of ranges) {
      if (!gone.some(([from, count]) => from <= clock && clock + length <= from + count))
        return true
    }
  }
  return false
}
