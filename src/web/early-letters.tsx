// What is typed between the choice of a file and its text being there goes into the text.
//
// An address that changes, the drawing of the page and a server's answer lie between the two: letters
// typed meanwhile went to the tree, which took them for the beginning of a name.

import type { ShownEditor } from './shown-editor.ts'
import { isTouched } from './touch.ts'

/** The field that has the focus meanwhile, and what was written in it. */
export class EarlyLetters {
  #field: HTMLTextAreaElement | undefined
  #file = ''
  #isChosen = false

  readonly attach = (field: HTMLTextAreaElement): (() => void) => {
    this.#field = field
    return () => (this.#field = undefined)
  }

  /** Somebody chose the text of this file, typed this for it, and may go on to type. */
  choose(file: string, letters: string): void {
    this.#await(file)
    this.#isChosen = true
    if (this.#file === file) this.#field?.setRangeText(letters, 0, 0, 'end')
  }

  /** This text is not here yet: what is typed nowhere else goes into it. */
  wait(file: string): void {
    if (document.activeElement === document.body) this.#await(file)
  }

  /** Whether it is still meant: who chose it did not go elsewhere since. */
  isMeant(file: string): boolean {
    const isHere = [this.#field, document.body].some((each) => each === document.activeElement)
    return isHere || !this.#isChosen || this.#file !== file
  }

  /** What was written for this text, once. */
  take(file: string): string {
    const letters = this.#file === file ? (this.#field?.value ?? '') : ''
    this.#empty('')
    return letters
  }

  #await(file: string): void {
    if (isTouched()) return
    if (this.#file !== file) this.#empty(file)
    if (this.#field === undefined) return
    this.#field.hidden = false
    this.#field.focus({ preventScroll: true })
  }

  #empty(file: string): void {
    this.#file = file
    this.#isChosen = false
    if (this.#field) Object.assign(this.#field, { value: '', hidden: true })
  }
}

export function EarlyField({ editor }: { editor: ShownEditor }) {
  return (
    <textarea
      ref={editor.early.attach}
      // There for as long as something is awaited: who reads the page by ear meets no empty field.
      hidden
      className="visually-hidden"
      aria-label="Text that is being opened"
      tabIndex={-1}
      autoComplete="off"
      spellCheck={false}
    />
  )
}
