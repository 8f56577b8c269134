// Other people's carets and selections over the text, and one's own for them to see.
// Positions travel as Yjs relative positions in the awareness field `cursor`, as y-codemirror.next
// writes them. What arrives is somebody else's: it is checked, and never becomes markup or style.

import {
  EditorSelection,
  StateEffect,
  StateField,
  type EditorState,
  type Extension,
} from '@codemirror/state'
import {
  type EditorView,
  layer,
  RectangleMarker,
  ViewPlugin,
  type LayerMarker,
  type ViewUpdate,
} from '@codemirror/view'
import * as Y from 'yjs'
import type { OpenFile } from './open-file.ts'
import type { PersonHere } from './people.ts'

/** One's own caret is told at most this often: below caretsPerSecondMax. */
const tellEveryMs = 60

interface Caret {
  name: string
  color: number
  anchor: number
  head: number
  /** Counts movements: each shows the name again. */
  moves: number
}

type Carets = ReadonlyMap<number, Caret>

const caretsMoved = StateEffect.define<Carets>()

const caretField = StateField.define<Carets>({
  create: () => new Map(),
  update(carets, transaction) {
    for (const effect of transaction.effects) if (effect.is(caretsMoved)) return effect.value
    if (!transaction.docChanged) return carets
    const shifted = new Map<number, Caret>()
    for (const [writer, caret] of carets) {
      const anchor = transaction.changes.mapPos(caret.anchor, 1)
      const head = transaction.changes.mapPos(caret.head, 1)
      shifted.set(writer, { ...caret, anchor, head })
    }
    return shifted
  },
})

/** Shows the other people of a file in its editor, and tells them where this person is. */
export function remoteCarets(file: OpenFile): Extension {
  return [
    caretField,
    layer({
      above: false,
      class: 'remote-selections',
      update: hasMoved,
      markers: (view) => [...others(view.state)].flatMap((caret) => selectionMarkers(view, caret)),
    }),
    layer({
      above: true,
      class: 'remote-carets',
      update: hasMoved,
      markers: (view) => [...others(view.state)].flatMap((caret) => caretMarkers(view, caret)),
    }),
    ViewPlugin.define((view) => new Teller(view, file)),
  ]
}

/** Where somebody's caret is, one of theirs if they are here in several tabs; undefined: not known. */
export function caretOf(state: EditorState, { writers }: PersonHere): number | undefined {
  const carets = state.field(caretField, false)
  return writers.map((writer) => carets?.get(writer)?.head).find((head) => head !== undefined)
}

function others(state: EditorState): Iterable<Caret> {
  return state.field(caretField).values()
}

function hasMoved(update: ViewUpdate): boolean {
  return update.docChanged || update.startState.field(caretField) !== update.state.field(caretField)
}

function selectionMarkers(view: EditorView, caret: Caret): readonly LayerMarker[] {
  if (caret.anchor === caret.head) return []
  const range = EditorSelection.range(caret.anchor, caret.head)
  return RectangleMarker.forRange(view, `remote-selection person-${caret.color}`, range)
}

function caretMarkers(view: EditorView, caret: Caret): readonly LayerMarker[] {
  const range = EditorSelection.cursor(caret.head, -1)
  const [place] = RectangleMarker.forRange(view, '', range)
  return place === undefined ? [] : [new CaretMarker(place, caret, isAtEnd(view, place, caret))]
}

/** Of the flag: its letters, and what is round them. */
const flagLetterPx = 7
const flagMarginPx = 14

/** Whether the flag would stand over the right edge of what is seen, and so make it scroll. */
function isAtEnd(view: EditorView, { left }: RectangleMarker, { name }: Caret): boolean {
  const { scrollLeft, clientWidth } = view.scrollDOM
  const width = flagMarginPx + flagLetterPx * name.length
  return left + width > scrollLeft + clientWidth && left > width
}

class CaretMarker implements LayerMarker {
  readonly #place: RectangleMarker
  readonly #caret: Caret
  /** The flag stands to the left of it. */
  readonly #isAtEnd: boolean

  constructor(place: RectangleMarker, caret: Caret, atEnd: boolean) {
    this.#place = place
    this.#caret = caret
    this.#isAtEnd = atEnd
  }

  eq(other: LayerMarker): boolean {
    return (
      other instanceof CaretMarker &&
      this.#place.eq(other.#place) &&
      this.#isAtEnd === other.#isAtEnd &&
      this.#caret.moves === other.#caret.moves &&
      this.#caret.name === other.#caret.name &&
      this.#caret.color === other.#caret.color
    )
  }

