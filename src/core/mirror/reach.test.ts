// A text that lost something is told from one of which something was deleted.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { momentOf } from '../model/text-moment.ts'
import { farther, isLess, reachAfter, reachOf } from './reach.ts'

/** A document in which each of these writers typed one after the other. */
function typed(...writers: [number, string][]): Y.Doc {
  const doc = new Y.Doc()
  for (const [writer, text] of writers) {
    doc.clientID = writer
    doc.getText('text').insert(doc.getText('text').length, text)
  }
  return doc
}

const reach = (doc: Y.Doc) => reachOf(momentOf(doc))!

test('a text of which much is deleted, and to which something is added, has lost nothing', () => {
  const doc = typed([1, 'a long text'], [70, 'another'])
  const before = reach(doc)
  doc.getText('text').delete(2, 12)
  doc.clientID = 5
  doc.getText('text').insert(0, 'x')
  assert.ok(!isLess(reach(doc), before))
  assert.ok(isLess(before, reach(doc)))
})

test('what one writer typed is missed, however much another typed since', () => {
  const before = reach(typed([1, 'good'], [2, 'text']))
  assert.ok(isLess(reach(typed([2, 'text'], [3, 'a longer one'])), before))
  assert.ok(isLess(reach(typed([1, 'go'], [2, 'text, and more'])), before))
  assert.ok(!isLess(reach(typed([1, 'good, and more'], [2, 'text'])), before))
})

test('of a text that was not read since it was saved its length is known', () => {
  const made = reachAfter(undefined, '', 'made here')
  assert.ok(isLess(reach(typed([1, 'short'])), made))
  assert.ok(!isLess(reach(typed([1, 'made here'])), made))
  const saved = reachAfter(reach(typed([1, 'made here'])), 'made here', 'made here, and longer')
  assert.ok(isLess(reach(typed([1, 'made here'])), saved))
  assert.ok(!isLess(reach(typed([1, 'made here'], [2, ', and longer'])), saved))
  // Less may have been typed than was deleted.
  const shorter = reachAfter(saved, 'made here, and longer', 'new')
  assert.ok(!isLess(reach(typed([1, 'made here'], [2, ', and longer'])), shorter))
})

test('what is known of two readings is what each of them had', () => {
  const both = farther(reach(typed([1, 'one'])), reach(typed([2, 'two'])))
  assert.ok(isLess(reach(typed([1, 'one'])), both))
  assert.ok(isLess(reach(typed([2, 'two'])), both))
  assert.ok(!isLess(reach(typed([1, 'one'], [2, 'two'])), both))
})

test('a text too large for its state to be told tells nothing', () => {
  assert.equal(reachOf(new Uint8Array()), undefined)
})
