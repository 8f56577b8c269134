// Restores of a file by anybody who has it open: what each took out and put in can be taken back by all of
// them, as an edit of whoever does it. Who restores says so with where they are; what was taken out has to
// have been here, so that nothing is told of what was over before.

import * as Y from 'yjs'
import { newId } from '../client/new-id.ts'
import { restoredJson, restoredOf, isRestoreId, type Restored } from '../client/restored.ts'
import type { LiveDocument } from '../client/api.ts'
import { restoreSaidMs } from '../core/model/limits.ts'
import { applyEdits, smallestDiff } from '../core/model/text-merge.ts'
import {
  countOf,
  follow,
  isCarriedOut,
  takenBack,
  takenBy,
  TakenText,
  unitEditOf,
  type Taken,
} from '../core/model/taken-text.ts'
import type { Deletes } from '../core/model/text-update.ts'
import { nameOf } from './people.ts'
import type { NamedVersion } from './versions.ts'

/** A restore that may be taken back. */
export interface Offered {
  readonly restored: Restored
  /** Who did it; undefined: this person, here. */
  readonly by: string | undefined
  /** What of it is to go, and what is to come back. */
  readonly put: Deletes
  /** Undefined: it is not known. */
  readonly taken: Taken | undefined
}

/** As many as notices are seen at once. */
const offeredMax = 3
/** Of so many it is known that they were told; each of those who are here says one. */
const toldMax = 1000

export class Restores {
  readonly #live: LiveDocument
  readonly #undo: Y.UndoManager
  readonly #change: (act: () => void) => void
  readonly #listeners = new Set<() => void>()
  readonly #text = new TakenText()
  /** Said by others, and not known to have come here. */
  #awaited: { restored: Restored; by: string }[] = []
  readonly #told = new Set<string>()
  #offered: Offered[] = []
  /** This person's own, by their steps of undo. */
  readonly #steps = new WeakMap<object, string>()
  /** How far each writer's text went when the text had come; undefined: it has not. */
  #before: Map<number, number> | undefined

