// Blobs on a real disk: verified, kept once, and gone on with after an end at any moment.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { blobGraceMs, blobPartialsMax, blobsLeftMax } from '../../core/model/limits.ts'
import { BlobError, type BlobName } from './blob.ts'
import { BlobStore } from './blob-store.ts'
import { newDirectory } from './testing/store-folder.ts'

const nameOf = (bytes: Buffer): BlobName => ({
  hash: createHash('sha256').update(bytes).digest('hex'),
  size: bytes.length,
})

async function put(store: BlobStore, bytes: Buffer, from = 0, name = nameOf(bytes)): Promise<void> {
  const chunks = Readable.from([bytes.subarray(from)], { objectMode: false })
  await pipeline(chunks, await store.upload(name, from))
}

async function textOf(store: BlobStore, hash: string): Promise<Buffer | undefined> {
  const open = await store.read(hash)
  try {
    return await open?.file.readFile()
  } finally {
    await open?.file.close()
  }
}

const is = (code: string) => (error: unknown) => error instanceof BlobError && error.code === code

async function newStore(): Promise<{ store: BlobStore; directory: string }> {
  const directory = newDirectory()
  return { store: await BlobStore.open(directory), directory }
}

/** Every file below the blobs of a server. */
function filesIn(directory: string): string[] {
  return fs
    .readdirSync(join(directory, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
}

test('bytes come back as given under their hash, and nothing else is left', async () => {
  const { store, directory } = await newStore()
  for (const size of [0, 1, 70_000, 5_000_000]) {
    const bytes = randomBytes(size)
    const name = nameOf(bytes)
    assert.equal(await store.has(name), false)
    await put(store, bytes)
    assert.equal(await store.size(name.hash), size)
    assert.equal(await store.has({ ...name, size: size + 1 }), false)
    assert.deepEqual(await textOf(store, name.hash), bytes)
  }
  assert.equal(filesIn(directory).length, 4)
  assert.equal(fs.statSync(join(directory, 'blobs')).mode & 0o077, 0)
})

test('a file is taken over as it is, be it known or not', async () => {
  const { store, directory } = await newStore()
  const bytes = randomBytes(100_000)
  const { hash } = nameOf(bytes)
  for (const path of ['one', 'two'].map((name) => join(directory, name))) {
    fs.writeFileSync(path, bytes)
    await store.adopt(hash, path)
    assert.deepEqual(await textOf(store, hash), bytes)
    assert.equal(fs.existsSync(path), false)
  }
  assert.equal(filesIn(directory).length, 1)
})

test('the same bytes are kept once', async () => {
  const { store, directory } = await newStore()
  const bytes = randomBytes(1000)
  await put(store, bytes)
  await put(store, bytes)
  assert.equal(filesIn(directory).length, 1)
})

test('an upload that was cut goes on where it was flushed, after a restart too', async () => {
  const { store, directory } = await newStore()
  const bytes = randomBytes(300_000)
  const name = nameOf(bytes)
  const upload = await store.upload(name, 0)
  upload.write(bytes.subarray(0, 100_000))
  await upload.abandon()
  assert.equal(await store.received(name), 100_000)
  await assert.rejects(store.upload(name, 99_999), (error) => {
    return is('offset')(error) && (error as BlobError).offset === 100_000
  })
  const again = await BlobStore.open(directory)
  const second = await again.upload(name, 100_000)
  second.end(bytes.subarray(100_000, 200_000))
  await finished(second)
  assert.equal(await again.size(name.hash), undefined)
  await put(again, bytes, 200_000)
  assert.deepEqual(await textOf(again, name.hash), bytes)
  assert.deepEqual(filesIn(directory).length, 1)
})

test('what a crash left behind the mark does not count', async () => {
  const { store, directory } = await newStore()
  const bytes = randomBytes(1000)
  const name = nameOf(bytes)
  const upload = await store.upload(name, 0)
  upload.write(bytes.subarray(0, 400))
  await upload.abandon()
  const partial = join(directory, 'blobs', 'partial', `${name.hash}-${name.size}`)
  fs.appendFileSync(partial, Buffer.alloc(300))
  assert.equal(await store.received(name), 400)
  await put(store, bytes, 400)
  assert.deepEqual(await textOf(store, name.hash), bytes)
})

test('a mark that tells more than there is counts for nothing', async () => {
  const { store, directory } = await newStore()
  const name = nameOf(randomBytes(1000))
  const upload = await store.upload(name, 0)
  upload.write(Buffer.alloc(500))
  await upload.abandon()
  fs.truncateSync(join(directory, 'blobs', 'partial', `${name.hash}-${name.size}`), 499)
  assert.equal(await store.received(name), 0)
})

test('bytes that are not those of the hash are refused and dropped', async () => {
  const { store, directory } = await newStore()
  const bytes = randomBytes(1000)
  const name = nameOf(bytes)
  const other = Buffer.from(bytes)
  other[500]! ^= 1
  await assert.rejects(put(store, other, 0, name), is('mismatch'))
  assert.equal(await store.size(name.hash), undefined)
  assert.equal(await store.received(name), 0)
  assert.deepEqual(filesIn(directory), [])
  await put(store, bytes)
  assert.deepEqual(await textOf(store, name.hash), bytes)
})

test('more bytes than announced are refused and dropped', async () => {
  const { store, directory } = await newStore()
  const bytes = randomBytes(1000)
  const short = { ...nameOf(bytes), size: 999 }
  await assert.rejects(put(store, bytes, 0, short), is('mismatch'))
  assert.deepEqual(filesIn(directory), [])
})

test('one upload of a blob is at work at a time, and a bounded number of all', async () => {
  const { store } = await newStore()
  const name = nameOf(Buffer.from('a'))
  const first = await store.upload(name, 0)
  await assert.rejects(store.upload(name, 0), is('busy'))
  const others = []
  for (let count = 1; count < blobPartialsMax; count++) {
    others.push(await store.upload(nameOf(Buffer.from(`b${count}`)), 0))
  }
  await assert.rejects(store.upload(nameOf(Buffer.from('c')), 0), is('many'))
  await first.abandon()
  await (await store.upload(name, 0)).abandon()
  await store.close()
  assert.ok(others.every((upload) => upload.closed))
})

test('the sweep takes what nobody names after a day, and leaves the rest', async () => {
  const { store, directory } = await newStore()
  const [named, unnamed, renewed] = [Buffer.from('1'), Buffer.from('2'), Buffer.from('3')]
  for (const bytes of [named, unnamed, renewed]) await put(store, bytes)
  const cut = nameOf(Buffer.from('cut'))
  const upload = await store.upload(cut, 0)
  upload.write(Buffer.from('c'))
  await upload.abandon()
  const isNamed = (hash: string) => hash === nameOf(named).hash
  assert.equal(await store.sweep(isNamed, Date.now()), 0)
  const old = new Date(Date.now() - blobGraceMs - 1000)
  const age = () => {
    const files = fs.globSync(join(directory, 'blobs', '*', '*'))
    for (const file of files) fs.utimesSync(file, old, old)
  }
  age()
  await store.renew(nameOf(renewed).hash)
  assert.equal(await store.sweep(isNamed, Date.now()), 2)
  assert.equal(await store.has(nameOf(named)), true)
  assert.equal(await store.has(nameOf(unnamed)), false)
  assert.equal(await store.has(nameOf(renewed)), true)
  assert.equal(await store.received(cut), 0)
  const claimed = nameOf(renewed)
  age()
  assert.equal(await store.claim(claimed), true)
  assert.equal(await store.claim(nameOf(unnamed)), false)
  assert.equal(await store.sweep(isNamed, Date.now()), 0)
  assert.equal(await store.has(claimed), true)
  await store.remove(nameOf(named).hash)
  assert.equal(await store.has(nameOf(named)), false)
})

test('where a file may not grow it says that the disk is full, and what is there stays', async () => {
  const directory = newDirectory()
  const victim = fileURLToPath(new URL('./testing/blob-victim.ts', import.meta.url))
  // 9 MiB.
  const limited = 'ulimit -f 18432 && exec "$@"'
  const run = ['-c', limited, 'sh', process.execPath, victim, directory]
  const told = JSON.parse(execFileSync('sh', run, { encoding: 'utf8' }))
  assert.deepEqual(told.outcomes, ['whole', 'full', 'whole'])
  const bytes = Buffer.alloc(40 * 1024 * 1024, 'x')
  const store = await BlobStore.open(directory)
  const from = await store.received(nameOf(bytes))
  assert.ok(from <= 9 * 1024 * 1024)
  await put(store, bytes, from)
  assert.equal(await store.has(nameOf(bytes)), true)
})

test('of very many uploads that nobody ends the longest unmoved go', async () => {
  const { store, directory } = await newStore()
  const partial = join(directory, 'blobs', 'partial')
  const hashes = Array.from({ length: blobsLeftMax + 50 }, () => randomBytes(32).toString('hex'))
  for (const [index, hash] of hashes.entries()) {
    fs.writeFileSync(join(partial, `${hash}-10`), 'x')
    fs.writeFileSync(join(partial, `${hash}-10.synced`), '1')
    fs.utimesSync(join(partial, `${hash}-10`), index, index)
  }
  const bytes = randomBytes(10)
  await put(store, bytes)
  const left = new Set(filesIn(directory))
  assert.deepEqual(
    hashes.filter((hash) => left.has(`${hash}-10`)),
    hashes.slice(50),
  )
  assert.equal(left.size, 2 * blobsLeftMax + 1)
})

test('what is claimed or named while a sweep looks at it stays, whatever the clock says', async () => {
  const { store } = await newStore()
  const [before, meanwhile, named] = [Buffer.from('1'), Buffer.from('2'), Buffer.from('3')]
  for (const bytes of [before, meanwhile, named]) await put(store, bytes)
  // A clock that was put right: everything looks old.
  const at = Date.now() + 10 * blobGraceMs
  assert.equal(await store.claim(nameOf(before)), true)
  const looked = new Set<string>()
  let claimed: Promise<boolean> | undefined
  const isNamed = (hash: string) => {
    if (hash === nameOf(meanwhile).hash) claimed ??= store.claim(nameOf(meanwhile))
    const wasLooked = looked.has(hash)
    looked.add(hash)
    return hash === nameOf(named).hash && wasLooked
  }
  assert.equal(await store.sweep(isNamed, at), 0)
  assert.equal(await claimed, true)
  for (const bytes of [before, meanwhile, named]) assert.equal(await store.has(nameOf(bytes)), true)
  // An hour later entries name them, or nobody does.
  assert.equal(await store.sweep(() => false, at), 2)
  assert.equal(await store.has(nameOf(meanwhile)), true)
  assert.equal(await store.sweep(() => false, at), 1)
})

test('bytes that are being swept can be claimed no more', async () => {
  const { store } = await newStore()
  const blobs = Array.from({ length: 20 }, (_, index) => Buffer.from(`${index}`))
  for (const bytes of blobs) await put(store, bytes)
  const told = new Map<string, Promise<boolean>>()
  const asked = blobs.map(nameOf)
  const sweep = store.sweep(() => false, Date.now() + 10 * blobGraceMs)
  // At every moment of the sweep.
  while (asked.length > 0) {
    const name = asked.shift()!
    told.set(name.hash, store.claim(name))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await sweep
  for (const bytes of blobs) {
    const name = nameOf(bytes)
    assert.equal(await told.get(name.hash), await store.has(name), 'what was told is true')
  }
})
