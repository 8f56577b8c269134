// Blobs over HTTP, at one real server: up, down, broken off, gone on with, refused.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import * as http from 'node:http'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { now } from '../src/adapters/system.ts'
import { blobBytesMax } from '../src/core/model/limits.ts'
import { Tokens } from '../src/server/tokens.ts'
import { proofHeader } from '../src/server/services/replication.ts'
import { blobOf, filesOf, fleet, MiB, patch, url, type Blob } from './blob-requests.ts'
import { startLone } from './lone-server.ts'
import { ask } from './requests.ts'
import { until } from './until.ts'

test('bytes come back as they were sent, with rules for browsers', async (t) => {
  const { address, directory } = await startLone(t)
  const blob = blobOf(randomBytes(3 * MiB))
  assert.equal((await ask(url(address, blob), 'HEAD')).status, 404)
  const stored = await patch(address, blob)
  assert.deepEqual([stored.status, stored.headers['blob-servers']], [201, 'a'])
  const head = await ask(url(address, blob), 'HEAD')
  assert.deepEqual([head.status, head.headers['content-length']], [200, String(blob.size)])
  const got = await ask(`${address}/blobs/${blob.hash}`, 'GET')
  assert.deepEqual(got.body, blob.bytes)
  assert.equal(got.headers['content-type'], 'application/octet-stream')
  assert.equal(got.headers['x-content-type-options'], 'nosniff')
  assert.equal(got.headers['content-disposition'], 'attachment')
  assert.match(got.headers['cache-control']!, /private, max-age=\d+, immutable/)
  const known = await ask(`${address}/blobs/${blob.hash}`, 'GET', {
    'if-none-match': got.headers.etag,
  })
  assert.deepEqual([known.status, known.body.length], [304, 0])
  // The same bytes once.
  assert.equal((await patch(address, blob)).status, 409)
  assert.equal(filesOf(directory).length, 1)
})

test('a file of no bytes is a blob too', async (t) => {
  const { address } = await startLone(t)
  const blob = blobOf(Buffer.alloc(0))
  assert.equal((await patch(address, blob)).status, 201)
  const got = await ask(`${address}/blobs/${blob.hash}`, 'GET')
  assert.deepEqual([got.status, got.body.length], [200, 0])
})

test('an upload in pieces tells how far it is, and takes the next only there', async (t) => {
  const { address } = await startLone(t)
  const blob = blobOf(randomBytes(1000))
  const first = await patch(address, blob, 0, 400)
  assert.deepEqual([first.status, first.headers['upload-offset']], [204, '400'])
  const head = await ask(url(address, blob), 'HEAD')
  assert.deepEqual([head.status, head.headers['upload-offset']], [404, '400'])
  // A browser calls 404 an error: who is about to upload may have it without.
  const begun = await ask(`${url(address, blob)}&upload=1`, 'HEAD')
  assert.deepEqual([begun.status, begun.headers['upload-offset']], [204, '400'])
  for (const offset of [0, 399, 401]) {
    const wrong = await patch(address, blob, offset)
    assert.deepEqual([wrong.status, wrong.headers['upload-offset']], [409, '400'], `${offset}`)
  }
  // So it is with this one: somebody else may have sent more meanwhile.
  const behind = await ask(`${url(address, blob)}&upload=1`, 'PATCH', { 'upload-offset': 0 })
  assert.deepEqual([behind.status, behind.headers['upload-offset']], [204, '400'])
  assert.equal((await patch(address, blob, 400)).status, 201)
  assert.deepEqual((await ask(`${address}/blobs/${blob.hash}`, 'GET')).body, blob.bytes)
})

test('any range can be had', async (t) => {
  const { address } = await startLone(t)
  const blob = blobOf(randomBytes(1000))
  await patch(address, blob)
  const get = (range: string, more = {}) =>
    ask(`${address}/blobs/${blob.hash}`, 'GET', { range, ...more })
  const parts: [range: string, start: number, end: number][] = [
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=990-', 990, 1000],
    ['bytes=-10', 990, 1000],
    ['bytes=-5000', 0, 1000],
    ['bytes=999-5000', 999, 1000],
  ]
  for (const [range, start, end] of parts) {
    const got = await get(range)
    assert.equal(got.status, 206, range)
    assert.equal(got.headers['content-range'], `bytes ${start}-${end - 1}/1000`)
    assert.deepEqual(got.body, blob.bytes.subarray(start, end), range)
  }
  for (const range of ['bytes=1000-', 'bytes=5000-6000', 'bytes=-0']) {
    const got = await get(range)
    assert.deepEqual([got.status, got.headers['content-range']], [416, 'bytes */1000'], range)
  }
  // What is no range that we know is the whole.
  for (const range of ['bytes=', 'bytes=-', 'lines=1-2', 'bytes=5-2', 'bytes=0-1,3-4', 'bytes=x']) {
    const got = await get(range)
    assert.deepEqual([got.status, got.body.length], [200, 1000], range)
  }
  assert.equal((await get('bytes=0-0', { 'if-range': '"other"' })).status, 200)
})

