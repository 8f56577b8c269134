// What is kept of edits that are on their way, when there is much of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { outboxBytesMax, parcelsMax } from '../model/limits.ts'
import { textRoot } from '../model/text-update.ts'
import { Link } from './link.ts'
import { Outbox } from './outbox.ts'
import type { PushParcel } from './parcel.ts'

const document = 'plan'

/** An outbox, and a way to write: each text becomes a push that was sent. */
function writer() {
  const outbox = new Outbox()
  const link = new Link(1, 'http://a', true, 0)
  const text = new Y.Doc().getText(textRoot)
  let ticket = 0
  text.doc!.on('update', (update) => outbox.edited(0, document, update))
  const write = (words: string, ...servers: string[]): PushParcel => {
    text.insert(text.length, words)
    outbox.take(0, document)
    const parcel = [...outbox.pushes()].at(-1)!
    link.sent(0, ++ticket, parcel)
    parcel.servers = new Set(servers)
    return parcel
  }
  const settle = (live: string[]) =>
    outbox.settle(0, { all: ['a', 'b', 'c', 'd'], live, safeCount: 2 }, () => true, link)
  return { outbox, write, settle }
}

test('4 what is written after an edit that is in the document alone stays there with it', () => {
  const { outbox, write } = writer()
  write('one', 'a')
  outbox.edited(1, document, new Uint8Array(outboxBytesMax + 1))
  outbox.edited(2, document, new Uint8Array(1))
  assert.equal(outbox.isInDocument(document), true)
  outbox.take(2, document)
  assert.equal([...outbox.pushes()].length, 1)
  assert.equal(outbox.isOwed(document, 1, 'a'), true)
})

test('4 of an offer for which there is no room the rest stays to be offered', () => {
  const { outbox } = writer()
  const part = new Uint8Array(outboxBytesMax)
  const span = outbox.whole(0, document)
  assert.equal(outbox.offered(0, document, [part, part], span), false)
  assert.equal([...outbox.pushes()].length, 1, 'one always goes')
  assert.equal(outbox.isInDocument(document), true)
})

test('4 where the last edits are that rest is where all of them are', () => {
  const { outbox, write, settle } = writer()
  write('one', 'a', 'b', 'c')
  write('two', 'a', 'b', 'd')
  settle(['a', 'b'])
  assert.equal([...outbox.pushes()].length, 1)
  assert.deepEqual(outbox.holders(document, 1), ['a', 'b'])
  write('three', 'a')
  settle(['a', 'b'])
  assert.equal([...outbox.pushes()].length, 2, 'what is not safe stays by itself')
})

test('12 of too many parcels those that some server holds are joined, where nothing lies between', () => {
  const { outbox, write, settle } = writer()
  const words = Array.from({ length: parcelsMax }, (_, index) => `${index} `)
  for (const word of words) write(word, 'a')
  settle(['a', 'b'])
  assert.equal([...outbox.pushes()].length, parcelsMax)
  const waiting = write('waits')
  settle(['a', 'b'])
  const [joined, ...others] = outbox.pushes()
  assert.deepEqual(others, [waiting])
  const doc = new Y.Doc()
  Y.applyUpdate(doc, joined!.update!)
  assert.equal(doc.getText(textRoot).toString(), words.join(''))
  // What no server holds goes, as by an offer; what comes after it is no more next to the rest.
  outbox.delete(waiting)
  for (const word of words) write(word, 'a')
  settle(['a', 'b'])
  assert.deepEqual(
    [...outbox.pushes()].map(({ update }) => update),
    [undefined],
  )
})

test('12 of too many bytes those are dropped that some server holds, the oldest first', () => {
  const { outbox, write, settle } = writer()
  const size = outboxBytesMax / 5
  write('x'.repeat(size))
  for (let count = 0; count < 5; count++) write('y'.repeat(size), 'a')
  settle(['a', 'b'])
  const kept = [...outbox.pushes()].map(({ update }) => update !== undefined)
  assert.deepEqual(kept, [true, false, false, true, true, true])
})
