// The bytes of a text are counted with its changes, whatever these are.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { Random } from '../../../sim/random.ts'
import { Typist } from '../../../test/seeded-typing.ts'
import { byteLength } from './byte-length.ts'
import { integrate } from './integration.ts'
import { liveBytes, TextBytes } from './text-bytes.ts'
import { mergeTextUpdates, decodeTextUpdate, encodeTextUpdate } from './text-update.ts'

const bytesOf = (doc: Y.Doc) => Buffer.byteLength(doc.getText('text').toString())

/** A text that takes updates in, several of them in one transaction. */
class Counted {
  readonly doc = new Y.Doc()
  bytes: TextBytes | undefined

  take(updates: readonly Uint8Array[]): void {
    this.doc.transact((transaction) => {
      for (const update of updates) {
        integrate(this.doc, update)
        this.bytes?.takeIn(transaction)
        this.check()
      }
    })
    this.check()
  }

  /** Begins to count, also within a transaction. */
  begin(): void {
    this.bytes = new TextBytes(this.doc)
    this.check()
  }

  check(): void {
    if (this.bytes) assert.equal(this.bytes.bytes, bytesOf(this.doc))
  }
}

test('units have as many bytes as they have as UTF-8', () => {
  const text = 'a\u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff漢👋\u{10ffff}\n'
  assert.equal(byteLength(text), Buffer.byteLength(text))
  for (let start = 0; start <= text.length; start++) {
    for (let end = start; end <= text.length; end++) {
      const part = text.slice(start, end)
      if (part.isWellFormed()) assert.equal(byteLength(text, start, end), Buffer.byteLength(part))
    }
  }
  // Two halves are one letter.
  assert.equal(byteLength('👋', 0, 1) + byteLength('👋', 1, 2), 4)
})

test('what people write, replace and delete is counted as it comes, in whatever order', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = new Random(seed)
    const people = [1, 2, 3].map((writer) => new Typist(writer, random.fork(`${writer}`)))
    const counted = new Counted()
    const onTheWay: Uint8Array[] = []
    const begins = random.below(40)
    for (let step = 0; step < 60; step++) {
      const person = random.pick(people)
      person.edit()
      const made = person.takeMade()
      for (const each of people) if (each !== person) made.forEach((update) => each.hear(update))
      onTheWay.push(...made)
      if (step === begins) {
        counted.doc.transact(() => {
          counted.take(onTheWay.splice(0, random.below(onTheWay.length)))
          counted.begin()
          counted.take(onTheWay.splice(0, 1))
        })
      }
      if (random.chance(0.3)) continue
      const coming = random.shuffled(onTheWay.splice(0, 1 + random.below(6)))
      if (random.chance(0.2)) {
        counted.take([encodeTextUpdate(mergeTextUpdates(coming.map(decodeTextUpdate)))])
      } else counted.take(coming)
      if (random.chance(0.1)) counted.take([Y.encodeStateAsUpdate(person.doc)])
    }
    counted.take(onTheWay)
    assert.equal(counted.doc.getText('text').toString(), people[0]!.text.toString())
  }
})

test('letters that are cut in two are counted as what becomes of them', () => {
  const doc = new Y.Doc()
  const text = doc.getText('text')
  text.insert(0, '👋👋👋 and � and ��')
  const bytes = new TextBytes(doc)
  const change = (act: () => void) => {
    doc.transact((transaction) => {
      act()
      bytes.takeIn(transaction)
    })
    assert.equal(bytes.bytes, bytesOf(doc))
  }
  change(() => text.delete(1, 1))
  change(() => text.insert(2, 'between halves'))
  change(() => text.delete(text.length - 1, 1))
  change(() => text.insert(text.length, 'ä'))
  change(() => text.delete(0, text.length))
  assert.equal(bytes.bytes, 0)
})

test('what was counted is not looked at again, however much is written and deleted', () => {
  const doc = new Y.Doc()
  doc.clientID = 1
  const text = doc.getText('text')
  text.insert(0, 'text 漢字'.repeat(1000))
  const [item] = doc.store.clients.get(1)!
  assert.ok(item instanceof Y.Item && item.content instanceof Y.ContentString)
  const { str } = item.content
  let reads = 0
  Object.defineProperty(item.content, 'str', { get: () => (reads++, str) })
  const bytes = new TextBytes(doc)
  assert.equal(reads, 1)
  doc.clientID = 2
  for (let turn = 0; turn < 100; turn++) {
    doc.transact((transaction) => {
      text.insert(text.length, 'ä and ')
      text.delete(text.length - 3, 3)
      bytes.takeIn(transaction)
    })
  }
  assert.equal(reads, 1)
  assert.equal(bytes.bytes, Buffer.byteLength(str) + 100 * 'ä a'.length + 100)
})

test('of a range only what is there counts, of an item only what is in the range', () => {
  const doc = new Y.Doc()
  doc.clientID = 1
  const text = doc.getText('text')
  text.insert(0, 'a漢字b')
  text.delete(3, 1)
  assert.equal(liveBytes(doc, 1, [0, 4]), 7)
  assert.equal(liveBytes(doc, 1, [1, 1]), 3)
  assert.equal(liveBytes(doc, 1, [2, 100]), 3)
  assert.equal(liveBytes(doc, 1, [4, 1]), 0)
  assert.equal(liveBytes(doc, 2, [0, 1]), 0)
})
