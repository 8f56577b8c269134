// A text keeps its own line endings, whatever is typed and pasted into it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EditorState } from '@codemirror/state'
import { lineEndingOf, lineEndings } from './line-endings.ts'

function opened(text: string): EditorState {
  return EditorState.create({ doc: text, extensions: lineEndings(lineEndingOf(text)) })
}

function typed(state: EditorState, at: number, insert: string): EditorState {
  return state.update({
    changes: { from: at, insert },
    selection: { anchor: at + insert.length },
    userEvent: 'input.type',
  }).state
}

test('a text is what most of its lines are', () => {
  assert.equal(lineEndingOf('one line'), 'LF')
  assert.equal(lineEndingOf('a\nb\n'), 'LF')
  assert.equal(lineEndingOf('a\r\nb\r\n'), 'CRLF')
  assert.equal(lineEndingOf('a\r\nb\nc\n'), 'LF')
})

test('an editor holds every letter of a text, the returns included', () => {
  for (const text of ['a\r\nb', 'a\rb', '\r\n\r\n', '\uFEFFa\n\r', '']) {
    assert.equal(opened(text).doc.toString(), text)
  }
})

test('a new line in a CRLF text ends as the others do, with the caret behind it', () => {
  const state = typed(opened('a\r\nb\r\n'), 4, '\n')
  assert.equal(state.doc.toString(), 'a\r\nb\r\n\r\n')
  assert.equal(state.selection.main.head, 6)
})

test('a new line in an LF text stays LF', () => {
  assert.equal(typed(opened('a\nb\n'), 3, '\n').doc.toString(), 'a\nb\n\n')
})

test('what comes from the shared text is taken as it is', () => {
  const state = opened('a\r\nb\r\n').update({ changes: { from: 0, insert: 'x\n' } }).state
  assert.equal(state.doc.toString(), 'x\na\r\nb\r\n')
})

test('a caret never comes to stand inside a line break', () => {
  const state = opened('a\r\nb').update({ selection: { anchor: 2 } }).state
  assert.equal(state.selection.main.head, 1)
})

test('half a surrogate pair is replaced before it reaches the text', () => {
  assert.equal(typed(opened('ab'), 1, '\uD83D').doc.toString(), 'a\uFFFDb')
  assert.equal(typed(opened('ab'), 1, '😀').doc.toString(), 'a😀b')
})
