// What a person's typing looks like on its way: small updates, one after the other.

import * as Y from 'yjs'

import { writerOf } from '../src/core/model/ids.ts'
import { textRoot } from '../src/core/model/snapshot.ts'

/** One character after the other, each an update. */
export function typing(key: Uint8Array, count: number): Uint8Array[] {
  const doc = new Y.Doc()
  doc.clientID = writerOf(key)
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const text = doc.getText(textRoot)
  for (let at = 0; at < count; at++) text.insert(at, at % 6 === 5 ? ' ' : 'x')
  return updates
}
