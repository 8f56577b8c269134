// One server's mind towards clients, with an engine whose disk stores when the test says so.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { MemoryDisk, MemoryStorage } from '../../adapters/storage/memory.ts'
import { base64url, writerOf, type Origin, type ReplicaId, type SubjectId } from '../model/ids.ts'
import {
  helloBurstMax,
  hellosPerSecondMax,
  textBytesMax,
  unstoredBytesMax,
} from '../model/limits.ts'
import { mergeStored, sealUpdate } from '../model/snapshot.ts'
import {
  ClientMessageSchema,
  Code,
  EntrySchema,
  ServerState,
  UpdateSchema,
  type ClientMessage,
  type ServerMessage,
  type Update,
} from '../model/wire.ts'
import type { EngineRequest } from '../ports.ts'
import type { Answer, Call, ReplicaInput, ReplicaOutput } from './messages.ts'
import { Replica } from './replica.ts'

const origin = 'a.0123456789abc' as Origin
const here = 'a' as ReplicaId
const there = 'b' as ReplicaId

const none: Uint8Array = new Uint8Array()
let ids = 0
const freshId = () => base64url(new Uint8Array(16).fill(++ids))

/** A server of a set of two whose engine keeps what it is asked until `store()`. */
class Desk {
  now = 1000
  readonly sent = new Map<number, ServerMessage['message'][]>()
  readonly hungUp = new Set<number>()
  readonly answers: { call: number; answer: Answer }[] = []
  readonly asked: EngineRequest[] = []
  readonly storage: MemoryStorage
  readonly replica: Replica
  #queue: { tag: number; update?: Update }[] = []
  #seq = 0
  #mark = 1

  constructor(disk = new MemoryDisk()) {
    this.storage = new MemoryStorage(disk)
    this.replica = new Replica({
      now: this.now,
      replica: here,
      set: 'test',
      version: '0',
      origin,
      reader: this.storage.reader,
      safeCount: 2,
      rates: { pushesPerSecond: 50, pushBurst: 500, caretsPerSecond: 20 },
      random: () => 0.5,
      seal: (document, update) =>
        createHash('sha256').update(document).update(update).digest().subarray(0, 16),
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      deflate: (text) => deflateRawSync(text),
    })
    const view = { lag: 0, heardAt: 0, state: ServerState.LIVE }
    const servers = [here, there].map((id) => ({ id, address: `http://${id}`, ...view }))
    this.input({ type: 'event', event: { type: 'servers', servers, isServing: true } })
  }

  input(input: ReplicaInput): void {
    for (const output of this.replica.step(this.now, input)) this.perform(output)
  }

  perform(output: ReplicaOutput): void {
    if (output.type === 'send') {
      for (const channel of output.channels) this.messages(channel).push(output.message.message)
    }
    if (output.type === 'hangUp') this.hungUp.add(output.channel)
    if (output.type === 'answer') this.answers.push(output)
    if (output.type === 'ask') this.#ask(output.request)
  }

