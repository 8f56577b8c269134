// What goes on with a run of typing, and what does not. That the text is the same: ../replica/live-document.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { gate } from './gate.ts'
import { integrate } from './integration.ts'
import { structsMax, textBytesMax } from './limits.ts'
import {
  decodeTextUpdate,
  encodeTextUpdate,
  type Deletes,
  type Id,
  type TextStruct,
} from './text-update.ts'
import { TypedRun } from './typed-run.ts'

const mine = 7
const others = 2 ** 40 + 1
const own = (clock: number): Id => ({ writer: mine, clock })
const theirs = (clock: number): Id => ({ writer: others, clock })

function struct(fields: Partial<TextStruct>): TextStruct {
  const text = fields.text ?? 'x'
  const usual = { writer: mine, clock: 0, kind: 'text' as const, left: undefined, right: undefined }
  return { ...usual, length: text.length, ...fields, text }
}

function update(structs: TextStruct[], deletes: Deletes = new Map()): Uint8Array {
  return encodeTextUpdate({ structs: Map.groupBy(structs, ({ writer }) => writer), deletes })
}

/** "ab" between two units of somebody else. */
const first = struct({ text: 'ab', left: theirs(3), right: theirs(4) })
const begun = (length = 10) => TypedRun.begin(decodeTextUpdate(update([first])), length)!
const next = (fields: Partial<TextStruct> = {}) =>
  struct({ clock: 2, left: own(1), right: theirs(4), ...fields })

test('a run takes what its writer puts right behind it, and is one struct', () => {
  const run = begun()
  assert.ok(run.takes(update([next({ text: '👋' })]), new Set([mine])))
  assert.ok(run.takes(update([next({ clock: 4, left: own(3), text: 'é' })]), new Set([mine, 8])))
  assert.deepEqual(decodeTextUpdate(run.encoded()), {
    structs: new Map([[mine, [{ ...first, text: 'ab👋é', length: 5 }]]]),
    deletes: new Map(),
  })
})

test('a run takes nothing else', () => {
  const takes = (bytes: Uint8Array, writers = new Set([mine])) => {
    const run = begun()
    const before = run.encoded()
    const isTaken = run.takes(bytes, writers)
    if (!isTaken) assert.deepEqual(run.encoded(), before)
    return isTaken
  }
  assert.ok(takes(update([next()])))
  assert.ok(!takes(update([next()]), new Set([others])), 'another writer')
  assert.ok(!takes(update([next({ writer: others })]), new Set([mine, others])), 'as another')
  assert.ok(!takes(update([next({ clock: 1 })])), 'known in part')
  assert.ok(!takes(update([next({ clock: 3 })])), 'a hole')
  for (const left of [undefined, own(0), own(2), theirs(1), theirs(3)]) {
    assert.ok(!takes(update([next({ left })])), 'another left')
  }
  for (const right of [undefined, theirs(5), own(4), own(0)]) {
    assert.ok(!takes(update([next({ right })])), 'another right')
  }
  assert.ok(!takes(update([next()], new Map([[others, [[0, 1]]]]))), 'it deletes')
  assert.ok(!takes(update([next(), next({ clock: 3, left: own(2) })])), 'two structs')
  assert.ok(!takes(update([])), 'nothing')
  const gone = next({ kind: 'deleted', text: '', length: 1 })
  assert.ok(!takes(update([gone], new Map([[mine, [[2, 1]]]]))), 'text that is gone')
  assert.ok(!takes(update([next({ kind: 'gc', text: '', length: 1 })])), 'a gap')
  const bytes = update([next()])
  assert.ok(!takes(bytes.subarray(0, -1)) && !takes(Uint8Array.of(...bytes, 0)), 'malformed')
  const text = [...bytes].lastIndexOf(120)
  const surrogate = [...bytes.subarray(0, text - 1), 3, 0xed, 0xa0, 0x80, 0]
  assert.ok(!takes(Uint8Array.from(surrogate)), 'half a pair')
})

test('a run ends where the text is full, and before it is long', () => {
  const x = update([next()])
  assert.ok(begun(textBytesMax - 3).takes(x, new Set([mine])))
  assert.ok(!begun(textBytesMax - 2).takes(x, new Set([mine])))
  assert.ok(!begun().takes(update([next({ text: 'x'.repeat(300) })]), new Set([mine])))
  const run = begun()
  let clock = 2
  for (; clock < 5000; clock += 100) {
    const text = 'x'.repeat(100)
    if (!run.takes(update([next({ clock, left: own(clock - 1), text })]), new Set([mine]))) break
  }
  assert.equal(clock, 1002)
})

test('only one struct of text begins a run, and only where the gate could let the next in', () => {
  const begin = (bytes: Uint8Array) => TypedRun.begin(decodeTextUpdate(bytes), 0)
  assert.equal(begin(update([])), undefined)
  assert.equal(begin(update([first, next()])), undefined)
  assert.equal(begin(update([first], new Map([[others, [[0, 1]]]]))), undefined)
  const doc = new Y.Doc()
  doc.getText('text')
  const isBeside = (structs: number) => {
    const verdict = gate(doc, update([struct({})]), new Set([mine]), {
      textLengthUtf16: 0,
      structs,
    })
    return verdict.type === 'pass' && verdict.isBeside
  }
  assert.ok(isBeside(0) && isBeside(structsMax - 3))
  assert.ok(!isBeside(structsMax - 2))
  // A server's text that waits for the first unit, or is the second, comes between.
  integrate(doc, update([struct({ clock: 1, left: own(0), text: 'y' })]))
  assert.ok(!isBeside(0))
})
