// What a server's mind does with pushes and operations: receipts, changes, refusals, what it lets go of.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { freshId, two, Writer } from '../../../test/replica-desk.ts'
import { base64url, sessionOf, writerOf, type ReplicaId } from '../model/ids.ts'
import {
  compactAfterMs,
  compactAfterUpdates,
  textBytesMax,
  unstoredBytesMax,
} from '../model/limits.ts'
import { sealUpdate } from '../model/snapshot.ts'
import { encodeTextUpdate } from '../model/text-update.ts'
import {
  CaretSchema,
  Code,
  EntrySchema,
  EphemeralSchema,
  UpdateSchema,
  type Update,
} from '../model/wire.ts'
import type { ReplicaInput } from './messages.ts'

test('1 nothing is told before it is stored: neither receipt, nor change, nor text', () => {
  const { desk, ana, ben, file } = two()
  ana.type(file, 6, 'world')
  const carl = new Writer(desk, 3, 'carl')
  carl.open(file)
  assert.equal(desk.last(1, 'stored')?.holdings[0]?.ticket, 1, 'only the creation')
  assert.equal(ben.read(), 'hello ')
  assert.equal(desk.last(3, 'opened'), undefined)
  desk.store()
  assert.deepEqual(
    desk.last(1, 'stored')?.holdings.map(({ server, ticket }) => `${server}${ticket}`),
    ['a2'],
  )
  assert.equal(ben.read(), 'hello world')
  assert.equal(carl.read(), 'hello world')
  desk.cover()
  assert.deepEqual(
    desk.last(1, 'stored')?.holdings.map(({ server, ticket }) => `${server}${ticket}`),
    ['b2'],
  )
})

test('13 a malformed state vector ends the channel of who sent it, and nothing else', () => {
  for (const bytes of [[255], [1, 255], Array<number>(11).fill(255)]) {
    const { desk, ana, file: document } = two()
    // In memory, where it is compared with.
    ana.type(document, 6, 'world')
    const stateVector = Uint8Array.from(bytes)
    const open = { $typeName: 'fourfold.v1.Open' as const, document, stateVector }
    desk.say(2, { case: 'open', value: open })
    assert.deepEqual([...desk.hungUp], [2])
    assert.equal(desk.last(2, 'refused')?.code, Code.INVALID)
    desk.store()
    assert.equal(desk.last(1, 'stored')?.holdings[0]?.ticket, 2)
  }
})

test('the numbers of changes have no gap, for the writer and for others', () => {
  const { desk, ana, ben, file } = two()
  for (const text of ['a', 'b', 'c']) ana.type(file, 0, text)
  desk.store()
  ben.type(file, 0, 'd')
  desk.store()
  for (const channel of [1, 2]) {
    const numbers = desk
      .messages(channel)
      .flatMap((message) => (message.case === 'changed' ? [message.value.number] : []))
    const opened = desk.last(channel, 'opened')!.number
    assert.deepEqual(
      numbers,
      [1, 2, 3, 4].map((number) => opened + number),
    )
  }
  assert.equal(ana.read(), ben.read())
})

test('an update that rests on unknown text is answered by resync, and not stored', () => {
  const { desk, ana, file } = two()
  ana.doc.getText('text').insert(0, 'lost')
  const before = Y.encodeStateVector(ana.doc)
  ana.doc.getText('text').insert(4, 'after')
  const stored = desk.asked.filter(({ type }) => type === 'append').length
  ana.push(file, Y.encodeStateAsUpdate(ana.doc, before))
  assert.equal(desk.last(1, 'resync')?.ticket, 2)
  assert.equal(desk.asked.filter(({ type }) => type === 'append').length, stored)
})

test('the same push twice has one effect, and both tickets a receipt', () => {
  const { desk, ana, ben, file } = two()
  const update = ana.type(file, 6, 'world')
  ana.push(file, update)
  desk.store()
  assert.equal(ben.read(), 'hello world')
  assert.equal(desk.last(1, 'stored')?.holdings[0]?.ticket, 3)
  const appended = desk.asked.filter(({ type }) => type === 'append').length
  ana.push(file, update)
  assert.equal(desk.asked.filter(({ type }) => type === 'append').length, appended)
})

