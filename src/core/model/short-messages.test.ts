// What is written by hand is what the library writes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { Random } from '../../../sim/random.ts'
import { shortRequest, shortResponse } from './short-messages.ts'
import {
  ChangedSchema,
  ClientMessageSchema,
  HoldingSchema,
  PushSchema,
  ServerMessageSchema,
  SessionRequestSchema,
  SessionResponseSchema,
  StoredSchema,
} from './wire.ts'

type Said = MessageInitShape<typeof ClientMessageSchema>['message']
type Told = MessageInitShape<typeof ServerMessageSchema>['message']

const copy = (written: Uint8Array) => Buffer.from(written)

function request(message: Said) {
  const made = create(ClientMessageSchema, { message })
  const usual = create(SessionRequestSchema, { messages: [made] })
  return { short: shortRequest(made, copy), usual: () => toBinary(SessionRequestSchema, usual) }
}

function response(message: Told) {
  const made = create(ServerMessageSchema, { message })
  const usual = create(SessionResponseSchema, { messages: [made] })
  return { short: shortResponse(made, copy), usual: () => toBinary(SessionResponseSchema, usual) }
}

const random = new Random(1)
const number = () => random.pick([0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1])
const bytes = (max: number) =>
  Uint8Array.from({ length: Math.min(max, random.pick([0, 1, 16, 127, 128, max])) }, () =>
    random.below(256),
  )
const seal = () => bytes(64)
const id = () => 'x'.repeat(random.pick([0, 1, 22, 64]))

test('every short message is the same to the byte', () => {
  for (let round = 0; round < 3000; round++) {
    const update = bytes(2048)
    const document = id()
    const holdings = Array.from({ length: random.below(17) }, () => ({
      server: id(),
      ticket: number(),
    }))
    for (const { short, usual } of [
      request({ case: 'push', value: { ticket: number(), document, update, seal: seal() } }),
      response({ case: 'changed', value: { document, number: number(), update, seal: seal() } }),
      response({ case: 'stored', value: { holdings } }),
    ]) {
      assert.deepEqual(short, Buffer.from(usual()))
    }
  }
})

test('whatever else is left to the library', () => {
  const push = { ticket: 1, document: 'x', update: new Uint8Array(1), seal: new Uint8Array() }
  for (const change of [
    { ticket: -1 },
    { ticket: 1.5 },
    { ticket: 2 ** 32 },
    { document: 'é' },
    { document: 'x'.repeat(65) },
    { update: new Uint8Array(2049) },
    { seal: new Uint8Array(65) },
    { $unknown: [{ no: 9, wireType: 0, data: new Uint8Array(1) }] },
  ]) {
    const value = create(PushSchema, push)
    assert.equal(request({ case: 'push', value: Object.assign(value, change) }).short, undefined)
  }
  assert.ok(request({ case: 'push', value: push }).short)
  assert.equal(request({ case: 'ping', value: { number: 1 } }).short, undefined)
  assert.equal(response({ case: 'pong', value: { number: 1 } }).short, undefined)
  const holdings = Array.from({ length: 17 }, () => ({ server: 'a', ticket: 1 }))
  assert.equal(response({ case: 'stored', value: { holdings } }).short, undefined)
})

test('no field is forgotten', () => {
  const fields = [PushSchema, ChangedSchema, StoredSchema, HoldingSchema].map((schema) =>
    schema.fields.map(({ number, name }) => `${number} ${name}`).join(', '),
  )
  assert.deepEqual(fields, [
    '1 ticket, 2 document, 3 update, 4 seal',
    '1 document, 2 number, 3 update, 4 seal',
    '1 holdings',
    '1 server, 2 ticket',
  ])
})
