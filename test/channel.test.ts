// The contract of a channel, run on every adapter: memory, gRPC between servers, WebSocket.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http2 from 'node:http2'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'

import { create } from '@bufbuild/protobuf'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'

import {
  acceptPeer,
  dialPeer,
  exchangePath,
  refusePeer,
} from '../src/adapters/channel/grpc-peer.ts'
import { frameOf } from '../src/adapters/channel/peer-frames.ts'
import { StreamChannel, type Envelope } from '../src/adapters/channel/grpc.ts'
import { memoryChannels } from '../src/adapters/channel/memory.ts'
import type { AcceptedWebSocket } from '../src/adapters/channel/websocket-server.ts'
import {
  PeerMessageSchema,
  SessionRequestSchema,
  SessionResponseSchema,
  SessionService,
  type PeerMessage,
  type SessionRequest,
  type SessionResponse,
} from '../src/core/model/wire.ts'
import {
  firstPeerMessageBytesMax,
  logsMax,
  peerMessageBytesMax,
  peerMessageFieldsMax,
} from '../src/core/model/limits.ts'
import type { Channel } from '../src/core/ports.ts'
import { Addresses } from '../src/server/addresses.ts'
import { Origins } from '../src/server/origins.ts'
import { Page } from '../src/server/page.ts'
import { openPort, type PortOptions } from '../src/server/port.ts'

/** Two ends of one channel, and how to break what lies between them. */
interface Ends<Message> {
  left: Channel<Message, Message>
  right: Channel<Message, Message>
  /** A message with this number and about so many bytes. */
  message: (number: number, bytes: number) => Message
  numberOf: (message: Message) => number
  /** Cuts the line, where there is one. */
  cut?: () => void
  end: () => Promise<void>
}

/** Records what one end hears. */
class Ear<Message> {
  readonly numbers: number[] = []
  readonly endings: string[] = []
  #wake: (() => void)[] = []

  constructor(channel: Channel<Message, Message>, numberOf: (message: Message) => number) {
    channel.listen({
      received: (message) => {
        assert.deepEqual(this.endings, [], 'after `closed` nothing comes')
        this.numbers.push(numberOf(message))
        this.#heard()
      },
      closed: (why) => {
        this.endings.push(why)
        this.#heard()
      },
    })
  }