test('13 whoever writes under the id of somebody else is refused, and cut on repeat', () => {
  const { desk, ana, ben, file } = two()
  const update = ana.type(file, 0, 'mine')
  for (let time = 0; time < 3; time++) ben.push(file, update)
  assert.equal(desk.last(2, 'rejected')?.code, Code.FORBIDDEN)
  assert.equal(desk.last(2, 'refused')?.code, Code.FORBIDDEN)
  assert.ok(desk.hungUp.has(2))
  assert.ok(!desk.hungUp.has(1))
})

test('12 a push whose place takes long to find counts as many, and is taken', () => {
  const rates = { pushesPerSecond: 50, pushBurst: 20, caretsPerSecond: 20 }
  const { desk, ana, file } = two({ rates })
  const stateVector = Y.encodeStateVector(ana.doc)
  for (let count = 0; count < 5010; count++) ana.doc.getText('text').insert(0, 'x')
  ana.push(file, Y.encodeStateAsUpdate(ana.doc, stateVector))
  const mine = writerOf(ana.key)
  let clock = Y.getState(ana.doc.store, mine)
  // Between the start and the first letter of all, past those that came between them.
  const far = () => {
    const place = { left: undefined, right: { writer: mine, clock: 0 } }
    const struct = { writer: mine, clock, length: 1, kind: 'text' as const, ...place, text: 'y' }
    clock++
    const structs = new Map([[mine, [struct]]])
    ana.push(file, encodeTextUpdate({ structs, deletes: new Map() }))
  }
  const taken = () => desk.asked.filter(({ type }) => type === 'append').length
  const before = taken()
  for (let count = 0; count < 3; count++) far()
  assert.equal(desk.last(1, 'refused'), undefined)
  assert.equal(taken(), before + 3)
  far()
  assert.equal(desk.last(1, 'refused')?.code, Code.UNAVAILABLE)
  assert.equal(taken(), before + 3)
})

test('tickets ascend on one channel', () => {
  const { desk, ana, file } = two()
  ana.push(file, ana.type(file, 0, 'x'), 1)
  assert.equal(desk.last(1, 'refused')?.code, Code.INVALID)
})

test('an operation sent twice has one effect; a name in use is refused', () => {
  const { desk, ana, ben } = two()
  const id = ana.create('notes.md', 'text')
  ana.create('notes.md', 'text', id)
  desk.store()
  ana.create('notes.md', 'text', id)
  desk.store()
  assert.equal(desk.last(1, 'done')?.ticket, 4)
  assert.equal(desk.replica.status().entries, 2)
  ben.create('NOTES.md', '')
  assert.equal(desk.last(2, 'rejected')?.code, Code.TAKEN)
  ben.open(id)
  assert.equal(desk.last(2, 'opened')?.document, id)
})

test('delete, edit in the trash, restore: the edit is there', () => {
  const { desk, ana, ben, file } = two()
  ana.operate(freshId(), {
    case: 'delete',
    value: { $typeName: 'fourfold.v1.Delete', entry: file },
  })
  desk.store()
  assert.equal(desk.last(2, 'entries')?.entries[0]?.deleted?.value, true)
  ben.type(file, 0, 'kept ')
  desk.store()
  ana.operate(freshId(), {
    case: 'restore',
    value: { $typeName: 'fourfold.v1.Restore', entry: file },
  })
  desk.store()
  assert.equal(desk.last(2, 'entries')?.entries[0]?.deleted?.value, false)
  assert.equal(ana.read(), 'kept hello ')
})

/** Two people who have a file open that another server tells of, a turn going on till the test settles it. */
function toldOf() {
  const { desk, ana, ben, file } = two()
  const origin = 'b.0123456789abc'
  const stamp = (counter: number) => ({ counter, origin })
  let seq = 0
  const tell = (body: Update['body']) => {
    const update = create(UpdateSchema, { origin, seq: ++seq, subject: file, body })
    desk.storage.commit({ updates: [sealUpdate(update)], snapshots: [] })
    desk.input({ type: 'event', event: { type: 'changed', update } })
  }
  const change = (entry: MessageInitShape<typeof EntrySchema>) => {
    tell({
      case: 'entry',
      value: toBinary(EntrySchema, create(EntrySchema, { id: file, ...entry })),
    })
  }
  const place = desk.last(1, 'entries')!.entries[0]!.parent!.stamp!
  const erase = () => {
    const purged = { root: file, deletion: stamp(50), place }
    change({ deleted: { value: true, stamp: stamp(50) }, purged })
  }
  const restore = () => change({ deleted: { value: false, stamp: stamp(51) } })
  const settle = () => desk.input({ type: 'settle' })
  return { desk, ana, ben, file, tell, erase, restore, settle }
}

