// One client's channel: who gets in, what is cut, and what waits.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'

import {
  firstMessageMs,
  helloBytesMax,
  idleClientMs,
  messageBurstMax,
  messageFieldsMax,
  messagesPerSecondMax,
  openWindowBytes,
  pieceBytesMax,
  probeClientMs,
  sessionBurstBytesMax,
  unreadBytesMax,
} from '../core/model/limits.ts'
import {
  ClientMessageSchema,
  Code,
  ServerMessageSchema,
  SessionRequestSchema,
  SessionResponseSchema,
  type ClientMessage,
  type Hello,
  type ServerMessage,
} from '../core/model/wire.ts'
import type { Channel } from '../core/ports.ts'
import { memoryChannels } from '../adapters/channel/memory.ts'
import { ClientLink, type ClientLinkOwner } from './client-link.ts'
import { encodeFrame } from './frames.ts'

type Message = MessageInitShape<typeof ClientMessageSchema>['message']

/** A link, its client, and a clock. */
class Scene implements ClientLinkOwner {
  readonly link: ClientLink
  readonly client: Channel<Uint8Array, Uint8Array>
  readonly taken: ClientMessage[] = []
  readonly heard: ServerMessage[] = []
  readBytes = 0
  closings = 0
  clientClosed = ''
  pings = 0
  refusal: { code: Code; text: string } | undefined
  #now = 1_000_000
  /** Hashes that are on the disk. */
  readonly blobs = new Set<string>()

  hasBytes({ hash }: { hash: string }): Promise<boolean> {
    return Promise.resolve(this.blobs.has(hash))
  }

  /** Ids of operations that were carried out before. */
  readonly carriedOut = new Set<string>()

  isCarriedOut(operation: string): boolean {
    return this.carriedOut.has(operation)
  }

  constructor() {
    const [server, client] = memoryChannels<Uint8Array, Uint8Array>(({ length }) => length)
    this.client = client
    client.listen({
      received: (frame) => {
        this.readBytes += frame.length
        this.heard.push(...fromBinary(SessionResponseSchema, frame).messages)
      },
      closed: (why) => (this.clientClosed = why),
    })
    const channel = {
      send: (frame: Uint8Array) => server.send(frame),
      queuedBytes: () => server.queuedBytes(),
      close: (why: string) => server.close(why),
      listen: (listener: Parameters<typeof server.listen>[0]) => server.listen(listener),
      ping: (alive: () => void) => {
        this.pings++
        alive()
      },
    }
    this.link = new ClientLink(1, channel, this)
  }

  now(): number {
    return this.#now
  }

  turnsAway(_hello: Hello) {
    return this.refusal
  }

  received(_link: ClientLink, message: ClientMessage): void {
    this.taken.push(message)
  }

  closed(): void {
    this.closings++
  }

  pass(ms: number): void {
    this.#now += ms
    this.link.sweep()
  }

  /** What a client says, in one frame; resolves when it has arrived and was answered. */
  async says(...messages: Message[]): Promise<void> {
    const request = create(SessionRequestSchema, {
      messages: messages.map((message) => ({ message })),
    })
    await this.sends(toBinary(SessionRequestSchema, request))
  }

  async sends(frame: Uint8Array): Promise<void> {
    this.client.send(frame)
    await new Promise((resolve) => setImmediate(resolve))
  }

  async joins(): Promise<void> {
    await this.says(hello())
    this.tells({ case: 'welcome', value: {} }, 'welcome')
    await this.flush()
  }

  tells(
    message: MessageInitShape<typeof ServerMessageSchema>['message'],
    kind: 'welcome' | 'piece' | 'other' = 'other',
  ): void {
    this.link.send(encodeFrame(create(ServerMessageSchema, { message })), kind)
  }

  async flush(): Promise<void> {
    this.link.flush()
    await new Promise((resolve) => setImmediate(resolve))
  }