  /** `change`: carries out a change by this person, as one step of their `undo`. */
  constructor(live: LiveDocument, undo: Y.UndoManager, change: (act: () => void) => void) {
    this.#live = live
    this.#undo = undo
    this.#change = change
    undo.on('stack-item-popped', this.#popped)
    void live.loaded.then(() => {
      this.#before = Y.decodeStateVector(Y.encodeStateVector(live.doc))
    })
    live.doc.on('afterTransaction', this.#changed)
    live.awareness.on('change', this.#heard)
    this.#heard()
  }

  /** Those that may be taken back, the latest last; a fresh array whenever it changed. */
  get offered(): readonly Offered[] {
    return this.#offered
  }

  /** What may be taken back changed. Returns the function that ends it. */
  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Makes the text that of a version by the smallest edit, and says so to all who are here. */
  restore({ name, at, text }: NamedVersion): void {
    const { doc, text: present, awareness } = this.#live
    const id = newId()
    const done = (transaction: Y.Transaction) => {
      // What an editor does about it is one more transaction.
      doc.off('afterTransaction', done)
      const edit = unitEditOf(transaction)
      const said = { id, name, at, ...edit, units: countOf(edit.took) }
      this.#offer(said, undefined, takenBy(transaction))
      awareness.setLocalStateField('restored', restoredJson(said))
    }
    doc.on('afterTransaction', done)
    try {
      this.#change(() => applyEdits(present, smallestDiff(present.toString(), text)))
    } finally {
      doc.off('afterTransaction', done)
    }
    const step = this.#undo.undoStack.at(-1)
    if (step) this.#steps.set(step, id)
    // Whoever is alone for longer says it for as long.
    const stored = () => void setTimeout(() => this.#unsay(id), restoreSaidMs)
    this.#live.stored().then(stored, stored)
  }

  /** Puts back what a restore took out, and takes out what is left of what it put in. */
  takeBack({ restored, put, taken }: Offered): void {
    const { doc, text } = this.#live
    if (taken === undefined) return
    const { edits, back } = takenBack(text, put, taken)
    const next = { writer: doc.clientID, clock: Y.getState(doc.store, doc.clientID) }
    // What comes back may be what another restore put in.
    for (const each of this.#offered) if (each.put !== put) follow(each.put, back, next)
    this.#change(() => applyEdits(text, edits))
    this.#tellUndone(restored.id)
  }

  /** Nobody here wants to take it back. */
  settle(id: string): void {
    const left = this.#offered.filter(({ restored }) => restored.id !== id)
    if (left.length < this.#offered.length) this.#setOffered(left)
  }

  close(): void {
    this.#undo.off('stack-item-popped', this.#popped)
    this.#live.doc.off('afterTransaction', this.#changed)
    this.#live.awareness.off('change', this.#heard)
    this.#setOffered([])
  }

  readonly #popped = ({ stackItem, type }: { stackItem: object; type: string }): void => {
    const id = this.#steps.get(stackItem)
    if (id !== undefined && type === 'undo') this.#tellUndone(id)
  }

  readonly #changed = (transaction: Y.Transaction): void => {
    if (transaction.local) return
    this.#text.keep(Date.now(), takenBy(transaction))
    this.#look()
  }

  readonly #heard = (): void => {
    this.#awaited = []
    for (const [writer, state] of this.#live.awareness.getStates()) {
      if (writer === this.#live.awareness.clientID) continue
      if (isRestoreId(state['undone'])) this.#undone(state['undone'])
      const restored = restoredOf(state['restored'], writer)
      if (restored === undefined || this.#told.has(restored.id)) continue
      this.#awaited.push({ restored, by: nameOf(state) ?? 'Somebody' })
    }
    this.#look()
  }

  #look(): void {
    const here = this.#awaited.filter(({ restored }) => isCarriedOut(this.#live.doc, restored))
    if (here.length === 0) return
    this.#awaited = this.#awaited.filter((each) => !here.includes(each))
    for (const { restored, by } of here) {
      this.#tell(restored.id)
      const { took, units } = restored
      const named = this.#text.of(took)
      if (named.size === 0 && !this.#isNews(restored)) continue
      const isWhole = countOf(took) === units
      this.#offer(restored, by, isWhole ? named : this.#text.goneWith(took, units))
    }
  }

  /** Whether what it put in came while the text was here. */
  #isNews({ writer, put: [clock, length] }: Restored): boolean {
    return length > 0 && this.#before !== undefined && clock >= (this.#before.get(writer) ?? 0)
  }

  /** This person took it back. */
  #tellUndone(id: string): void {
    this.#live.awareness.setLocalStateField('undone', id)
    this.#undone(id)
  }

  /** Somebody took it back: for the others it is done. */
  #undone(id: string): void {
    this.#tell(id)
    this.settle(id)
    this.#unsay(id)
    this.#dropStep(id)
  }

  /** What was taken back once would come twice. */
  #dropStep(id: string): void {
    const { undoStack } = this.#undo
    const index = undoStack.findIndex((step) => this.#steps.get(step) === id)
    if (index < 0) return
    undoStack.splice(index, 1)
    const nothing = { undoStackCleared: false, redoStackCleared: false }
    this.#undo.emit('stack-cleared', [nothing])
  }

  #tell(id: string): void {
    this.#told.add(id)
    if (this.#told.size <= toldMax) return
    const [oldest] = this.#told
    this.#told.delete(oldest!)
  }

  #unsay(id: string): void {
    const { awareness } = this.#live
    const said = restoredOf(awareness.getLocalState()?.['restored'], awareness.clientID)
    if (said?.id === id) awareness.setLocalStateField('restored', null)
  }

  #offer(restored: Restored, by: string | undefined, taken: Taken | undefined): void {
    const put = new Map([[restored.writer, [restored.put]]])
    this.#setOffered([...this.#offered, { restored, by, put, taken }].slice(-offeredMax))
  }

  #setOffered(offered: Offered[]): void {
    this.#offered = offered
    for (const listener of this.#listeners) listener()
  }
}