test('7 what is on its way to the disk of a file deleted for good is there when that is taken back', () => {
  const { desk, ana, ben, file, erase, restore, settle } = toldOf()
  ana.type(file, 6, 'everybody')
  // Both were stored there before that.
  erase()
  settle()
  assert.match(desk.last(ben.channel, 'unavailable')!.text, /deleted for good/)
  restore()
  ben.open(file)
  desk.store()
  const cleo = new Writer(desk, 3, 'cleo')
  cleo.open(file)
  desk.store()
  assert.equal(cleo.read(), 'hello everybody')
  assert.equal(ben.read(), 'hello everybody')
  ana.open(file)
  ana.type(file, 15, '!')
  desk.store()
  assert.equal(desk.last(ana.channel, 'stored')?.holdings[0]?.ticket, ana.ticket)
  assert.equal(desk.last(ana.channel, 'resync'), undefined)
  assert.equal(cleo.read(), 'hello everybody!')
})

test('G6 text that comes at once with the deletion for good of its file is told, and then that', () => {
  const { desk, ben, tell, erase, settle } = toldOf()
  const elsewhere = new Y.Doc()
  Y.applyUpdate(elsewhere, Y.encodeStateAsUpdate(ben.doc))
  const before = Y.encodeStateVector(elsewhere)
  elsewhere.getText('text').insert(6, 'world')
  erase()
  tell({ case: 'text', value: Y.encodeStateAsUpdate(elsewhere, before) })
  settle()
  const told = desk.messages(ben.channel).slice(-2)
  assert.deepEqual(
    told.map((message) => message.case),
    ['changed', 'unavailable'],
  )
  assert.equal(ben.read(), 'hello world')
})

test('a file that is deleted for good and taken back at once stays open', () => {
  const { desk, ana, ben, file, erase, restore, settle } = toldOf()
  erase()
  restore()
  settle()
  assert.equal(desk.last(ben.channel, 'unavailable'), undefined)
  ana.type(file, 6, 'world')
  desk.store()
  assert.equal(ben.read(), 'hello world')
})

test('a document nobody follows leaves memory; what was stored is read again', () => {
  const { desk, ana, ben, file } = two()
  ana.type(file, 0, 'x')
  desk.store()
  assert.equal(desk.replica.status().documentsInMemory, 1)
  desk.input({ type: 'closed', channel: ana.channel })
  desk.input({ type: 'closed', channel: ben.channel })
  desk.now += 40_000
  desk.input({ type: 'tick' })
  assert.equal(desk.replica.status().documentsInMemory, 0)
  const carl = new Writer(desk, 3, 'carl')
  carl.open(file)
  assert.equal(carl.read(), 'xhello ')
})

test('a text is merged again soon after it was, also when nobody writes there any more', () => {
  const { desk, file } = two()
  const far = new Y.Doc()
  let seq = 0
  /** So many updates of another server, at once: how often the text is merged. */
  const hear = (count: number) => {
    desk.asked.length = 0
    const changed = Array.from({ length: count }, (): ReplicaInput => {
      const before = Y.encodeStateVector(far)
      far.getText('text').insert(0, 'x')
      const body = { case: 'text' as const, value: Y.encodeStateAsUpdate(far, before) }
      const made = { subject: file, origin: 'b.0123456789abc', seq: ++seq, author: 'ben', body }
      const update = sealUpdate(create(UpdateSchema, made))
      return { type: 'event', event: { type: 'changed', update } }
    })
    for (const output of desk.replica.turn(desk.now, changed)) desk.perform(output)
    return merges()
  }
  const wait = (ms: number) => {
    desk.asked.length = 0
    desk.now += ms
    desk.input({ type: 'tick' })
    return merges()
  }
  const merges = () => desk.asked.filter(({ type }) => type === 'compact').length
  assert.equal(hear(compactAfterUpdates), 1)
  assert.equal(hear(3 * compactAfterUpdates), 0)
  assert.equal(wait(compactAfterMs - 1), 0)
  assert.equal(wait(1), 1)
  assert.equal(wait(compactAfterMs), 0)
  // Time that passed since the last tick counts as well.
  desk.now += compactAfterMs
  assert.equal(hear(compactAfterUpdates), 1)
})

