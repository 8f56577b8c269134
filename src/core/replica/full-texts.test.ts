// A text that is full: one measure for whoever types and whoever saves, and always a way out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { Desk, freshId, Writer } from '../../../test/replica-desk.ts'
import { textBytesMax, updateBytesMax } from '../model/limits.ts'
import { splitTextUpdate } from '../model/text-update.ts'
import { sealUpdate } from '../model/snapshot.ts'
import { Code, UpdateSchema } from '../model/wire.ts'
import type { Call } from './messages.ts'

/** Ana, at a text that has room for so many bytes; most of its letters have three. */
function nearlyFull(room: number) {
  const desk = new Desk()
  const ana = new Writer(desk, 1, 'ana')
  const writer = ana.doc.clientID
  // From here on her text is only read.
  ana.doc.clientID = 1
  const bytes = textBytesMax - room
  const file = ana.create('plan.md', '漢'.repeat(bytes / 3) + 'x'.repeat(bytes % 3))
  desk.store()
  ana.open(file)
  ana.read()
  /** One change, as an editor makes it; whether it was taken. A copy of the text makes it, so that hers stays. */
  const change = (act: (text: Y.Text) => void): boolean => {
    const copy = new Y.Doc()
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(ana.doc))
    copy.clientID = writer
    let made: Uint8Array = new Uint8Array()
    copy.once('update', (update: Uint8Array) => (made = update))
    copy.transact(() => act(copy.getText('text')))
    const { ticket } = ana
    for (const part of splitTextUpdate(made, updateBytesMax)) ana.push(file, part)
    desk.store()
    const refused = desk.last(1, 'rejected')
    const isIn = (refused?.ticket ?? 0) <= ticket
    if (isIn) Y.applyUpdate(ana.doc, made)
    else assert.equal(refused?.code, Code.TOO_LARGE)
    return isIn
  }
  const text = () => ana.doc.getText('text').toString()
  return { desk, ana, file, change, text }
}

test('12 what is full for those who type is full for who saves, to the byte', () => {
  const { desk, file, change, text } = nearlyFull(4)
  const save = (whole: string) => {
    const request = { file, text: whole, baseVersion: '', operation: freshId() }
    desk.call(1, { type: 'save', ...request })
    desk.store()
    desk.cover()
    const { answer } = desk.answers.at(-1)!
    if (answer.type === 'failed') assert.equal(answer.error.code, 'too-large')
    return answer.type
  }
  assert.equal(
    change((shared) => shared.insert(2, '漢漢')),
    false,
  )
  assert.equal(save(`漢漢${text()}`), 'failed')
  assert.equal(
    change((shared) => shared.insert(2, '漢')),
    true,
  )
  assert.equal(
    change((shared) => shared.insert(0, 'ä')),
    false,
  )
  assert.equal(
    change((shared) => shared.insert(0, 'a')),
    true,
  )
  assert.equal(Buffer.byteLength(text()), textBytesMax)
  // As long, and another one.
  assert.equal(save(text().replace('漢', 'abc')), 'kept')
})

test('12 who deletes in a full text may type as much, in turns', () => {
  const { change, text } = nearlyFull(0)
  for (let turn = 0; turn < 2; turn++) {
    assert.equal(
      change((shared) => shared.insert(shared.length, 'x')),
      false,
    )
    assert.equal(
      change((shared) => shared.delete(3, 1)),
      true,
    )
    for (const letter of ['x', 'y', 'z']) {
      assert.equal(
        change((shared) => shared.insert(shared.length, letter)),
        true,
      )
    }
  }
  assert.equal(Buffer.byteLength(text()), textBytesMax)
})

