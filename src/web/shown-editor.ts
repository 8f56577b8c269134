// The editor on the screen, for the bars around it: they follow it without redrawing the page.

import { useSyncExternalStore } from 'react'
import { EditorView } from '@codemirror/view'
import { EarlyLetters } from './early-letters.tsx'
import { insertAtCaret } from './editor-state.ts'

/** A line of a file, from 1, and the words in it that are to be selected. */
interface Place {
  file: string
  line: number
  words: string
}

/** Holds the editor that is shown, if any. */
export class ShownEditor {
  readonly early = new EarlyLetters()
  readonly #listeners = new Set<() => void>()
  #view: EditorView | undefined
  /** The file that it shows. */
  #file = ''
  #wanted: Place | undefined
  #count = 0

  get view(): EditorView | undefined {
    return this.#view
  }

  /** Another editor is shown, of this file, or none. */
  show(view: EditorView | undefined, file = ''): void {
    this.#view = view
    this.#file = file
    this.#goTo()
    this.changed()
  }

  /** Somebody chose this text: these letters, and what is typed from now on, go into it. */
  choose(file: string, letters = ''): void {
    if (this.#view && this.#file === file) {
      this.#view.focus()
      insertAtCaret(this.#view, letters)
    } else this.early.choose(file, letters)
  }

  /** Goes to a place as soon as the editor of its file is shown. */
  goTo(place: Place): void {
    this.#wanted = place
    this.#goTo()
  }

  #goTo(): void {
    const [view, place] = [this.#view, this.#wanted]
    if (view === undefined || place?.file !== this.#file) return
    this.#wanted = undefined
    const { doc } = view.state
    const line = doc.line(Math.max(1, Math.min(place.line, doc.lines)))
    const at = line.text.toLowerCase().indexOf(place.words.toLowerCase())
    const anchor = line.from + Math.max(0, at)
    const head = at < 0 ? anchor : anchor + place.words.length
    const effects = EditorView.scrollIntoView(anchor, { y: 'center' })
    view.dispatch({ selection: { anchor, head }, effects })
    view.focus()
  }

  /** The text, the selection or the focus of the shown editor changed. */
  changed(): void {
    this.#count++
    for (const listener of this.#listeners) listener()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly count = (): number => this.#count
}

/** The shown editor; the component is drawn again when its text, selection or focus changed. */
export function useEditor(editor: ShownEditor): EditorView | undefined {
  useSyncExternalStore(editor.subscribe, editor.count)
  return editor.view
}
