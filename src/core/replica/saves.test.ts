// G8: a save that was sent to two servers, because the first seemed dead, has one effect.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { freshId, LoneReplica } from '../../../test/lone-replica.ts'
import { savedStateBytesMax, textBytesMax } from '../model/limits.ts'
import type { Answer, Call } from './messages.ts'

/** Two servers that have the same files and do not hear each other. */
function pair(text: string) {
  const a = new LoneReplica('a', () => 0.2)
  const b = new LoneReplica('b', () => 0.8)
  a.save('plan.md', text)
  b.heard(a.updates())
  return { a, b, seen: a.updates().length }
}

function textAt(replica: LoneReplica): string {
  const [answer] = replica.call({ type: 'read', file: 'plan.md' })
  assert.ok(answer?.type === 'read')
  return answer.text
}

const save = (text: string): Call => {
  return { type: 'save', file: 'plan.md', text, baseVersion: '', operation: freshId() }
}

test('G8 a save that two servers carried out is there once when they meet', () => {
  const { a, b, seen } = pair('one\ntwo\nthree\n')
  const request = save('zero\none\n2\nthree\nfour\n')
  a.call(request)
  b.call(request)
  const fromA = a.updates(seen)
  a.heard(b.updates())
  b.heard(fromA)
  assert.equal(textAt(a), 'zero\none\n2\nthree\nfour\n')
  assert.equal(textAt(b), textAt(a))
  // What was typed in before counts as well: the next save is made to the same text.
  const next = save('zero\n')
  b.call(next)
  a.call(next)
  assert.equal(textAt(b), 'zero\n')
})

/** A save of this text, made from what the replica holds now. */
function savedFrom(replica: LoneReplica, text: string): Extract<Call, { type: 'save' }> {
  const [read] = replica.call({ type: 'read', file: 'plan.md' })
  assert.ok(read?.type === 'read')
  const { text: baseText, version: baseVersion, state: baseState } = read
  const operation = freshId()
  return { type: 'save', file: 'plan.md', text, baseVersion, baseText, baseState, operation }
}

test('G8 a save that two servers carried out while others typed at both is there once', () => {
  const { a, b, seen } = pair('one\ntwo\nthree\n')
  const request = savedFrom(a, 'zero\none\nthree\nfour\n')
  a.call(save('one\nby a\ntwo\nthree\nlast of a\n'))
  b.call(save('first of b\none\ntwo\n'))
  a.call(request)
  b.call(request)
  const fromA = a.updates(seen)
  a.heard(b.updates())
  b.heard(fromA)
  assert.equal(textAt(b), textAt(a))
  const lines = textAt(a).trim().split('\n').sort()
  const there = ['by a', 'first of b', 'four', 'last of a', 'one', 'zero']
  assert.deepEqual(lines, there)
})

test('G8 a server that lacks what a save was made from refuses it, and takes it when it has that', () => {
  const { a, b, seen } = pair('one\n')
  a.call(save('one\ntwo\n'))
  const request = savedFrom(a, 'one\ntwo\nthree\n')
  const [refused] = b.call(request)
  assert.ok(refused?.type === 'failed' && refused.error.code === 'unavailable')
  b.heard(a.updates(seen))
  const [kept] = b.call(request)
  assert.equal(kept?.type, 'kept')
  assert.equal(textAt(b), 'one\ntwo\nthree\n')
  const [wrong] = b.call({ ...savedFrom(b, 'x'), baseText: 'another', baseVersion: '' })
  assert.ok(wrong?.type === 'failed' && wrong.error.code === 'invalid')
  const baseState = new Uint8Array(savedStateBytesMax + 1)
  const [long] = b.call({ ...savedFrom(b, 'x'), baseState })
  assert.ok(long?.type === 'failed' && /at most/.test(long.error.message))
})

