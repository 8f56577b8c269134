// How many bytes the text of a document has as UTF-8: counted once, and then with each change.

import * as Y from 'yjs'
import { byteLength } from './byte-length.ts'
import type { Range } from './update-format.ts'

/** Some units of an item, the text of which may be deleted. */
interface Span {
  item: Y.Item
  start: number
  end: number
}

export class TextBytes {
  readonly #doc: Y.Doc
  #bytes = 0
  /** The first clock of each writer that is not counted. */
  readonly #reach = new Map<number, number>()
  /** What is counted of the transaction that changes the text: so many deletions of each writer, … */
  #transaction: Y.Transaction | null = null
  readonly #deletions = new Map<number, number>()
  /** … and so many runs that were cut. */
  #cuts = 0

  constructor(doc: Y.Doc) {
    this.#doc = doc
    this.#countAll(doc._transaction)
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Counts what this transaction changed since it was asked last. Every transaction that changes the text
   * must end with this: when it is over, Yjs forgets what was deleted.
   */
  takeIn(transaction: Y.Transaction): void {
    if (transaction !== this.#transaction) this.#begin(transaction)
    if (this.#cutsLetter(transaction)) {
      this.#countAll(transaction)
      return
    }
    for (const [writer, ranges] of transaction.deleteSet.clients) {
      const reach = this.#reach.get(writer) ?? 0
      for (let index = this.#deletions.get(writer) ?? 0; index < ranges.length; index++) {
        const { clock, len } = ranges[index]!
        // What came and went since then was never counted.
        const range: Range = [clock, Math.min(len, reach - clock)]
        for (const span of spansOf(this.#doc, writer, range)) this.#bytes -= bytesOf(span)
      }
    }
    this.#bytes += this.#come()
    this.#note(transaction)
  }

  #countAll(transaction: Y.Transaction | null): void {
    this.#begin(transaction)
    this.#reach.clear()
    this.#bytes = this.#come()
    if (transaction) this.#note(transaction)
  }

  #begin(transaction: Y.Transaction | null): void {
    this.#transaction = transaction
    this.#deletions.clear()
    this.#cuts = 0
  }

  /** The bytes of the text that came and is there. */
  #come(): number {
    let bytes = 0
    for (const writer of this.#doc.store.clients.keys()) {
      const reach = this.#reach.get(writer) ?? 0
      const end = Y.getState(this.#doc.store, writer)
      if (end === reach) continue
      for (const span of spansOf(this.#doc, writer, [reach, end - reach])) {
        if (!span.item.deleted) bytes += bytesOf(span)
      }
      this.#reach.set(writer, end)
    }
    return bytes
  }

  #note({ deleteSet, _mergeStructs: cuts }: Y.Transaction): void {
    for (const [writer, ranges] of deleteSet.clients) this.#deletions.set(writer, ranges.length)
    this.#cuts = cuts.length
  }

  /** Yjs puts a replacement character for each half of a letter that it cuts in two. */
  #cutsLetter({ _mergeStructs: cuts }: Y.Transaction): boolean {
    for (let index = this.#cuts; index < cuts.length; index++) {
      const struct = cuts[index]
      if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentString)) continue
      if (struct.content.str.startsWith('\ufffd')) return true
    }
    return false
  }
}

/** The bytes of what of a range is in the document and not deleted. */
export function liveBytes(doc: Y.Doc, writer: number, range: Range): number {
  let bytes = 0
  for (const span of spansOf(doc, writer, range)) if (!span.item.deleted) bytes += bytesOf(span)
  return bytes
}

/** What of a range is in the document, by its items. */
export function* itemsOf(
  doc: Y.Doc,
  writer: number,
  [clock, length]: Range,
): Iterable<Y.Item | Y.GC> {
  const items = doc.store.clients.get(writer)
  if (items === undefined || length <= 0 || clock >= Y.getState(doc.store, writer)) return
  for (let index = Y.findIndexSS(items, clock); index < items.length; index++) {
    const item = items[index]!
    if (item.id.clock >= clock + length) return
    yield item
  }
}

function* spansOf(doc: Y.Doc, writer: number, range: Range): Iterable<Span> {
  const [clock, length] = range
  for (const item of itemsOf(doc, writer, range)) {
    if (!(item instanceof Y.Item)) continue
    const start = Math.max(clock - item.id.clock, 0)
    yield { item, start, end: Math.min(clock + length - item.id.clock, item.length) }
  }
}

function bytesOf({ item: { content }, start, end }: Span): number {
  return content instanceof Y.ContentString ? byteLength(content.str, start, end) : 0
}
