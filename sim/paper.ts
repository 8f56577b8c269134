// A document on a person's screen: a live Yjs document that the person edits by whole words, with an
// entry in the journal for each.

import * as Y from 'yjs'
import { integrate } from '../src/core/model/integration.ts'
import { textRoot } from '../src/core/model/snapshot.ts'
import { applyEdits, smallestDiff } from '../src/core/model/text-merge.ts'
import type { Bits } from './bits.ts'
import type { Checkers } from './checkers.ts'
import type { DocumentId, Edit, Journal, PersonName, Token } from './journal.ts'
import { tokenText, wordsOf, type Found } from './token.ts'

export interface PaperOptions {
  journal: Journal
  checkers: Checkers
  person: PersonName
  document: DocumentId
  writer: number
  /** What the device kept of it. */
  kept: Uint8Array | undefined
  /** An edit was made: `update` holds what is new. */
  edited: (update: Uint8Array, edits: Edit[]) => void
}

/** The origin of what the person does and may undo, and of what is not undone. */
const undoable = 'undoable'
const final = 'final'

export class Paper {
  readonly doc = new Y.Doc({ guid: '' })
  readonly text = this.doc.getText(textRoot)
  readonly #options: PaperOptions
  readonly #undo: Y.UndoManager
  #made: Uint8Array[] = []
  #lastTyped: Token | undefined
  /** Whether the text changed since it was last looked at. */
  #isFresh = false

  constructor(options: PaperOptions) {
    this.#options = options
    this.doc.clientID = options.writer
    if (options.kept) Y.applyUpdate(this.doc, options.kept, 'device')
    // 0: each action is undone by itself.
    const trackedOrigins = new Set([undoable])
    this.#undo = new Y.UndoManager(this.text, { captureTimeout: 0, trackedOrigins })
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      this.#isFresh = true
      if (origin !== 'server' && origin !== 'device') this.#made.push(update)
    })
    this.#isFresh = true
  }

  /** What somebody else wrote. */
  integrate(update: Uint8Array): void {
    integrate(this.doc, update, 'server')
  }

  /** Lets the checkers see the screen, if it changed. */
  show(): void {
    if (this.#isFresh) this.look()
  }

  destroy(): void {
    this.#undo.destroy()
    this.doc.destroy()
  }

  // ------------------------------------------------------------------------------- editing

  /** Types a word between two others, or at an end. `where`: 0 is the start. */
  type(at: number, label: string, where: number): void {
    const { found } = this.#words()
    const place = found[Math.floor(where * (found.length + 1)) - 1]?.end ?? 0
    this.#insert(at, label, place, undefined)
  }

  /** Types a word right after the one this person typed last, if it is still there. */
  continue(at: number, label: string): void {
    const last = this.#lastTyped
    const found = last && this.#words().found.find(({ name }) => name === last.name)
    if (found) this.#insert(at, label, found.end, last)
    else this.type(at, label, 1)
  }

  #insert(at: number, label: string, place: number, follows: Token | undefined): void {
    const { journal, person, document } = this.#options
    const seen = this.look()
    const token = journal.typed({ at, person, label, document, seen, follows })
    this.doc.transact(() => this.text.insert(place, tokenText(token.name)), undoable)
    this.#lastTyped = token
    this.#finish([token])
  }

  /** Deletes one of the words there. `which`: a part of them all. */
  delete(at: number, label: string, which: number, isOwn: boolean): void {
    const { journal, person, document } = this.#options
    const candidates = this.#words().found.filter(({ name }) => name.startsWith(label) === isOwn)
    const found = candidates[Math.floor(which * candidates.length)]
    const token = found && journal.document(document).byName.get(found.name)
    if (!token) return
    this.look()
    const deletion = journal.deleted(at, person, token)
    // Two who delete one word and both undo it would bring it back twice: only the writer may.
    this.doc.transact(
      () => this.text.delete(found.start, found.end - found.start),
      isOwn ? undoable : final,
    )
    this.#finish([deletion])
  }

  /** Undoes this person's last action that still can be undone. */
  undo(at: number): void {
    this.#change(at, () => this.#undo.undo())
  }

  /** Brings an earlier text back as an edit, as the page does. */
  restore(at: number, text: string): void {
    const change = () => applyEdits(this.text, smallestDiff(this.text.toString(), text))
    this.#change(at, () => this.doc.transact(change, final))
  }

  /** What takes words out, or brings some back. */
  #change(at: number, change: () => void): void {
    const { journal, person, document } = this.#options
    const { byName } = journal.document(document)
    const before = namesOf(this.#words().found)
    this.look()
    change()
    const after = namesOf(this.#words().found)
    const edits: Edit[] = []
    for (const name of before) {
      const token = byName.get(name)
      if (token && !after.has(name)) edits.push(journal.deleted(at, person, token))
    }
    for (const name of after) {
      const token = byName.get(name)
      if (token && !before.has(name)) journal.revived(token)
    }
    this.#finish(edits)
  }

  #finish(edits: Edit[]): void {
    this.#isFresh = true
    const made = this.#made.splice(0)
    if (made.length === 0) return
    const update = made.length === 1 ? made[0]! : Y.mergeUpdates(made)
    this.#options.edited(update, edits)
  }

  #words(): { found: Found[] } {
    return wordsOf(this.text.toString())
  }

  /** Lets the checkers see the screen. Returns which tokens it shows. */
  look(): Bits {
    this.#isFresh = false
    const { checkers, person, document } = this.#options
    return checkers.read({ kind: 'screen', name: person }, document, this.text.toString())
  }
}

function namesOf(found: Found[]): Set<string> {
  return new Set(found.map(({ name }) => name))
}
