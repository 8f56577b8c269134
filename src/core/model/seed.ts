// The first text of a file as an update: the same wherever it is made.

import { encodeUtf8 } from 'lib0/string'
import * as Y from 'yjs'
import { seedWriterOf } from './ids.ts'
import { textRoot } from './snapshot.ts'

/**
 * The text that an operation creates a file with. The same writer, the same clock, the same text on
 * every server that carries it out, and on a device that shows it before: together they are one.
 */
export function seedText(operation: string, text: string): Uint8Array {
  const doc = new Y.Doc({ guid: '' })
  doc.clientID = seedWriterOf(operation, encodeUtf8(text))
  doc.getText(textRoot).insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

/** What a text consists of that has nothing but this one. */
export function seedState(operation: string, text: string): Uint8Array {
  const vector = new Map<number, number>()
  if (text !== '') vector.set(seedWriterOf(operation, encodeUtf8(text)), text.length)
  return Y.encodeSnapshot(Y.createSnapshot(Y.createDeleteSet(), vector))
}
