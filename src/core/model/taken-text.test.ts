// What an edit took out comes back, where it was, and nothing else goes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { restoreSaidMs, textBytesMax } from './limits.ts'
import {
  isCarriedOut,
  takenBack,
  takenBy,
  TakenText,
  unitEditOf,
  type UnitEdit,
} from './taken-text.ts'
import { applyEdits, smallestDiff } from './text-merge.ts'
import { textRoot } from './update-format.ts'

interface Page {
  doc: Y.Doc
  text: Y.Text
  gone: TakenText
}

/** Somebody who has the text, and keeps what others take out of it. */
function page(writer: number, ...updates: Uint8Array[]): Page {
  const doc = new Y.Doc()
  doc.clientID = writer
  const gone = new TakenText()
  doc.on('afterTransaction', (transaction: Y.Transaction) => {
    if (!transaction.local) gone.keep(0, takenBy(transaction))
  })
  for (const update of updates) Y.applyUpdate(doc, update)
  return { doc, text: doc.getText(textRoot), gone }
}

const whole = ({ doc }: Page) => Y.encodeStateAsUpdate(doc)

/** Makes the text another; which units that put in and took out. */
function rewrite({ doc, text }: Page, next: string): UnitEdit {
  let edit: UnitEdit | undefined
  doc.once('afterTransaction', (transaction: Y.Transaction) => {
    edit = unitEditOf(transaction)
  })
  applyEdits(text, smallestDiff(text.toString(), next))
  return edit!
}

function takeBack({ text, gone }: Page, edit: UnitEdit): void {
  const put = new Map([[edit.writer, [edit.put]]])
  applyEdits(text, takenBack(text, put, gone.of(edit.took)).edits)
}

/** Small random numbers that repeat. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function scribble({ text }: Page, roll: (below: number) => number, letters: string): void {
  for (let times = 1 + roll(12); times > 0; times--) {
    if (text.length > 0 && roll(3) === 0) {
      const at = roll(text.length)
      text.delete(at, Math.min(text.length - at, 1 + roll(4)))
    } else text.insert(roll(text.length + 1), letters.slice(0, 1 + roll(letters.length)))
  }
}

test('5 whoever saw an edit takes it back to the letter, in texts of any history', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const roll = dice(seed)
    const ana = page(1)
    scribble(ana, roll, 'abcdefgh')
    const then = ana.text.toString()
    const ben = page(2, whole(ana))
    scribble(ben, roll, 'ijklmnop')
    Y.applyUpdate(ana.doc, whole(ben))
    const before = ana.text.toString()
    const restored = rewrite(ana, then)
    const cut = page(3, whole(ben))
    for (const each of [ben, cut]) {
      assert.equal(isCarriedOut(each.doc, restored), before === then)
      Y.applyUpdate(each.doc, whole(ana))
      assert.ok(isCarriedOut(each.doc, restored))
      takeBack(each, restored)
      assert.equal(each.text.toString(), before, `seed ${seed}`)
    }
  }
})

test('what was written since stays, and what was deleted since stays away', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const roll = dice(seed)
    const ana = page(1)
    ana.text.insert(0, 'one two three')
    const ben = page(2, whole(ana))
    ben.text.insert(3, ' (ours)')
    Y.applyUpdate(ana.doc, whole(ben))
    const restored = rewrite(ana, 'one 2 three')
    Y.applyUpdate(ben.doc, whole(ana))
    scribble(ben, roll, 'XYZ')
    const kept = ben.text.toString().replace(/[^XYZ]/g, '')
    takeBack(ben, restored)
    const text = ben.text.toString()
    assert.equal(text.replace(/[^XYZ]/g, ''), kept, `seed ${seed}`)
    assert.ok(!text.includes('2'), `seed ${seed}: ${text}`)
    // Nobody deleted it but the restore.
    assert.ok(text.replace(/[XYZ]/g, '').includes('(ours)'), `seed ${seed}: ${text}`)
  }
})

test('what two took out at once is not put back by taking back what one of them did', () => {
  const ana = page(1)
  ana.text.insert(0, 'one two three')
  const ben = page(2, whole(ana))
  ben.text.delete(4, 4)
  const restored = rewrite(ana, 'one')
  Y.applyUpdate(ben.doc, whole(ana))
  takeBack(ben, restored)
  assert.equal(ben.text.toString(), 'one three')
})

test('text that is cut up anew by others comes back in its order', () => {
  const ana = page(1)
  ana.text.insert(0, 'abcdef')
  const ben = page(2, whole(ana))
  const restored = rewrite(ana, '')
  // Typed before the restore was heard of: between what it takes out.
  ben.text.insert(3, '-')
  Y.applyUpdate(ben.doc, whole(ana))
  assert.equal(ben.text.toString(), '-')
  takeBack(ben, restored)
  assert.equal(ben.text.toString(), 'abc-def')
})

test('12 of what was taken out only so much is kept, for so long', () => {
  const ana = page(1)
  ana.text.insert(0, 'ab')
  const taken = (text: string) => new Map([[1, [{ clock: 0, text }]]])
  const units = new Map([[1, [[0, 2] as [number, number]]]])
  const gone = new TakenText()
  gone.keep(0, taken('ab'))
  gone.keep(restoreSaidMs, new Map([[2, [{ clock: 0, text: 'x' }]]]))
  assert.equal(gone.of(units).get(1)![0]!.text, 'ab')
  gone.keep(restoreSaidMs + 1, new Map([[3, [{ clock: 0, text: 'x' }]]]))
  assert.equal(gone.of(units).size, 0)
  gone.keep(restoreSaidMs + 1, taken('ab'))
  gone.keep(restoreSaidMs + 1, new Map([[4, [{ clock: 0, text: 'x'.repeat(textBytesMax - 1) }]]]))
  assert.equal(gone.of(units).size, 0)
  assert.equal(gone.of(new Map([[4, [[0, 1]]]])).size, 1)
})
