// Line endings and letters that must come back as they were given: CodeMirror would turn every
// "\r\n" into one break and lose count of the shared text, so here only "\n" ends a line.

import {
  EditorSelection,
  EditorState,
  type Extension,
  RangeSetBuilder,
  Transaction,
  type ChangeSpec,
  type TransactionSpec,
} from '@codemirror/state'
import {
  Decoration,
  type DecorationSet,
  EditorView,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view'

export type LineEnding = 'LF' | 'CRLF'

/** What most lines of a text end with; LF for a text of one line. */
export function lineEndingOf(text: string): LineEnding {
  const breaks = text.split('\n').length - 1
  const withReturn = text.split('\r\n').length - 1
  return breaks > 0 && withReturn * 2 > breaks ? 'CRLF' : 'LF'
}

/**
 * Keeps a text's own line endings. In a CRLF text the "\r" before a break is not shown, is stepped
 * over and deleted together with it, and new lines get one.
 */
export function lineEndings(ending: LineEnding): Extension {
  const always = [EditorState.lineSeparator.of('\n'), pasted(ending), wellFormed]
  return ending === 'LF' ? always : [...always, hiddenReturns, returnsOfNewLines]
}

/** Pasted text takes on the endings of the file. */
function pasted(ending: LineEnding): Extension {
  return EditorView.clipboardInputFilter.of((text) => {
    const plain = text.replace(/\r\n?/g, '\n').toWellFormed()
    return ending === 'CRLF' ? plain.replace(/\n/g, '\r\n') : plain
  })
}

/** Half a surrogate pair means nothing in UTF-8 and would read differently elsewhere. */
const wellFormed = EditorState.transactionFilter.of((transaction) => {
  if (!isByHand(transaction)) return transaction
  let isWellFormed = true
  transaction.changes.iterChanges((_fromA, _toA, _fromB, _toB, inserted) => {
    isWellFormed &&= inserted.toString().isWellFormed()
  })
  return isWellFormed ? transaction : rewritten(transaction, (text) => text.toWellFormed())
})

const returnsOfNewLines = EditorState.transactionFilter.of((transaction) => {
  if (!isByHand(transaction)) return transaction
  let hasBareBreak = false
  transaction.changes.iterChanges((_fromA, _toA, _fromB, _toB, inserted) => {
    hasBareBreak ||= /(^|[^\r])\n/.test(inserted.toString())
  })
  return hasBareBreak
    ? rewritten(transaction, (text) => text.replace(/\r?\n/g, '\r\n'))
    : transaction
})

/** What comes from the shared text is shown as it is: another text here would diverge. */
function isByHand(transaction: Transaction): boolean {
  return transaction.docChanged && transaction.annotation(Transaction.userEvent) !== undefined
}

/** The same changes with other inserted text, and every caret at the letter where it would be. */
function rewritten(transaction: Transaction, rewrite: (text: string) => string): TransactionSpec {
  const changes: ChangeSpec[] = []
  const inserts: { from: number; text: string; written: string }[] = []
  transaction.changes.iterChanges((from, to, fromB, _toB, inserted) => {
    const text = inserted.toString()
    const written = rewrite(text)
    changes.push({ from, to, insert: written })
    inserts.push({ from: fromB, text, written })
  })
  const moved = (at: number): number => {
    let shift = 0
    for (const { from, text, written } of inserts) {
      if (at <= from) break
      shift +=
        at < from + text.length
          ? rewrite(text.slice(0, at - from)).length - (at - from)
          : written.length - text.length
    }
    return at + shift
  }
  const { ranges, mainIndex } = transaction.newSelection
  return {
    changes,
    selection: EditorSelection.create(
      ranges.map((range) => EditorSelection.range(moved(range.anchor), moved(range.head))),
      mainIndex,
    ),
    effects: transaction.effects,
    scrollIntoView: transaction.scrollIntoView,
    userEvent: transaction.annotation(Transaction.userEvent),
  }
}

const hiddenReturn = Decoration.replace({})
const together = Decoration.mark({})

class Returns {
  hidden: DecorationSet
  breaks: DecorationSet

  constructor(view: EditorView) {
    ;[this.hidden, this.breaks] = returnsIn(view)
  }

  update(update: ViewUpdate): void {
    if (update.docChanged || update.viewportChanged) {
      ;[this.hidden, this.breaks] = returnsIn(update.view)
    }
  }
}

/** The returns to hide in the visible lines, and the whole breaks to step over. */
function returnsIn(view: EditorView): [DecorationSet, DecorationSet] {
  const hidden = new RangeSetBuilder<Decoration>()
  const breaks = new RangeSetBuilder<Decoration>()
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to;) {
      const line = view.state.doc.lineAt(at)
      if (line.text.endsWith('\r') && line.to < view.state.doc.length) {
        hidden.add(line.to - 1, line.to, hiddenReturn)
        breaks.add(line.to - 1, line.to + 1, together)
      }
      at = line.to + 1
    }
  }
  return [hidden.finish(), breaks.finish()]
}

const hiddenReturns = [
  ViewPlugin.fromClass(Returns, {
    decorations: (returns) => returns.hidden,
    provide: (plugin) =>
      EditorView.atomicRanges.of((view) => view.plugin(plugin)?.breaks ?? Decoration.none),
  }),
  // Wherever a caret would come to stand between the two halves of a break, it stands before both.
  EditorState.transactionFilter.of((transaction) => {
    const { newSelection, newDoc } = transaction
    const isBetween = (at: number) =>
      at > 0 && at < newDoc.length && newDoc.sliceString(at - 1, at + 1) === '\r\n'
    if (!newSelection.ranges.some((range) => isBetween(range.anchor) || isBetween(range.head))) {
      return transaction
    }
    const before = (at: number) => (isBetween(at) ? at - 1 : at)
    let selection = newSelection
    newSelection.ranges.forEach((range, index) => {
      selection = selection.replaceRange(
        EditorSelection.range(before(range.anchor), before(range.head)),
        index,
      )
    })
    return [transaction, { selection }]
  }),
]
