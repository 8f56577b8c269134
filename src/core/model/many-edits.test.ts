// Edits in very many places at once are the same as each by itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as Y from 'yjs'
import { Random } from '../../../sim/random.ts'
import { applyManyEdits } from './many-edits.ts'
import { editedText, type Edit } from './text-merge.ts'

/** Edits of a text in order, of which some touch each other, and none cuts a letter in two. */
function drawn(text: string, random: Random): Edit[] {
  const below = (count: number) => Math.floor(random.next() * count)
  const isInLetter = (place: number) => /[\udc00-\udfff]/.test(text[place] ?? '')
  const whole = (place: number) => (isInLetter(place) ? place + 1 : place)
  const edits: Edit[] = []
  for (let at = 0; at < text.length;) {
    const start = whole(at + below(3))
    const end = Math.min(text.length, whole(start + below(4)))
    if (start > end) break
    const insert = ['', 'x', 'yz 👍'][below(3)]!
    if (end > start || insert !== '') edits.push({ at: start, remove: end - start, insert })
    at = Math.max(end, at + 1)
  }
  return edits
}

test('4 many edits at once make the text that they are to make, here and elsewhere', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed)
    const docs = [new Y.Doc(), new Y.Doc()]
    const both = () => {
      for (const [one, other] of [docs, docs.toReversed()]) {
        Y.applyUpdate(one!, Y.encodeStateAsUpdate(other!, Y.encodeStateVector(one!)))
      }
    }
    docs[0]!.getText('text').insert(0, 'some 👍 words and\n'.repeat(40))
    both()
    for (let round = 0; round < 4; round++) {
      for (const doc of docs) {
        const writer = doc.clientID
        const text = doc.getText('text')
        const edits = drawn(text.toString(), random)
        const made = editedText(text.toString(), edits)
        applyManyEdits(text, edits, 'by hand')
        assert.equal(text.toString(), made, `seed ${seed}`)
        // Where Yjs looks for places after it.
        text.insert(0, '.')
        text.insert(text.length, '.')
        assert.equal(text.toString(), `.${made}.`, `seed ${seed}`)
        assert.equal(doc.clientID, writer, 'Yjs took it for an edit of another')
      }
      both()
      const [one, other] = docs.map((doc) => doc.getText('text').toString())
      assert.equal(one, other, `seed ${seed}`)
    }
  }
})

test('many edits at once are one thing to undo, and in time that grows with their number', () => {
  const places = 60_000
  const text = new Y.Doc().getText('text')
  const before = 'a b\n'.repeat(places)
  text.insert(0, before)
  const undo = new Y.UndoManager(text, { trackedOrigins: new Set(['by hand']) })
  const edits = Array.from({ length: places }, (_, place) => ({
    at: place * 4,
    remove: 1,
    insert: 'xy',
  }))
  applyManyEdits(text, edits, 'by hand')
  assert.equal(text.toString(), 'xy b\n'.repeat(places))
  undo.undo()
  assert.equal(text.toString(), before)
  undo.redo()
  assert.equal(text.toString(), 'xy b\n'.repeat(places))
})
