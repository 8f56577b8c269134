// Updates integrate in whatever order they come.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as Y from 'yjs'
import { Random } from '../../../sim/random.ts'
import { integrate } from './integration.ts'
import { permutations } from './testing/entries.ts'

/** Two people who write "acqbd" in turns, as the five updates that they made. */
function updatesOfTwo() {
  const [one, other] = [new Y.Doc(), new Y.Doc()]
  one.clientID = 1
  other.clientID = 2
  const updates: Uint8Array[] = []
  const write = (doc: Y.Doc, place: number, letter: string) => {
    const before = Y.encodeStateVector(doc)
    doc.getText('text').insert(place, letter)
    const update = Y.encodeStateAsUpdate(doc, before)
    updates.push(update)
    for (const each of [one, other]) Y.applyUpdate(each, update)
  }
  write(one, 0, 'a')
  write(one, 1, 'b')
  write(other, 1, 'q')
  write(one, 1, 'c')
  write(one, 4, 'd')
  return updates
}

test('2 no order of updates leaves one waiting whose causes are there', () => {
  const orders = permutations(updatesOfTwo())
  assert.equal(orders.length, 120)
  let stuckCount = 0
  for (const updates of orders) {
    const doc = new Y.Doc()
    for (const update of updates) integrate(doc, update)
    assert.equal(doc.getText('text').toString(), 'acqbd')
    assert.equal(doc.store.pendingStructs, null)

    const plain = new Y.Doc()
    for (const update of updates) Y.applyUpdate(plain, update)
    if (plain.store.pendingStructs) stuckCount++
  }
  // When Yjs finds all of them by itself, `integrate` is not needed any more.
  assert.ok(stuckCount > 0, 'Yjs alone leaves some waiting')
})

test('what waits for a cause that never came goes on waiting, and is not lost', () => {
  const [first, ...rest] = updatesOfTwo()
  const doc = new Y.Doc()
  for (const update of rest) integrate(doc, update)
  assert.equal(doc.getText('text').toString(), '')
  integrate(doc, first!)
  assert.equal(doc.getText('text').toString(), 'acqbd')
})

/** A text, and a change of it in very many places: the updates. */
function replacedAll(places: number): { text: Y.Text; updates: Uint8Array[] } {
  const text = new Y.Doc().getText('text')
  const updates: Uint8Array[] = []
  text.doc!.on('update', (update) => updates.push(update))
  text.insert(0, 'a 👍\n'.repeat(places))
  text.doc!.transact(() => {
    for (let place = 0; place < places; place++) {
      text.delete(place * 7, 1)
      text.insert(place * 7, 'xyz')
    }
  })
  return { text, updates }
}

/** How much Yjs moves in memory where it cuts structs, while this is done. */
function movedBy(act: () => void): number {
  let moved = 0
  const { splice } = Array.prototype
  // Yjs makes the array of structs itself.
  Array.prototype.splice = function (this: unknown[], start: number, ...rest: unknown[]) {
    if (this[0] instanceof Y.Item) moved += this.length - start
    return splice.call(this, start, ...(rest as [number]))
  }
  try {
    act()
  } finally {
    Array.prototype.splice = splice
  }
  return moved
}

test('12 a change in very many places of a run moves few of its pieces', () => {
  const places = 3000
  const { text, updates } = replacedAll(places)
  const other = new Y.Doc()
  integrate(other, updates[0]!)
  const events: Y.YTextEvent[] = []
  other.getText('text').observe((event) => events.push(event))
  const moved = movedBy(() => integrate(other, updates[1]!, 'origin'))
  assert.equal(other.getText('text').toString(), text.toString())
  assert.ok(moved < 10 * places, `${moved} were moved`)
  assert.deepEqual([events.length, events[0]?.transaction.origin], [1, 'origin'])
  assert.equal(events[0]?.transaction.local, false)
})

test('12 nor does it when the run comes with it', () => {
  const places = 3000
  const { text, updates } = replacedAll(places)
  const joined = Y.mergeUpdates(updates)
  const other = new Y.Doc()
  const moved = movedBy(() => integrate(other, joined))
  assert.equal(other.getText('text').toString(), text.toString())
  assert.ok(moved < 10 * places, `${moved} were moved`)
  assert.deepEqual(Y.encodeStateVector(other), Y.encodeStateVector(text.doc!))
})

