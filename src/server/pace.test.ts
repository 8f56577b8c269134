// Uploads that trickle, at the doors that take them.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable, type Writable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import type { ReplicaId } from '../core/model/ids.ts'
import { now } from '../adapters/system.ts'
import { BlobStore } from '../adapters/storage/blob-store.ts'
import { newDirectory } from '../adapters/storage/testing/store-folder.ts'
import { BlobCare } from './blob-care.ts'
import { BlobFetching } from './blob-fetching.ts'
import { BlobDoor } from './blobs.ts'
import { Incoming } from './dav/incoming.ts'
import { Tokens } from './tokens.ts'

const pace = { lookMs: 300, bytesMin: 64 * 1024 }

/** Writes a byte now and then, until nobody takes it. */
function trickle(t: TestContext, into: Writable): void {
  const timer = setInterval(() => void (into.destroyed || into.write('x')), 10)
  into.on('error', () => {})
  into.once('close', () => clearInterval(timer))
  t.after(() => clearInterval(timer))
}

test('an upload that trickles is ended, and goes on where it was', async (t) => {
  const store = await BlobStore.open(newDirectory())
  const log = (_level: string, text: string) => assert.fail(text)
  const hasRoom = () => Promise.resolve(true)
  const fetching = new BlobFetching({
    self: 'a' as ReplicaId,
    store,
    peers: new Map(),
    hasRoom,
    log,
  })
  const door = new BlobDoor({
    store,
    fetching,
    care: new BlobCare({ store, want: () => {}, log }),
    tokens: new Tokens('test', undefined),
    needsCertificate: false,
    now,
    hasRoom,
    refusal: () => undefined,
    pace,
  })
  const server = http.createServer((request, response) => {
    void door.answer(request, response, false)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const bytes = Buffer.concat([Buffer.alloc(100_000, 'x'), randomBytes(1000)])
  const name = { hash: createHash('sha256').update(bytes).digest('hex'), size: bytes.length }
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/blobs/${name.hash}?size=${name.size}`
  const headers = { 'upload-offset': 0, 'content-length': name.size }
  const request = http.request(url, { method: 'PATCH', headers, agent: false })
  const closed = Promise.withResolvers<void>()
  request.once('close', closed.resolve)
  trickle(t, request)
  await closed.promise
  for (let status = 0; status !== 201;) {
    const offset = await store.received(name)
    const answer = await fetch(url, {
      method: 'PATCH',
      headers: { 'upload-offset': String(offset) },
      body: bytes.subarray(offset),
    })
    status = answer.status
    // What came is being kept.
    assert.ok([201, 409, 423].includes(status), String(status))
  }
})

test('a body that trickles into WebDAV is ended, and nothing of it stays', async (t) => {
  const directory = newDirectory()
  const store = await BlobStore.open(directory)
  const hasRoom = () => Promise.resolve(true)
  const incoming = await Incoming.open({ directory, store, hasRoom, pace })
  const body = new PassThrough()
  trickle(t, body)
  await assert.rejects(incoming.take(body, undefined, () => Promise.resolve('taken')))
  // One that came in time may be kept for longer than that.
  const kept = await incoming.take(Readable.from([Buffer.alloc(10)]), 10, async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    setTimeout(() => resolve('taken'), pace.lookMs * 2)
    return promise
  })
  assert.equal(kept, 'taken')
})
