// Files of any bytes: they have them where they are, keep each version, and say where both are safe.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'

import {
  blobOf,
  fileAt,
  filesOf,
  fleet,
  MiB,
  named,
  patch,
  saved,
  url,
  type Blob,
  type Told,
} from './blob-requests.ts'
import { startLone } from './lone-server.ts'
import { ask, call } from './requests.ts'
import { until } from './until.ts'

test('a file gets its bytes only where they are, and tells them', async (t) => {
  const { address } = await startLone(t)
  const blob = blobOf(randomBytes(5000))
  const early = await call(address, 'SaveBinary', { file: 'cat.png', ...named(blob) })
  assert.deepEqual([early.body.code], ['unavailable'])
  assert.match(early.body.message, /^These bytes are not here: upload them/)
  assert.equal((await call(address, 'GetFile', { file: 'cat.png' })).status, 404)
  await patch(address, blob)
  const wrong = await call(address, 'SaveBinary', { file: 'cat.png', ...named(blob), size: 4999 })
  assert.equal(wrong.body.code, 'unavailable')
  const { file, servers } = await saved(address, 'cat.png', blob)
  assert.deepEqual([file.kind, file.hash, file.size], ['KIND_BINARY', blob.hash, 5000])
  assert.deepEqual(servers, ['a'])
  const read = await call(address, 'ReadFile', { file: 'cat.png' })
  assert.notEqual(read.status, 200)
  for (const bad of [{ hash: 'x' }, { size: 1.5 }, { hash: blob.hash.toUpperCase() }]) {
    const refused = await call(address, 'SaveBinary', { file: 'b', ...named(blob), ...bad })
    assert.equal(refused.body.code, 'invalid_argument', JSON.stringify(bad))
  }
})

test('a save sent twice has one effect; the bytes of each version are kept', async (t) => {
  const { address } = await startLone(t)
  const [first, second] = [blobOf(randomBytes(100)), blobOf(randomBytes(200))]
  await patch(address, first)
  await patch(address, second)
  const operation = 'AAAAAAAAAAAAAAAAAAAAAA'
  const { file } = await saved(address, 'a.bin', first, { operation })
  await saved(address, 'a.bin', second, { base: first.hash })
  assert.equal((await saved(address, 'a.bin', first, { operation })).file.hash, second.hash)
  const { contents } = (await call(address, 'ListContents', { file: file.id })).body
  assert.deepEqual(
    contents.map(({ hash }: { hash: string }) => hash),
    [second.hash, first.hash],
  )
})

test('what a file in the trash held is still listed', async (t) => {
  const { address } = await startLone(t)
  const blob = blobOf(randomBytes(100))
  await patch(address, blob)
  const { file } = await saved(address, 'gone.bin', blob)
  const { body: text } = await call(address, 'SaveFile', { file: 'gone.md', text: 'once' })
  for (const each of ['gone.bin', 'gone.md']) await call(address, 'DeleteFile', { file: each })
  const { contents } = (await call(address, 'ListContents', { file: file.id })).body
  assert.deepEqual(
    contents.map(({ hash }: { hash: string }) => hash),
    [blob.hash],
  )
  assert.equal((await call(address, 'ListVersions', { file: text.file.id })).status, 200)
})

test('two change a binary at once: the newer is shown, both are kept, a choice settles it', async (t) => {
  const { address } = await startLone(t)
  const [first, ada, bob] = [1, 2, 3].map((number) => blobOf(Buffer.of(number))) as [
    Blob,
    Blob,
    Blob,
  ]
  for (const blob of [first, ada, bob]) await patch(address, blob)
  const { file } = await saved(address, 'a.bin', first)
  await saved(address, file.id, ada, { base: first.hash })
  const both = await saved(address, file.id, bob, { base: first.hash })
  assert.deepEqual([both.file.hash, both.file.hasConflict], [bob.hash, true])
  const chosen = await saved(address, file.id, ada, { base: bob.hash })
  assert.deepEqual([chosen.file.hash, chosen.file.hasConflict ?? false], [ada.hash, false])
  // To keep the one that is shown settles it as well.
  await saved(address, file.id, first, { base: bob.hash })
  const kept = await saved(address, file.id, first)
  assert.deepEqual([kept.file.hash, kept.file.hasConflict ?? false], [first.hash, false])
})