  get refused() {
    const last = this.heard.at(-1)?.message
    return last?.case === 'refused' ? last.value : undefined
  }

  takenCases() {
    return this.taken.map(({ message }) => message.case)
  }
}

const hello = (bytes = 0): Message => ({
  case: 'hello',
  value: { key: new Uint8Array(16), name: 'Ana', agent: 'x'.repeat(bytes) },
})
const open = (document: string): Message => ({ case: 'open', value: { document } })
const push = (ticket: number, bytes = 10): Message => ({
  case: 'push',
  value: { ticket, document: 'd', update: new Uint8Array(bytes) },
})
const credit = (bytesRead: number): Message => ({ case: 'credit', value: { bytesRead } })
const piece = (bytes: number) =>
  ({ case: 'opened', value: { document: 'd', piece: new Uint8Array(bytes) } }) as const

test('messages of one frame are taken in order', async () => {
  const scene = new Scene()
  await scene.says(hello(), { case: 'ping', value: { number: 1 } }, push(1))
  assert.deepEqual(scene.takenCases(), ['hello', 'push'])
  const [pong] = scene.heard
  assert.equal(pong?.message.case === 'pong' && pong.message.value.number, 1)
})

test('the first message is Hello, or the last', async () => {
  const scene = new Scene()
  await scene.says(push(1))
  assert.equal(scene.refused?.text, 'The first message must be Hello.')
  assert.equal(scene.closings, 1)
  assert.notEqual(scene.clientClosed, '')
})

test('12 a Hello has 16 KiB at most, and so has all before the Welcome', async () => {
  const size = (bytes: number) =>
    toBinary(ClientMessageSchema, create(ClientMessageSchema, { message: hello(bytes) })).length
  let bytes = helloBytesMax
  while (size(bytes) > helloBytesMax) bytes--
  const full = new Scene()
  await full.says(hello(bytes))
  assert.deepEqual(full.takenCases(), ['hello'])
  const over = new Scene()
  await over.says(hello(bytes + 1))
  assert.equal(over.refused?.code, Code.TOO_LARGE)
  const long = new Scene()
  await long.says(...Array<Message>(5).fill(hello(bytes)))
  assert.equal(long.refused?.code, Code.TOO_LARGE)
  assert.deepEqual(long.takenCases(), [])
  const early = new Scene()
  await early.says(hello(), push(1, helloBytesMax))
  assert.equal(early.refused?.code, Code.TOO_LARGE)
  const joined = new Scene()
  await joined.joins()
  await joined.says(push(1, helloBytesMax))
  assert.deepEqual(joined.takenCases(), ['hello', 'push'])
})

test('whoever the set turns away hears why', async () => {
  const scene = new Scene()
  scene.refusal = { code: Code.UNAUTHENTICATED, text: 'Sign in again.' }
  await scene.says(hello())
  assert.equal(scene.refused?.code, Code.UNAUTHENTICATED)
  assert.deepEqual(scene.taken, [])
})

test('malformed bytes end the channel with a sentence', async () => {
  for (const bytes of [
    [1, 2, 3],
    [10, 255, 255, 255, 255, 15],
    [10, 3, 10, 9, 9],
  ]) {
    const scene = new Scene()
    await scene.sends(Uint8Array.from(bytes))
    assert.equal(scene.refused?.text, 'The message is malformed.', String(bytes))
  }
})

test('a message of a later revision is answered, a field of one is skipped', async () => {
  const scene = new Scene()
  await scene.joins()
  // Field 2 of the frame; then an empty message of an unknown kind, number 99.
  await scene.sends(Uint8Array.from([0x12, 1, 65]))
  assert.equal(scene.closings, 0)
  // A push, and behind it such a field, of which nothing is kept.
  await scene.sends(Uint8Array.from([0x0a, 5, 0x22, 0, 0x9a, 0x06, 0]))
  assert.deepEqual(scene.takenCases(), ['hello', 'push'])
  assert.equal(scene.taken[1]!.$unknown, undefined)
  await scene.sends(Uint8Array.from([0x0a, 3, 0x9a, 0x06, 0]))
  assert.equal(scene.refused?.code, Code.PROTOCOL)
  assert.match(scene.refused!.text, /^This server is older than your client:/)
})

