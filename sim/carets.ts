// Where a simulated person is in each text, and where the page shows the others to be: as editors take
// it from what servers tell.

import { caretLifeMs } from '../src/core/model/limits.ts'
import type { Caret } from '../src/core/model/wire.ts'
import type { DocumentId } from './journal.ts'

interface Shown {
  clock: number
  state: string
  at: number
}

export class Carets {
  readonly #writer: number
  readonly #own = new Map<DocumentId, string>()
  /** By document and writer. */
  readonly #others = new Map<DocumentId, Map<number, Shown>>()

  constructor(writer: number) {
    this.#writer = writer
  }

  /** Where this person is in the document now; it is to be told. */
  move(document: DocumentId, state: string): void {
    this.#own.set(document, state)
  }

  /** The document is closed. */
  forget(document: DocumentId): void {
    this.#own.delete(document)
    this.#others.delete(document)
  }

  heard(now: number, { document, writer, clock, state }: Caret): void {
    if (writer === this.#writer) return
    const others = this.#others.get(document) ?? new Map<number, Shown>()
    this.#others.set(document, others)
    const known = others.get(writer)
    const isGone = state === '' && known?.clock === clock
    if (known && known.clock >= clock && !isGone) return
    others.set(writer, { clock, state, at: now })
  }

  /** No server tells who is here. */
  forgetOthers(): void {
    this.#others.clear()
  }

  /** Where this person is; undefined: nowhere in it. */
  own(document: DocumentId): string | undefined {
    return this.#own.get(document)
  }

  /** Where others are shown, by writer. */
  shown(now: number, document: DocumentId): Map<number, string> {
    const shown = new Map<number, string>()
    for (const [writer, { state, at }] of this.#others.get(document) ?? []) {
      if (state !== '' && now - at <= caretLifeMs) shown.set(writer, state)
    }
    return shown
  }
}
