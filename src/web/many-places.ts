// What is removed in many places at once, by "Replace all" with nothing or by outdenting, goes from the
// shared text from its end.
//
// The binding carries changes out from the start. Yjs then goes back over all pieces of the run that
// they are in, for each of them: 20,000 places in a pasted text took half a minute. What is put in
// between breaks such a run.

import { Annotation, EditorState, type Extension, type Transaction } from '@codemirror/state'
import { type ViewUpdate, ViewPlugin } from '@codemirror/view'
import { ySyncAnnotation, ySyncFacet } from 'y-codemirror.next'
import { applyEdits, type Edit } from '../core/model/text-merge.ts'

/** So few are carried out at once whatever their order. */
const fewMax = 100

const isHere = Annotation.define<true>()

export const manyPlaces: Extension = [
  EditorState.transactionExtender.of((transaction) => {
    const binding = transaction.startState.facet(ySyncFacet)
    if (transaction.annotation(ySyncAnnotation) === binding || !removesMany(transaction))
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
      binding.ytext.doc!.transact(() => applyEdits(binding.ytext, edits), binding)
    },
  })),
]

function removesMany({ changes }: Transaction): boolean {
  let count = 0
  let inserted = 0
  changes.iterChanges((_from, _to, from, to) => {
    count++
    inserted += to - from
  })
  return count > fewMax && inserted === 0
}
