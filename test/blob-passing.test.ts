// Bytes that a server's entries name and its disk lacks: passed on as they come, or asked for elsewhere.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import * as http from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { blobOf, MiB, patch, saved, type Blob } from './blob-requests.ts'
import { Fleet } from './fleet.ts'
import { until } from './until.ts'

const configuration = { diskFreeBytesMin: 0 }

const freshBlob = (bytes: number) => blobOf(randomBytes(bytes))

/** Puts a file of these bytes into the folder. */
async function put(address: string, file: string, blob: Blob): Promise<void> {
  const { status } = await patch(address, blob)
  assert.ok(status === 201 || status === 409, String(status))
  await saved(address, file, blob)
}

/** A set with one server that runs, knows of these bytes, and has lost them. */
async function withoutBytes(t: TestContext, ids: string[], blobs: Blob[]): Promise<Fleet> {
  const set = await Fleet.create({ ids, configuration })
  t.after(() => set.end())
  await Promise.all(ids.map((id) => set.start(id)))
  await set.well()
  for (const [index, blob] of blobs.entries()) await put(set.address('a'), `${index}.bin`, blob)
  await set.same()
  await Promise.all(ids.map((id) => set.kill(id)))
  rmSync(join(set.data('a'), 'blobs'), { recursive: true })
  await set.start('a')
  await set.well(['a'])
  return set
}

/** The bytes of an answer, one piece after the other. */
function piecesOf(response: http.IncomingMessage) {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  return async (length: number): Promise<Buffer> => {
    const found: Buffer[] = []
    for (let bytes = 0; bytes < length;) {
      const { value, done } = await chunks.next()
      if (done) break
      found.push(value)
      bytes += value.length
    }
    return Buffer.concat(found)
  }
}

async function get(url: string, headers = {}): Promise<http.IncomingMessage> {
  const [response] = await once(http.get(url, { agent: false, headers }), 'response')
  return response as http.IncomingMessage
}

test('bytes that no other server has now are said to be late, and another server is asked', async (t) => {
  const blob = freshBlob(3 * MiB)
  const set = await withoutBytes(t, ['a', 'b'], [blob])
  const places = [`/blobs/${blob.hash}`, '/dav/0.bin']
  for (const place of places) {
    const late = await fetch(`${set.address('a')}${place}`)
    assert.equal(late.status, 503, place)
    assert.ok(Number(late.headers.get('retry-after')) > 0)
    assert.match(await late.text(), /^These bytes are not here yet/)
  }
  const head = await fetch(`${set.address('a')}/blobs/${blob.hash}`, { method: 'HEAD' })
  assert.equal(head.status, 503)
  // What no entry names is simply not here.
  const other = await fetch(`${set.address('a')}/blobs/${'0'.repeat(64)}`)
  assert.equal(other.status, 404)
  await set.start('b')
  for (const place of places) {
    await until(async () => {
      const found = await fetch(`${set.address('a')}${place}`)
      const bytes = Buffer.from(await found.arrayBuffer())
      return found.status === 200 && bytes.equals(blob.bytes)
    })
  }
})

/** Stands where another server of the set would be, and gives out a blob in two halves. */
async function halves(t: TestContext, set: Fleet, { bytes, hash }: Blob, given: Buffer) {
  const second = Promise.withResolvers<void>()
  const asked: string[] = []
  const peer = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.method !== 'GET' || !request.url?.startsWith(`/blobs/${hash}`)) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-length': String(bytes.length) })
    response.write(given.subarray(0, given.length / 2))
    void second.promise.then(() => response.end(given.subarray(given.length / 2)))
  })
  const { port } = new URL(set.address('b'))
  peer.listen(Number(port), '127.0.0.1')
  await once(peer, 'listening')
  t.after(() => {
    peer.closeAllConnections()
    peer.close()
  })
  return { goOn: () => second.resolve(), asked }
}

test('bytes on their way here are passed on as they come, whole or a part', async (t) => {
  const blob = freshBlob(4 * MiB)
  const set = await withoutBytes(t, ['a', 'b'], [blob])
  const { goOn } = await halves(t, set, blob, blob.bytes)
  const url = `${set.address('a')}/blobs/${blob.hash}`
  let first: http.IncomingMessage | undefined
  await until(async () => {
    first = await get(url)
    if (first.statusCode !== 200) first.resume()
    return first.statusCode === 200
  })
  const read = piecesOf(first!)
  const start = await read(MiB)
  assert.deepEqual(start, blob.bytes.subarray(0, start.length))
  const part = await get(url, { range: 'bytes=1000-1999' })
  assert.equal(part.statusCode, 206)
  assert.deepEqual(await piecesOf(part)(1000), blob.bytes.subarray(1000, 2000))
  const head = await fetch(url, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(4 * MiB)])
  const mounted = await get(`${set.address('a')}/dav/0.bin`)
  const readMounted = piecesOf(mounted)
  const startMounted = await readMounted(MiB)
  goOn()
  const rest = await read(Infinity)
  assert.deepEqual(Buffer.concat([start, rest]), blob.bytes)
  assert.deepEqual(Buffer.concat([startMounted, await readMounted(Infinity)]), blob.bytes)
})

test('the end of other bytes than those that are named is given to nobody', async (t) => {
  const blob = freshBlob(4 * MiB)
  const wrong = Buffer.from(blob.bytes)
  wrong[3 * MiB]! ^= 1
  const set = await withoutBytes(t, ['a', 'b'], [blob])
  const { goOn } = await halves(t, set, blob, wrong)
  const url = `${set.address('a')}/blobs/${blob.hash}`
  let response: http.IncomingMessage | undefined
  await until(async () => {
    response = await get(url)
    if (response.statusCode !== 200) response.resume()
    return response.statusCode === 200
  })
  goOn()
  await assert.rejects(piecesOf(response!)(Infinity))
})
