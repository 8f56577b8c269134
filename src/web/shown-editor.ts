// The editor on the screen, for the bars around it: they follow it without redrawing the page.

import { useSyncExternalStore } from 'react'
import type { EditorView } from '@codemirror/view'

/** Holds the editor that is shown, if any. */
export class ShownEditor {
  readonly #listeners = new Set<() => void>()
  #view: EditorView | undefined
  #count = 0

  get view(): EditorView | undefined {
    return this.#view
  }

  /** Another editor is shown, or none. */
  show(view: EditorView | undefined): void {
    this.#view = view
    this.changed()
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
