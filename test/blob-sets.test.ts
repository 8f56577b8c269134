// Blobs in sets of real servers: on every disk, however they got there.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'

import { blobFollowsMax, blobIdleMs } from '../src/core/model/limits.ts'
import { blobOf, filesOf, fleet, MiB, patch, saved, url } from './blob-requests.ts'
import { ask } from './requests.ts'
import { until } from './until.ts'

test('an upload to one of four is soon on all four disks, and its answer tells which', async (t) => {
  const set = await fleet(t)
  const blob = blobOf(randomBytes(2 * MiB))
  const stored = await patch(set.address('b'), blob)
  assert.equal(stored.status, 201)
  const told = new Set(String(stored.headers['blob-servers']).split(', '))
  for (const id of set.ids) {
    // Told means there, at once.
    const isThere = filesOf(set.data(id)).includes(blob.hash.slice(2))
    assert.ok(isThere || !told.has(id), id)
  }
  await until(async () => {
    const head = await ask(`${url(set.address('d'), blob)}&servers=1`, 'HEAD')
    return String(head.headers['blob-servers']).split(', ').sort().join() === 'a,b,c,d'
  })
  for (const id of set.ids) {
    const got = await ask(`${set.address(id)}/blobs/${blob.hash}`, 'GET')
    assert.deepEqual(got.body, blob.bytes, id)
  }
})

test('the others follow an upload while it goes on, and have it when it ends', async (t) => {
  const set = await fleet(t)
  const blob = blobOf(randomBytes(40 * MiB))
  const body = new Readable({ read() {} })
  const upload = ask(url(set.address('a'), blob), 'PATCH', { 'upload-offset': 0 }, body)
  body.push(blob.bytes.subarray(0, 30 * MiB))
  for (const id of ['b', 'c', 'd']) {
    await until(async () => {
      const head = await ask(url(set.address(id), blob), 'HEAD')
      return Number(head.headers['upload-offset']) >= 16 * MiB
    })
  }
  // Whoever is no server of the set gets nothing of it yet.
  assert.equal((await ask(url(set.address('a'), blob), 'GET')).status, 404)
  body.push(blob.bytes.subarray(30 * MiB))
  body.push(null)
  assert.equal((await upload).status, 201)
  for (const id of set.ids) {
    await until(async () => (await ask(url(set.address(id), blob), 'HEAD')).status === 200)
    const got = await ask(`${set.address(id)}/blobs/${blob.hash}`, 'GET')
    assert.deepEqual(got.body, blob.bytes, id)
  }
})

test('uploads that stall hold up no other file on its way to the other servers', async (t) => {
  const set = await fleet(t, { ids: ['a', 'b'] })
  const stalled: Promise<unknown>[] = []
  for (let count = 0; count < 10; count++) {
    const blob = blobOf(randomBytes(2 * MiB))
    const body = new Readable({ read() {} })
    body.push(blob.bytes.subarray(0, MiB))
    stalled.push(
      assert.rejects(ask(url(set.address('a'), blob), 'PATCH', { 'upload-offset': 0 }, body)),
    )
  }
  const follows = () => filesOf(set.data('b')).filter((file) => !file.endsWith('.synced')).length
  await until(async () => follows() === blobFollowsMax, 'as many are followed as may be')
  const blob = blobOf(randomBytes(3 * MiB))
  assert.equal((await patch(set.address('a'), blob)).status, 201)
  await saved(set.address('a'), 'film', blob)
  // Before those that stall are ended.
  await until(
    async () => filesOf(set.data('b')).includes(blob.hash.slice(2)),
    'it is not held up',
    blobIdleMs - 5000,
  )
  await set.end()
  await Promise.all(stalled)
})

test('what turns out to be other bytes is kept by nobody who followed', async (t) => {
  const set = await fleet(t)
  const blob = blobOf(randomBytes(20 * MiB))
  const wrong = Buffer.from(blob.bytes)
  wrong[19 * MiB]! ^= 1
  assert.equal((await patch(set.address('a'), { ...blob, bytes: wrong })).status, 400)
  const isNowhere = async () => set.ids.every((id) => filesOf(set.data(id)).length === 0)
  await until(isNowhere)
  assert.equal((await patch(set.address('a'), blob)).status, 201)
  await until(async () => {
    const head = await ask(`${url(set.address('a'), blob)}&servers=1`, 'HEAD')
    return String(head.headers['blob-servers']).split(', ').length === 4
  })
})

test('a server that is down or frozen is not named by the answer', async (t) => {
  const set = await fleet(t)
  await set.kill('c')
  set.freeze('d')
  const blob = blobOf(randomBytes(1000))
  // It waits a moment for a server that is busy, and for ever for none.
  const stored = await patch(set.address('a'), blob)
  assert.match(String(stored.headers['blob-servers']), /^a(, b)?$/)
  await until(async () => {
    const head = await ask(`${url(set.address('a'), blob)}&servers=1`, 'HEAD')
    return head.headers['blob-servers'] === 'a, b'
  })
})
