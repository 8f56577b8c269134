// Pictures that are pasted or dropped into a text: a sign where they will be, then the link. What else
// is pasted and is no plain text.
//
// The sign is only in this person's editor. The link is their edit, made where the sign is by then,
// also when they look at another file meanwhile.

import { Facet, StateEffect, StateField, type Extension } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView, WidgetType } from '@codemirror/view'
import { pickFiles } from './file-picker.ts'
import { wordsOfHtml } from './html-words.ts'
import { picturesAmong } from './pictures.ts'

/** A picture on its way. */
export interface PictureSign {
  words: string
  stop: () => void
}

/** Takes pictures for a place in the text; false: this text shows none. */
export type TakePictures = (view: EditorView, pictures: File[], at: number) => boolean

/** What CodeMirror takes for itself. */
const plainTypes = ['text/plain', 'text/uri-list']

const taker = Facet.define<TakePictures, TakePictures | undefined>({
  combine: ([first]) => first,
})

export interface PasteOptions {
  takePictures: TakePictures
  /** Takes files of other kinds, with the pictures among them. */
  bring: (data: DataTransfer) => void
  /** There is nothing that could be put in. */
  nothing: () => void
}

export function picturePaste({ takePictures: take, bring, nothing }: PasteOptions): Extension {
  return [
    taker.of(take),
    signs,
    EditorView.domEventHandlers({
      paste: ({ clipboardData: data }, view) => {
        // Words that were copied from a page bring a picture of them along.
        if (data === null || plainTypes.some((type) => data.getData(type) !== '')) return false
        if (insertPictures(view, data.files)) return true
        const words = wordsOfHtml(data.getData('text/html'))
        // Without words CodeMirror would put nothing in the place of what is selected.
        if (words !== '') pasteWords(view, words)
        else if (data.files.length > 0) bring(data)
        else nothing()
        return true
      },
      drop: ({ dataTransfer, clientX: x, clientY: y }, view) => {
        if (dataTransfer === null || dataTransfer.files.length === 0) return false
        const files = [...dataTransfer.files]
        const areAllPictures = picturesAmong(files).length === files.length
        const at = view.posAtCoords({ x, y }, false)
        // CodeMirror would put in what it takes for their text, and pass over the rest in silence.
        if (!areAllPictures || !insertPictures(view, files, at)) bring(dataTransfer)
        return true
      },
    }),
  ]
}

/** As if only these were on the clipboard. */
function pasteWords(view: EditorView, words: string): void {
  const clipboardData = new DataTransfer()
  clipboardData.setData('text/plain', words)
  const pasted = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })
  view.contentDOM.dispatchEvent(pasted)
}

/** Puts the pictures among these files into the text, at the caret; false: it takes none. */
function insertPictures(view: EditorView, files: Iterable<File>, at?: number): boolean {
  const pictures = picturesAmong(files)
  if (pictures.length === 0) return false
  // Behind what is selected: nothing is lost when they do not arrive.
  const place = at ?? view.state.selection.main.to
  return view.state.facet(taker)?.(view, pictures, place) ?? false
}

/** Asks for pictures of this device and puts them in at the caret. */
export function pickPictures(view: EditorView): void {
  pickFiles({ allowsMultiple: true, accept: 'image/*' }, (files) => insertPictures(view, files))
}

/** Shows a sign at a place; undefined: it is gone. */
export function showSign(view: EditorView, key: object, at: number, sign?: PictureSign): void {
  view.dispatch({ effects: setSign.of({ key, at, ...(sign && { sign }) }) })
}

interface Shown {
  key: object
  at: number
  sign?: PictureSign
}

const setSign = StateEffect.define<Shown>()

const signs = StateField.define<readonly Shown[]>({
  create: () => [],
  update(shown, transaction) {
    let next = transaction.docChanged
      ? shown.map((each) => ({ ...each, at: transaction.changes.mapPos(each.at, 1) }))
      : shown
    for (const effect of transaction.effects) {
      if (!effect.is(setSign)) continue
      const { key, at, sign } = effect.value
      const known = next.find((each) => each.key === key)
      next = next.filter((each) => each.key !== key)
      if (sign) next = [...next, { key, sign, at: known?.at ?? at }]
    }
    return next
  },
  provide: (field) => EditorView.decorations.from(field, decorations),
})

function decorations(shown: readonly Shown[]): DecorationSet {
  const widgets = shown.flatMap(({ at, sign }) =>
    sign ? [Decoration.widget({ widget: new SignWidget(sign), side: 1 }).range(at)] : [],
  )
  return Decoration.set(widgets, true)
}

class SignWidget extends WidgetType {
  readonly #sign: PictureSign

  constructor(sign: PictureSign) {
    super()
    this.#sign = sign
  }

  override eq(other: SignWidget): boolean {
    return other.#sign.words === this.#sign.words
  }

  override toDOM(): HTMLElement {
    const sign = document.createElement('span')
    sign.className = 'cm-picture-sign'
    sign.append(this.#sign.words)
    const stop = document.createElement('button')
    stop.type = 'button'
    stop.textContent = 'Stop'
    stop.addEventListener('click', () => this.#sign.stop())
    sign.append(stop)
    return sign
  }

  override ignoreEvent(): boolean {
    return true
  }
}
