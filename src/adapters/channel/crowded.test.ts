// Too many fields are seen before they are decoded, however they are written.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { create, ScalarType, toBinary, type DescMessage } from '@bufbuild/protobuf'

import { messageFieldsMax } from '../../core/model/limits.ts'
import {
  AdminService,
  FolderService,
  SaveFilesRequestSchema,
  SessionRequestSchema,
  SessionService,
  VersionVectorSchema,
} from '../../core/model/wire.ts'
import { isCrowded, isCrowdedJson } from './crowded.ts'

const { STRING, BYTES } = ScalarType

/** The same bytes again and again. */
function filled(length: number, ...bytes: number[]): Buffer {
  return Buffer.alloc(length, Buffer.from(bytes))
}

const delimited = (number: number) => (number << 3) | 2

/** A field that holds these bytes, and says that they are so many. */
function holding(number: number, bytes: Buffer, length = bytes.length): Buffer {
  const head = [delimited(number)]
  for (; length > 127; length >>>= 7) head.push((length & 127) | 128)
  return Buffer.concat([Buffer.from([...head, length]), bytes])
}

test('12 fields are counted in the message, and in those that it holds', () => {
  const closes = (count: number) => filled(2 * count, delimited(3), 0)
  const crowded = (count: number) => isCrowded(SessionRequestSchema, holding(1, closes(count)))
  assert.equal(crowded(messageFieldsMax - 1), false)
  assert.equal(crowded(messageFieldsMax), true)
  assert.equal(isCrowded(SessionRequestSchema, filled(2 * messageFieldsMax, 0x0a, 0)), false)
  assert.equal(isCrowded(SessionRequestSchema, filled(2 * messageFieldsMax + 2, 0x0a, 0)), true)
  // One that nobody knows.
  assert.equal(isCrowded(SessionRequestSchema, filled(2 * messageFieldsMax + 2, 0x78, 0)), true)
})

test('12 what is long by its texts is not crowded', () => {
  const text = '\n\0'.repeat(200_000)
  const files = Array.from({ length: 30 }, (_, index) => ({ file: `${index}.md`, text }))
  const request = create(SaveFilesRequestSchema, { files })
  assert.equal(isCrowded(SaveFilesRequestSchema, toBinary(SaveFilesRequestSchema, request)), false)
  assert.equal(isCrowdedJson(Buffer.from(JSON.stringify({ text: '",{['.repeat(100_000) }))), false)
  assert.equal(isCrowdedJson(Buffer.from(`[${'{},'.repeat(messageFieldsMax)}{}]`)), true)
})

test('12 of a map its keys and values are counted, and more is no matter', () => {
  const seen = Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`${index}`, index]))
  const fitting = toBinary(VersionVectorSchema, create(VersionVectorSchema, { seen }))
  assert.equal(isCrowded(VersionVectorSchema, fitting), false)
  assert.equal(isCrowded(VersionVectorSchema, Buffer.concat([fitting, fitting])), true)
  const keys = filled(3 * messageFieldsMax, delimited(1), 1, 0x61)
  assert.equal(isCrowded(VersionVectorSchema, holding(1, keys)), true)
})

test('12 whoever writes what the decoder reads otherwise hides nothing', () => {
  const many = filled(4 * messageFieldsMax, delimited(3), 0)
  const odd: [what: string, bytes: Buffer][] = [
    ['an inner length beyond the outer', holding(1, holding(4, many), 3)],
    ['a length beyond the end', holding(1, many, 2 ** 27)],
    ['a message that says to be a number', Buffer.concat([Buffer.from([1 << 3]), many])],
    ['a group', Buffer.concat([Buffer.from([(9 << 3) | 3]), many, Buffer.from([(9 << 3) | 4])])],
  ]
  for (const [what, bytes] of odd) assert.equal(isCrowded(SessionRequestSchema, bytes), true, what)
})

test('clients send no lists of numbers, which are packed', () => {
  const seen = new Set<DescMessage>()
  const look = (schema: DescMessage) => {
    if (seen.has(schema)) return
    seen.add(schema)
    for (const { fieldKind, message, scalar, name } of schema.fields) {
      const isDelimited = message !== undefined || scalar === STRING || scalar === BYTES
      assert.ok(fieldKind !== 'list' || isDelimited, `${schema.typeName}.${name}`)
      if (message) look(message)
    }
  }
  for (const { methods } of [AdminService, FolderService, SessionService]) {
    for (const { input } of methods) look(input)
  }
  assert.ok(seen.size > 30)
})
