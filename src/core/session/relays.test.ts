// Others' edits that a client keeps: how many, and which go.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { relayBytesMax } from '../model/limits.ts'
import { relayOf, Relays, type Relay } from './relays.ts'

/** Of 1,024 bytes. */
function relay(document: string, seal: number, own: Relay['own'] = new Map([[1, seal]])): Relay {
  const update = new Uint8Array(1024 - 2 - 16 * own.size)
  return { document, at: 0, update, seal: Uint8Array.of(seal >> 8, seal), own }
}

const sealsOf = (relays: Relay[]) => relays.map(({ seal }) => (seal[0]! << 8) + seal[1]!)

test('of all documents together the last megabyte is kept', () => {
  const relays = new Relays()
  const count = relayBytesMax / 1024
  relays.keep(relay('E', 0))
  for (let seal = 1; seal < count; seal++) relays.keep(relay('D', seal))
  assert.equal(relays.of('E').length, 1)
  relays.keep(relay('D', count))
  assert.equal(relays.of('E').length, 0)
  assert.equal(relays.of('D').length, count)
  relays.forget('D')
  for (let seal = 1; seal <= count; seal++) relays.keep(relay('E', seal))
  assert.equal(relays.of('E').length, count)
})

test('the last of a document are as many as there is room for', () => {
  const relays = new Relays()
  for (const seal of [1, 2, 3]) relays.keep(relay('D', seal))
  relays.keep(relay('E', 4))
  assert.deepEqual(sealsOf(relays.lastOf('D', 2048)), [2, 3])
  assert.deepEqual(sealsOf(relays.lastOf('D', 2047)), [3])
  assert.deepEqual(sealsOf(relays.lastOf('D', 4096)), [1, 2, 3])
  assert.deepEqual(sealsOf(relays.lastOf('D', 0)), [])
})

test('what two programs heard of is one edit, in its first place, after what each had written', () => {
  const relays = new Relays()
  relays.keep(relay('D', 1, new Map([[1, 5]])))
  relays.keep(relay('D', 2))
  relays.keep(relay('D', 1, new Map([[2, 7]])))
  relays.keep(relay('D', 1, new Map([[1, 9]])))
  assert.deepEqual(sealsOf(relays.of('D')), [1, 2])
  const clocks = [...relays.of('D')[0]!.own].sort(([one], [other]) => one - other)
  assert.deepEqual(clocks, [
    [1, 5],
    [2, 7],
  ])
})

test('an edit comes after what this person has written, unless it was here before', () => {
  const doc = new Y.Doc()
  doc.clientID = 1
  doc.getText('text').insert(0, 'own')
  const other = new Y.Doc()
  other.getText('text').insert(0, 'theirs')
  const update = Y.encodeStateAsUpdate(other)
  const came = { document: 'D', at: 0, update, seal: new Uint8Array([1]) }
  const writers = new Set([1, 2])
  assert.deepEqual([...relayOf(came, doc, writers).own], [[1, 3]])
  Y.applyUpdate(doc, update)
  assert.deepEqual([...relayOf(came, doc, writers).own], [])
})