test('a text becomes binary and text again: one id, and its text is still there', async (t) => {
  const { address } = await startLone(t)
  const made = await call(address, 'SaveFile', { file: 'notes', text: 'one\ntwo\n' })
  const { id } = made.body.file as Told
  const blob = blobOf(randomBytes(100))
  await patch(address, blob)
  const binary = await saved(address, 'notes', blob)
  assert.deepEqual([binary.file.id, binary.file.kind], [id, 'KIND_BINARY'])
  const back = await call(address, 'SaveFile', { file: 'notes', text: 'one\n2\n' })
  assert.deepEqual([back.body.file.id, back.body.file.kind], [id, 'KIND_TEXT'])
  assert.equal((await call(address, 'ReadFile', { file: 'notes' })).body.text, 'one\n2\n')
  const { contents } = (await call(address, 'ListContents', { file: id })).body
  assert.equal(contents.length, 2)
  await call(address, 'MakeDirectory', { path: 'd' })
  const directory = await call(address, 'SaveBinary', { file: 'd', ...named(blob) })
  assert.equal(directory.body.code, 'invalid_argument')
})

test('a server that was down gets the bytes when it is back, an emptied one too', async (t) => {
  const set = await fleet(t)
  await set.kill('c')
  const blobs = [1, 2].map(() => blobOf(randomBytes(3 * MiB))) as [Blob, Blob]
  for (const [index, blob] of blobs.entries()) {
    await patch(set.address('a'), blob)
    const { servers } = await saved(set.address('a'), `${index}.bin`, blob)
    assert.ok(!servers.includes('c'))
  }
  await set.start('c')
  await set.well()
  const isOn = async (id: string) =>
    blobs.every(({ hash }) => filesOf(set.data(id)).includes(hash.slice(2)))
  await until(() => isOn('c'))
  // One whose bytes alone are gone looks for them at its start.
  await set.kill('d')
  rmSync(join(set.data('d'), 'blobs'), { recursive: true })
  await set.start('d')
  await until(() => isOn('d'))
  // And one that lost everything.
  await set.kill('b')
  rmSync(set.data('b'), { recursive: true })
  await set.start('b')
  await set.well()
  await until(() => isOn('b'))
  for (const id of set.ids) {
    await until(async () => (await fileAt(set.address(id), '0.bin')).hash === blobs[0].hash)
    const got = await ask(`${set.address(id)}/blobs/${blobs[0].hash}`, 'GET')
    assert.deepEqual(got.body, blobs[0].bytes, id)
  }
})

test('a receipt of a binary names only disks that hold both the file and its bytes', async (t) => {
  const set = await fleet(t)
  const blob = blobOf(randomBytes(20 * MiB))
  await patch(set.address('b'), blob)
  const { servers, serverCount } = await saved(set.address('b'), 'film', blob)
  assert.equal(serverCount, 4)
  for (const id of servers) assert.ok(filesOf(set.data(id)).includes(blob.hash.slice(2)), id)
  await until(async () => {
    const again = await saved(set.address('b'), 'film', blob)
    return again.servers.toSorted().join() === 'a,b,c,d'
  })
})

test('three of four are killed while a client uploads: the fourth goes on, the others catch up', async (t) => {
  const set = await fleet(t)
  const blob = blobOf(randomBytes(40 * MiB))
  const body = new Readable({ read() {} })
  const upload = ask(url(set.address('a'), blob), 'PATCH', { 'upload-offset': 0 }, body)
  body.push(blob.bytes.subarray(0, 20 * MiB))
  await until(async () => {
    const head = await ask(url(set.address('d'), blob), 'HEAD')
    return Number(head.headers['upload-offset']) > 0
  })
  await Promise.all([assert.rejects(upload), ...['a', 'b', 'c'].map((id) => set.kill(id))])
  await set.well(['d'])
  // It followed the upload, and goes on from where that broke off. It may still write what had come.
  const goOn = async () => {
    const head = await ask(url(set.address('d'), blob), 'HEAD')
    const offset = Number(head.headers['upload-offset'])
    assert.ok(offset > 0, 'it heard of it')
    return patch(set.address('d'), blob, offset)
  }
  let stored = await goOn()
  await until(async () => {
    if (![409, 423].includes(stored.status)) return true
    stored = await goOn()
    return false
  })
  assert.equal(stored.headers['blob-servers'], 'd')
  const { servers } = await saved(set.address('d'), 'film', blob)
  assert.deepEqual(servers, ['d'])
  await Promise.all(['a', 'b', 'c'].map((id) => set.start(id)))
  await set.well()
  for (const id of set.ids) {
    await until(async () => filesOf(set.data(id)).includes(blob.hash.slice(2)))
    const place = join(set.data(id), 'blobs', blob.hash.slice(0, 2), blob.hash.slice(2))
    assert.equal(blobOf(readFileSync(place)).hash, blob.hash, id)
  }
})
