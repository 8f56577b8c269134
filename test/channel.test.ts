// The contract of a channel, run on every adapter: memory, gRPC between servers, WebSocket.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'

import { create } from '@bufbuild/protobuf'
import type { ConnectRouter } from '@connectrpc/connect'

import { acceptedPeer, dialPeer, StreamChannel } from '../src/adapters/channel/grpc.ts'
import { memoryChannels } from '../src/adapters/channel/memory.ts'
import type { AcceptedWebSocket } from '../src/adapters/channel/websocket-server.ts'
import { PeerMessageSchema, ReplicationService, type PeerMessage } from '../src/core/model/wire.ts'
import type { Channel } from '../src/core/ports.ts'
import { Origins } from '../src/server/origins.ts'
import { Page } from '../src/server/page.ts'
import { openPort } from '../src/server/port.ts'

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
async function bareServer(
  routes: (router: ConnectRouter) => void,
  accept: (channel: AcceptedWebSocket) => void,
) {
  const port = await openPort({
    listen: { host: '127.0.0.1', port: 0 },
    routes,
    page: new Page('nowhere', []),
    origins: new Origins([]),
    health: () => ({ isWell: true, body: {} }),
    accept,
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

async function grpcEnds(): Promise<Ends<PeerMessage>> {
  const accepted = Promise.withResolvers<Channel<PeerMessage, PeerMessage>>()
  const { line, end } = await bareServer(
    (router) =>
      router.service(ReplicationService, {
        async *exchange(requests, context) {
          const channel = new StreamChannel(acceptedPeer)
          void channel.read(requests)
          accepted.resolve(channel)
          yield* channel.outgoing(context.signal)
        },
      }),
    () => {},
  )
  const left = await dialPeer(`http://127.0.0.1:${line.port}`, { deadlineMs: 5000 })
  // The call begins when somebody listens.
  const later: Channel<PeerMessage, PeerMessage> = {
    send: (message) => void accepted.promise.then((channel) => channel.send(message)),
    queuedBytes: () => 0,
    close: (why) => void accepted.promise.then((channel) => channel.close(why)),
    listen: (listener) => void accepted.promise.then((channel) => channel.listen(listener)),
  }
  return {
    left,
    right: later,
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

async function webSocketEnds(): Promise<Ends<Uint8Array>> {
  const accepted = Promise.withResolvers<AcceptedWebSocket>()
  const { line, end } = await bareServer(() => {}, accepted.resolve)
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
contract('gRPC', grpcEnds)
contract('WebSocket', webSocketEnds)
brokenLine('gRPC', grpcEnds)
brokenLine('WebSocket', webSocketEnds)

test('gRPC: a dial to nobody, and to somebody frozen, fails by its deadline', async () => {
  const frozen = createServer((socket) => socket.resume().on('error', () => {}))
  frozen.listen(0, '127.0.0.1')
  await once(frozen, 'listening')
  const { port } = frozen.address() as AddressInfo
  const dial = dialPeer(`http://127.0.0.1:${port}`, { deadlineMs: 200 })
  await assert.rejects(dial, /no answer within 200 ms/)
  frozen.close()
  await once(frozen, 'close')
  await assert.rejects(dialPeer(`http://127.0.0.1:${port}`, { deadlineMs: 5000 }), /ECONNREFUSED/)
})