test('12 while too much waits for the disk, clients and calls are sent elsewhere', () => {
  const { desk, ana, ben, file } = two()
  const text = 'x'.repeat(textBytesMax)
  for (let bytes = 0; bytes <= unstoredBytesMax; bytes += text.length) {
    assert.equal(desk.hungUp.size, 0)
    ana.create(`${bytes}.txt`, text)
  }
  ben.type(file, 0, 'y')
  assert.equal(desk.last(2, 'refused')?.code, Code.UNAVAILABLE)
  assert.ok(desk.hungUp.has(2))
  desk.call(9, { type: 'read', file })
  const failed = desk.answers.at(-1)!.answer
  assert.ok(failed.type === 'failed' && failed.error.code === 'unavailable')
  desk.store()
  ana.type(file, 0, 'z')
  desk.call(10, { type: 'read', file })
  desk.store()
  assert.ok(!desk.hungUp.has(1))
  assert.equal(desk.answers.at(-1)!.answer.type, 'read')
})

test('the digest of a large folder is worked out a part at a time', () => {
  const { desk, ana } = two()
  for (let count = 0; count < 300; count++) {
    const id = new Uint8Array(16)
    id.set([count >> 8, count, 1])
    ana.create(`${count}.txt`, '', base64url(id))
  }
  desk.store()
  assert.equal(desk.replica.digest(), '')
  const digest = desk.replica.digest()
  assert.match(digest, /^[0-9a-f]{64}$/)
  assert.equal(desk.replica.digest(), digest)
  ana.create('one more.txt', '')
  desk.store()
  assert.notEqual(desk.replica.digest(), digest)
})

test('the digest of long texts is worked out a few at a time, too', () => {
  const { desk, ana } = two()
  for (const name of ['one', 'two', 'three']) ana.create(`${name}.log`, name.repeat(1024 * 1024))
  desk.store()
  assert.equal(desk.replica.digest(), '')
  assert.match(desk.replica.digest() || desk.replica.digest(), /^[0-9a-f]{64}$/)
})

test('carets reach other followers, and those who come later', () => {
  const { desk, ana, file } = two()
  const value = {
    $typeName: 'fourfold.v1.Caret' as const,
    document: file,
    session: 'forged',
    writer: ana.doc.clientID,
    clock: 1,
    state: '{}',
  }
  desk.say(1, { case: 'caret', value })
  assert.equal(desk.last(2, 'caret')?.writer, ana.doc.clientID)
  assert.notEqual(desk.last(2, 'caret')?.session, 'forged')
  assert.equal(desk.last(1, 'caret'), undefined)
  const carl = new Writer(desk, 3, 'carl')
  carl.open(file)
  assert.equal(desk.last(3, 'caret')?.state, '{}')
  desk.input({ type: 'closed', channel: 1 })
  assert.equal(desk.last(3, 'caret')?.state, '')
})

test('the late end of a channel leaves the caret that was said over the next one', () => {
  const { desk, ana, file } = two()
  const caret = (channel: number, clock: number) => {
    const said = { document: file, writer: ana.doc.clientID, clock, state: '{}' }
    desk.say(channel, { case: 'caret', value: create(CaretSchema, said) })
  }
  caret(1, 1)
  const again = new Writer(desk, 3, 'ana', { key: ana.key })
  again.open(file)
  caret(3, 12)
  desk.input({ type: 'closed', channel: 1 })
  assert.equal(desk.last(2, 'caret')?.state, '{}')
  desk.input({ type: 'closed', channel: 3 })
  assert.equal(desk.last(2, 'caret')?.state, '')
})