  #ask(request: EngineRequest): void {
    this.asked.push(request)
    if (request.type === 'barrier') this.#queue.push({ tag: request.tag })
    if (request.type !== 'append') return
    const update = create(UpdateSchema, { ...request.update, origin, seq: ++this.#seq })
    this.#queue.push({ tag: request.tag, update: sealUpdate(update) })
  }

  /** Everything that was asked is on this disk. */
  store(): void {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0)
      const updates = batch.flatMap(({ update }) => (update ? [update] : []))
      this.storage.commit({ updates, snapshots: [] })
      if (updates.length > 0) this.#mark++
      for (const each of batch) {
        this.input({ type: 'event', event: { type: 'appended', mark: this.#mark, ...each } })
      }
    }
    this.input({ type: 'settle' })
  }

  /** The other server's disk has it too. */
  cover(): void {
    const event = { type: 'covered' as const, replica: there, mark: this.#mark }
    this.input({ type: 'event', event })
    this.input({ type: 'settle' })
  }

  messages(channel: number): ServerMessage['message'][] {
    const messages = this.sent.get(channel) ?? []
    this.sent.set(channel, messages)
    return messages
  }

  last<C extends NonNullable<ServerMessage['message']['case']>>(channel: number, name: C) {
    const found = this.messages(channel).findLast((message) => message.case === name)
    return found?.value as Extract<ServerMessage['message'], { case: C }>['value'] | undefined
  }

  say(channel: number, message: ClientMessage['message'], bytes = 100): void {
    const said = create(ClientMessageSchema, { message })
    this.input({ type: 'received', channel, message: said, bytes })
  }

  call(call: number, request: Call): void {
    this.input({ type: 'called', call, author: 'cli', request })
  }
}

/** A person with a document of their own. */
class Writer {
  readonly desk: Desk
  readonly channel: number
  readonly key: Uint8Array
  readonly doc = new Y.Doc()
  ticket = 0

  constructor(desk: Desk, channel: number, name: string, isStandby = false) {
    this.desk = desk
    this.channel = channel
    this.key = new Uint8Array(16).fill(channel)
    this.doc.clientID = writerOf(this.key)
    desk.input({ type: 'opened', channel, address: '127.0.0.1' })
    this.hello(name, isStandby)
  }

  hello(name: string, isStandby = false, protocol = 1): void {
    this.desk.say(this.channel, {
      case: 'hello',
      value: {
        $typeName: 'fourfold.v1.Hello',
        key: this.key,
        name,
        protocol,
        earlierKeys: [],
        isStandby,
        token: '',
        showsDirectories: false,
        agent: 'test',
      },
    })
  }

  create(name: string, text: string, id = freshId()): string {
    const value = { $typeName: 'fourfold.v1.Create' as const, name, text, parent: '' }
    this.operate(id, { case: 'create', value })
    return id
  }

  operate(
    id: string,
    operation: Extract<ClientMessage['message'], { case: 'operation' }>['value']['operation'],
  ): void {
    const ticket = ++this.ticket
    const isLate = false
    const value = { $typeName: 'fourfold.v1.Operation' as const, ticket, id, isLate, operation }
    this.desk.say(this.channel, { case: 'operation', value })
  }

  open(document: string): void {
    const stateVector = Y.encodeStateVector(this.doc)
    const value = { $typeName: 'fourfold.v1.Open' as const, document, stateVector }
    this.desk.say(this.channel, { case: 'open', value })
  }

  type(document: string, at: number, text: string): Uint8Array {
    const before = Y.encodeStateVector(this.doc)
    this.doc.getText('text').insert(at, text)
    const update = Y.encodeStateAsUpdate(this.doc, before)
    this.push(document, update)
    return update
  }

  push(document: string, update: Uint8Array, ticket = ++this.ticket, seal = none): void {
    const value = { $typeName: 'fourfold.v1.Push' as const, ticket, document, update, seal }
    this.desk.say(this.channel, { case: 'push', value })
  }

  /** Integrates everything that was sent of the document. */
  read(): string {
    for (const message of this.desk.messages(this.channel)) {
      if (message.case === 'opened' && message.value.piece.length > 0) {
        Y.applyUpdate(this.doc, message.value.piece)
      }
      if (message.case === 'changed' && message.value.update.length > 0) {
        Y.applyUpdate(this.doc, message.value.update)
      }
    }
    return this.doc.getText('text').toString()
  }
}

function two(): { desk: Desk; ana: Writer; ben: Writer; file: string } {
  const desk = new Desk()
  const ana = new Writer(desk, 1, 'ana')
  const ben = new Writer(desk, 2, 'ben')
  const file = ana.create('plan.md', 'hello ')
  desk.store()
  for (const writer of [ana, ben]) {
    writer.open(file)
    writer.read()
  }
  return { desk, ana, ben, file }
}

test('a person is welcomed with the servers, and listed the files', () => {
  const { desk } = two()
  assert.equal(desk.last(1, 'welcome')?.name, 'ana')
  const carl = new Writer(desk, 3, 'carl')
  assert.equal(desk.last(carl.channel, 'entries')?.entries[0]?.name?.value, 'plan.md')
  assert.equal(desk.last(carl.channel, 'entries')?.isComplete, true)
})

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

test('tickets ascend on one channel', () => {
  const { desk, ana, file } = two()
  ana.push(file, ana.type(file, 0, 'x'), 1)
  assert.equal(desk.last(1, 'refused')?.code, Code.INVALID)
})

test('a screen name in use is refused; a standby claims none; its promotion does', () => {
  const { desk } = two()
  const twin = new Writer(desk, 3, 'Ana')
  assert.equal(desk.last(twin.channel, 'refused')?.code, Code.TAKEN)
  const warm = new Writer(desk, 4, 'eve', true)
  assert.equal(desk.last(4, 'welcome')?.name, '')
  const eve = new Writer(desk, 5, 'eve')
  assert.equal(desk.last(eve.channel, 'welcome')?.name, 'eve')
  warm.hello('eve')
  assert.equal(desk.last(4, 'refused')?.code, Code.TAKEN)
})

test('who is here may take another name, and hears of no entry twice', () => {
  const { desk, ana } = two()
  const listings = () => desk.messages(1).filter((message) => message.case === 'entries').length
  const before = listings()
  ana.hello('anna')
  assert.equal(desk.last(1, 'welcome')?.name, 'anna')
  assert.equal(listings(), before)
  const other = new Writer(desk, 3, 'ana')
  assert.equal(desk.last(other.channel, 'welcome')?.name, 'ana', 'the old name is free')
})

test('13 a second Hello on a channel with another key ends it', () => {
  for (const key of [new Uint8Array(16).fill(99), new Uint8Array(), new Uint8Array(17).fill(1)]) {
    const { desk, ana } = two()
    Object.assign(ana, { key })
    ana.hello('ana')
    assert.equal(desk.last(1, 'refused')?.code, Code.INVALID)
    assert.ok(desk.hungUp.has(1))
    assert.equal(desk.hungUp.has(2), false)
  }
})

test('12 a channel may say hello five times at once, and then once a second', () => {
  const desk = new Desk()
  const ana = new Writer(desk, 1, 'ana')
  for (let count = 1; count < helloBurstMax; count++) ana.hello('ana')
  desk.now += 1000 / hellosPerSecondMax
  ana.hello('ana')
  assert.equal(desk.last(1, 'refused'), undefined)
  ana.hello('ana')
  assert.equal(desk.last(1, 'refused')?.text, 'You say hello too often; wait a moment.')
  assert.ok(desk.hungUp.has(1))
})

test('another revision of the language is named', () => {
  const desk = new Desk()
  new Writer(desk, 1, 'ana').hello('ana', false, 2)
  const fresh = new Writer(desk, 2, 'ben')
  desk.input({ type: 'closed', channel: fresh.channel })
  desk.input({ type: 'opened', channel: 3, address: '' })
  Object.assign(fresh, { channel: 3 })
  fresh.hello('ben', false, 2)
  assert.match(desk.last(3, 'refused')!.text, /^This server is older than your client: /)
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

test('a whole-file save is merged against the version it was based on', () => {
  const { desk, ana, file } = two()
  desk.call(1, { type: 'read', file: 'plan.md' })
  const read = desk.answers.at(-1)!.answer
  assert.equal(read.type, 'read')
  const version = read.type === 'read' ? read.version : ''
  ana.type(file, 0, 'Ana: ')
  desk.store()
  desk.call(2, {
    type: 'save',
    file: 'plan.md',
    text: 'hello world\n',
    baseVersion: version,
    operation: freshId(),
  })
  desk.store()
  assert.equal(ana.read(), 'Ana: hello world\n')
  assert.equal(desk.answers.at(-1)!.call, 1, 'the answer waits for the other live disk')
  desk.cover()
  const kept = desk.answers.at(-1)!.answer
  assert.deepEqual(kept.type === 'kept' && kept.servers, ['a', 'b'])
})

test('a save under an operation id already done changes nothing', () => {
  const { desk, ana } = two()
  const operation = freshId()
  const save: Call = { type: 'save', file: 'plan.md', text: 'new', baseVersion: '', operation }
  desk.call(1, save)
  desk.call(2, { ...save, text: 'other' })
  desk.store()
  desk.call(3, { ...save, text: 'third' })
  desk.store()
  desk.cover()
  assert.equal(ana.read(), 'new')
  assert.equal(desk.answers.filter(({ answer }) => answer.type === 'kept').length, 3)
})

test('7 a file whose entry is damaged is unavailable by name and by id, never said not to be', () => {
  const disk = new MemoryDisk()
  const before = new Desk(disk)
  const ana = new Writer(before, 1, 'ana')
  const file = ana.create('plan.md', 'hello') as SubjectId
  before.store()
  const peer = new MemoryStorage(disk.clone())
  assert.ok(disk.flip(file))

  const desk = new Desk(disk)
  const ben = new Writer(desk, 2, 'ben')
  ben.open(file)
  const elsewhere = 'This file cannot be read here. Trying another server.'
  assert.equal(desk.last(2, 'unavailable')!.text, elsewhere)
  const save = { type: 'save', text: 'x', baseVersion: '', operation: freshId() } as const
  const requests: Call[] = [
    { type: 'read', file: 'plan.md' },
    { type: 'read', file },
    { type: 'delete', file: 'plan.md', operation: freshId() },
    { ...save, file: 'plan.md' },
  ]
  for (const [call, request] of requests.entries()) desk.call(call, request)
  const codes = () =>
    desk.answers.map(({ answer }) => (answer.type === 'failed' ? answer.error.code : answer.type))
  assert.deepEqual(codes(), Array(4).fill('unavailable'))

  // A peer sends it whole: what is not there now is nowhere.
  const whole = mergeStored(peer.reader.load(file), disk.vector, file)
  desk.storage.commit({ updates: [], snapshots: [whole] })
  desk.input({ type: 'event', event: { type: 'replaced', subject: file } })
  desk.call(4, { type: 'read', file: 'plan.md' })
  desk.call(5, { type: 'read', file: 'other.md' })
  desk.store()
  assert.deepEqual(codes().slice(4).toSorted(), ['not-found', 'read'])
})

test('a watcher hears what is there, and then each change', () => {
  const { desk, ana, file } = two()
  desk.call(1, { type: 'watch', file: '' })
  ana.type(file, 0, 'x')
  desk.store()
  ana.operate(freshId(), {
    case: 'delete',
    value: { $typeName: 'fourfold.v1.Delete', entry: file },
  })
  desk.store()
  const events = desk.answers.map(({ answer }) => answer.type === 'watched' && answer.event)
  assert.deepEqual(events, ['present', 'ready', 'changed', 'deleted'])
})

test('7 what is on its way to the disk of a file deleted for good is there when that is taken back', () => {
  const { desk, ana, ben, file } = two()
  const stamp = (counter: number) => ({ counter, origin: 'b.0123456789abc' })
  const told = (seq: number, entry: MessageInitShape<typeof EntrySchema>) => {
    const value = toBinary(EntrySchema, create(EntrySchema, { id: file, ...entry }))
    const body = { case: 'entry' as const, value }
    const update = create(UpdateSchema, { origin: 'b.0123456789abc', seq, subject: file, body })
    desk.storage.commit({ updates: [sealUpdate(update)], snapshots: [] })
    desk.input({ type: 'event', event: { type: 'changed', update } })
  }
  ana.type(file, 6, 'everybody')
  // Both were stored there before that, and come with one batch of another server.
  const purged = {
    root: file,
    deletion: stamp(50),
    place: desk.last(1, 'entries')!.entries[0]!.parent!.stamp!,
  }
  told(1, { deleted: { value: true, stamp: stamp(50) }, purged })
  assert.match(desk.last(ben.channel, 'unavailable')!.text, /deleted for good/)
  told(2, { deleted: { value: false, stamp: stamp(51) } })
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