test('12 what replaces a text has the room of all that it replaces, however many parts it goes in', () => {
  const { change, text } = nearlyFull(0)
  const another = '字'.repeat(textBytesMax / 3)
  assert.equal(
    change((shared) => (shared.delete(0, shared.length), shared.insert(0, another))),
    true,
  )
  assert.equal(text(), another)
  // What it puts in and takes out again is in none of them.
  const put = (shared: Y.Text) => {
    shared.insert(5, 'x'.repeat(updateBytesMax))
    shared.delete(0, 500_000)
    shared.delete(5, updateBytesMax - 5)
  }
  assert.equal(change(put), true)
  assert.ok(Buffer.byteLength(text()) < textBytesMax)
})

test('G4 what two servers took of a full text is whole on both, and may be deleted and replaced', () => {
  const { desk, ana, file, change, text } = nearlyFull(3)
  const ben = new Y.Doc()
  Y.applyUpdate(ben, Y.encodeStateAsUpdate(ana.doc))
  ben.once('update', (value: Uint8Array) => {
    const body = { case: 'text' as const, value }
    desk.gather(sealUpdate(create(UpdateSchema, { subject: file, origin: 'b.1', seq: 1, body })))
  })
  ben.getText('text').insert(0, 'ben')
  assert.equal(
    change((shared) => shared.insert(0, 'ana')),
    true,
  )
  assert.equal(Buffer.byteLength(ana.read()), textBytesMax + 3)
  desk.call(1, { type: 'read', file })
  const { answer } = desk.answers.at(-1)!
  assert.ok(answer.type === 'read' && answer.text === text())

  assert.equal(
    change((shared) => shared.insert(0, 'x')),
    false,
  )
  assert.equal(
    change((shared) => (shared.delete(9, 1), shared.insert(9, 'abcd'))),
    false,
  )
  assert.equal(
    change((shared) => (shared.delete(9, 1), shared.insert(9, 'abc'))),
    true,
  )
  assert.equal(
    change((shared) => shared.delete(9, 2)),
    true,
  )
  assert.equal(
    change((shared) => shared.insert(0, 'x')),
    false,
  )
  assert.equal(
    change((shared) => shared.delete(9, 2)),
    true,
  )
  assert.equal(
    change((shared) => shared.insert(0, 'x')),
    true,
  )
})

test('12 a save shortens what two servers took, however long it still is, and makes it no longer', () => {
  const { desk, ana, file } = nearlyFull(0)
  const ben = new Y.Doc()
  Y.applyUpdate(ben, Y.encodeStateAsUpdate(ana.doc))
  ben.once('update', (value: Uint8Array) => {
    const body = { case: 'text' as const, value }
    desk.gather(sealUpdate(create(UpdateSchema, { subject: file, origin: 'b.1', seq: 1, body })))
  })
  ben.getText('text').insert(0, 'ben '.repeat(1000))
  desk.store()
  const ask = (request: Call) => {
    desk.call(1, request)
    desk.store()
    desk.cover()
    return desk.answers.at(-1)!.answer
  }
  const read = () => {
    const answer = ask({ type: 'read', file })
    assert.ok(answer.type === 'read')
    return answer
  }
  // Longer than a server remembers, and than two fit into a message: named by its version alone.
  const save = (
    text: string,
    { version: baseVersion, state }: { version: string; state?: Uint8Array },
  ) =>
    ask({
      type: 'save',
      file,
      text,
      baseVersion,
      operation: freshId(),
      ...(state && { baseState: state }),
    })
  const first = read()
  assert.equal(save(first.text.slice(4), { version: first.version }).type, 'kept')
  const second = read()
  assert.ok(second.text === first.text.slice(4))
  assert.equal(save(second.text.slice(4), second).type, 'kept')
  assert.ok(read().text === first.text.slice(8))
  assert.ok(Buffer.byteLength(read().text) > textBytesMax)
  const longer = save(`x${read().text}`, read())
  assert.ok(longer.type === 'failed' && longer.error.code === 'too-large')
  // It was made from another one than is there.
  const stale = save('short', first)
  assert.ok(stale.type === 'failed' && stale.error.code === 'invalid')
  assert.equal(save('short', { version: '' }).type, 'kept')
  assert.equal(read().text, 'short')
})
