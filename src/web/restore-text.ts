// Brings back an earlier text as an edit of the person who asks for it.

import { byHand, type OpenFile } from './open-file.ts'
import { applyEdits, smallestDiff } from '../core/model/text-merge.ts'

/**
 * Makes the file's text `text` by the smallest edit; returns the function that takes it back, and tells
 * whether it did.
 */
export function restoreText(file: OpenFile, text: string): () => boolean {
  const { undo, live } = file
  undo.stopCapturing()
  live.doc.transact(() => applyEdits(live.text, smallestDiff(live.text.toString(), text)), byHand)
  undo.stopCapturing()
  const step = undo.undoStack.at(-1)
  return () => {
    // Whoever went on writing takes back one thing after the other, as always.
    const isLast = undo.undoStack.at(-1) === step
    if (isLast) undo.undo()
    return isLast
  }
}
