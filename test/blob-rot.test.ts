// A disk that gives other bytes than it was given: nobody gets them as a whole, and they heal.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs'
import * as http2 from 'node:http2'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { errorCodeOf } from '../src/adapters/error-code.ts'
import { partOf } from '../src/cli/blobs.ts'
import { blobOf, filesOf, fleet, MiB, patch, saved, url, type Blob } from './blob-requests.ts'
import type { Fleet } from './fleet.ts'
import { fourfold } from './cli/prompt.ts'
import { temporaryFolder } from './lone-server.ts'
import { ask } from './requests.ts'
import { until } from './until.ts'

const placeOf = (directory: string, { hash }: Blob) =>
  join(directory, 'blobs', hash.slice(0, 2), hash.slice(2))

/** Turns one bit of what a server has stored. */
function flip(directory: string, blob: Blob, at = blob.size >> 1): void {
  const file = fs.openSync(placeOf(directory, blob), 'r+')
  fs.writeSync(file, Buffer.from([blob.bytes[at]! ^ 1]), 0, 1, at)
  fs.closeSync(file)
}

function isRight(directory: string, blob: Blob): boolean {
  try {
    return fs.readFileSync(placeOf(directory, blob)).equals(blob.bytes)
  } catch (error) {
    // The server sets it aside at any moment.
    if (errorCodeOf(error) !== 'ENOENT') throw error
    return false
  }
}

/** All bytes of an answer over HTTP/2. Rejects when it is not whole. */
async function overHttp2(t: TestContext, address: string, path: string): Promise<Buffer> {
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const stream = session.request({ ':path': path })
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  assert.equal(headers[':status'], 200)
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function overHttp1(_t: TestContext, address: string, path: string): Promise<Buffer> {
  const { status, body } = await ask(address + path, 'GET')
  assert.equal(status, 200)
  return body
}

const isHere = async (set: Fleet, id: string, blob: Blob) =>
  (await ask(url(set.address(id), blob), 'HEAD')).status === 200

test('what the disk changed is given to nobody as a whole, and is fetched again', async (t) => {
  const set = await fleet(t, { ids: ['a', 'b'] })
  const address = set.address('a')
  for (const read of [overHttp1, overHttp2]) {
    for (const door of ['blobs', 'dav']) {
      for (const size of [2 * MiB + 1, 100]) {
        const blob = blobOf(randomBytes(size))
        const name = `${read.name}-${door}-${size}.bin`
        assert.equal((await patch(address, blob)).status, 201)
        await saved(address, name, blob)
        await until(() => isHere(set, 'b', blob))
        flip(set.data('a'), blob)
        const path = door === 'dav' ? `/dav/${name}` : `/blobs/${blob.hash}`
        await assert.rejects(read(t, address, path), name)
        await until(() => isRight(set.data('a'), blob))
        assert.deepEqual(await read(t, address, path), blob.bytes, name)
      }
    }
  }
  assert.match(set.said('a'), /the disk gave other bytes than those of blob/)
  await set.same()
})

test('a server whose copy is spoilt is no holder until it has the bytes again', async (t) => {
  const set = await fleet(t, { ids: ['a', 'b'] })
  const address = set.address('a')
  const blob = blobOf(randomBytes(MiB))
  assert.equal((await patch(address, blob)).status, 201)
  await saved(address, 'a.bin', blob)
  await until(() => isHere(set, 'b', blob))
  await set.kill('b')
  flip(set.data('a'), blob)
  await assert.rejects(ask(`${address}/blobs/${blob.hash}`, 'GET'))
  // Until it is set aside, others break off as well.
  const again = () => ask(`${address}/blobs/${blob.hash}`, 'GET').catch(() => undefined)
  await until(async () => (await again())?.status === 503)
  assert.equal(await isHere(set, 'a', blob), false)
  // They could be all that is left of it.
  assert.ok(filesOf(set.data('a')).includes(`${blob.hash}.spoilt`))
  await set.start('b')
  await until(() => isHere(set, 'a', blob))
  const told = await saved(address, 'a.bin', blob)
  assert.deepEqual(told.servers.toSorted(), ['a', 'b'])
  assert.deepEqual((await ask(`${address}/blobs/${blob.hash}`, 'GET')).body, blob.bytes)
})

test('a file that a crash emptied or cut short is not taken for one of those bytes', async (t) => {
  const set = await fleet(t, { ids: ['a', 'b'] })
  const address = set.address('a')
  for (const left of [0, 1000]) {
    for (const door of ['blobs', 'dav']) {
      const blob = blobOf(randomBytes(MiB))
      const name = `${left}-${door}.bin`
      assert.equal((await patch(address, blob)).status, 201)
      await saved(address, name, blob)
      await until(() => isHere(set, 'b', blob))
      fs.truncateSync(placeOf(set.data('a'), blob), left)
      const path = door === 'dav' ? `/dav/${name}` : `/blobs/${blob.hash}`
      await assert.rejects(ask(address + path, 'GET'), name)
      await until(() => isRight(set.data('a'), blob))
      assert.deepEqual((await ask(address + path, 'GET')).body, blob.bytes)
    }
  }
})

test('the prompt that meets wrong bytes begins anew at another server', async (t) => {
  const set = await fleet(t, { ids: ['a', 'b'] })
  const servers = set.addresses.join(',')
  const blob = blobOf(randomBytes(2 * MiB))
  assert.equal((await patch(set.address('a'), blob)).status, 201)
  await saved(set.address('a'), 'a.bin', blob)
  await until(() => isHere(set, 'b', blob))
  const cwd = temporaryFolder(t)
  const get = (name: string) => fourfold(['get', 'a.bin', name], { servers, cwd })
  const isGood = async (name: string) => {
    const { code, err } = await get(name)
    assert.deepEqual([code, err], [0, ''])
    assert.deepEqual(fs.readFileSync(join(cwd, name)), blob.bytes)
  }
  // In what is sent, early enough that what comes before the end is wrong.
  flip(set.data('a'), blob, 1000)
  await isGood('sent')
  // In what an earlier try left, in part or all of it.
  const wrong = Buffer.from(blob.bytes)
  wrong[1000]! ^= 1
  for (const length of [MiB, 2 * MiB]) {
    const name = `left-${length}`
    fs.writeFileSync(partOf(join(cwd, name), blob.hash), wrong.subarray(0, length))
    await isGood(name)
  }
  assert.deepEqual(
    fs.readdirSync(cwd).filter((name) => name.endsWith('.part')),
    [],
  )
})

test('an upload behind the beginning of other bytes begins anew', async (t) => {
  const set = await fleet(t, { ids: ['a'] })
  const cwd = temporaryFolder(t)
  const blob = blobOf(randomBytes(2 * MiB))
  const poison = { ...blob, bytes: randomBytes(2 * MiB) }
  assert.equal((await patch(set.address('a'), poison, 0, MiB)).status, 204)
  fs.writeFileSync(join(cwd, 'a.bin'), blob.bytes)
  const servers = set.addresses.join(',')
  const { code, err } = await fourfold(['put', 'a.bin'], { servers, cwd })
  assert.deepEqual([code, err], [0, ''])
  const got = await ask(`${set.address('a')}/blobs/${blob.hash}`, 'GET')
  assert.deepEqual(got.body, blob.bytes)
})
