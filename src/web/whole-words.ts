// What is composed, as Japanese and Chinese are typed, is undone as it was meant.
//
// Between its letters people look for the right word, for longer than what belongs together may take:
// undo brought back half of it, in letters that were never to stay.

import type { Extension } from '@codemirror/state'
import { ViewPlugin, type ViewUpdate } from '@codemirror/view'
import type { UndoManager } from 'yjs'

/** Stands before the binding: what follows then joins what was before. */
export function wholeWords(undo: UndoManager): Extension {
  return ViewPlugin.define(() => ({
    update({ transactions }: ViewUpdate) {
      const goesOn = transactions.some((each) => {
        return each.isUserEvent('input.type.compose') && !each.isUserEvent(begins)
      })
      if (goesOn) undo.lastChange = Date.now()
    },
  }))
}

const begins = 'input.type.compose.start'