  draw(): HTMLElement {
    const caret = document.createElement('div')
    caret.append(this.#flag())
    this.#settle(caret)
    return caret
  }

  update(caret: HTMLElement, drawn: LayerMarker): boolean {
    if (!(drawn instanceof CaretMarker)) return false
    this.#settle(caret)
    const isSame =
      drawn.#caret.moves === this.#caret.moves && drawn.#caret.name === this.#caret.name
    // A fresh flag begins its two seconds again.
    if (!isSame) caret.replaceChildren(this.#flag())
    return true
  }

  #flag(): HTMLElement {
    const flag = document.createElement('span')
    flag.className = 'remote-flag'
    flag.textContent = this.#caret.name
    return flag
  }

  #settle(caret: HTMLElement): void {
    const { left, top, height } = this.#place
    caret.className = `remote-caret person-${this.#caret.color}`
    caret.classList.toggle('is-first-line', top < 24)
    caret.classList.toggle('is-at-end', this.#isAtEnd)
    caret.style.left = `${left}px`
    caret.style.top = `${top}px`
    caret.style.height = `${height}px`
  }
}

interface Heard {
  cursor: string
  moves: number
}

/** Carries carets between the editor and the awareness. */
class Teller {
  readonly #view: EditorView
  readonly #file: OpenFile
  readonly #unlisten: () => void
  #heard = new Map<number, Heard>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #toldAt = 0
  #isQueued = false
  #isEnded = false
  /** Until somebody has been in the text there is no caret of theirs to show. */
  #hasEntered = false

  constructor(view: EditorView, file: OpenFile) {
    this.#view = view
    this.#file = file
    this.#unlisten = file.onChange(() => this.#hear())
    this.#hear()
    this.#tellSoon()
  }

  update(update: ViewUpdate): void {
    this.#hasEntered ||= update.view.hasFocus
    if (update.selectionSet || update.docChanged || update.focusChanged) this.#tellSoon()
  }

  destroy(): void {
    this.#isEnded = true
    clearTimeout(this.#timer)
    this.#unlisten()
  }

  /** After the present update of the editor: it may be what led here. */
  #hear(): void {
    if (this.#isQueued) return
    this.#isQueued = true
    queueMicrotask(() => {
      this.#isQueued = false
      if (!this.#isEnded) this.#view.dispatch({ effects: caretsMoved.of(this.#read()) })
    })
  }

  #read(): Carets {
    const { awareness, doc, text } = this.#file.live
    const typing = this.#file.typing(Date.now())
    const known = this.#view.state.field(caretField)
    const carets = new Map<number, Caret>()
    const heard = new Map<number, Heard>()
    const others = this.#file.people.filter((person) => !person.isMe)
    for (const [writer, person] of others.flatMap(placesOf)) {
      const cursor: unknown = awareness.getStates().get(writer)?.['cursor']
      const words = JSON.stringify(cursor) ?? ''
      const before = this.#heard.get(writer)
      const hasStirred = before?.cursor !== words || typing.has(writer)
      const moves = (before?.moves ?? 0) + (hasStirred ? 1 : 0)
      const shown = known.get(writer)
      const place =
        before?.cursor === words && shown !== undefined ? shown : placeOf(cursor, doc, text)
      // Not known: the text it points to is still on its way, and will stir this again.
      if (place === undefined) continue
      heard.set(writer, { cursor: words, moves })
      carets.set(writer, {
        name: person.name,
        color: person.color,
        anchor: Math.min(place.anchor, this.#view.state.doc.length),
        head: Math.min(place.head, this.#view.state.doc.length),
        moves,
      })
    }
    this.#heard = heard
    return carets
  }

  #tellSoon(): void {
    if (this.#timer !== undefined) return
    const waitMs = Math.max(0, this.#toldAt + tellEveryMs - Date.now())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#toldAt = Date.now()
      this.#tell()
    }, waitMs)
  }

  #tell(): void {
    const { awareness, text } = this.#file.live
    const state = awareness.getLocalState()
    if (state === null || !this.#hasEntered) return
    const { anchor, head } = this.#view.state.selection.main
    const cursor = {
      anchor: Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, anchor)),
      head: Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, head)),
    }
    if (JSON.stringify(cursor) === JSON.stringify(state['cursor'])) return
    awareness.setLocalStateField('cursor', cursor)
  }
}

function placesOf(person: PersonHere): [writer: number, PersonHere][] {
  return person.writers.map((writer) => [writer, person])
}

/** The indices a cursor of somebody else means; undefined when it means nothing here. */
function placeOf(
  cursor: unknown,
  doc: Y.Doc,
  text: Y.Text,
): { anchor: number; head: number } | undefined {
  if (typeof cursor !== 'object' || cursor === null) return undefined
  if (!('anchor' in cursor) || !('head' in cursor)) return undefined
  try {
    const anchor = absolute(cursor.anchor, doc)
    const head = absolute(cursor.head, doc)
    if (anchor?.type !== text || head?.type !== text) return undefined
    return { anchor: anchor.index, head: head.index }
  } catch {
    // Rubbish from another client: that person is shown without a caret.
    return undefined
  }
}

function absolute(json: unknown, doc: Y.Doc): Y.AbsolutePosition | null {
  return Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(json), doc)
}
