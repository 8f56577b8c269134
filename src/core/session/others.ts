// Where others are in each document, as servers tell it. Whom the server that was changed to does not
// tell of has left meanwhile.

import { caretLifeMs } from '../model/limits.ts'
import type { Caret } from '../model/wire.ts'
import type { Outlet } from './outlet.ts'

/**
 * After a document was opened there: a server tells of all it knows to be in it right behind, and of
 * others as soon as it hears of them. Whoever came from the same server is back within this, so that
 * nobody who stays goes and comes.
 */
const silentMs = 3000

interface Other {
  caret: Caret
  heardAt: number
  /** The server of now has not told of it. */
  isDoubtful: boolean
}

export class Others {
  readonly #writer: number
  readonly #outlet: Outlet
  /** By document and writer. A server tells of each session in it, and forgets it after a while. */
  readonly #others = new Map<string, Map<number, Other>>()
  /** When who is in doubt is taken away: of documents that the server of now has opened. */
  readonly #doubtedUntil = new Map<string, number>()

  /** `writer`: the Yjs client id of this session, of which servers may tell as well. */
  constructor(writer: number, outlet: Outlet) {
    this.#writer = writer
    this.#outlet = outlet
  }

  heard(now: number, caret: Caret): void {
    const { document, writer, clock, state } = caret
    if (writer === this.#writer) return
    const others = this.#others.get(document) ?? new Map<number, Other>()
    this.#others.set(document, others)
    const known = others.get(writer)
    // Who is told to be where it was before is here all the same.
    const latest = known && known.caret.clock > clock ? known.caret : caret
    if (state === '') others.delete(writer)
    else others.set(writer, { caret: latest, heardAt: now, isDoubtful: false })
    this.#outlet.put({ type: 'caret', caret })
  }

  /** Another server: it has told of nobody yet. */
  restart(now: number): void {
    this.#doubtedUntil.clear()
    for (const others of this.#others.values()) {
      for (const [writer, other] of others) {
        other.isDoubtful = true
        if (now - other.heardAt > caretLifeMs) others.delete(writer)
      }
    }
  }

  /** The server has opened a document: what it knows of carets in it follows. */
  opened(now: number, document: string): void {
    if (this.#doubtedUntil.has(document)) return
    const others = [...(this.#others.get(document)?.values() ?? [])]
    if (others.some(({ isDoubtful }) => isDoubtful)) {
      this.#doubtedUntil.set(document, now + silentMs)
    }
  }

  forget(isFollowed: (document: string) => boolean): void {
    for (const document of this.#others.keys()) {
      if (isFollowed(document)) continue
      this.#others.delete(document)
      this.#doubtedUntil.delete(document)
    }
  }

  /** Takes away who has been in doubt for long enough. */
  advance(now: number): void {
    for (const [document, until] of this.#doubtedUntil) {
      if (until > now) continue
      this.#doubtedUntil.delete(document)
      for (const { caret, isDoubtful } of this.#others.get(document)?.values() ?? []) {
        if (isDoubtful) this.heard(now, { ...caret, state: '' })
      }
    }
  }

  get nextAt(): number {
    return Math.min(Infinity, ...this.#doubtedUntil.values())
  }
}
