// Three-way merging: two changes of one text become one text in which both are.

import type * as Y from 'yjs'
import { addEdit, smallestDiff, stepsMax, type Edit, type Work } from './text-diff.ts'

export { smallestDiff, stepsMax, type Edit, type Work }

/**
 * Edits to `current` that bring the change from `base` to `next` into it. What became of `base` in
 * `current` stays: both sides' inserts, and what either deleted is gone. One and the same edit on
 * both sides counts once. Both differences share one `work`.
 */
export function mergeText(
  base: string,
  current: string,
  next: string,
  work: Work = { stepsLeft: stepsMax },
): Edit[] {
  if (current === next) return []
  // However much others changed, half is left for what is merged into it.
  const half = Math.ceil(work.stepsLeft / 2)
  const first = { stepsLeft: half }
  const theirs = smallestDiff(base, current, first)
  work.stepsLeft -= half - first.stepsLeft
  const merged: Edit[] = []
  // Where we are among their edits, and how far `current` is ahead of `base` there.
  let index = 0
  let shift = 0
  const pass = () => {
    shift += theirs[index]!.insert.length - theirs[index]!.remove
    index++
  }
  for (const our of smallestDiff(base, next, work)) {
    const { at, insert } = our
    const end = at + our.remove
    let isKnown = false
    while (index < theirs.length && isPassed(theirs[index]!, at)) {
      isKnown ||= isSame(theirs[index]!, our)
      pass()
    }
    const first = theirs[index]
    if (isKnown || (first && isSame(first, our))) continue
    let edit: Edit = { at: at + shift, remove: 0, insert }
    let position = at
    if (first && first.at < at) {
      // Ours begins inside of what they replaced: after their text.
      edit.at = first.at + shift + first.insert.length
      position = first.at + first.remove
      if (position > end) {
        addEdit(merged, edit)
        continue
      }
      pass()
    }
    while (index < theirs.length && theirs[index]!.at < end) {
      const their = theirs[index]!
      edit.remove += their.at - position
      addEdit(merged, edit)
      edit = { at: their.at + shift + their.insert.length, remove: 0, insert: '' }
      position = Math.min(end, their.at + their.remove)
      // It may reach into our next edit.
      if (their.at + their.remove > end) break
      pass()
    }
    edit.remove += end - position
    addEdit(merged, edit)
  }
  return merged
}

/** The text after edits of it. */
export function editedText(text: string, edits: readonly Edit[]): string {
  let edited = ''
  let end = 0
  for (const { at, remove, insert } of edits) {
    edited += text.slice(end, at) + insert
    end = at + remove
  }
  return edited + text.slice(end)
}

/** Carries out edits of the whole text in one transaction. */
export function applyEdits(text: Y.Text, edits: readonly Edit[]): void {
  const apply = () => {
    // From the end, so that the places of those before stay right.
    for (const { at, remove, insert } of edits.toReversed()) {
      if (remove > 0) text.delete(at, remove)
      if (insert !== '') text.insert(at, insert)
    }
  }
  if (text.doc) text.doc.transact(apply)
  else apply()
}

/** Whether an edit lies wholly before this place; of two inserts at one place theirs is before. */
function isPassed({ at, remove }: Edit, place: number): boolean {
  return remove > 0 ? at + remove <= place : at <= place
}

function isSame(a: Edit, b: Edit): boolean {
  return a.at === b.at && a.remove === b.remove && a.insert === b.insert
}
