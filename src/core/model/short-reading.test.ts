// What is read by hand is what the library reads, and of anything else nothing is read.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { Random } from '../../../sim/random.ts'
import { readShortRequest, readShortResponse } from './short-reading.ts'
import {
  ClientMessageSchema,
  ServerMessageSchema,
  SessionRequestSchema,
  SessionResponseSchema,
} from './wire.ts'

const random = new Random(1)
const number = () => random.pick([0, 1, 127, 128, 16_383, 16_384, 2 ** 28, 2 ** 31, 2 ** 32 - 1])
const bytes = (max: number) =>
  Uint8Array.from({ length: random.pick([0, 1, 16, 127, 128, max]) }, () => random.below(256))
/** Those of four letters have one hash there. */
const id = () => random.pick(['AaAa', 'AaBB', 'BBAa', ...[0, 1, 7, 60].map((n) => 'xyz'.repeat(n))])
const edit = () => ({ document: id(), update: bytes(1200), seal: bytes(64) })

/** Messages, and how each is read. */
const requests = {
  read: readShortRequest,
  usual: (frame: Uint8Array) => fromBinary(SessionRequestSchema, frame).messages,
  encode: (message: ReturnType<typeof said>) => toBinary(SessionRequestSchema, message),
}
const responses = {
  read: readShortResponse,
  usual: (frame: Uint8Array) => fromBinary(SessionResponseSchema, frame).messages,
  encode: (message: ReturnType<typeof told>) => toBinary(SessionResponseSchema, message),
}

function said(bodies: MessageInitShape<typeof ClientMessageSchema>['message'][]) {
  const all = bodies.map((message) => create(ClientMessageSchema, { message }))
  return create(SessionRequestSchema, { messages: all })
}

function told(bodies: MessageInitShape<typeof ServerMessageSchema>['message'][]) {
  const all = bodies.map((message) => create(ServerMessageSchema, { message }))
  return create(SessionResponseSchema, { messages: all })
}

const push = () => ({ case: 'push' as const, value: { ticket: number(), ...edit() } })
const changed = () => ({ case: 'changed' as const, value: { number: number(), ...edit() } })
const stored = () => {
  const holdings = Array.from({ length: random.below(5) }, () => ({
    server: id(),
    ticket: number(),
  }))
  return { case: 'stored' as const, value: { holdings } }
}

/** One to three of these. */
const some = <Body>(make: () => Body) => Array.from({ length: 1 + random.below(3) }, make)

const frames = () => [
  { ...requests, frame: requests.encode(said(some(push))) },
  {
    ...responses,
    frame: responses.encode(told(some(() => (random.below(2) === 0 ? changed() : stored())))),
  },
]

test('every short message is read as the library reads it', () => {
  for (let round = 0; round < 2000; round++) {
    for (const { frame, read, usual } of frames()) {
      const found = read(frame)
      if (frame.length > 4096) {
        assert.equal(found, undefined)
        continue
      }
      assert.ok(found)
      assert.deepEqual(
        found.map(({ message }) => message),
        usual(frame),
      )
    }
  }
})

test('each is as long as its encoding', () => {
  const message = create(ClientMessageSchema, { message: push() })
  const { length } = toBinary(ClientMessageSchema, message)
  const frame = requests.encode(create(SessionRequestSchema, { messages: [message, message] }))
  assert.deepEqual(
    readShortRequest(frame)?.map((read) => read.bytes),
    [length, length],
  )
})

test('of bytes that were changed or cut nothing is read that the library reads otherwise', () => {
  let readCount = 0
  for (let round = 0; round < 2000; round++) {
    for (const { frame, read, usual } of frames()) {
      const broken = frame.slice(0, random.below(4) === 0 ? random.below(frame.length) : undefined)
      // Where lengths, tags and ids are, more often than in the midst of an update.
      const where = random.below(2) === 0 ? Math.min(40, broken.length) : broken.length
      if (where > 0) broken[random.below(where)] = random.pick([0, 127, 128, random.below(256)])
      const found = read(broken)
      if (!found) continue
      readCount++
      assert.deepEqual(
        found.map(({ message }) => message),
        usual(broken),
      )
    }
  }
  assert.ok(readCount > 100)
})

test('whatever else is left to the library', () => {
  const update = new Uint8Array(1)
  const plain = { ticket: 1, document: 'x', update }
  assert.ok(readShortRequest(requests.encode(said([{ case: 'push', value: plain }]))))
  for (const other of [
    { case: 'push' as const, value: { ...plain, document: 'é' } },
    { case: 'push' as const, value: { ...plain, update: new Uint8Array(4096) } },
    { case: 'ping' as const, value: { number: 1 } },
    { case: undefined },
  ]) {
    assert.equal(readShortRequest(requests.encode(said([other]))), undefined)
  }
  const pong = { case: 'pong' as const, value: { number: 1 } }
  assert.equal(readShortResponse(responses.encode(told([pong]))), undefined)
})
