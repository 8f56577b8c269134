// A file that is open in this page: its live document, whose undo is whose, and where one was in it.

import * as Y from 'yjs'
import type { Client, LiveDocument } from '../client/api.ts'
import { PersonColors, peopleOf, type PersonHere } from './people.ts'
import { isString, remembered } from './remembered.ts'
import { Restores } from './restores.ts'

/** Somebody counts as typing for this long after their last letter. */
const typingMs = 2000

/** Transactions with this origin are a person's own, besides those of the editor: undo takes them. */
export const byHand = Symbol('by hand')

/** Where somebody was in a text, in a form that survives edits by others and a reload. */
export interface Place {
  anchor: Y.RelativePosition
  head: Y.RelativePosition
  /** The first line seen. */
  top: Y.RelativePosition
}

export class OpenFile {
  readonly live: LiveDocument
  readonly undo: Y.UndoManager
  readonly restores: Restores
  readonly #colors = new PersonColors()
  readonly #listeners = new Set<() => void>()
  readonly #typedAt = new Map<number, number>()
  readonly #myName: () => string
  #visibleState: { [field: string]: unknown } | null
  #people: PersonHere[] = []
  #lastChangeAt = 0
  #quietTimer: ReturnType<typeof setTimeout> | undefined
  /** Ends that letters are expected here. */
  #unexpect: (() => void) | undefined

  /** `myName`: the screen name held now; servers may change it. */
  constructor(live: LiveDocument, myName: () => string) {
    this.live = live
    this.#myName = myName
    this.undo = new Y.UndoManager(live.text, { trackedOrigins: new Set([byHand]) })
    this.restores = new Restores(live, this.undo, (act) => this.#change(act))
    this.#visibleState = live.awareness.getLocalState()
    live.awareness.on('change', this.#peopleChanged)
    live.doc.on('afterTransaction', this.#wrote)
    this.#peopleChanged()
  }

  /** Who is here; a fresh array whenever it changed. */
  get people(): PersonHere[] {
    return this.#people
  }

  /** When this person last changed the text, in ms since 1970; 0: not since it was opened. */
  get lastChangeAt(): number {
    return this.#lastChangeAt
  }

  /** The writers whose letters arrived within `typingMs`. */
  typing(now: number): Set<number> {
    return new Set([...this.#typedAt].filter(([, at]) => now - at < typingMs).map(([who]) => who))
  }

  /** People came, went, moved, began or stopped to type. Returns the function that ends it. */
  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells the others that this person is looking at the file, or no longer is. */
  show(isShown: boolean): void {
    const { awareness } = this.live
    const state = awareness.getLocalState()
    if (isShown && state === null && this.#visibleState !== null) {
      const user = Object.assign({}, this.#visibleState['user'], { name: this.#myName() })
      awareness.setLocalState({ ...this.#visibleState, user })
    }
    if (isShown || state === null) return
    // What was restored is said by who is there.
    this.#visibleState = { ...state, restored: null, undone: null }
    awareness.setLocalState(null)
  }

  /** Whether the next letter goes in here. */
  expect(isExpected: boolean): void {
    if (isExpected) this.#unexpect ??= this.live.expect()
    else this.#unexpect?.()
    if (!isExpected) this.#unexpect = undefined
  }

  /** Keeps where one is, for this tab, over reloads too. */
  leave(place: Place): void {
    const { anchor, head, top } = place
    const json = { anchor: toJson(anchor), head: toJson(head), top: toJson(top) }
    placeOf(this.live.id).write(JSON.stringify(json))
  }

  /** Where one was, as indices into the present text; undefined when nothing is known. */
  place(): { anchor: number; head: number; top: number } | undefined {
    const kept = placeOf(this.live.id).read()
    if (kept === '') return undefined
    try {
      const { anchor, head, top } = JSON.parse(kept)
      return { anchor: this.#index(anchor), head: this.#index(head), top: this.#index(top) }
    } catch {
      // Kept by another version of the page: begin at the top.
      return undefined
    }
  }

  /** What can be undone or redone changed. */
  readonly onUndoChange = (listener: () => void): (() => void) => {
    const { undo } = this
    undo.on('stack-item-added', listener)
    undo.on('stack-item-popped', listener)
    undo.on('stack-cleared', listener)
    return () => {
      undo.off('stack-item-added', listener)
      undo.off('stack-item-popped', listener)
      undo.off('stack-cleared', listener)
    }
  }

  close(): void {
    clearTimeout(this.#quietTimer)
    this.expect(false)
    this.live.awareness.off('change', this.#peopleChanged)
    this.live.doc.off('afterTransaction', this.#wrote)
    this.restores.close()
    this.undo.destroy()
    this.live.close()
  }

  /** A change by this person that is one step of undo. */
  #change(act: () => void): void {
    this.undo.stopCapturing()
    this.live.doc.transact(act, byHand)
    this.undo.stopCapturing()
  }

  #index(json: unknown): number {
    const position = Y.createRelativePositionFromJSON(json)
    return Y.createAbsolutePositionFromRelativePosition(position, this.live.doc)?.index ?? 0
  }

  readonly #peopleChanged = (): void => {
    const { awareness, doc } = this.live
    this.#people = peopleOf(awareness.getStates(), doc.clientID, this.#colors)
    this.#tell()
  }

  readonly #wrote = (transaction: Y.Transaction): void => {
    if (transaction.local) {
      if (transaction.changed.size > 0) this.#lastChangeAt = Date.now()
      return
    }
    const now = Date.now()
    const states = this.live.awareness.getStates()
    for (const [writer, until] of transaction.afterState) {
      if (until > (transaction.beforeState.get(writer) ?? 0) && states.has(writer)) {
        this.#typedAt.set(writer, now)
      }
    }
    if (this.typing(now).size === 0) return
    this.#tell()
    clearTimeout(this.#quietTimer)
    this.#quietTimer = setTimeout(this.#tell, typingMs)
  }

  readonly #tell = (): void => {
    for (const listener of this.#listeners) listener()
  }
}

const toJson = Y.relativePositionToJSON

function placeOf(id: string) {
  return remembered('tab', `place.${id}`, '', isString)
}

/** Files kept open behind the visible one, so that coming back is instant and undo is still there. */
const openMax = 8

/** The files this page has open; the one shown last is at the end. */
export class OpenFiles {
  readonly #client: Client
  readonly #files = new Map<string, OpenFile>()

  constructor(client: Client) {
    this.#client = client
  }

  /** The same object for as long as the file stays open. */
  open(id: string): OpenFile {
    const file = this.#files.get(id) ?? new OpenFile(this.#client.open(id), () => this.#client.name)
    this.#files.delete(id)
    this.#files.set(id, file)
    for (const [oldId, old] of this.#files) {
      if (this.#files.size <= openMax) break
      this.#files.delete(oldId)
      old.close()
    }
    return file
  }

  /** Those that are open. */
  all(): OpenFile[] {
    return [...this.#files.values()]
  }

  /** A file if it is open; does not open it. */
  peek(id: string): OpenFile | undefined {
    return this.#files.get(id)
  }

  /** It is not shown any more, and need not be there when somebody comes back. */
  forget(id: string): void {
    this.#files.get(id)?.close()
    this.#files.delete(id)
  }

  close(): void {
    for (const file of this.#files.values()) file.close()
    this.#files.clear()
  }
}
