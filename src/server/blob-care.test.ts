// Stored blobs that are read again, on a real disk.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test, type TestContext } from 'node:test'
import { blobGraceMs } from '../core/model/limits.ts'
import { BlobStore, directoryCount } from '../adapters/storage/blob-store.ts'
import { newDirectory } from '../adapters/storage/testing/store-folder.ts'
import { BlobCare } from './blob-care.ts'

const pace = { firstMs: 0, allMs: 0, part: 0.5 }

async function stored(store: BlobStore, bytes: Buffer): Promise<string> {
  const hash = createHash('sha256').update(bytes).digest('hex')
  const upload = await store.upload({ hash, size: bytes.length }, 0)
  await pipeline(Readable.from([bytes], { objectMode: false }), upload)
  return hash
}

const placeOf = (directory: string, hash: string) =>
  join(directory, 'blobs', hash.slice(0, 2), hash.slice(2))

/** Reads all again; resolves with what was found spoilt when so many were. */
async function found(t: TestContext, store: BlobStore, count: number): Promise<string[]> {
  const hashes: string[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const care = new BlobCare({
    store,
    want: (hash) => {
      if (hashes.push(hash) === count) resolve()
    },
    log: (_level, text) => {
      if (text.startsWith('reading')) reject(new Error(text))
    },
    pace,
  })
  t.after(() => care.close())
  care.start()
  await promise
  care.close()
  return hashes
}

test('what rots on the disk is found without anybody who reads it', async (t) => {
  const directory = newDirectory()
  const store = await BlobStore.open(directory)
  const hashes: string[] = []
  for (const size of [0, 1, 1000, 256 * 1024, 1_000_000]) {
    hashes.push(await stored(store, randomBytes(size)))
  }
  for (const hash of hashes.slice(3)) {
    const file = fs.openSync(placeOf(directory, hash), 'r+')
    fs.writeSync(file, randomBytes(8), 0, 8, 1000)
    fs.closeSync(file)
  }
  fs.truncateSync(placeOf(directory, hashes[2]!), 10)
  const spoilt = await found(t, store, 3)
  assert.deepEqual(spoilt.toSorted(), hashes.slice(2).toSorted())
  for (const hash of hashes) {
    assert.equal((await store.size(hash)) === undefined, spoilt.includes(hash))
  }
})

test('the next life of a server goes on where the reading was', async (t) => {
  const directory = newDirectory()
  const store = await BlobStore.open(directory)
  const hash = await stored(store, randomBytes(1000))
  const at = Number.parseInt(hash.slice(0, 2), 16)
  fs.appendFileSync(placeOf(directory, hash), 'x')
  await store.noteNextChecked(at + directoryCount - 1)
  await found(t, store, 1)
  const again = await BlobStore.open(directory)
  const next = await again.nextChecked()
  assert.ok(next === at || next === (at + 1) % directoryCount, String(next))
})

test('the spoilt bytes of what a file names stay until it is here again', async () => {
  const directory = newDirectory()
  const store = await BlobStore.open(directory)
  const bytes = randomBytes(1000)
  const hash = await stored(store, bytes)
  const first = (await store.read(hash))!
  assert.equal(await store.setAside(hash, first.file), true)
  const aside = join(directory, 'blobs', 'partial', `${hash}.spoilt`)
  const later = Date.now() + blobGraceMs + 1000
  await store.sweep(() => true, later)
  assert.ok(fs.existsSync(aside))
  await stored(store, bytes)
  // What is there now is another file than the one that was found wrong.
  assert.equal(await store.setAside(hash, first.file), false)
  await first.file.close()
  await store.sweep(() => true, later)
  assert.equal(fs.existsSync(aside), false)
  assert.ok(await store.has({ hash, size: 1000 }))
})
