// Blobs over HTTP, at real servers: up, down, broken off, gone on with, and on every disk of a set.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import * as http from 'node:http'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { now } from '../src/adapters/system.ts'
import { blobBytesMax, blobFollowsMax, blobIdleMs } from '../src/core/model/limits.ts'
import { Tokens } from '../src/server/tokens.ts'
import { proofHeader } from '../src/server/services/replication.ts'
import { Fleet, type FleetOptions } from './fleet.ts'
import { startLone } from './lone-server.ts'

const MiB = 1024 * 1024

interface Blob {
  bytes: Buffer
  hash: string
  size: number
}

function blobOf(bytes: Buffer): Blob {
  return { bytes, hash: createHash('sha256').update(bytes).digest('hex'), size: bytes.length }
}

interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
}

/** One request. Rejects when the connection breaks before the answer is whole. */
async function ask(
  url: string,
  method: string,
  headers: http.OutgoingHttpHeaders = {},
  body: Buffer | Readable = Buffer.alloc(0),
): Promise<Answer> {
  const request = http.request(url, { method, headers, agent: false })
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>
  if (Buffer.isBuffer(body)) request.end(body)
  else body.pipe(request)
  const [response] = await answered
  // What is refused while it is sent breaks off.
  request.on('error', () => {})
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }
}

const url = (address: string, { hash, size }: Pick<Blob, 'hash' | 'size'>) =>
  `${address}/blobs/${hash}?size=${size}`

function patch(address: string, blob: Blob, offset = 0, end = blob.size): Promise<Answer> {
  const body = blob.bytes.subarray(offset, end)
  return ask(url(address, blob), 'PATCH', { 'upload-offset': offset }, body)
}

/** Where a server has a blob, be it whole or not. */
function filesOf(directory: string): string[] {
  return readdirSync(join(directory, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
}

async function fleet(t: TestContext, options: FleetOptions = {}): Promise<Fleet> {
  const configuration = { diskFreeBytesMin: 0, ...options.configuration }
  const set = await Fleet.start({ ...options, configuration })
  t.after(() => set.end())
  return set
}

/** Waits for what has to come. */
async function until(isTrue: () => Promise<boolean>, boundMs = 60_000): Promise<void> {
  const end = performance.now() + boundMs
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`not so within ${boundMs} ms`)
    await sleep(20)
  }
}

/** Resident memory of a process. */
function memoryBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
  return Number(kilobytes) * 1024
}

// --------------------------------------------------------------------------------- one server

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
  const origin = 'http://127.0.0.1:1'
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

test('of two uploads of one blob at once one is taken; for both it is there', async (t) => {
  const { address, directory } = await startLone(t)
  const blob = blobOf(randomBytes(2 * MiB))
  const slow = new Readable({ read() {} })
  slow.push(blob.bytes.subarray(0, MiB))
  const first = ask(url(address, blob), 'PATCH', { 'upload-offset': 0 }, slow)
  await until(async () => filesOf(directory).length > 0)
  const second = await patch(address, blob)
  assert.equal(second.status, 423)
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

// -------------------------------------------------------------------------------- four servers

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
  const follows = () => filesOf(set.data('b')).filter((file) => file.endsWith('.synced')).length
  await until(async () => follows() === blobFollowsMax)
  const blob = blobOf(randomBytes(3 * MiB))
  assert.equal((await patch(set.address('a'), blob)).status, 201)
  await saved(set.address('a'), 'film', blob)
  // Before those that stall are ended.
  await until(async () => filesOf(set.data('b')).includes(blob.hash.slice(2)), blobIdleMs - 5000)
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

// --------------------------------------------------------------------------------------- files

interface Told {
  id: string
  path: string
  kind: string
  hash?: string
  size?: number
  hasConflict?: boolean
}

/** A call of FolderService in JSON. */
async function call(address: string, method: string, request: object) {
  const url = `${address}/fourfold.v1.FolderService/${method}`
  const headers = { 'content-type': 'application/json' }
  const { status, body } = await ask(url, 'POST', headers, Buffer.from(JSON.stringify(request)))
  return { status, body: JSON.parse(body.toString()) }
}

async function saved(address: string, file: string, blob: Blob, more: object = {}) {
  const { hash, size } = blob
  const { status, body } = await call(address, 'SaveBinary', { file, hash, size, ...more })
  assert.equal(status, 200, JSON.stringify(body))
  return body as { file: Told; servers: string[]; serverCount: number }
}

async function fileAt(address: string, file: string): Promise<Told> {
  return (await call(address, 'GetFile', { file })).body.file as Told
}

test('a file gets its bytes only where they are, and tells them', async (t) => {
  const { address } = await startLone(t)
  const blob = blobOf(randomBytes(5000))
  const early = await call(address, 'SaveBinary', { file: 'cat.png', ...name(blob) })
  assert.deepEqual([early.body.code], ['unavailable'])
  assert.match(early.body.message, /^These bytes are not here: upload them/)
  assert.equal((await call(address, 'GetFile', { file: 'cat.png' })).status, 404)
  await patch(address, blob)
  const wrong = await call(address, 'SaveBinary', { file: 'cat.png', ...name(blob), size: 4999 })
  assert.equal(wrong.body.code, 'unavailable')
  const { file, servers } = await saved(address, 'cat.png', blob)
  assert.deepEqual([file.kind, file.hash, file.size], ['KIND_BINARY', blob.hash, 5000])
  assert.deepEqual(servers, ['a'])
  const read = await call(address, 'ReadFile', { file: 'cat.png' })
  assert.notEqual(read.status, 200)
  for (const bad of [{ hash: 'x' }, { size: 1.5 }, { hash: blob.hash.toUpperCase() }]) {
    const refused = await call(address, 'SaveBinary', { file: 'b', ...name(blob), ...bad })
    assert.equal(refused.body.code, 'invalid_argument', JSON.stringify(bad))
  }
})

const name = ({ hash, size }: Blob) => ({ hash, size })

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
  const directory = await call(address, 'SaveBinary', { file: 'd', ...name(blob) })
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
  // It followed the upload, and goes on from where that broke off.
  const offset = Number((await ask(url(set.address('d'), blob), 'HEAD')).headers['upload-offset'])
  assert.ok(offset > 0, 'it heard of it')
  const stored = await patch(set.address('d'), blob, offset)
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