  async until(isEnough: (ear: this) => boolean): Promise<void> {
    while (!isEnough(this)) await new Promise<void>((resolve) => this.#wake.push(resolve))
  }

  #heard(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

async function memoryEnds(): Promise<Ends<Uint8Array>> {
  const [left, right] = memoryChannels<Uint8Array, Uint8Array>((message) => message.length)
  return { left, right, ...numberedBytes, end: async () => {} }
}

const numberedBytes = {
  message: (number: number, bytes: number) => {
    const message = new Uint8Array(Math.max(4, bytes))
    new DataView(message.buffer).setUint32(0, number)
    return message
  },
  numberOf: (message: Uint8Array) =>
    new DataView(message.buffer, message.byteOffset, message.length).getUint32(0),
}

/** A port with nothing behind it but what a test accepts. */
async function bareServer(parts: Partial<Pick<PortOptions, 'routes' | 'accept' | 'answerPeer'>>) {
  const port = await openPort({
    listen: { host: '127.0.0.1', port: 0 },
    routes: () => {},
    isSignedIn: () => true,
    answerPeer: () => {},
    answerBlob: () => Promise.resolve(),
    answerDav: () => Promise.resolve(),
    log: () => {},
    accept: () => {},
    page: new Page('nowhere', []),
    origins: new Origins([]),
    addresses: new Addresses(),
    health: () => ({ isWell: true, body: {} }),
    ...parts,
  })
  const line = await cuttable(port.number)
  return { line, end: async () => void (await Promise.all([line.end(), port.close()])) }
}

/** A line to a local port that can be cut. */
async function cuttable(target: number) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    const onward = connect(target, '127.0.0.1')
    sockets.push(socket, onward)
    for (const each of [socket, onward]) each.on('error', () => each.destroy())
    socket.pipe(onward).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => sockets.forEach((socket) => socket.resetAndDestroy())
  const end = async () => {
    cut()
    server.close()
    await once(server, 'close')
  }
  return { port: (server.address() as AddressInfo).port, cut, end }
}

async function peerEnds(): Promise<Ends<PeerMessage>> {
  const accepted = Promise.withResolvers<Channel<PeerMessage, PeerMessage>>()
  const { line, end } = await bareServer({
    answerPeer: ({ stream }) => accepted.resolve(acceptPeer(stream)),
  })
  const left = await dialPeer(`http://127.0.0.1:${line.port}`, { deadlineMs: 60_000 })
  return {
    left,
    right: await accepted.promise,
    cut: line.cut,
    end,
    message: (number, bytes) =>
      create(PeerMessageSchema, {
        message: {
          case: 'snapshot',
          value: { subject: String(number), text: new Uint8Array(bytes) },
        },
      }),
    numberOf: ({ message }) => (message.case === 'snapshot' ? Number(message.value.subject) : NaN),
  }
}

const bytesOf = ({ length }: Uint8Array) => length

/** Bytes as the changes that a server tells, and as the pushes of a client. */
const asServer: Envelope<Uint8Array, Uint8Array, SessionResponse, SessionRequest> = {
  join: (sent) =>
    create(SessionResponseSchema, {
      messages: sent.map((update) => ({
        message: { case: 'changed' as const, value: { update } },
      })),
    }),
  split: ({ messages }) =>
    messages.map(({ message }) => (message.case === 'push' ? message.value.update : none)),
  bytesOf,
}
const asClient: Envelope<Uint8Array, Uint8Array, SessionRequest, SessionResponse> = {
  join: (sent) =>
    create(SessionRequestSchema, {
      messages: sent.map((update) => ({ message: { case: 'push' as const, value: { update } } })),
    }),
  split: ({ messages }) =>
    messages.map(({ message }) => (message.case === 'changed' ? message.value.update : none)),
  bytesOf,
}
const none = new Uint8Array(4)

async function callEnds(): Promise<Ends<Uint8Array>> {
  const accepted = Promise.withResolvers<Channel<Uint8Array, Uint8Array>>()
  const { line, end } = await bareServer({
    routes: (router) =>
      router.service(SessionService, {
        async *session(requests, context) {
          const channel = new StreamChannel(asServer)
          void channel.read(requests)
          accepted.resolve(channel)
          yield* channel.outgoing(context.signal)
        },
      }),
  })
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${line.port}` })
  const stopped = new AbortController()
  const left = new StreamChannel(asClient)
  const { signal } = stopped
  const incoming = createClient(SessionService, transport).session(left.outgoing(signal), {
    signal,
  })
  void left.read(incoming).then(() => stopped.abort())
  // The call begins when somebody reads: what the right end is told waits for it.
  const right: Channel<Uint8Array, Uint8Array> = {
    send: (message) => void accepted.promise.then((channel) => channel.send(message)),
    queuedBytes: () => 0,
    close: (why) => void accepted.promise.then((channel) => channel.close(why)),
    listen: (listener) => void accepted.promise.then((channel) => channel.listen(listener)),
  }
  return { left, right, cut: line.cut, end, ...numberedBytes }
}

async function webSocketEnds(): Promise<Ends<Uint8Array>> {
  const accepted = Promise.withResolvers<AcceptedWebSocket>()
  const { line, end } = await bareServer({ accept: accepted.resolve })
  const socket = new WebSocket(`ws://127.0.0.1:${line.port}/session`)
  socket.binaryType = 'arraybuffer'
  const [left] = await Promise.all([accepted.promise, once(socket, 'open')])
  const right: Channel<Uint8Array, Uint8Array> = {
    send: (message) => socket.send(message as Uint8Array<ArrayBuffer>),
    queuedBytes: () => socket.bufferedAmount,
    close: () => socket.close(),
    listen: (listener) => {
      socket.addEventListener('message', ({ data: frame }) =>
        listener.received(new Uint8Array(frame as ArrayBuffer)),
      )
      socket.addEventListener('close', () => listener.closed('closed'))
      socket.addEventListener('error', () => {})
    },
  }
  return { left, right, cut: line.cut, end, ...numberedBytes }
}

function contract<Message>(name: string, open: () => Promise<Ends<Message>>): void {
  const numbers = Array.from({ length: 500 }, (_, number) => number)

  test(`${name}: messages arrive whole and in order, both ways`, async (t) => {
    const { left, right, message, numberOf, end } = await open()
    t.after(end)
    const ears = [new Ear(left, numberOf), new Ear(right, numberOf)]
    for (const number of numbers) {
      left.send(message(number, number * 10))
      right.send(message(number, number * 10))
    }
    for (const ear of ears) {
      await ear.until((heard) => heard.numbers.length === numbers.length)
      assert.deepEqual(ear.numbers, numbers)
    }
  })

  test(`${name}: what was sent before the end arrives, then both ends hear of it once`, async (t) => {
    const { left, right, message, numberOf, end } = await open()
    t.after(end)
    const leftEar = new Ear(left, numberOf)
    const rightEar = new Ear(right, numberOf)
    // The other way round first, so that the channel is known to stand.
    left.send(message(1, 10))
    await rightEar.until((heard) => heard.numbers.length === 1)
    for (const number of numbers) right.send(message(number, 10))
    right.close('enough')
    right.send(message(1000, 10))
    right.close('again')
    await leftEar.until((heard) => heard.endings.length > 0)
    await rightEar.until((heard) => heard.endings.length > 0)
    assert.deepEqual(leftEar.numbers, numbers)
    assert.equal(leftEar.endings.length, 1)
    assert.equal(rightEar.endings.length, 1)
  })

  test(`${name}: sending never waits, and what is queued drains`, async (t) => {
    const { left, right, message, numberOf, end } = await open()
    t.after(end)
    const ear = new Ear(right, numberOf)
    new Ear(left, numberOf)
    const bytes = 1024 * 1024
    for (let number = 0; number < 16; number++) left.send(message(number, bytes))
    assert.ok(left.queuedBytes() > bytes, `${left.queuedBytes()} bytes are queued`)
    await ear.until((heard) => heard.numbers.length === 16)
    while (left.queuedBytes() > 0) await new Promise((resolve) => setImmediate(resolve))
  })
}

function brokenLine<Message>(name: string, open: () => Promise<Ends<Message>>): void {
  test(`${name}: a cut line closes both ends, once`, async (t) => {
    const { left, right, message, numberOf, cut, end } = await open()
    t.after(end)
    const ears = [new Ear(left, numberOf), new Ear(right, numberOf)]
    left.send(message(1, 10))
    await ears[1]!.until((heard) => heard.numbers.length === 1)
    cut!()
    for (const ear of ears) await ear.until((heard) => heard.endings.length > 0)
    left.send(message(2, 10))
    right.send(message(2, 10))
    left.close('late')
    right.close('late')
    for (const ear of ears) assert.equal(ear.endings.length, 1)
    assert.deepEqual(ears[1]!.numbers, [1])
  })
}

contract('memory', memoryEnds)
contract('gRPC between servers', peerEnds)
contract('gRPC of a client', callEnds)
contract('WebSocket', webSocketEnds)
brokenLine('gRPC between servers', peerEnds)
brokenLine('gRPC of a client', callEnds)
brokenLine('WebSocket', webSocketEnds)

test('gRPC between servers: a dial to nobody, and to somebody frozen, fails by its deadline', async () => {
  const frozen = createServer((socket) => socket.resume().on('error', () => {}))
  frozen.listen(0, '127.0.0.1')
  await once(frozen, 'listening')
  const { port } = frozen.address() as AddressInfo
  const dial = dialPeer(`http://127.0.0.1:${port}`, { deadlineMs: 200 })
  await assert.rejects(dial, /no answer within 200 ms/)
  frozen.close()
  await once(frozen, 'close')
  await assert.rejects(dialPeer(`http://127.0.0.1:${port}`, { deadlineMs: 60_000 }), /ECONNREFUSED/)
})

test('gRPC between servers: a dial of a process too busy to see its own connection only fails', async (t) => {
  const { line, end } = await bareServer({})
  t.after(end)
  const dialled = dialPeer(`http://127.0.0.1:${line.port}`, { deadlineMs: 20 })
  // The connection is asked for in the next tick, and made while this process does something else.
  await new Promise<void>((resolve) => process.nextTick(resolve))
  const busyUntil = performance.now() + 100
  while (performance.now() < busyUntil);
  // Only then both are told: the deadline, which ends the session, and the connection it has now.
  await assert.rejects(dialled, /no answer within 20 ms/)
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
})

/** A port that takes calls between servers, and the channel of the first. */
async function answering(t: TestContext) {
  const accepted = Promise.withResolvers<Channel<PeerMessage, PeerMessage>>()
  const { line, end } = await bareServer({
    answerPeer: ({ stream }) => accepted.resolve(acceptPeer(stream)),
  })
  t.after(end)
  return { address: `http://127.0.0.1:${line.port}`, accepted: accepted.promise }
}

/** A call between servers whose bytes are written by hand, and the channel at its other end. */
async function calledByHand(t: TestContext) {
  const { address, accepted } = await answering(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  session.on('error', () => {})
  const headers = { ':method': 'POST', ':path': exchangePath }
  const stream = session.request({ ...headers, 'content-type': 'application/grpc' })
  stream.on('error', () => {})
  return { stream, channel: await accepted }
}

/** What goes before a message of so many bytes. */
function prefixOf(bytes: number): number[] {
  return [0, ...Uint8Array.of(bytes >>> 24, bytes >>> 16, bytes >>> 8, bytes)]
}

test('gRPC between servers: malformed, compressed and oversized messages end the channel', async (t) => {
  const wrong: [bytes: number[], why: RegExp][] = [
    [[0, 0, 0, 0, 1, 255], /malformed/],
    [[1, 0, 0, 0, 1, 255], /compressed/],
    [[0, 255, 0, 0, 0, 1], /over the limit/],
    [prefixOf(firstPeerMessageBytesMax + 1), /over the limit/],
    // After a message the other side may be one that was heard: so long, and broken.
    [[0, 0, 0, 0, 2, 10, 0, ...prefixOf(peerMessageBytesMax + 1)], /over the limit/],
  ]
  for (const [bytes, why] of wrong) {
    const { stream, channel } = await calledByHand(t)
    const ear = new Ear(channel, () => 0)
    // One by one: a message is whole when its last byte is there.
    for (const byte of bytes) stream.write(Buffer.of(byte))
    await ear.until((heard) => heard.endings.length > 0)
    assert.match(ear.endings[0]!, why)
  }
})

test('gRPC between servers: what is said first is short, what comes then may be long', async (t) => {
  const { address, accepted } = await answering(t)
  const channel = await dialPeer(address, { deadlineMs: 60_000 })
  t.after(() => channel.close('enough'))
  const ear = new Ear(await accepted, () => 0)
  channel.send(create(PeerMessageSchema, { message: { case: 'gossip', value: {} } }))
  await ear.until((heard) => heard.numbers.length === 1)
  const body = { case: 'text' as const, value: new Uint8Array(firstPeerMessageBytesMax) }
  const message = { case: 'updates' as const, value: { updates: [{ body }] } }
  channel.send(create(PeerMessageSchema, { message }))
  await ear.until((heard) => heard.numbers.length === 2)
})

test('gRPC between servers: what tells of all logs is taken, and what lists more is not decoded', async (t) => {
  const { stream, channel } = await calledByHand(t)
  const ear = new Ear(channel, () => 0)
  const seen = Object.fromEntries(Array.from({ length: logsMax }, (_, log) => [`a.${log}`, log]))
  const gossip = { case: 'gossip' as const, value: { vector: { seen } } }
  const messages = [gossip, gossip].map((message) => create(PeerMessageSchema, { message }))
  for (const piece of frameOf(messages)) stream.write(piece)
  await ear.until((heard) => heard.numbers.length === messages.length)
  // Nothing but that a message is there, again and again.
  stream.write(Buffer.from(prefixOf(2 * peerMessageFieldsMax + 2)))
  stream.write(Buffer.alloc(2 * peerMessageFieldsMax + 2, Buffer.of(10, 0)))
  await ear.until((heard) => heard.endings.length > 0)
  assert.match(ear.endings[0]!, /list too much at once/)
  assert.equal(ear.numbers.length, messages.length)
})

test('gRPC between servers: that some of a message has come is told before it is whole', async (t) => {
  const { stream, channel } = await calledByHand(t)
  stream.write(Buffer.of(0, 0, 0, 1, 0, 10))
  t.after(() => channel.close('enough'))
  await new Promise<void>((resolve) => {
    channel.listen({ received: () => {}, progressed: resolve, closed: () => {} })
  })
})

test('gRPC between servers: a refusal is told to who dialled', async (t) => {
  const { line, end } = await bareServer({
    answerPeer: ({ stream }) => refusePeer(stream, 7, 'Not you.'),
  })
  t.after(end)
  const channel = await dialPeer(`http://127.0.0.1:${line.port}`, { deadlineMs: 60_000 })
  const ear = new Ear(channel, () => 0)
  channel.send(create(PeerMessageSchema, {}))
  await ear.until((heard) => heard.endings.length > 0)
  assert.deepEqual(ear.endings, ['Not you.'])
})
