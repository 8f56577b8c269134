// A client that no server answers, or one that takes nothing: what programs may do with it all the same.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { shownMax } from '../core/model/limits.ts'
import {
  Code,
  SessionRequestSchema,
  SessionResponseSchema,
  type ClientMessage,
  type ServerMessageSchema,
} from '../core/model/wire.ts'
import type { Dial, LocalStorage } from '../core/ports.ts'
import { SessionClient } from './client.ts'
import { until } from '../../test/until.ts'
import { MemoryDevice } from '../adapters/storage/local-memory.ts'
import { OpenDocument } from './open-document.ts'

test('a file that cannot be shown beside so many others is not held open by trying', async (t) => {
  const wire = { send: () => {}, close: () => {} }
  const client = new SessionClient(
    { servers: ['http://127.0.0.1:1'], name: 'Ada', agent: 'test', folder: 'shown' },
    () => wire,
  )
  t.after(() => client.close())
  const ends = Array.from({ length: shownMax }, (_, count) => client.show(`${count}`, 'alone'))
  assert.throws(() => client.open('file'), { code: 'too-large' })
  ends[0]!()
  const document = client.open('file')
  assert.ok(document instanceof OpenDocument)
  document.close()
  assert.ok(document.isClosed)
})

/** An update that says nothing. */
const nothing = Uint8Array.of(0, 0)

type Says = MessageInitShape<typeof ServerMessageSchema>['message']

/** A server that lets everybody in and opens everything, and finds all that is written too large. */
const stingy: Dial = (_address, { opened, received }) => {
  const say = (message: Says) => {
    const frame = toBinary(
      SessionResponseSchema,
      create(SessionResponseSchema, { messages: [{ message }] }),
    )
    queueMicrotask(() => received(frame))
  }
  const hear = ({ case: what, value }: ClientMessage['message']) => {
    if (what === 'hello') {
      const servers = [{ id: 'a', address: 'http://a' }]
      say({
        case: 'welcome',
        value: { server: 'a', servers: { servers }, safeCount: 1, set: 'test' },
      })
    }
    if (what === 'ping') say({ case: 'pong', value: { number: value.number } })
    if (what === 'open') {
      say({ case: 'opened', value: { document: value.document, piece: nothing, isLast: true } })
    }
    if (what === 'push') {
      const { ticket } = value
      say({ case: 'rejected', value: { ticket, code: Code.TOO_LARGE, text: 'Too large.' } })
    }
  }
  queueMicrotask(opened)
  return {
    send: (frame) => {
      for (const { message } of fromBinary(SessionRequestSchema, frame).messages) hear(message)
    },
    close: () => {},
  }
}

test('what was typed before the client has begun is not called stored before it is', async (t) => {
  const client = new SessionClient({ servers: ['http://a'], name: 'Ada', agent: 'test' }, stingy)
  t.after(() => client.close())
  const document = client.open('file')
  document.text.insert(0, 'x')
  await assert.rejects(document.stored(), { code: 'too-large' })
})

test('nobody waits for edits of which it is known that no server takes them', async (t) => {
  const client = new SessionClient({ servers: ['http://a'], name: 'Ada', agent: 'test' }, stingy)
  t.after(() => client.close())
  await client.joined()
  const document = client.open('file')
  document.text.insert(0, 'x')
  await assert.rejects(document.stored(), { code: 'too-large' })
  await assert.rejects(document.stored(), { code: 'too-large' })
})

test('a text that no server takes is named, and why', async (t) => {
  const client = new SessionClient({ servers: ['http://a'], name: 'Ada', agent: 'test' }, stingy)
  t.after(() => client.close())
  await client.joined()
  assert.deepEqual(client.untaken, [])
  client.open('file').text.insert(0, 'x')
  await until(() => client.untaken.length > 0, 'it was turned down')
  assert.deepEqual(client.untaken, [{ id: 'file', why: 'Too large.' }])
  client.open('other')
  assert.equal(client.untaken.length, 1)
})

test('what the device could not keep is written when the client is closed, if it can be', async () => {
  const device = new MemoryDevice()
  const wire = { send: () => {}, close: () => {} }
  const client = new SessionClient(
    { servers: ['http://a'], name: 'Ada', agent: 'test', storage: device.open() },
    () => wire,
  )
  const document = client.open('file')
  assert.ok(document instanceof OpenDocument)
  await document.recall
  device.failure = 'full'
  document.text.insert(0, 'x')
  await until(() => client.save.name === 'danger', 'it says so')
  device.failure = undefined
  client.close()
  await until(async () => (await device.open().load('file')).updates.length > 0, 'it is written')
})

