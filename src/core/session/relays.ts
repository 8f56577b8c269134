// Others' edits as they arrived, sealed by the server that told them: it may be dead before any other
// server has them, and then whoever heard of them brings them there.

import * as Y from 'yjs'
import { relayBytesMax } from '../model/limits.ts'
import { deletesOf, type Deletes } from '../model/text-update.ts'

export interface Relay {
  readonly document: string
  /** When it came. */
  readonly at: number
  readonly update: Uint8Array
  readonly seal: Uint8Array
  /**
   * How far the session's own text had come here when this came: what is below it may be a cause of
   * this, and what is not may be an effect. −1: this was here before, and any of it may be an effect.
   */
  readonly ownClock: number
}

export class Relays {
  /** In the order of arrival: causes before effects. */
  readonly #kept = new Set<Relay>()
  #bytes = 0

  keep(relay: Relay): void {
    this.#kept.add(relay)
    this.#bytes += relay.update.length
    for (const oldest of this.#kept) {
      if (this.#bytes <= relayBytesMax) return
      this.#drop(oldest)
    }
  }

  /** Those of a document that somebody who knows these clocks and deletes lacks. */
  lacking(document: string, known: Map<number, number>, deletes: Deletes): Relay[] {
    return [...this.#kept].filter(
      (relay) => relay.document === document && isNews(relay.update, known, deletes),
    )
  }

  /** Those of a document that came since. */
  since(document: string, at: number): Relay[] {
    return [...this.#kept].filter((relay) => relay.document === document && relay.at >= at)
  }

  forget(document: string): void {
    for (const relay of this.#kept) if (relay.document === document) this.#drop(relay)
  }

  #drop(relay: Relay): void {
    this.#kept.delete(relay)
    this.#bytes -= relay.update.length
  }
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