test('whoever closed a text while changing servers is in it no more, also where it was not open', () => {
  const { desk, ana, file } = two()
  const say = (channel: number, clock: number, state: string, writer = ana.doc.clientID) => {
    const said = { document: file, writer, clock, state }
    desk.say(channel, { case: 'caret', value: create(CaretSchema, said) })
  }
  say(1, 1, '{}')
  new Writer(desk, 3, 'ana', { key: ana.key })
  say(3, 12, '{}')
  assert.equal(desk.last(2, 'caret')?.clock, 1, 'who is in a text has it open')
  say(3, 13, '', ana.doc.clientID + 1)
  assert.equal(desk.last(2, 'caret')?.state, '{}', 'it is for nobody else to say')
  say(3, 14, '')
  assert.deepEqual([desk.last(2, 'caret')?.state, desk.last(2, 'caret')?.clock], ['', 14])
  desk.input({ type: 'closed', channel: 1 })
  assert.equal(desk.last(2, 'caret')?.clock, 14)
})

test('a word of before brings no caret back that was taken away, however late it comes', () => {
  const { desk, ana, file } = two()
  const caret = (clock: number, state: string) =>
    create(CaretSchema, { document: file, writer: ana.doc.clientID, clock, state })
  const heard = (clock: number, state: string) => {
    const value = { ...caret(clock, state), session: sessionOf(ana.key) }
    const ephemeral = create(EphemeralSchema, { topic: { case: 'caret', value } })
    desk.input({ type: 'event', event: { type: 'ephemeral', from: 'b' as ReplicaId, ephemeral } })
  }
  desk.say(1, { case: 'caret', value: caret(9, '') })
  heard(3, '{}')
  assert.equal(desk.last(2, 'caret')?.state, '')
  const carl = new Writer(desk, 3, 'carl')
  carl.open(file)
  assert.equal(desk.last(3, 'caret'), undefined)
  heard(10, '{}')
  assert.equal(desk.last(3, 'caret')?.clock, 10)
})

test('13 a caret whose number is the last one ends nobody when its session leaves', () => {
  const { desk, ana, file } = two()
  const clock = 2 ** 32 - 1
  const said = { document: file, writer: ana.doc.clientID, clock, state: '{}' }
  desk.say(1, { case: 'caret', value: create(CaretSchema, said) })
  desk.input({ type: 'closed', channel: 1 })
  const gone = desk.last(2, 'caret')
  assert.ok(gone)
  assert.equal(gone.state, '')
  assert.doesNotThrow(() => toBinary(CaretSchema, gone), 'it can be told')
})

test('what a dead server told is taken from whoever heard it, with its seal, and only so', () => {
  const { desk, ana, ben, file } = two()
  ana.type(file, 6, 'world')
  desk.store()
  const told = desk.last(2, 'changed')!
  const other = two()
  other.ben.push(other.file, told.update)
  assert.equal(other.desk.last(2, 'rejected')?.code, Code.FORBIDDEN)
  const { seal } = told
  ben.push(file, told.update, undefined, seal)
  desk.store()
  assert.equal(desk.last(2, 'rejected'), undefined)
  other.ben.push(other.file, told.update, undefined, seal)
  assert.equal(other.desk.messages(2).filter(({ case: name }) => name === 'rejected').length, 2)
})

test('a turn of many changes does what a step for each does, with a rest after it or without', () => {
  const made = [two(), two(), two()].map(({ desk, ana, ben, file }, index) => {
    const inputs: ReplicaInput[] = []
    const { input } = desk
    if (index > 0) desk.input = (each) => void inputs.push(each)
    const other = ana.create('other.md', '')
    for (let round = 0; round < 5; round++) {
      ana.type(file, 0, 'a')
      ben.type(file, 6, 'b')
      ana.open(other)
    }
    desk.input = input
    for (const output of desk.replica.turn(desk.now, inputs)) desk.perform(output)
    if (index === 2) desk.replica.rest()
    desk.store()
    return { text: ana.read() + '|' + ben.read(), desk, file }
  })
  const [stepped, ...turned] = made.map(({ text, desk }) => {
    return { text, cases: desk.messages(1).map((message) => message.case) }
  })
  for (const each of turned) assert.deepEqual(each, stepped)
  const seals = made.map(({ desk }) => desk.last(2, 'changed')?.seal)
  assert.deepEqual(seals[2], seals[1])
})