test('12 who says nothing at first is cut after 15 s, who falls silent after a minute', async () => {
  const silent = new Scene()
  silent.pass(firstMessageMs)
  assert.equal(silent.closings, 0)
  silent.pass(1)
  await silent.flush()
  assert.equal(silent.closings, 1)
  assert.equal(silent.refused?.text, 'No Hello came within 15 s.')
})

test('a client whose WebSocket answers pings is there', async () => {
  const scene = new Scene()
  await scene.joins()
  for (let time = 0; time < 5 * idleClientMs; time += probeClientMs + 1) {
    scene.pass(probeClientMs + 1)
  }
  assert.equal(scene.closings, 0)
  assert.ok(scene.pings >= 19)
  scene.pass(idleClientMs + 1)
  assert.equal(scene.closings, 1)
})

test('12 who does not read is cut at 4 MiB, and what was read does not count', async () => {
  const scene = new Scene()
  await scene.joins()
  await scene.says(credit(scene.readBytes))
  const changed = {
    case: 'changed',
    value: { update: new Uint8Array(unreadBytesMax / 8) },
  } as const
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 7; index++) scene.tells(changed)
    await scene.flush()
    await scene.says(credit(scene.readBytes))
  }
  assert.equal(scene.closings, 0)
  for (let index = 0; index < 8; index++) scene.tells(changed)
  await scene.flush()
  assert.equal(scene.closings, 1)
  assert.match(scene.clientClosed, /more than 4 MiB wait unread/)
})

test('an opened document may be as long as it is, but the next one waits until it is read', async () => {
  const scene = new Scene()
  await scene.joins()
  await scene.says(credit(scene.readBytes))
  await scene.says(open('1'), open('2'), push(1), { case: 'ping', value: { number: 1 } })
  assert.deepEqual(scene.takenCases(), ['hello', 'open'])
  assert.equal(scene.heard.at(-1)?.message.case, 'pong')
  for (let index = 0; index < 10; index++) scene.tells(piece(pieceBytesMax), 'piece')
  await scene.flush()
  assert.equal(scene.closings, 0)
  assert.equal(scene.link.isHolding, true)
  await scene.says(credit(scene.readBytes - openWindowBytes - 1))
  assert.equal(scene.taken.length, 2)
  await scene.says(credit(scene.readBytes - openWindowBytes))
  assert.deepEqual(scene.takenCases().slice(2), ['open'])
  await scene.flush()
  assert.deepEqual(scene.takenCases().slice(2), ['open', 'push'])
})

/** A client that was sent a document and has yet to read it: what it opens next waits. */
async function withUnread(): Promise<Scene> {
  const scene = new Scene()
  await scene.joins()
  await scene.says(credit(scene.readBytes))
  await scene.says(open('1'))
  scene.tells(piece(2 * openWindowBytes), 'piece')
  await scene.flush()
  return scene
}

test('12 what waits behind an unread document is bounded', async () => {
  const scene = await withUnread()
  await scene.says(open('2'), push(1, sessionBurstBytesMax / 2))
  assert.equal(scene.closings, 0)
  await scene.says(push(2, sessionBurstBytesMax / 2))
  assert.equal(scene.refused?.code, Code.TOO_LARGE)
})

test('12 what waits behind an unread document is bounded, however short it is', async () => {
  const scene = await withUnread()
  await scene.says(open('2'))
  const pushes = Array<Message>(messageBurstMax).fill({ case: 'push', value: {} })
  await scene.says(...pushes)
  assert.equal(scene.closings, 0)
  await scene.says(...pushes)
  assert.equal(scene.refused?.code, Code.TOO_LARGE)
})