test('what a closed tab left is found also when the device could not be read at that moment', async (t) => {
  const device = new MemoryDevice()
  const wire = { send: () => {}, close: () => {} }
  const storage = device.open()
  const { get } = storage
  let failures = 0
  const watched = async (name: string) => {
    if (device.failure !== undefined) failures++
    return get.call(storage, name)
  }
  const [one, other] = [device.open(), Object.assign(storage, { get: watched })].map(
    (each) =>
      new SessionClient(
        { servers: ['http://a'], name: 'Ada', agent: 'test', storage: each },
        () => wire,
      ),
  ) as [SessionClient, SessionClient]
  t.after(() => other.close())
  one.open('file').text.insert(0, 'x')
  await until(
    async () => (await device.open().load('file')).updates.length > 0,
    'it is on the device',
  )
  device.failure = 'full'
  one.close()
  await until(() => failures > 0, 'the other tab looks what it left')
  device.failure = undefined
  await until(() => 'earlier' in other.save && other.save.earlier === 1, 'it has found that')
})

/** A client on a device; no server answers it. `dials`: when it tries one. */
function alone(t: TestContext, storage: LocalStorage, dials = () => {}): SessionClient {
  const client = new SessionClient(
    { servers: ['http://a'], name: 'Ada', agent: 'test', storage },
    () => {
      dials()
      return { send: () => {}, close: () => {} }
    },
  )
  t.after(() => client.close())
  return client
}

/** A device on which a program that is over left an edit that no server has. */
async function deviceWithEdit(t: TestContext): Promise<MemoryDevice> {
  const device = new MemoryDevice()
  const before = alone(t, device.open())
  before.open('file').text.insert(0, 'x')
  await until(
    async () => (await device.open().load('file')).updates.length > 0,
    'it is on the device',
  )
  before.close()
  return device
}

const hasFound = ({ save }: SessionClient) => 'earlier' in save && save.earlier === 1

test('what an earlier session left is found though the device could not be read at the beginning', async (t) => {
  const device = await deviceWithEdit(t)
  device.failure = 'it does not answer'
  const begun = Promise.withResolvers<void>()
  const next = alone(t, device.open(), begun.resolve)
  await begun.promise
  device.failure = undefined
  await until(() => hasFound(next), 'it has found that')
})

test('what an earlier session left is found on a device that takes no writes', async (t) => {
  const device = await deviceWithEdit(t)
  const full = () => Promise.reject(new Error('full'))
  const unwritable = { append: full, compact: full, forget: full, set: full, change: full }
  const next = alone(t, Object.assign(device.open(), unwritable))
  await until(() => hasFound(next), 'it has found that')
  const document = next.open('file')
  await document.loaded
  assert.equal(document.text.toString(), 'x')
})

test('a text that the device could not read at first is read later, and brought', async (t) => {
  const device = await deviceWithEdit(t)
  const storage = device.open()
  const { load } = storage
  const failing = new Set(['at first', 'once more'])
  const loaded = (id: string) => {
    const [why] = failing
    if (why === undefined) return load.call(storage, id)
    failing.delete(why)
    return Promise.reject(new Error(why))
  }
  const next = alone(t, Object.assign(storage, { load: loaded }))
  const document = next.open('file')
  await until(() => document.text.toString() === 'x', 'it is here')
  assert.ok(hasFound(next))
})

test('what a living session keeps is not taken for left, though the device failed when it began', async (t) => {
  const device = new MemoryDevice()
  device.failure = 'it does not answer'
  const begun = Promise.withResolvers<void>()
  const client = alone(t, device.open(), begun.resolve)
  await begun.promise
  device.failure = undefined
  client.open('file').text.insert(0, 'x')
  await until(
    async () => (await device.open().load('file')).updates.length > 0,
    'it is on the device',
  )
  const [session] = Object.keys((await device.open().get('keys')) as object)
  let isFree = false
  void device
    .open()
    .hold(session!)
    .then(() => (isFree = true))
  await new Promise(setImmediate)
  assert.ok(!isFree)
  client.close()
  await until(() => isFree, 'it is over')
})
