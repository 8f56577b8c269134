// What would make a text larger than it may be is not put in.

import {
  EditorState,
  Prec,
  StateField,
  type Extension,
  type Text,
  type Transaction,
} from '@codemirror/state'
import { byteLength } from '../core/model/byte-length.ts'
import { textBytesMax, updateBytesMax } from '../core/model/limits.ts'

/** The bytes of the text as UTF-8: counted once, and then with each change. */
const textBytes = StateField.define<number>({
  create: ({ doc }) => bytesIn(doc, 0, doc.length),
  update: (bytes, transaction) => bytes + growthOf(transaction),
})

/**
 * What is put in at once may travel as one update. In several, what it replaces goes first, and the others
 * find the text shorter than they leave it.
 */
const wholeBytesMax = updateBytesMax / 2

/** `tooLarge`: something that was typed, pasted or dropped is left out. */
export function textRoom(tooLarge: () => void): Extension {
  const filter = EditorState.transactionFilter.of((transaction) => {
    const isOwn = transaction.isUserEvent('input') || transaction.isUserEvent('move')
    // A letter has at most three bytes for each unit.
    if (!isOwn || 3 * transaction.newDoc.length <= textBytesMax) return transaction
    const growth = growthOf(transaction)
    const bytes = transaction.startState.field(textBytes) + growth
    // As at the gate of a server: whatever leaves a text no longer is put in, where it goes in one piece.
    const isWhole = insertedBy(transaction) <= wholeBytesMax
    if ((growth <= 0 && isWhole) || bytes <= textBytesMax) return transaction
    tooLarge()
    return []
  })
  // Last of all filters: others make something else of what is put in.
  return [textBytes, Prec.highest(filter)]
}

function growthOf({ changes, startState, newDoc }: Transaction): number {
  let bytes = 0
  changes.iterChanges((fromA, toA, fromB, toB) => {
    bytes += bytesIn(newDoc, fromB, toB) - bytesIn(startState.doc, fromA, toA)
  })
  return bytes
}

function insertedBy({ changes, newDoc }: Transaction): number {
  let bytes = 0
  changes.iterChanges((_fromA, _toA, fromB, toB) => (bytes += bytesIn(newDoc, fromB, toB)))
  return bytes
}

function bytesIn(doc: Text, from: number, to: number): number {
  let bytes = 0
  for (const piece of doc.iterRange(from, to)) bytes += byteLength(piece)
  return bytes
}
