// Keys of sessions on one device: none is lost while its edits may be.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDevice } from '../adapters/storage/local-memory.ts'
import { sessionOf } from '../core/model/ids.ts'
import { earlierKeysMax } from '../core/model/limits.ts'
import { Keyring, type Keep } from './keyring.ts'

const minute = 60_000

function key(number: number): Uint8Array {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

function keyring(device: MemoryDevice, number: number): Keyring {
  const storage = device.open()
  return new Keyring(key(number), {
    read: async () => ({ value: await storage.get('keys'), rest: await storage.get('rest') }),
    change: async (alter) => {
      await storage.change('keys', alter)
      return true
    },
  })
}

/** Keeps edits: all that is seen here is what changes with them. */
const keepIn =
  (device: MemoryDevice): Keep =>
  async (alter) => {
    if (alter) await device.open().change('keys', alter)
    return true
  }

const unsafe = () => true
const safe = () => false

test('a session that left unsafe edits is known to the next, with its documents', async () => {
  const device = new MemoryDevice()
  const first = keyring(device, 1)
  assert.deepEqual(await first.begin(), [])
  await first.claim(0, 'D', keepIn(device))
  await first.claim(0, 'E', keepIn(device))
  const next = keyring(device, 2)
  assert.deepEqual(await next.begin(), [key(1)])
  assert.deepEqual(next.unsettled, [], 'it may still be alive')
  const left = await next.take(sessionOf(key(1)), true)
  assert.deepEqual(left, { keys: [], documents: ['D', 'E'] })
  assert.deepEqual(next.unsettled, ['D', 'E'])
})

test('what a session that is over left goes as soon as it was brought', async () => {
  const device = new MemoryDevice()
  const next = keyring(device, 2)
  await next.begin()
  const first = keyring(device, 1)
  await first.claim(0, 'D', keepIn(device))
  await first.claim(0, 'E', keepIn(device))
  const left = await next.take(sessionOf(key(1)), true)
  assert.deepEqual(left, { keys: [key(1)], documents: ['D', 'E'] })
  await next.settled(sessionOf(key(1)), 'D')
  assert.deepEqual(await keyring(device, 3).begin(), [key(1)])
  await next.settled(sessionOf(key(1)), 'E')
  assert.deepEqual(await keyring(device, 3).begin(), [])
  assert.deepEqual(await next.take(sessionOf(key(1)), true), { keys: [], documents: [] })
})

test('what one session left is not settled by what another left of the same document', async () => {
  const device = new MemoryDevice()
  await keyring(device, 1).claim(0, 'D', keepIn(device))
  await keyring(device, 2).claim(0, 'D', keepIn(device))
  const next = keyring(device, 3)
  await next.begin()
  for (const number of [1, 2]) await next.take(sessionOf(key(number)), true)
  await next.settled(sessionOf(key(1)), 'D')
  assert.deepEqual(next.unsettled, ['D'])
  assert.deepEqual(await keyring(device, 4).begin(), [key(2)])
})

test('a session without edits leaves nothing, nor does one whose edits are safe', async () => {
  const device = new MemoryDevice()
  await keyring(device, 1).begin()
  const other = keyring(device, 2)
  await other.begin()
  await other.claim(0, 'D', keepIn(device))
  await other.beat(minute, safe)
  assert.deepEqual(await keyring(device, 3).begin(), [])
})

test('where nobody knows who is alive a record goes when it was brought and is old', async () => {
  const device = new MemoryDevice()
  await keyring(device, 1).claim(0, 'D', keepIn(device))
  const next = keyring(device, 2)
  await next.begin()
  await next.beat(10 * minute, unsafe)
  await next.take(sessionOf(key(1)), false)
  await next.settled(sessionOf(key(1)), 'D')
  await next.beat(2 * minute, unsafe)
  assert.deepEqual(await keyring(device, 3).begin(), [key(1)], 'it may still be alive')
  await next.beat(4 * minute, unsafe)
  assert.deepEqual(await keyring(device, 3).begin(), [])
})

test('the key of a tab that came later is told once, for a document that it wrote in', async () => {
  const device = new MemoryDevice()
  const first = keyring(device, 1)
  await first.begin()
  await first.claim(0, 'D', keepIn(device))
  const later = keyring(device, 2)
  assert.deepEqual(await later.begin(), [key(1)])
  await later.claim(0, 'D', keepIn(device))
  assert.deepEqual(await first.others('E'), [])
  assert.deepEqual(await first.others('D'), [key(2)])
  assert.deepEqual(await first.others('D'), [])
  assert.deepEqual(await later.others('D'), [], 'known from the beginning')
  assert.deepEqual(first.unsettled, [], 'it brings its edits itself')
})

test('the key of a tab that is alive stays, whatever other tabs brought', async () => {
  const device = new MemoryDevice()
  const living = keyring(device, 1)
  await living.claim(0, 'D', keepIn(device))
  const other = keyring(device, 2)
  await other.begin()
  await other.take(sessionOf(key(1)), false)
  await other.settled(sessionOf(key(1)), 'D')
  await living.beat(3 * minute, unsafe)
  await other.beat(4 * minute, unsafe)
  assert.deepEqual(await keyring(device, 3).begin(), [key(1)])
})

test('where edits were only expected nobody looks for any, unless the program goes on', async () => {
  const device = new MemoryDevice()
  const first = keyring(device, 1)
  const left = () => keyring(device, 2).take(sessionOf(key(1)), true)
  await first.claim(0, 'D', keepIn(device))
  assert.equal(first.rest(unsafe), undefined)
  assert.deepEqual(await left(), { keys: [key(1)], documents: ['D'] })
  await device.open().set('rest', first.rest(safe))
  assert.deepEqual(await keyring(device, 2).begin(), [])
  assert.deepEqual(await left(), { keys: [], documents: [] })
  await first.claim(1, 'D', keepIn(device))
  assert.deepEqual(await left(), { keys: [key(1)], documents: ['D'] })
})

test('a session that slept for long says its key again before its next edit is kept', async () => {
  const device = new MemoryDevice()
  const sleeper = keyring(device, 1)
  await sleeper.claim(0, 'D', keepIn(device))
  const other = keyring(device, 2)
  await other.begin()
  await other.take(sessionOf(key(1)), false)
  await other.settled(sessionOf(key(1)), 'D')
  await other.beat(4 * minute, unsafe)
  assert.deepEqual(await keyring(device, 3).begin(), [])
  await sleeper.claim(5 * minute, 'D', keepIn(device))
  assert.deepEqual(await keyring(device, 3).begin(), [key(1)])
})

test('tabs that write at once keep each other’s keys', async () => {
  const device = new MemoryDevice()
  await Promise.all(
    [1, 2, 3, 4].map((number) => keyring(device, number).claim(number, 'D', keepIn(device))),
  )
  assert.equal((await keyring(device, 9).begin())?.length, 4)
})

test('no more keys are kept than a server hears, the newest of them', async () => {
  const device = new MemoryDevice()
  for (let number = 1; number <= earlierKeysMax + 3; number++) {
    await keyring(device, number).claim(number, 'D', keepIn(device))
  }
  const keys = (await keyring(device, 1000).begin())!
  assert.equal(keys.length, earlierKeysMax)
  assert.deepEqual(keys[0], key(earlierKeysMax + 3))
})

test('what another version of the program left there is passed over', async () => {
  const device = new MemoryDevice()
  await device.open().set('keys', [1, 2, 3])
  await device.open().change('keys', () => ({ x: { key: 'no bytes' }, y: null }))
  assert.deepEqual(await keyring(device, 1).begin(), [])
})

test('a key that could not be kept is not claimed, and kept with the next edit', async () => {
  const device = new MemoryDevice()
  const ring = keyring(device, 1)
  assert.equal(await ring.claim(0, 'D', async () => false), false)
  assert.equal(await ring.claim(1, 'D', keepIn(device)), true)
  assert.deepEqual(await keyring(device, 2).begin(), [key(1)])
})
