// Files that come in over WebDAV: how many at once.

import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'

import { temporaryFolder } from '../../../test/lone-server.ts'
import { BlobStore } from '../../adapters/storage/blob-store.ts'
import { davPutsMax } from '../../core/model/limits.ts'
import { Incoming } from './incoming.ts'

test('12 those that wait to hear whether the disk has room are counted', async (t) => {
  const directory = temporaryFolder(t)
  const store = await BlobStore.open(directory)
  const room = Promise.withResolvers<boolean>()
  const incoming = await Incoming.open({ directory, store, hasRoom: () => room.promise })
  const put = () => incoming.take(Readable.from([Buffer.from('a')]), 1, async ({ size }) => size)
  const taken = Array.from({ length: davPutsMax }, put)
  const tooMany = { status: 503, message: /^Too many files come in at this moment/ }
  const refused = assert.rejects(put(), tooMany)
  room.resolve(true)
  await refused
  assert.deepEqual(await Promise.all(taken), Array(davPutsMax).fill(1))
  assert.equal(await put(), 1)
})

test('G14 what is announced of one is not there for another, until it came or stays away', async (t) => {
  const directory = temporaryFolder(t)
  const store = await BlobStore.open(directory)
  const hasRoom = (bytes: number) => Promise.resolve(bytes + incoming.awaitedBytes <= 10)
  const incoming: Incoming = await Incoming.open({ directory, store, hasRoom })
  const put = (body: Readable) => incoming.take(body, 6, async ({ size }) => size)
  const body = new PassThrough()
  const first = put(body)
  const whole = () => Readable.from([Buffer.alloc(6)])
  await assert.rejects(put(whole()), { status: 507 })
  body.end(Buffer.alloc(6))
  assert.equal(await first, 6)
  assert.equal(incoming.awaitedBytes, 0)
  const cut = new PassThrough()
  const broken = put(cut)
  cut.destroy(new Error('gone'))
  await assert.rejects(broken, /gone/)
  assert.equal(await put(whole()), 6)
})

test('whoever is refused because the disk is full makes room for the next', async (t) => {
  const directory = temporaryFolder(t)
  const store = await BlobStore.open(directory)
  let hasRoom = false
  const incoming = await Incoming.open({ directory, store, hasRoom: async () => hasRoom })
  const put = () => incoming.take(Readable.from([Buffer.from('a')]), 1, async ({ size }) => size)
  for (let count = 0; count < 2 * davPutsMax; count++) {
    await assert.rejects(put(), { status: 507 })
  }
  hasRoom = true
  assert.equal(await put(), 1)
})
