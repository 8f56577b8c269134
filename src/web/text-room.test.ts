// An editor puts nothing in that its text has no room for, and always lets it become shorter.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EditorState, type TransactionSpec } from '@codemirror/state'
import { textBytesMax, updateBytesMax } from '../core/model/limits.ts'
import { lineEndings, type LineEnding } from './line-endings.ts'
import { textRoom } from './text-room.ts'

/** An editor, and how often it left something out. */
function opened(text: string, ending: LineEnding = 'LF') {
  let leftOut = 0
  const extensions = [lineEndings(ending), textRoom(() => leftOut++)]
  let state = EditorState.create({ doc: text, extensions })
  return {
    /** Whether the change was put in. */
    change(changes: TransactionSpec['changes'], userEvent?: string): boolean {
      const before = leftOut
      const doc = state.doc
      state = state.update({ ...(changes && { changes }), ...(userEvent && { userEvent }) }).state
      assert.equal(state.doc.eq(doc), leftOut > before)
      return leftOut === before
    },
    text: () => state.doc.toString(),
  }
}

/** Lines of letters of three bytes, and what is missing to this many bytes. */
function wide(bytes: number): string {
  const line = `${'漢'.repeat(341)}\n`
  const text = line.repeat(Math.floor(bytes / 1024))
  return text + 'x'.repeat(bytes % 1024)
}

test('12 a text is full when it has as many bytes as it may have', () => {
  const { change, text } = opened(wide(textBytesMax - 7))
  assert.equal(change({ from: 5, insert: '漢\n漢漢' }, 'input.paste'), false)
  assert.equal(change({ from: 5, insert: '漢\n' }, 'input.type'), true)
  assert.equal(change({ from: 5, insert: '😀' }, 'input.type'), false)
  assert.equal(change({ from: 5, insert: '漢' }, 'input.type'), true)
  assert.equal(Buffer.byteLength(text()), textBytesMax)
  assert.equal(change({ from: 5, insert: 'x' }, 'input.type'), false)
  assert.equal(change({ from: 5, to: 6, insert: 'xyz' }, 'input.type'), true)
  assert.equal(change({ from: 5, to: 8 }, 'delete.backward'), true)
  assert.equal(change({ from: 9, insert: 'ä' }, 'input.type'), true)
  assert.equal(change({ from: 9, insert: 'ä' }, 'input.type'), false)
})

test('what others wrote is shown however long it is, and may be replaced by as much', () => {
  const { change } = opened(wide(textBytesMax))
  assert.equal(change({ from: 2, insert: 'by others' }), true)
  assert.equal(change({ from: 0, insert: 'x' }, 'input.type'), false)
  assert.equal(change({ from: 0, to: 1, insert: 'xyz' }, 'input.type'), true)
  assert.equal(change({ from: 0, to: 3, insert: '漢a' }, 'input.type'), false)
  assert.equal(change({ from: 0, to: 9 }, 'delete.selection'), true)
  assert.equal(change({ from: 3, to: 9 }, 'delete.selection'), true)
  assert.equal(change({ from: 0, insert: 'x' }, 'input.type'), true)
})

test('what replaces a text that is too long has room in one update, or in a text of its own', () => {
  const { change, text } = opened(wide(textBytesMax))
  assert.equal(change({ from: 0, insert: wide(textBytesMax) }), true)
  const half = updateBytesMax / 2
  assert.equal(change({ from: 0, to: half, insert: 'x'.repeat(half + 1) }, 'input.paste'), false)
  assert.equal(change({ from: 0, to: half, insert: 'x'.repeat(half) }, 'input.paste'), true)
  const all = () => text().length
  const long = 'x'.repeat(textBytesMax)
  assert.equal(change({ from: 0, to: all(), insert: `${long}x` }, 'input.paste'), false)
  assert.equal(change({ from: 0, to: all(), insert: long }, 'input.paste'), true)
})

test('a new line that takes two bytes finds room for two, or is not put in', () => {
  const { change, text } = opened(wide(textBytesMax - 3), 'CRLF')
  assert.equal(change({ from: 0, insert: '\n' }, 'input.type'), true)
  assert.equal(text().slice(0, 2), '\r\n')
  assert.equal(change({ from: 0, insert: '\n' }, 'input.type'), false)
  assert.equal(change({ from: 0, insert: 'x' }, 'input.type'), true)
})
