// One document that a program holds open: its text, its people, its copy on this device.

import * as Y from 'yjs'
import { offer, type Deletes } from '../core/model/text-update.ts'
import { textRoot } from '../core/model/snapshot.ts'
import type { LiveDocument, Receipt } from './api.ts'
import type { Keepsake } from './keepsake.ts'
import { Presence } from './presence.ts'

/** Marks transactions that integrate what a server or this device's storage had. */
const integrated = 'fourfold'
/** A browser's storage that takes longer than this does not keep a document from being opened. */
const loadWithinMs = 1500

export interface OpenDocumentOptions {
  id: string
  writer: number
  /** The Yjs client ids under which this person's unsafe edits may stand. */
  writers: ReadonlySet<number>
  name: string
  keepsake: Keepsake
  edited: (update: Uint8Array) => void
  moved: (state: string) => void
  /** The last user closed it. */
  closed: () => void
  stored: () => Promise<Receipt>
  /** Where all edits are that were made so far. */
  receipt: () => Receipt
}

export class OpenDocument implements LiveDocument {
  readonly id: string
  readonly doc: Y.Doc
  readonly text: Y.Text
  readonly presence: Presence
  readonly loaded: Promise<void>
  /** Resolves when what this device kept is in the document. */
  readonly recalled: Promise<void>
  readonly #options: OpenDocumentOptions
  readonly #setLoaded: () => void
  #users = 1

  constructor(options: OpenDocumentOptions) {
    const { id, writer, name, moved, keepsake } = options
    this.#options = options
    this.id = id
    this.doc = new Y.Doc({ gc: true })
    this.doc.clientID = writer
    this.text = this.doc.getText(textRoot)
    this.presence = new Presence(this.doc, name, moved)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.loaded = promise
    this.#setLoaded = resolve
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      keepsake.append(id, update)
      if (origin !== integrated) options.edited(update)
    })
    this.text.observe((_, transaction) => {
      if (transaction.local && transaction.origin !== integrated) this.#mendSurrogates()
    })
    this.recalled = this.#recall()
  }

  get awareness() {
    return this.presence.awareness
  }

  async #recall(): Promise<void> {
    const { keepsake, id } = this.#options
    const late = new Promise<Uint8Array[]>((resolve) => setTimeout(resolve, loadWithinMs, []))
    const loading = keepsake.load(id, () => Y.encodeStateAsUpdate(this.doc))
    const updates = await Promise.race([loading, late])
    if (updates.length === 0) return
    this.doc.transact(() => {
      for (const update of updates) Y.applyUpdate(this.doc, update, integrated)
    }, integrated)
    this.#setLoaded()
  }

  integrate(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, integrated)
  }

  caughtUp(): void {
    this.#setLoaded()
  }

  offer(stateVector: Uint8Array, deletes: Deletes): Uint8Array | undefined {
    return offer(this.doc, stateVector, deletes, this.#options.writers)
  }

  stored(): Promise<Receipt> {
    return this.#options.stored()
  }

  receipt(): Receipt {
    return this.#options.receipt()
  }

  get isClosed(): boolean {
    return this.#users === 0
  }

  /** One more user of the same object. */
  use(): this {
    this.#users++
    return this
  }

  close(): void {
    if (this.#users === 0) return
    if (--this.#users > 0) return
    this.awareness.setLocalState(null)
    this.#options.closed()
  }

  destroy(): void {
    this.presence.destroy()
    this.doc.destroy()
  }

  // Half a surrogate pair cannot travel: the writer would see another text than everybody else.
  #mendSurrogates(): void {
    const text = this.text.toJSON()
    if (text.isWellFormed()) return
    const broken = [...text].flatMap((letter, index, letters) =>
      letter.isWellFormed() ? [] : [letters.slice(0, index).join('').length],
    )
    this.doc.transact(() => {
      for (const at of broken) {
        this.text.delete(at, 1)
        this.text.insert(at, '\ufffd')
      }
    })
  }
}
