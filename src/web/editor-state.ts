// The text editor of one file: CodeMirror bound to the file's shared text.

import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, indentWithTab } from '@codemirror/commands'
import { bracketMatching, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { gotoLine, highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import {
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
  rectangularSelection,
} from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import * as Y from 'yjs'
import { caretInSight } from './caret-in-sight.ts'
import { findPanel } from './find-panel.ts'
import { languageOf } from './language.ts'
import { lineEndingOf, lineEndings } from './line-endings.ts'
import { manyPlaces } from './many-places.ts'
import type { OpenFile } from './open-file.ts'
import { picturePaste, type PasteOptions } from './picture-paste.ts'
import { remoteCarets } from './remote-carets.ts'
import { lineDirections } from './text-direction.ts'
import { textRoom } from './text-room.ts'
import { wholeWords } from './whole-words.ts'

export interface EditorOptions extends PasteOptions {
  file: OpenFile
  fileName: string
  parent: HTMLElement
  /** The text, the selection or the focus changed. */
  changed: (view: EditorView) => void
  /** Something pasted or dropped would make the file larger than it may be. */
  tooLarge: () => void
}

const language = new Compartment()

/** The editor of a file whose text is loaded, at the place where this person left it. */
export function openEditor(options: EditorOptions): EditorView {
  const { file, parent } = options
  const text = file.live.text.toString()
  const place = file.place()
  const clamp = (index: number) => Math.min(index, text.length)
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      ...(place && { selection: { anchor: clamp(place.anchor), head: clamp(place.head) } }),
      extensions: [base, lineEndings(lineEndingOf(text)), shared(options)],
    }),
    ...(place &&
      place.top > 0 && {
        scrollTo: EditorView.scrollIntoView(clamp(place.top), { y: 'start', yMargin: 0 }),
      }),
  })
  setLanguage(view, options.fileName)
  return view
}

/** Puts in what was typed before the editor was there. */
export function insertAtCaret(view: EditorView, text: string): void {
  if (text === '') return
  const { head } = view.state.selection.main
  view.dispatch({
    changes: { from: head, insert: text },
    selection: { anchor: head + text.length },
    scrollIntoView: true,
    userEvent: 'input.type',
  })
}

/** Ends an editor and keeps where the person was. */
export function closeEditor(view: EditorView, file: OpenFile): void {
  keepPlace(view, file)
  view.destroy()
  file.expect(false)
}

/** Notes where the person is, for this tab. */
export function keepPlace(view: EditorView, file: OpenFile): void {
  const { anchor, head } = view.state.selection.main
  const at = (index: number) => Y.createRelativePositionFromTypeIndex(file.live.text, index)
  const top = view.lineBlockAtHeight(view.scrollDOM.scrollTop + 1).from
  file.leave({ anchor: at(anchor), head: at(head), top: at(top) })
}

/** Fits highlighting and wrapping to a file's name; what takes loading follows by itself. */
export function setLanguage(view: EditorView, fileName: string): void {
  const { isProse, load } = languageOf(fileName)
  const plain = isProse ? [EditorView.lineWrapping, spelling, lineDirections] : [closeBrackets()]
  const label = EditorView.contentAttributes.of({ 'aria-label': `Text of ${fileName}` })
  view.dispatch({ effects: language.reconfigure([plain, label]) })
  load?.().then(
    (support) => view.dispatch({ effects: language.reconfigure([plain, label, support]) }),
    // No server and not fetched before: the text is shown without colours.
    () => undefined,
  )
}

const spelling = EditorView.contentAttributes.of({
  spellcheck: 'true',
  autocapitalize: 'sentences',
  autocorrect: 'on',
})

/**
 * Characters that are not seen, and so are drawn as dots; but of a long run only the first. A file of
 * zeros is text, too, and an element for each of its bytes stops the page.
 */
const unseen = String.raw`[\0-\x08\n-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028\u2029\u202d\u202e\u2066\u2067\u2069\ufeff\ufff9-\ufffc]`
const fewUnseen = new RegExp(`(?<!${unseen}{64})${unseen}`, 'gu')

const base: Extension = [
  lineNumbers(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  highlightSpecialChars({ specialChars: fewUnseen }),
  highlightSelectionMatches(),
  drawSelection(),
  dropCursor(),
  rectangularSelection(),
  bracketMatching(),
  indentOnInput(),
  search({ createPanel: findPanel, literal: true }),
  syntaxHighlighting(classHighlighter),
  placeholder('Write here'),
  caretInSight,
  EditorState.allowMultipleSelections.of(true),
  EditorState.phrases.of({
    go: 'Go',
  }),
  language.of([]),
  keymap.of([
    ...yUndoManagerKeymap,
    ...closeBracketsKeymap,
    { key: 'Mod-g', run: gotoLine },
    ...searchKeymap,
    ...defaultKeymap,
    indentWithTab,
  ]),
]

function shared(options: EditorOptions): Extension {
  const { file, changed, tooLarge } = options
  return [
    wholeWords(file.undo),
    yCollab(file.live.text, null, { undoManager: file.undo }),
    manyPlaces,
    remoteCarets(file),
    picturePaste(options),
    textRoom(tooLarge),
    EditorView.updateListener.of((update) => {
      // Whoever goes elsewhere and writes on does another thing, which is undone by itself.
      if (update.selectionSet && !update.docChanged) file.undo.stopCapturing()
      if (update.focusChanged) file.expect(update.view.hasFocus)
      if (update.docChanged || update.selectionSet || update.focusChanged) changed(update.view)
    }),
  ]
}