test('12 a save makes no text too long together with what others wrote', () => {
  const { a } = pair('')
  const request = savedFrom(a, 'b'.repeat(textBytesMax / 2 + 1))
  a.call(save('a'.repeat(textBytesMax / 2)))
  const answers = [
    request,
    { ...save(request.text), baseText: '' } as Call,
    // As many characters, and more bytes.
    { ...save(`${'ä'.repeat(textBytesMax / 4)}a`), baseText: '' } as Call,
  ].map((each) => a.call(each)[0])
  for (const answer of answers) {
    assert.ok(answer?.type === 'failed' && answer.error.code === 'too-large', answer?.type)
    assert.match(answer.error.message, /^The file would be larger than /)
  }
  assert.equal(textAt(a).length, textBytesMax / 2)
  const fits = { ...request, text: request.text.slice(1), operation: freshId() }
  assert.equal(a.call(fits)[0]?.type, 'kept')
  const text = textAt(a)
  assert.equal(text.length, textBytesMax)
  // Fewer characters, and more bytes.
  const baseText = text.slice(0, textBytesMax / 2)
  const wider = save('漢'.repeat(textBytesMax / 6 + 1))
  const [refused] = a.call({ ...wider, baseText } as Call)
  assert.ok(refused?.type === 'failed' && refused.error.code === 'too-large')
  // Whatever makes it shorter is always taken.
  assert.equal(a.call({ ...save('a'), baseText: textAt(a) } as Call)[0]?.type, 'kept')
})

test('saves under operations that only this server knows add one writer, not one each', () => {
  const { a } = pair('')
  const stateOf = () => {
    const [read] = a.call({ type: 'read', file: 'plan.md' })
    assert.ok(read?.type === 'read')
    return Y.decodeSnapshot(read.state).sv.size
  }
  const before = stateOf()
  for (let line = 0; line < 30; line++) {
    a.call({ ...save(`${textAt(a)}line ${line}\n`), isOnce: true } as Call)
  }
  assert.equal(stateOf(), before + 1)
})

test('G8 two saves of the same text by two people are two', () => {
  const { a, b, seen } = pair('one')
  a.call(save('one more'))
  b.call(save('one more'))
  b.heard(a.updates(seen))
  assert.equal(textAt(b), 'one more more')
})

const made = (text: string): Call => ({ ...save(text), file: 'new.md', isNew: true }) as Call

test('G8 what was to be a new file finds itself, and touches no other', () => {
  const { a, b, seen } = pair('one')
  const request = made('mine')
  const kept = (replica: LoneReplica, asked: Call) => {
    const [answer] = replica.call(asked)
    return answer?.type === 'kept'
      ? answer.file.path
      : answer?.type === 'failed' && answer.error.code
  }
  assert.equal(kept(a, request), 'new.md')
  assert.equal(kept(a, made('another')), 'taken')
  // The other server heard of it, but not of the call.
  b.heard(a.updates(seen))
  assert.equal(kept(b, request), 'new.md')
  assert.equal(kept(b, made('another')), 'taken')
  const { operation: file } = request as { operation: string }
  b.call({ type: 'move', file, path: 'moved.md', operation: freshId() })
  assert.equal(kept(b, made('another')), 'new.md')
  assert.equal(kept(b, request), 'moved.md')
  b.call({ type: 'delete', file, operation: freshId() })
  assert.equal(kept(b, request), 'moved.md')
})

test('what two make at one path before either is on disk are not two files of one name', () => {
  const { a } = pair('one')
  const kinds = (answers: Answer[][]) =>
    answers.map(([answer]) => (answer?.type === 'failed' ? answer.error.code : answer?.type))
  assert.deepEqual(kinds(a.callTogether(made('mine'), made('another'))), ['kept', 'taken'])
  // Without the word that it is to be new, the second goes into the first.
  const saves = ['first', 'second'].map((text) => ({ ...save(text), file: 'Both.md' }) as Call)
  assert.deepEqual(kinds(a.callTogether(...saves)), ['kept', 'kept'])
  const directory = { type: 'makeDirectory', path: 'd', hasParents: false } as const
  const two = ['d', 'D'].map((path) => ({ ...directory, path, operation: freshId() }))
  assert.deepEqual(kinds(a.callTogether(...two)), ['kept', 'taken'])
  const [listed] = a.call({
    type: 'list',
    directory: '',
    isRecursive: true,
    inTrash: false,
    count: 100,
  })
  assert.ok(listed?.type === 'list')
  assert.deepEqual(
    listed.files.map(({ path }) => path),
    ['Both.md', 'd', 'new.md', 'plan.md'],
  )
})

test('G8 bytes that were to be a new file are put into no other', () => {
  const { a } = pair('one')
  const bytes = { type: 'saveBinary', hash: 'ab'.repeat(32), size: 3, isNew: true } as const
  const request = { ...bytes, file: 'new.png', operation: freshId() }
  const [first] = a.call(request)
  assert.equal(first?.type, 'kept')
  const [again] = a.call(request)
  assert.deepEqual(again, first)
  const [other] = a.call({ ...request, file: 'plan.md', operation: freshId() })
  assert.ok(other?.type === 'failed' && other.error.code === 'taken')
  assert.equal(textAt(a), 'one')
})
