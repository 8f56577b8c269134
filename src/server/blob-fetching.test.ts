// What is wanted of other servers, and for how long.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { finished } from 'node:stream/promises'
import { test, type TestContext } from 'node:test'
import type { ReplicaId } from '../core/model/ids.ts'
import { ServerState } from '../core/model/wire.ts'
import { BlobPeer } from '../adapters/channel/blob-peer.ts'
import { BlobStore } from '../adapters/storage/blob-store.ts'
import { newDirectory } from '../adapters/storage/testing/store-folder.ts'
import { BlobFetching } from './blob-fetching.ts'

/** A server without others, whose disk is empty. */
async function alone(t: TestContext): Promise<BlobFetching> {
  const fetching = new BlobFetching({
    self: 'a' as ReplicaId,
    store: await BlobStore.open(newDirectory()),
    peers: new Map(),
    hasRoom: () => Promise.resolve(true),
    log: (_level, text) => assert.fail(text),
  })
  t.after(() => fetching.close())
  return fetching
}

test('what no entry names any more is not asked for any more', async (t) => {
  const fetching = await alone(t)
  const [kept, purged] = ['1', '2'].map((digit) => ({ hash: digit.repeat(64), size: 1, at: 0 }))
  fetching.named([kept!, purged!])
  assert.equal(await fetching.bring(purged!), undefined)
  assert.equal(fetching.size, 2)
  // One that is asked for at this moment is left to the next time.
  while (fetching.size === 2) {
    fetching.namedStill((hash) => hash === kept!.hash)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(fetching.missing(purged!.hash), undefined)
  assert.deepEqual(fetching.missing(kept!.hash), { hash: kept!.hash, size: 1 })
})

test('what names no bytes is not asked for: it would become a path', async (t) => {
  const fetching = await alone(t)
  const [hash, size, at] = ['1'.repeat(64), 1, 0]
  fetching.named([
    { hash: `../../${hash.slice(6)}`, size, at },
    { hash, size: -1, at },
  ])
  assert.equal(fetching.size, 0)
})

test('a server that was away is asked anew whether it holds what it held', async (t) => {
  let has = true
  let asked = 0
  const other = http.createServer((_request, response) => {
    asked++
    response.writeHead(has ? 200 : 404).end()
  })
  await once(other.listen(0, '127.0.0.1'), 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const peer = new BlobPeer({ address: `http://127.0.0.1:${port}`, headers: () => ({}) })
  t.after(() => peer.close())
  const bytes = Buffer.from('bytes')
  const name = { hash: createHash('sha256').update(bytes).digest('hex'), size: bytes.length }
  const store = await BlobStore.open(newDirectory())
  const upload = await store.upload(name, 0)
  await finished(upload.end(bytes))
  const fetching = new BlobFetching({
    self: 'a' as ReplicaId,
    store,
    peers: new Map([['b' as ReplicaId, peer]]),
    hasRoom: () => Promise.resolve(true),
    log: (_level, text) => assert.fail(text),
  })
  t.after(() => fetching.close())
  const heard = (state: ServerState) => fetching.heard([{ id: 'b' as ReplicaId, state }])
  heard(ServerState.LIVE)
  assert.deepEqual(await fetching.holders(name, 1000), ['a', 'b'])
  assert.deepEqual(await fetching.holders(name, 1000), ['a', 'b'])
  assert.equal(asked, 1)
  has = false
  heard(ServerState.DOWN)
  heard(ServerState.LIVE)
  assert.deepEqual(await fetching.holders(name, 1000), ['a'])
})
