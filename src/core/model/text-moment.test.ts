// Edits of a text as it was: the same on every server, whatever came since.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { FourfoldError } from './errors.ts'
import { editsAt, momentOf, reaches, readMoment } from './text-moment.ts'
import { smallestDiff } from './text-diff.ts'
import { decodeTextUpdate, textRoot } from './update-format.ts'

function docOf(writer: number, ...updates: Uint8Array[]): Y.Doc {
  const doc = new Y.Doc()
  doc.clientID = writer
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

const textOf = (doc: Y.Doc) => doc.getText(textRoot).toString()

function saved(doc: Y.Doc, state: Uint8Array, base: string, next: string): Uint8Array | undefined {
  const change = { text: base, edits: smallestDiff(base, next), writer: 77 }
  return editsAt(doc, readMoment(state), change)
}

/** Small random numbers that repeat. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function scribble(doc: Y.Doc, roll: (below: number) => number, times: number): void {
  const text = doc.getText(textRoot)
  for (let time = 0; time < times; time++) {
    if (text.length > 0 && roll(3) === 0) {
      const at = roll(text.length)
      text.delete(at, Math.min(text.length - at, 1 + roll(4)))
    } else text.insert(roll(text.length + 1), 'abcdefgh'.slice(0, 1 + roll(8)))
  }
}

test('G8 edits made at two servers that differ are one, in texts of any history', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const roll = dice(seed)
    const first = docOf(1)
    scribble(first, roll, 1 + roll(20))
    const state = momentOf(first)
    const base = textOf(first)
    const scratch = docOf(5, Y.encodeStateAsUpdate(first))
    scribble(scratch, roll, 1 + roll(5))
    const next = textOf(scratch)
    const whole = Y.encodeStateAsUpdate(first)
    const others = [docOf(2, whole), docOf(3, whole), docOf(4, whole)]
    for (const other of others) scribble(other, roll, roll(12))
    const updates = others.map((other) => saved(other, state, base, next))
    for (const [index, other] of others.entries()) {
      const update = updates[index]
      if (update) Y.applyUpdate(other, update)
    }
    for (const other of others.toReversed()) {
      for (const one of others) Y.applyUpdate(other, Y.encodeStateAsUpdate(one))
    }
    for (const other of others) assert.equal(textOf(other), textOf(others[0]!), `seed ${seed}`)
    // Where nobody else wrote it is what was saved, and made as Yjs makes it.
    const alone = docOf(6, whole)
    const update = saved(alone, state, base, next)
    if (update) Y.applyUpdate(alone, update)
    assert.equal(textOf(alone), next, `seed ${seed}`)
    const told = updates.map((each) => each && decodeTextUpdate(each).structs)
    for (const structs of told) assert.deepEqual(structs, told[0], `seed ${seed}`)
  }
})

test('an edit stands where it would stand, had it been made then', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const roll = dice(seed)
    const then = docOf(1)
    scribble(then, roll, 1 + roll(15))
    const state = momentOf(then)
    const base = textOf(then)
    const later = docOf(2, Y.encodeStateAsUpdate(then))
    scribble(later, roll, roll(10))
    const at = roll(base.length + 1)
    const edits = [{ at, remove: 0, insert: 'NEW' }]
    const update = editsAt(later, readMoment(state), { text: base, edits, writer: 77 })!
    // Read anew: Yjs remembers places, and goes on from them through deleted text.
    const writer = docOf(77, Y.encodeStateAsUpdate(then))
    writer.getText(textRoot).insert(at, 'NEW')
    const typed = Y.encodeStateAsUpdate(writer, Y.encodeStateVector(then))
    const made = decodeTextUpdate(typed)
    assert.deepEqual(decodeTextUpdate(update).structs, made.structs, `seed ${seed}`)
  }
})

test('what its base had lost is deleted with it', () => {
  const first = docOf(1)
  first.getText(textRoot).insert(0, 'one two')
  const second = docOf(2, Y.encodeStateAsUpdate(first))
  first.getText(textRoot).delete(0, 4)
  const update = saved(second, momentOf(first), 'two', 'two three')!
  Y.applyUpdate(second, update)
  assert.equal(textOf(second), 'two three')
})

test('a state that is not reached, no state, and the text of another are told apart', () => {
  const first = docOf(1)
  first.getText(textRoot).insert(0, 'one')
  const state = momentOf(first)
  assert.ok(!reaches(docOf(2), readMoment(state)))
  assert.ok(reaches(first, readMoment(state)))
  const isInvalid = (error: unknown) => error instanceof FourfoldError && error.code === 'invalid'
  assert.throws(() => saved(first, state, 'two', 'three'), isInvalid)
  assert.throws(() => saved(first, state, 'one more', 'three'), isInvalid)
  assert.throws(() => saved(first, state, 'on', 'three'), isInvalid)
  for (const bytes of [[], [1], [9, 9, 9, 9, 9], [1, 1, 0, 4, 0]]) {
    assert.throws(() => readMoment(Uint8Array.from(bytes)), isInvalid, String(bytes))
  }
  assert.equal(saved(first, state, 'one', 'one'), undefined)
})