test('what is wrong with an upload is said, and nothing of it stays', async (t) => {
  const { address, directory } = await startLone(t)
  const blob = blobOf(randomBytes(1000))
  const other = { ...blob, bytes: randomBytes(1000) }
  const refused = await patch(address, other)
  assert.deepEqual([refused.status, filesOf(directory)], [400, []])
  assert.match(refused.body.toString(), /have not the SHA-256 .*; upload them again\.\n$/)
  const long = await ask(url(address, blob), 'PATCH', { 'upload-offset': 0 }, randomBytes(1001))
  assert.equal(long.status, 400)
  const unsaid = Readable.from([randomBytes(600), randomBytes(600)], { objectMode: false })
  const chunked = await ask(url(address, blob), 'PATCH', { 'upload-offset': 0 }, unsaid)
  assert.equal(chunked.status, 400)
  const path = `${address}/blobs/${blob.hash}`
  const rows: [method: string, url: string, status: number, headers?: http.OutgoingHttpHeaders][] =
    [
      ['PATCH', url(address, blob), 400],
      ['PATCH', url(address, blob), 400, { 'upload-offset': '-1' }],
      ['PATCH', url(address, blob), 400, { 'upload-offset': 'x' }],
      ['PATCH', path, 400, { 'upload-offset': 0 }],
      ['PATCH', `${path}?size=-1`, 400, { 'upload-offset': 0 }],
      ['PATCH', `${path}?size=${blobBytesMax + 1}`, 413, { 'upload-offset': 0 }],
      ['PATCH', `${address}/blobs/x?size=1`, 404, { 'upload-offset': 0 }],
      ['GET', path, 404],
      ['GET', `${address}/blobs/`, 404],
      ['GET', `${address}/blobs/..%2f..%2fstore`, 404],
      ['PUT', path, 405],
      ['DELETE', path, 405],
      ['POST', `${path}?size=1`, 403],
      ['GET', path, 403, { origin: 'https://evil.example.org' }],
      ['PATCH', url(address, blob), 403, { 'upload-offset': 0, origin: 'null' }],
    ]
  for (const [method, target, status, headers] of rows) {
    const answer = await ask(target, method, headers)
    assert.equal(answer.status, status, `${method} ${target} ${JSON.stringify(headers)}`)
  }
  assert.deepEqual(filesOf(directory), [])
})

test('a disk without room for it is said before anything is sent', async (t) => {
  const { address } = await startLone(t, { diskFreeBytesMin: 1 })
  const size = blobBytesMax
  const space = await ask(`${address}/blobs/${'0'.repeat(64)}?size=${size}`, 'PATCH', {
    'upload-offset': 0,
  })
  // Where more than 16 GiB are free there is room, and an upload of no bytes has begun.
  assert.ok(space.status === 507 || space.status === 204, String(space.status))
  const full = await startLone(t, { diskFreeBytesMin: Number.MAX_SAFE_INTEGER })
  const blob = blobOf(randomBytes(10))
  const answer = await patch(full.address, blob)
  assert.ok(answer.status === 507 || answer.status === 503, String(answer.status))
  assert.match(answer.body.toString(), /Try another\.\n$/)
})

test('scripts of the pages of this set may upload and read', async (t) => {
  const origin = 'http://127.0.0.1:2'
  const { address } = await startLone(t)
  const blob = blobOf(randomBytes(10))
  const asked = await ask(url(address, blob), 'OPTIONS', { origin })
  assert.equal(asked.status, 204)
  assert.match(String(asked.headers['access-control-allow-methods']), /PATCH/)
  assert.match(String(asked.headers['access-control-allow-headers']), /upload-offset/)
  const headers = { origin, 'upload-offset': 0 }
  const answer = await ask(url(address, blob), 'PATCH', headers, blob.bytes)
  assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [201, origin])
  assert.match(String(answer.headers['access-control-expose-headers']), /blob-servers/)
})