test('12 nor do changes that follow each other, each in very many places of it', () => {
  const [parts, places] = [10, 1000]
  const text = new Y.Doc().getText('text')
  const updates: Uint8Array[] = []
  text.doc!.on('update', (update) => updates.push(update))
  text.insert(0, 'a 👍\n'.repeat(parts * places))
  for (let part = 0; part < parts; part++) {
    text.doc!.transact(() => {
      for (let place = part * places; place < (part + 1) * places; place++) {
        text.delete(place * 7, 1)
        text.insert(place * 7, 'xyz')
      }
    })
  }
  const other = new Y.Doc()
  const moved = movedBy(() => updates.forEach((update) => integrate(other, update)))
  assert.equal(other.getText('text').toString(), text.toString())
  assert.ok(moved < 10 * parts * places, `${moved} were moved`)
})

test('12 nor does text that comes in very many places of it, between letters or what is gone', () => {
  const places = 3000
  const text = new Y.Doc().getText('text')
  const updates: Uint8Array[] = []
  text.doc!.on('update', (update) => updates.push(update))
  text.insert(0, 'a 👍\n'.repeat(places))
  const other = new Y.Doc()
  integrate(other, updates[0]!)
  text.doc!.transact(() => {
    for (let place = 0; place < places; place++) text.insert(place * 6 + 1, 'x')
  })
  // For one of them all is gone that the other puts something into.
  const gone = new Y.Doc({ gc: false })
  integrate(gone, updates[0]!)
  gone.getText('text').delete(0, gone.getText('text').length)
  for (const doc of [other, gone]) {
    const moved = movedBy(() => integrate(doc, updates[1]!))
    assert.ok(moved < 10 * places, `${moved} were moved`)
  }
  assert.equal(other.getText('text').toString(), text.toString())
  assert.equal(gone.getText('text').toString(), 'x'.repeat(places))
})

test('a long update that deletes what is not here yet is taken in whole', () => {
  const { text, updates } = replacedAll(1000)
  const other = new Y.Doc()
  for (const update of updates.toReversed()) integrate(other, update)
  assert.equal(other.getText('text').toString(), text.toString())
})

/** The state of a document when it is read again: what belongs together is one piece then. */
function readAgain(doc: Y.Doc): Uint8Array {
  const again = new Y.Doc()
  Y.applyUpdate(again, Y.encodeStateAsUpdate(doc))
  return Y.encodeStateAsUpdate(again)
}

test('4 cut or not, an update makes the same text, and the same state of it', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = new Random(seed)
    const docs = [1, 2].map((clientID) => Object.assign(new Y.Doc(), { clientID }))
    const updates: Uint8Array[] = []
    for (const doc of docs) doc.on('update', (update) => updates.push(update))
    for (let round = 0; round < 3; round++) {
      const states = docs.map((doc) => Y.encodeStateVector(doc))
      for (const doc of docs) {
        const text = doc.getText('text')
        doc.transact(() => {
          for (let edit = 0; edit < 900; edit++) {
            const at = Math.floor(random.next() * text.length)
            if (edit % 100 === 0) text.insert(at, 'some words 👍 that are long '.repeat(40))
            else if (edit % 3 === 0) text.insert(at, 'x')
            else text.delete(at, Math.min(text.length - at, 1 + Math.floor(random.next() * 4)))
          }
        })
      }
      const made = docs.map((doc, index) => Y.encodeStateAsUpdate(doc, states[index]))
      docs.forEach((doc, index) => Y.applyUpdate(doc, made[1 - index]!))
    }
    const [cut, plain] = [new Y.Doc(), new Y.Doc()]
    for (const update of updates) {
      integrate(cut, update)
      Y.applyUpdate(plain, update)
    }
    assert.equal(cut.getText('text').toString(), docs[0]!.getText('text').toString())
    assert.deepEqual(readAgain(cut), readAgain(plain))
    const whole = new Y.Doc()
    integrate(whole, Y.mergeUpdates(updates))
    assert.deepEqual(readAgain(whole), readAgain(plain))
  }
})
