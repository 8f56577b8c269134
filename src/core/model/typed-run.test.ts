// What goes on with a run of typing, and what does not. That the text is the same: ../replica/live-document.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { gate } from './gate.ts'
import { integrate } from './integration.ts'
import { structsMax } from './limits.ts'
import {
  decodeTextUpdate,
  encodeTextUpdate,
  type Deletes,
  type Id,
  type TextStruct,
} from './text-update.ts'
import { typedIn, TypedRun } from './typed-run.ts'

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
const begun = () => TypedRun.begin(decodeTextUpdate(update([first])))!
const takes = (run: TypedRun, bytes: Uint8Array) => {
  const struct = typedIn(bytes)
  return struct !== undefined && run.takes(struct)
}
const next = (fields: Partial<TextStruct> = {}) =>
  struct({ clock: 2, left: own(1), right: theirs(4), ...fields })

test('a run takes what its writer puts right behind it, and is one struct', () => {
  const run = begun()
  assert.ok(takes(run, update([next({ text: '👋' })])))
  assert.ok(takes(run, update([next({ clock: 4, left: own(3), text: 'é' })])))
  assert.equal(run.length, 5)
  assert.deepEqual(decodeTextUpdate(run.take()), {
    structs: new Map([[mine, [{ ...first, text: 'ab👋é', length: 5 }]]]),
    deletes: new Map(),
  })
  // And goes on behind what was taken in.
  assert.equal(run.length, 0)
  assert.ok(!takes(run, update([next({ clock: 4, left: own(3), text: 'é' })])))
  assert.ok(takes(run, update([next({ clock: 5, left: own(4), text: 'c' })])))
  assert.ok(takes(run, update([next({ clock: 6, left: own(5), text: 'd' })])))
  assert.deepEqual(
    decodeTextUpdate(run.take()),
    decodeTextUpdate(update([next({ clock: 5, left: own(4), text: 'cd' })])),
  )
})

test('a run takes nothing else', () => {
  const goesOn = (bytes: Uint8Array) => {
    const run = begun()
    const isTaken = takes(run, bytes)
    if (!isTaken) assert.deepEqual(run.take(), begun().take())
    return isTaken
  }
  assert.ok(goesOn(update([next()])))
  assert.ok(!goesOn(update([next({ writer: others })])), 'another writer')
  assert.ok(!goesOn(update([next({ clock: 1 })])), 'known in part')
  assert.ok(!goesOn(update([next({ clock: 3 })])), 'a hole')
  for (const left of [undefined, own(0), own(2), theirs(1), theirs(3)]) {
    assert.ok(!goesOn(update([next({ left })])), 'another left')
  }
  for (const right of [undefined, theirs(5), own(4), own(0)]) {
    assert.ok(!goesOn(update([next({ right })])), 'another right')
  }
  assert.ok(!goesOn(update([next()], new Map([[others, [[0, 1]]]]))), 'it deletes')
  assert.ok(!goesOn(update([next(), next({ clock: 3, left: own(2) })])), 'two structs')
  assert.ok(!goesOn(update([])), 'nothing')
  const gone = next({ kind: 'deleted', text: '', length: 1 })
  assert.ok(!goesOn(update([gone], new Map([[mine, [[2, 1]]]]))), 'text that is gone')
  assert.ok(!goesOn(update([next({ kind: 'gc', text: '', length: 1 })])), 'a gap')
  const bytes = update([next()])
  assert.ok(!goesOn(bytes.subarray(0, -1)) && !goesOn(Uint8Array.of(...bytes, 0)), 'malformed')
  const text = [...bytes].lastIndexOf(120)
  const surrogate = [...bytes.subarray(0, text - 1), 3, 0xed, 0xa0, 0x80, 0]
  assert.ok(!goesOn(Uint8Array.from(surrogate)), 'half a pair')
})

test('a run ends before it is long, and takes nothing long', () => {
  assert.ok(!takes(begun(), update([next({ text: 'x'.repeat(300) })])))
  const run = begun()
  let clock = 2
  const text = 'x'.repeat(100)
  while (takes(run, update([next({ clock, left: own(clock - 1), text })]))) clock += 100
  assert.equal(clock, 1002)
})

test('only one struct of text begins a run, and only where the gate could let the next in', () => {
  const begin = (bytes: Uint8Array) => TypedRun.begin(decodeTextUpdate(bytes))
  assert.equal(begin(update([])), undefined)
  assert.equal(begin(update([first, next()])), undefined)
  assert.equal(begin(update([first], new Map([[others, [[0, 1]]]]))), undefined)
  const doc = new Y.Doc()
  doc.getText('text')
  const mayGoOn = (structs: number) => {
    const verdict = gate(doc, update([struct({})]), new Set([mine]), {
      bytes: 0,
      structs,
    })
    return verdict.type === 'pass' && verdict.mayGoOn
  }
  assert.ok(mayGoOn(0) && mayGoOn(structsMax - 1000))
  assert.ok(!mayGoOn(structsMax - 999))
  // A server's text that waits for the first unit, or is the second, comes between.
  integrate(doc, update([struct({ clock: 1, left: own(0), text: 'y' })]))
  assert.ok(!mayGoOn(0))
})
