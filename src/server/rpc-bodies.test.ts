// Bodies of calls: how much of them a stranger, and all callers together, may send.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'

import { Code, ConnectError } from '@connectrpc/connect'

import {
  helloBytesMax,
  messageBytesMax,
  rpcBytesMax,
  unpackedAtOnce,
} from '../core/model/limits.ts'
import { SessionRequestSchema } from '../core/model/wire.ts'
import { RpcBodies, streamed } from './rpc-bodies.ts'
import { compressions, envelopeBytes, uncrowded } from './rpc-messages.ts'

async function* pieces(...lengths: number[]): AsyncGenerator<Uint8Array> {
  for (const length of lengths) yield new Uint8Array(length)
}

async function lengthOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0
  for await (const piece of body) length += piece.length
  return length
}

const code = (expected: Code) => (error: unknown) =>
  error instanceof ConnectError && error.code === expected

test('a stranger may send as much as a sign-in takes, and no more', async () => {
  const bodies = new RpcBodies()
  assert.equal(await lengthOf(bodies.one(pieces(helloBytesMax), false)), helloBytesMax)
  const long = bodies.one(pieces(helloBytesMax, 1), false)
  await assert.rejects(lengthOf(long), code(Code.Unauthenticated))
  const whole = bodies.one(pieces(messageBytesMax), true)
  assert.equal(await lengthOf(whole), messageBytesMax)
})

test('what is on its way in all calls together is bounded; small calls always go on', async () => {
  const bodies = new RpcBodies()
  const held = Array.from({ length: rpcBytesMax / messageBytesMax }, () =>
    bodies.one(pieces(messageBytesMax, 0), true),
  )
  for (const each of held) await each.next()
  await assert.rejects(
    lengthOf(bodies.one(pieces(helloBytesMax + 1), true)),
    code(Code.Unavailable),
  )
  assert.equal(await lengthOf(bodies.one(pieces(helloBytesMax), true)), helloBytesMax)
  // One that breaks off makes room, as one that ends does.
  await held[0]!.return(undefined)
  assert.equal(await lengthOf(bodies.one(pieces(messageBytesMax), true)), messageBytesMax)
  await lengthOf(held[1]!)
  await held[2]!.return(undefined)
  const two = [messageBytesMax, messageBytesMax]
  assert.equal(await lengthOf(bodies.one(pieces(...two), true)), 2 * messageBytesMax)
})

test('the first message of a stranger’s stream is as short as that of anybody', async () => {
  const envelope = (length: number) => {
    const head = Buffer.alloc(5)
    head.writeUInt32BE(length, 1)
    return [head.subarray(0, 2), Buffer.concat([head.subarray(2), Buffer.from('text')])]
  }
  async function* stream(length: number): AsyncGenerator<Uint8Array> {
    yield* envelope(length)
    yield new Uint8Array(messageBytesMax)
  }
  const whole = 9 + messageBytesMax
  assert.equal(await lengthOf(streamed(stream(helloBytesMax), false)), whole)
  assert.equal(await lengthOf(streamed(stream(helloBytesMax + 1), true)), whole)
  const long = streamed(stream(helloBytesMax + 1), false)
  await assert.rejects(lengthOf(long), code(Code.Unauthenticated))
})

test('12 of a stream it is told how much of a message is here that is not whole', async () => {
  const begun: number[] = []
  const message = Buffer.alloc(envelopeBytes + 10)
  message.writeUInt32BE(10, 1)
  const whole = Buffer.concat([message, message, message])
  const body = uncrowded({
    header: new Headers({ 'content-type': 'application/grpc' }),
    body: piecesOf(whole.subarray(0, 4), whole.subarray(4, 20), whole.subarray(20)),
    schema: SessionRequestSchema,
    bytesMax: messageBytesMax,
    begun: (bytes) => void begun.push(bytes),
  })
  assert.equal(await lengthOf(body), whole.length)
  assert.deepEqual(begun, [4, 5, 0, 0])
})

test('12 of messages that come packed at once few are unpacked at once', async (t) => {
  const [gzip] = compressions
  const ends: (() => void)[] = []
  t.mock.method(gzip!, 'decompress', async () => {
    await new Promise<void>((resolve) => ends.push(resolve))
    return new Uint8Array()
  })
  const call = () => {
    const header = new Headers({ 'content-type': 'application/json', 'content-encoding': 'gzip' })
    const [schema, bytesMax] = [SessionRequestSchema, messageBytesMax]
    return lengthOf(uncrowded({ header, body: pieces(10), schema, bytesMax }))
  }
  const calls = Promise.all(Array.from({ length: 2 * unpackedAtOnce }, call))
  await setImmediate()
  assert.equal(ends.length, unpackedAtOnce)
  ends[0]!()
  await setImmediate()
  assert.equal(ends.length, unpackedAtOnce + 1)
  for (let index = 1; index < 2 * unpackedAtOnce; index++) {
    ends[index]!()
    await setImmediate()
  }
  await calls
})

async function* piecesOf(...all: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all
}
