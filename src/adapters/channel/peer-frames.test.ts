// Frames between servers read back as what was put into them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'

import {
  ExchangeRequestSchema,
  PeerMessageSchema,
  UpdateSchema,
  type PeerMessage,
  type Update,
} from '../../core/model/wire.ts'
import { frameOf, prefixBytes } from './peer-frames.ts'

const lengths = [0, 1, 127, 128, 2047, 2048, 2049, 16_383, 16_384, 70_000]

function update(seq: number, length: number): Update {
  const cases = ['text', 'entry', 'version'] as const
  return create(UpdateSchema, {
    origin: 'a-00000000000000000000',
    seq,
    subject: 'subject',
    author: 'Ada é',
    at: seq * 1000.5,
    checksum: 0xfffffff0 + seq,
    operation: 'operation',
    body: { case: cases[seq % 3]!, value: new Uint8Array(length).fill(seq) },
    operationDigest: '0123456789abcdef',
  })
}

function updates(...all: Update[]): PeerMessage {
  return create(PeerMessageSchema, { message: { case: 'updates', value: { updates: all } } })
}

const have = create(PeerMessageSchema, { message: { case: 'have', value: { digest: 'x' } } })
const all = lengths.map((length, index) => update(index + 1, length))

const dialogues: { [name: string]: PeerMessage[] } = {
  'nothing long': [have, updates(update(1, 10), update(2, 20)), have],
  'one long body': [updates(update(1, 5000))],
  'no updates': [updates()],
  'bodies of all lengths, in one message': [updates(...all)],
  'bodies of all lengths, in either order, between others': [
    have,
    updates(...all),
    have,
    have,
    updates(...all.toReversed()),
    ...all.map((each) => updates(each)),
    have,
  ],
}

for (const [name, messages] of Object.entries(dialogues)) {
  test(`a frame of ${name} says what the messages say`, () => {
    const pieces = frameOf(messages)
    const frame = Buffer.concat(pieces)
    assert.equal(frame[0], 0)
    assert.equal(frame.readUInt32BE(1), frame.length - prefixBytes)
    assert.deepEqual(read(pieces), create(ExchangeRequestSchema, { messages }))
    assert.equal(
      frame.length - prefixBytes,
      toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { messages })).length,
    )
  })
}

test('what a later version added to an update travels with it, and a long body is not copied', () => {
  const known = update(1, 5000)
  const newer = fromBinary(
    UpdateSchema,
    Uint8Array.of(...toBinary(UpdateSchema, known), 0xfa, 0x06, 2, 7, 8),
  )
  const frame = frameOf([updates(newer)])
  assert.ok(frame.includes(newer.body.value!))
  assert.deepEqual(read(frame).messages[0], updates(newer))
})

function read(frame: Uint8Array[]) {
  const whole = new Uint8Array(Buffer.concat(frame))
  return fromBinary(ExchangeRequestSchema, whole.subarray(prefixBytes))
}
