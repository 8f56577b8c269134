// What one page knows of where its edits are stored: it shows no more than it was told.

import { savingAfterMs } from '../src/core/model/limits.ts'
import type { SaveState } from '../src/core/session/save-state.ts'
import type { DocumentId, Edit, Journal } from './journal.ts'
import { serverNames } from './plan.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

/** An edit is safe on so many servers: the client may then forget it. */
export const safeCount = 2

/** An edit of a text by its number in the session; 0: of an earlier one. */
export interface Written {
  edit: Edit
  number: number
}

export interface ReceiptsOptions {
  person: string
  journal: Journal
  timeline: Timeline
  trace: Trace
  /** What the page before it had written and did not know to be safe. */
  earlier: ReadonlyMap<DocumentId, Written[]>
}

export class Receipts {
  readonly #options: ReceiptsOptions
  /** Edits of texts that are not known to be on all servers. */
  readonly #written = new Map<DocumentId, Written[]>()
  /** Edits that an operation stands for. */
  readonly #operated = new Map<string, Edit[]>()
  /** Edits of each document that this page has told its session of. */
  readonly #counts = new Map<DocumentId, number>()

  constructor(options: ReceiptsOptions) {
    this.#options = options
    for (const [document, written] of options.earlier) {
      const earlier = written.map(({ edit }) => ({ edit, number: 0 }))
      this.#written.set(document, earlier)
    }
  }

  get written(): Map<DocumentId, Written[]> {
    return this.#written
  }

  /** These are about to be told to the session, as one edit. */
  edited(document: DocumentId, edits: Edit[]): void {
    const number = (this.#counts.get(document) ?? 0) + 1
    this.#counts.set(document, number)
    const before = this.#written.get(document) ?? []
    const open = before.filter(({ edit }) => edit.receipt.size < serverNames.length)
    this.#written.set(document, [...open, ...edits.map((edit) => ({ edit, number }))])
  }

  operated(operation: string, edits: Edit[]): void {
    this.#operated.set(operation, edits)
  }

  editsOf(operation: string): Edit[] {
    return this.#operated.get(operation) ?? []
  }

  /** An operation has failed: what was written in what it would have made is gone with it. */
  failed(operation: string): void {
    this.#operated.delete(operation)
    this.#written.delete(operation)
  }

  /** To these of several it was not done. */
  undone(operation: string, entries: ReadonlySet<string>): void {
    const edits = this.editsOf(operation)
    this.#operated.set(
      operation,
      edits.filter(({ document }) => !entries.has(document)),
    )
  }

  /** Edits that no server is known to hold. */
  unsaved(): Edit[] {
    const written = [...this.#written.values()].flat().map(({ edit }) => edit)
    const operated = [...this.#operated.values()].flat()
    return [...written, ...operated].filter(({ receipt }) => receipt.size === 0)
  }

  /** Whether an edit of this document is not known to be safe. */
  hasUnsafe(isOrphaned: (document: DocumentId) => boolean): boolean {
    return [...this.#written].some(
      ([document, written]) =>
        written.some(({ edit }) => edit.receipt.size < safeCount) && !isOrphaned(document),
    )
  }

  /** What the page would show: where each edit of a text is stored. */
  count(holders: (document: DocumentId, number: number) => string[]): void {
    for (const [document, written] of this.#written) {
      for (const { edit, number } of written) this.told(edit, holders(document, number))
    }
    // What was made has a first text, which no edit is: it is there before the first one.
    for (const [operation, edits] of this.#operated) {
      const made = edits.filter(({ document }) => document === operation)
      const open = made.filter(({ receipt }) => receipt.size < serverNames.length)
      for (const edit of open) this.told(edit, holders(operation, 0))
    }
  }

  /**
   * What the page shows of where the last edit is. Getting worse is shown late, and only what waits for
   * long is shown at all: an edit that was made a while ago is to be there.
   */
  shown(save: SaveState): void {
    const { timeline } = this.#options
    if (save.name !== 'saved' || this.unsaved().length > 0) return
    const written = [...this.#written.values()].flat().map(({ edit }) => edit)
    const all = [...written, ...this.#operated.values()].flat()
    const lastAt = Math.max(...all.map(({ invokedAt }) => invokedAt))
    if (timeline.now - lastAt < 2 * savingAfterMs) return
    for (const edit of all) if (edit.invokedAt === lastAt) this.told(edit, save.servers)
  }

  /** The client says that an edit is stored on these. */
  told(edit: Edit, servers: string[]): void {
    const { person, journal, timeline, trace } = this.#options
    const news = servers.filter((server) => journal.told(timeline.now, edit, server))
    if (news.length === 0) return
    const what = 'name' in edit ? String(edit.name) : 'a deletion or a file'
    trace.note(timeline.now, `${person} is told that ${what} is on ${news.join(' ')}`)
  }
}
