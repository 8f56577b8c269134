// What is changed in very many places at once, by "Replace all" or by indenting, goes into the shared
// text at once: the binding goes from place to place, which kept the page busy for half a minute.

import { Annotation, EditorState, type Extension, type Transaction } from '@codemirror/state'
import { type ViewUpdate, ViewPlugin } from '@codemirror/view'
import { ySyncAnnotation, ySyncFacet } from 'y-codemirror.next'
import { applyManyEdits } from '../core/model/many-edits.ts'
import type { Edit } from '../core/model/text-merge.ts'

/** So few are carried out one by one. */
const fewMax = 100

const isHere = Annotation.define<true>()

export const manyPlaces: Extension = [
  EditorState.transactionExtender.of((transaction) => {
    const binding = transaction.startState.facet(ySyncFacet)
    if (transaction.annotation(ySyncAnnotation) === binding || !changesMany(transaction))
      return null
    // The binding takes it for one that came from the shared text, and leaves it alone.
    return { annotations: [ySyncAnnotation.of(binding), isHere.of(true)] }
  }),
  ViewPlugin.define(() => ({
    update({ transactions, changes, state }: ViewUpdate) {
      if (transactions[0]?.annotation(isHere) !== true) return
      const edits: Edit[] = []
      changes.iterChanges((from, to, _from, _to, insert) => {
        edits.push({ at: from, remove: to - from, insert: insert.sliceString(0) })
      })
      const binding = state.facet(ySyncFacet)
      applyManyEdits(binding.ytext, edits, binding)
    },
  })),
]

function changesMany({ changes }: Transaction): boolean {
  let count = 0
  changes.iterChanges(() => count++)
  return count > fewMax
}