test('where people sign in, blobs are for those who did, and for proven servers', async (t) => {
  const password = 'correct horse'
  const { address } = await startLone(t, { auth: { password } })
  const tokens = new Tokens('test', password)
  const blob = blobOf(randomBytes(10))
  assert.equal((await patch(address, blob)).status, 401)
  const bearer = { authorization: `Bearer ${tokens.make('Ada', now()).token}` }
  const headers = { ...bearer, 'upload-offset': 0 }
  assert.equal((await ask(url(address, blob), 'PATCH', headers, blob.bytes)).status, 201)
  const get = (more: http.OutgoingHttpHeaders) =>
    ask(`${address}/blobs/${blob.hash}`, 'GET', more).then(({ status }) => status)
  assert.equal(await get({}), 401)
  assert.equal(await get({ authorization: 'Bearer x' }), 401)
  assert.equal(await get({ [proofHeader]: 'b.1.x' }), 403)
  assert.equal(await get(bearer), 200)
  assert.equal(await get({ [proofHeader]: tokens.proof('b', now()) }), 200)
  const offer = { [proofHeader]: tokens.proof('b', now()) }
  assert.equal((await ask(`${url(address, blob)}&from=b`, 'POST', offer)).status, 200)
  assert.equal((await ask(`${url(address, blob)}&from=b`, 'POST', bearer)).status, 403)
})

test('bytes that another server brings along with its offer are here, if they are the right ones', async (t) => {
  const password = 'correct horse'
  const { address, directory } = await startLone(t, { auth: { password } })
  const tokens = new Tokens('test', password)
  const bring = (blob: Blob, bytes: Buffer) => {
    const proof = { [proofHeader]: tokens.proof('b', now()) }
    return ask(`${url(address, blob)}&from=b`, 'POST', proof, bytes)
  }
  const [blob, other] = [blobOf(randomBytes(1000)), blobOf(randomBytes(1000))]
  assert.equal((await bring(other, blob.bytes)).status, 202)
  assert.deepEqual(filesOf(directory), [])
  for (const _ of ['first', 'again']) assert.equal((await bring(blob, blob.bytes)).status, 200)
  const bearer = { authorization: `Bearer ${tokens.make('Ada', now()).token}` }
  const { body } = await ask(`${address}/blobs/${blob.hash}`, 'GET', bearer)
  assert.deepEqual(body, blob.bytes)
  assert.equal((await ask(url(address, other), 'HEAD', bearer)).status, 404)
})

test('of two uploads of one blob at once one is taken; for both it is there', async (t) => {
  const { address, directory } = await startLone(t)
  const blob = blobOf(randomBytes(2 * MiB))
  const slow = new Readable({ read() {} })
  slow.push(blob.bytes.subarray(0, MiB))
  const first = ask(url(address, blob), 'PATCH', { 'upload-offset': 0 }, slow)
  await until(async () => filesOf(directory).length > 0)
  const second = await patch(address, blob)
  assert.equal(second.status, 423)
  const quiet = await ask(`${url(address, blob)}&upload=1`, 'PATCH', { 'upload-offset': 0 })
  assert.equal(quiet.status, 204)
  slow.push(blob.bytes.subarray(MiB))
  slow.push(null)
  assert.equal((await first).status, 201)
  assert.equal((await ask(url(address, blob), 'HEAD')).status, 200)
  assert.equal(filesOf(directory).length, 1)
})

test('an upload whose sender goes away is kept as far as it came', async (t) => {
  const { address } = await startLone(t)
  const blob = blobOf(randomBytes(4 * MiB))
  const target = new URL(url(address, blob))
  const headers = { 'upload-offset': 0, 'content-length': blob.size }
  const request = http.request(target, { method: 'PATCH', headers, agent: false })
  request.on('error', () => {})
  await new Promise((sent) => request.write(blob.bytes.subarray(0, MiB), sent))
  request.destroy()
  let offset = 0
  await until(async () => {
    offset = Number((await ask(url(address, blob), 'HEAD')).headers['upload-offset'])
    return offset > 0 && (await patch(address, blob, offset)).status === 201
  })
  assert.ok(offset <= MiB)
  assert.deepEqual((await ask(`${address}/blobs/${blob.hash}`, 'GET')).body, blob.bytes)
})

