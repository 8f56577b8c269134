// Lines of Hebrew, Arabic and the like run from right to left, each by itself, in a text of prose.

import { RangeSetBuilder, type Extension } from '@codemirror/state'
import {
  Decoration,
  type DecorationSet,
  EditorView,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view'

/** Whether the first letter is of a script that runs so. */
const begins =
  /^\P{L}*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u

const rightToLeft = Decoration.line({ attributes: { dir: 'rtl' } })

class Directions {
  lines: DecorationSet

  constructor(view: EditorView) {
    this.lines = linesIn(view)
  }

  update(update: ViewUpdate): void {
    if (update.docChanged || update.viewportChanged) this.lines = linesIn(update.view)
  }
}

function linesIn({ state, visibleRanges }: EditorView): DecorationSet {
  const lines = new RangeSetBuilder<Decoration>()
  for (const { from, to } of visibleRanges) {
    for (let at = from; at <= to;) {
      const line = state.doc.lineAt(at)
      if (begins.test(line.text)) lines.add(line.from, line.from, rightToLeft)
      at = line.to + 1
    }
  }
  return lines.finish()
}

/** Each line is written in the direction of its first letter. */
export const lineDirections: Extension = [
  EditorView.perLineTextDirection.of(true),
  ViewPlugin.fromClass(Directions, { decorations: ({ lines }) => lines }),
]
