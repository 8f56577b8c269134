// Updates integrate in whatever order they come.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as Y from 'yjs'
import { integrate } from './integration.ts'

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

function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items]
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  )
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