test('12 however short its messages are, a client says so many at once, and so many a second', async () => {
  const close: Message = { case: 'close', value: {} }
  const several = (count: number) => Array<Message>(count).fill(close)
  const scene = new Scene()
  await scene.joins()
  await scene.says(...several(messageBurstMax - 1))
  assert.equal(scene.taken.length, messageBurstMax)
  scene.pass(1000)
  await scene.says(...several(messagesPerSecondMax))
  assert.equal(scene.closings, 0)
  await scene.says(close)
  assert.equal(scene.refused?.code, Code.UNAVAILABLE)

  const other = new Scene()
  await other.says(hello(), ...several(messageBurstMax))
  assert.equal(other.refused?.code, Code.UNAVAILABLE)
  assert.equal(other.taken.length, 0)
})

test('12 a frame with nothing in it counts as a message', async () => {
  for (const nothing of [new Uint8Array(), Buffer.from([0x98, 0x06, 0x01])]) {
    const scene = new Scene()
    await scene.joins()
    for (let count = 1; count < messageBurstMax - 1; count++) scene.client.send(nothing)
    await scene.sends(nothing)
    assert.equal(scene.closings, 0)
    await scene.sends(nothing)
    assert.equal(scene.refused?.code, Code.UNAVAILABLE)
  }
})

test('12 however much one message lists, it is decoded only when that is little', async () => {
  const listing = (count: number): Message => {
    const several = { entries: Array<string>(count).fill('') }
    return { case: 'operation', value: { operation: { case: 'several', value: several } } }
  }
  const scene = new Scene()
  await scene.joins()
  await scene.says(listing(messageFieldsMax - 10))
  assert.deepEqual(scene.takenCases(), ['hello', 'operation'])
  await scene.says(listing(messageFieldsMax))
  assert.equal(scene.refused?.code, Code.UNAVAILABLE)
})

test('a credit for more than was sent, or less than before, is refused', async () => {
  for (const wrong of [-10, 10]) {
    const scene = new Scene()
    await scene.joins()
    await scene.says(credit(scene.readBytes))
    await scene.says(credit((scene.readBytes + wrong) >>> 0))
    assert.equal(scene.refused?.code, Code.INVALID)
  }
})

test('an operation that names bytes is taken only where they are, and nothing overtakes it', async () => {
  const scene = new Scene()
  await scene.joins()
  const [here, absent] = ['ab'.repeat(32), 'cd'.repeat(32)]
  scene.blobs.add(here)
  await scene.says(binary(1, absent), push(2), binary(3, here), push(4))
  await until(() => scene.taken.length === 4)
  assert.deepEqual(scene.takenCases(), ['hello', 'push', 'operation', 'push'])
  const rejected = scene.heard.at(-1)?.message
  assert.ok(rejected?.case === 'rejected')
  assert.deepEqual([rejected.value.ticket, rejected.value.code], [1, Code.UNAVAILABLE])
})

test('an operation that was carried out is answered so, wherever its bytes are', async () => {
  const scene = new Scene()
  await scene.joins()
  scene.carriedOut.add('before')
  await scene.says(binary(1, 'ab'.repeat(32), 'before'), push(2))
  assert.deepEqual(scene.takenCases(), ['hello', 'operation', 'push'])
})

test('a hash that is none is looked for nowhere: it would be a path', async () => {
  const scene = new Scene()
  await scene.joins()
  scene.hasBytes = () => assert.fail('it was looked for')
  await scene.says(binary(1, '../../../etc/passwd'), push(2))
  // The mind refuses it by its rules.
  assert.deepEqual(scene.takenCases(), ['hello', 'operation', 'push'])
})

function binary(ticket: number, hash: string, id = ''): Message {
  const createBinary = { case: 'createBinary', value: { name: 'a.bin', hash, size: 1 } } as const
  return { case: 'operation', value: { ticket, id, operation: createBinary } }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
