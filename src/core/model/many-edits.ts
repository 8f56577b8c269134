// Edits of a shared text in very many places at once: "Replace all", indenting a whole file.

import * as Y from 'yjs'
import { cutRuns, cutsOf } from './cutting.ts'
import type { Edit } from './text-merge.ts'
import { encodeTextUpdate, type Deletes } from './update-format.ts'

/**
 * The same as to delete and to insert in each place, in the time that it takes to look at all of them:
 * by places, Yjs seeks and cuts the text for each, which for 60,000 took half a minute. `edits` are in
 * order and in places of the text as it is.
 */
export function applyManyEdits(text: Y.Text, edits: readonly Edit[], origin: unknown): void {
  const doc = text.doc!
  const deletes = deletesOf(text, edits)
  cutRuns(doc, cutsOf(deletes))
  doc.transact((transaction) => {
    let shift = 0
    // First what is put in, behind what it replaces.
    for (const { at, remove, insert } of edits) {
      if (insert === '') continue
      text.insert(at + remove + shift, insert)
      shift += insert.length
    }
    Y.applyUpdate(doc, encodeTextUpdate({ structs: new Map(), deletes }))
    // It is a person's own, whatever Yjs takes it for; and what Yjs knew of places is not so any more.
    transaction.local = true
    if (text._searchMarker) text._searchMarker.length = 0
  }, origin)
}

/** What the edits remove, by the names of the letters. */
function deletesOf(text: Y.Text, edits: readonly Edit[]): Deletes {
  const deletes: Deletes = new Map()
  const removals = edits.filter(({ remove }) => remove > 0)
  let start = 0
  let next = 0
  for (let item = text._start; item !== null && next < removals.length; item = item.right) {
    if (item.deleted || !item.countable) continue
    const { client, clock } = item.id
    const end = start + item.length
    while (next < removals.length && removals[next]!.at < end) {
      const { at, remove } = removals[next]!
      const from = Math.max(at, start)
      const ranges = deletes.get(client) ?? []
      ranges.push([clock + from - start, Math.min(at + remove, end) - from])
      deletes.set(client, ranges)
      if (at + remove > end) break
      next++
    }
    start = end
  }
  for (const ranges of deletes.values()) ranges.sort((one, other) => one[0] - other[0])
  return deletes
}