test('an upload whose sender goes away as it begins is taken from the next', async (t) => {
  const { address, port } = await startLone(t)
  for (let round = 0; round < 10; round++) {
    const blob = blobOf(randomBytes(1000))
    const { pathname, search } = new URL(url(address, blob))
    const socket = net.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const head = `PATCH ${pathname}${search} HTTP/1.1\r\nhost: localhost\r\nupload-offset: 0\r\n`
    socket.end(`${head}content-length: 1000\r\n\r\n`)
    await once(socket.resume(), 'close')
    let status = 423
    for (let tries = 0; status === 423 && tries < 500; tries++) {
      status = (await patch(address, blob)).status
      if (status === 423) await sleep(20)
    }
    assert.equal(status, 201, `round ${round}`)
  }
})

test('all of it works over HTTP/2', async (t) => {
  const { address } = await startLone(t)
  const blob = blobOf(randomBytes(5 * MiB))
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const path = `/blobs/${blob.hash}`
  const talk = async (headers: http2.OutgoingHttpHeaders, body?: Buffer) => {
    const stream = session.request(headers, { endStream: body === undefined })
    if (body) stream.end(body)
    const [answer] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    return { status: answer[':status'], body: Buffer.concat(chunks) }
  }
  const up = { ':method': 'PATCH', ':path': `${path}?size=${blob.size}`, 'upload-offset': '0' }
  assert.equal((await talk(up, blob.bytes)).status, 201)
  assert.deepEqual((await talk({ ':path': path })).body, blob.bytes)
  const part = await talk({ ':path': path, range: 'bytes=1-3' })
  assert.deepEqual([part.status, part.body], [206, blob.bytes.subarray(1, 4)])
})

test('a server killed in the middle of an upload goes on with it', async (t) => {
  const set = await fleet(t, { ids: ['a'] })
  const address = set.address('a')
  const blob = blobOf(randomBytes(60 * MiB))
  for (let kills = 0; kills < 3; kills++) {
    const offset = Number((await ask(url(address, blob), 'HEAD')).headers['upload-offset'])
    const body = new Readable({ read() {} })
    const upload = ask(url(address, blob), 'PATCH', { 'upload-offset': offset }, body)
    body.push(blob.bytes.subarray(offset, offset + 18 * MiB))
    // Not at its end: what it has flushed by itself is what counts.
    await until(async () => {
      const head = await ask(url(address, blob), 'HEAD')
      return Number(head.headers['upload-offset']) > offset
    })
    await Promise.all([assert.rejects(upload), set.kill('a')])
    await set.start('a')
    await set.well()
  }
  const offset = Number((await ask(url(address, blob), 'HEAD')).headers['upload-offset'])
  assert.ok(offset >= 3 * 16 * MiB, String(offset))
  assert.equal((await patch(address, blob, offset)).status, 201)
  assert.deepEqual((await ask(`${address}/blobs/${blob.hash}`, 'GET')).body, blob.bytes)
})

/** Resident memory of a process. */
function memoryBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
  return Number(kilobytes) * 1024
}

test('300 MB up and down take a server little memory', async (t) => {
  const set = await fleet(t, { ids: ['a'] })
  const address = set.address('a')
  const piece = randomBytes(MiB)
  const pieces = 300
  const hash = createHash('sha256')
  for (let count = 0; count < pieces; count++) hash.update(piece)
  const name = { hash: hash.digest('hex'), size: pieces * MiB }
  const before = memoryBytes(set.pid('a'))
  const there = async () => {
    const body = Readable.from(
      Array.from({ length: pieces }, () => piece),
      { objectMode: false },
    )
    const headers = { 'upload-offset': 0, 'content-length': name.size }
    assert.equal((await ask(url(address, name), 'PATCH', headers, body)).status, 201)
  }
  const andBack = async () => {
    const request = http.get(`${address}/blobs/${name.hash}`, { agent: false })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    const got = createHash('sha256')
    for await (const chunk of response) got.update(chunk as Buffer)
    assert.equal(got.digest('hex'), name.hash)
  }
  let peak = 0
  const timer = setInterval(() => (peak = Math.max(peak, memoryBytes(set.pid('a')))), 20)
  try {
    await there()
    await andBack()
  } finally {
    clearInterval(timer)
  }
  const grown = (peak - before) / MiB
  t.diagnostic(`grown by ${grown.toFixed(0)} MiB`)
  assert.ok(grown < 100, `${grown} MiB`)
})
