// The one port: which HTTP a connection speaks, how long it lasts, and what each bad input gets.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http2 from 'node:http2'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

import { Code, createClient } from '@connectrpc/connect'
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node'

import { exchangePath } from '../src/adapters/channel/grpc-peer.ts'
import {
  headerBytesMax,
  messageBytesMax,
  streamsPerConnectionMax,
} from '../src/core/model/limits.ts'
import { FolderService, WatchEvent } from '../src/core/model/wire.ts'
import type { PortOptions } from '../src/server/port.ts'
import { flags, frameTypes, postHeaders, RawHttp2 } from './http2-frames.ts'
import { startLone } from './lone-server.ts'
import { closed, listFiles, pagePort, rawStatus } from './page-port.ts'
import { until } from './until.ts'

test('HTTP/2 is known by its first 24 bytes, even one by one', async (t) => {
  const { port } = await pagePort(t)
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.setNoDelay(true)
  for (const byte of Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')) {
    socket.write(Buffer.of(byte))
    await sleep(1)
  }
  socket.write(Buffer.from('000000040000000000', 'hex'))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.equal(answer.readUInt8(3), frameTypes.settings)
  socket.destroy()
})

test('a request that begins like HTTP/2 is still HTTP/1.1', async (t) => {
  const { port } = await pagePort(t)
  for (const method of ['POST', 'PUT', 'PATCH']) {
    const head = `${method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
    assert.equal(await rawStatus(port, head), '405', method)
  }
})

test('the page comes over HTTP/2 too', async (t) => {
  const { address } = await pagePort(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const stream = session.request({ ':path': '/' })
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  assert.equal(headers[':status'], 200)
})

test('who asks for the place of WebSockets over HTTP/2 is told so', async (t) => {
  const { address } = await pagePort(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const stream = session.request({ ':path': '/session' })
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  assert.equal(headers[':status'], 426)
})

test('a HEAD over HTTP/2 does not outlive its answer for long, and nothing that it sends is kept', async (t) => {
  const never = 3600_000
  // Time enough to take what comes, on a busy machine, too.
  const patience = { headersMs: never, requestMs: 3000, probeMs: never, idleMs: never }
  const { address } = await pagePort(t, { patience })
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const stream = session.request({ ':method': 'HEAD', ':path': '/' }, { endStream: false })
  const over = once(stream, 'close').then(() => 'over')
  stream.resume()
  // More than may be on its way to somebody who does not read.
  const taken = new Promise<string>((resolve) => {
    stream.write(Buffer.alloc(8 * 1024 * 1024), () => resolve('taken'))
  })
  assert.equal(await Promise.race([taken, over]), 'taken')
  await over
})

test('over HTTP/2 nobody who was answered goes on for long', async (t) => {
  const { address } = await startLone(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const blob = `/blobs/${'ab'.repeat(32)}`
  const asked: [method: string, path: string, type: string][] = [
    ['PATCH', `${blob}?size=10`, 'x/y'],
    ['GET', blob, 'x/y'],
    ['PUT', '/dav/', 'x/y'],
    ['MKCOL', '/dav/x', 'x/y'],
    ['DELETE', '/dav/x', 'x/y'],
    ['POST', '/fourfold.v1.SessionService/Session', 'application/grpc'],
    ['POST', exchangePath, 'application/grpc'],
    ['POST', '/nothing', 'x/y'],
  ]
  const over = asked.map(async ([method, path, type]) => {
    const head = { ':method': method, ':path': path, 'content-type': type }
    const stream = session.request(head, { endStream: false })
    stream.on('error', () => {})
    stream.resume().write(Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]))
    await once(stream, 'close')
  })
  await Promise.all(over)
})

test('over HTTP/2 a request whose body does not come is ended, be it answered or not', async (t) => {
  const never = 3600_000
  const patience = { headersMs: never, requestMs: 300, probeMs: never, idleMs: never }
  const { address } = await pagePort(t, { patience, answerDav: () => new Promise(() => {}) })
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const stream = session.request({ ':method': 'PROPFIND', ':path': '/dav/' }, { endStream: false })
  stream.on('error', () => {})
  stream.resume().write('<')
  await once(stream, 'close')
})

test('13 a request that goes wrong here ends, and the server goes on', async (t) => {
  const health = () => {
    throw new Error('a mistake')
  }
  const { address, port } = await pagePort(t, { health })
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const stream = session.request({ ':path': '/healthz' })
  await assert.rejects(once(stream, 'response'), { code: 'ERR_HTTP2_STREAM_ERROR' })
  assert.equal(await rawStatus(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'), '')
  assert.equal((await fetch(address)).status, 200)
})

test('a request of HTTP/1.1 whose body does not come is ended', async (t) => {
  // Nothing else ends it before the test is given up.
  const never = 3600_000
  const patience = { headersMs: never, requestMs: 300, probeMs: never, idleMs: never }
  const { port } = await pagePort(t, { patience, routes: () => {} })
  const head = `POST ${listFiles} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345`
  const startedAt = performance.now()
  await rawStatus(port, head)
  const tookMs = performance.now() - startedAt
  assert.ok(tookMs >= 299, `${tookMs} ms`)
})

test('an HTTP/2 connection that nobody uses is closed, one in use is kept', async (t) => {
  const patience = { headersMs: 5000, requestMs: 60_000, probeMs: 50, idleMs: 1000 }
  const streams: http2.ServerHttp2Stream[] = []
  const { address } = await pagePort(t, {
    patience,
    answerPeer: ({ stream }) => streams.push(stream),
  })
  const [idle, used] = [http2.connect(address), http2.connect(address)]
  t.after(() => used.destroy())
  const stream = used.request({ ':method': 'POST', ':path': exchangePath })
  stream.on('error', () => {})
  await once(idle, 'close')
  await sleep(patience.idleMs)
  assert.equal(used.closed, false)
  assert.equal(streams.length, 1)
})

test('an HTTP/2 connection that answers no ping is ended', async (t) => {
  const { port } = await pagePort(t, {
    patience: { headersMs: 5000, requestMs: 60_000, probeMs: 50, idleMs: 300 },
  })
  const raw = await RawHttp2.open(port)
  t.after(() => raw.close())
  const payload = postHeaders(exchangePath, [['content-type', 'application/grpc']])
  raw.send({ type: frameTypes.headers, flags: flags.endHeaders, stream: 1, payload })
  await raw.ended
})

test('a server outlives an HTTP/2 connection that it ended and looks at again at once', async (t) => {
  // The end falls due with the next look.
  const { port } = await pagePort(t, {
    patience: { headersMs: 5000, requestMs: 60_000, probeMs: 50, idleMs: 100 },
  })
  const raw = await RawHttp2.open(port)
  t.after(() => raw.close())
  const payload = postHeaders(exchangePath, [['content-type', 'application/grpc']])
  raw.send({ type: frameTypes.headers, flags: flags.endHeaders, stream: 1, payload })
  await raw.ended
})

// ------------------------------------------------------------------------------ bad requests

test('an RPC wants POST, and a content type that it knows', async (t) => {
  const { address } = await startLone(t)
  assert.equal((await fetch(`${address}${listFiles}`)).status, 405)
  const wrong = await fetch(`${address}${listFiles}`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: 'hello',
  })
  assert.equal(wrong.status, 415)
})

test('gRPC of a method that is not there is told so in its own words', async (t) => {
  const { address } = await startLone(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const stream = session.request({
    ':method': 'POST',
    ':path': '/fourfold.v2.FolderService/Fold',
    'content-type': 'application/grpc+proto',
  })
  stream.end(Buffer.alloc(5))
  const [headers] = (await once(stream.resume(), 'response')) as [http2.IncomingHttpHeaders]
  assert.deepEqual(
    [headers[':status'], headers['grpc-status'], headers['grpc-message']],
    [200, '12', 'This server has no such method.'],
  )
  await once(stream, 'close')
})

test('a newer client of Connect or gRPC-Web learns that a method is not there', async (t) => {
  const { address } = await pagePort(t)
  const kind = 'unary' as const
  const newer = { ...FolderService.method.listFiles, name: 'NotYet', methodKind: kind }
  const transports = [
    createConnectTransport({ baseUrl: address, httpVersion: '1.1' }),
    createConnectTransport({ baseUrl: address, httpVersion: '2' }),
    createGrpcWebTransport({ baseUrl: address, httpVersion: '1.1' }),
  ]
  for (const transport of transports) {
    const call = transport.unary(newer, undefined, undefined, undefined, {})
    await assert.rejects(call, { code: Code.Unimplemented })
  }
  // A browser asks before it lets a page of another server call.
  const asked = await fetch(`${address}/fourfold.v1.FolderService/NotYet`, {
    method: 'OPTIONS',
    headers: { origin: address, 'access-control-request-method': 'POST' },
  })
  assert.equal(asked.headers.get('access-control-allow-methods'), 'POST')
})

test('bytes that are no message are called a mistake of the caller', async (t) => {
  const { address, log } = await startLone(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  /** The end of a call: its head, its body and its trailers in one text. */
  const answer = async (path: string, type: string, body: Buffer) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': type })
    const heads: http2.IncomingHttpHeaders[] = []
    stream.on('response', (head) => heads.push(head)).on('trailers', (tail) => heads.push(tail))
    let text = ''
    stream.setEncoding('latin1').on('data', (chunk) => (text += chunk))
    stream.end(body)
    await once(stream, 'end')
    const head = Object.assign({}, ...heads) as http2.IncomingHttpHeaders
    const words = [head[':status'], head['grpc-status'] ?? '', head['grpc-message'] ?? '']
    return `${words.join(' ')} ${text.slice(text.search(/[{g]/))}`.trim()
  }
  const grpc = '200 3 The message is malformed.'
  const json = '{"code":"invalid_argument","message":"The message is malformed."}'
  const folder = '/fourfold.v1.FolderService'
  // A length past the end, a text that is not UTF-8, a tag without its value, an unknown wire type.
  for (const hex of ['0affffffff0f', '0a02fffe', 'ff', '0f']) {
    const bytes = Buffer.from(hex, 'hex')
    const enveloped = Buffer.concat([Buffer.of(0, 0, 0, 0, bytes.length), bytes])
    for (const path of [
      `${folder}/ReadFile`,
      `${folder}/Watch`,
      '/fourfold.v1.SessionService/Session',
      '/grpc.health.v1.Health/Check',
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    ]) {
      assert.equal(await answer(path, 'application/grpc', enveloped), grpc, `${path} ${hex}`)
    }
    const inWeb = 'grpc-message: The%20message%20is%20malformed.\r\ngrpc-status: 3'
    const web = await answer(`${folder}/ReadFile`, 'application/grpc-web+proto', enveloped)
    assert.equal(web, `200   ${inWeb}`)
    const plain = await answer(`${folder}/ReadFile`, 'application/proto', bytes)
    assert.equal(plain, `400   ${json}`)
    const stream = await answer(`${folder}/Watch`, 'application/connect+proto', enveloped)
    assert.equal(stream, `200   {"error":${json}}`)
  }
  assert.deepEqual(
    log.filter((line) => line.startsWith('error')),
    [],
  )
})

test('a huge header is refused with 431', async (t) => {
  const { port } = await pagePort(t)
  const head = `GET / HTTP/1.1\r\nHost: x\r\nX-Huge: ${'x'.repeat(20_000)}\r\n\r\n`
  assert.equal(await rawStatus(port, head), '431')
})

test('huge headers over HTTP/2 end their request, once the client was told of the limit', async (t) => {
  const { address } = await pagePort(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const asked = (bytes: number) => session.request({ ':path': '/', 'x-huge': 'x'.repeat(bytes) })
  const [headers] = (await once(asked(headerBytesMax - 500), 'response')) as [
    http2.IncomingHttpHeaders,
  ]
  assert.equal(headers[':status'], 200)
  await assert.rejects(once(asked(headerBytesMax), 'response'), /ENHANCE_YOUR_CALM/)
})

test('headers that come at one byte a second are not waited for', async (t) => {
  const never = 3600_000
  const { port } = await pagePort(t, {
    patience: { headersMs: 500, requestMs: never, probeMs: never, idleMs: never },
  })
  for (const start of ['', 'P', 'PRI * HTTP/2', 'GET / HTTP/1.1\r\nHost:']) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    socket.write(start)
    const slow = setInterval(() => socket.write('x'), 100)
    await closed(socket)
    clearInterval(slow)
  }
})

test('a connection whose upgrade is refused is over, be its client done or not', async (t) => {
  const { port } = await pagePort(t)
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const over = closed(socket)
  socket.on('error', () => {})
  socket.resume()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
  await once(socket, 'end')
  // Only that it is refused shows that nobody is there any more.
  const more = setInterval(() => socket.write('x'), 20)
  await over
  clearInterval(more)
})

test('a request without a host is malformed', async (t) => {
  const { port } = await startLone(t)
  const body = 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
  assert.equal(await rawStatus(port, `POST ${listFiles} HTTP/1.0\r\n${body}`), '400')
})

test('a body in a coding of its transfer is not taken as it comes', async (t) => {
  const { port, address } = await startLone(t)
  const head = `PUT /dav/x.md HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n`
  const put = (coding: string) =>
    rawStatus(port, `${head}Transfer-Encoding: ${coding}\r\n\r\n1\r\nx\r\n0\r\n\r\n`)
  for (const coding of ['gzip, chunked', 'x, Chunked']) {
    assert.equal(await put(coding), '501', coding)
  }
  assert.equal((await fetch(`${address}/dav/x.md`)).status, 404)
  assert.equal(await put('Chunked'), '201')
})

test('a gzip bomb is refused while it swells', async (t) => {
  const { address } = await startLone(t)
  const answer = await fetch(`${address}${listFiles}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync(Buffer.alloc(4 * messageBytesMax, ' ')),
  })
  const error = (await answer.json()) as { code: string; message: string }
  assert.equal(error.code, 'resource_exhausted')
})

test('a message over the limit is refused', async (t) => {
  const { address } = await startLone(t)
  const answer = await fetch(`${address}${listFiles}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: ' '.repeat(messageBytesMax + 1),
  })
  const message = 'A message has at most 16 MiB.'
  assert.deepEqual(await answer.json(), { code: 'resource_exhausted', message })
})

test('of too many streams on one connection the last is refused', async (t) => {
  const { port } = await startLone(t)
  const raw = await RawHttp2.open(port)
  t.after(() => raw.close())
  const payload = postHeaders('/fourfold.v1.FolderService/Watch', [
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ])
  for (let index = 0; index <= streamsPerConnectionMax; index++) {
    const stream = 2 * index + 1
    raw.send({ type: frameTypes.headers, flags: flags.endHeaders, stream, payload })
  }
  const refused = await raw.frame(({ type }) => type === frameTypes.resetStream)
  assert.equal(refused.stream, 2 * streamsPerConnectionMax + 1)
  assert.equal(refused.payload.readUInt32BE(), http2.constants.NGHTTP2_REFUSED_STREAM)
})

test('12 so many requests of one connection of HTTP/1.1 are not answered yet, and no more', async (t) => {
  let asked = 0
  let isAnswered = true
  const answerDav: PortOptions['answerDav'] = async (_, response) => {
    asked++
    if (isAnswered) response.end()
  }
  const { port } = await pagePort(t, { answerDav })
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let answers = ''
  socket.on('data', (chunk) => (answers += chunk.toString()))
  const one = 'GET /dav/ HTTP/1.1\r\nHost: x\r\n\r\n'
  // What was answered does not count.
  for (let round = 1; round <= 2; round++) {
    socket.write(one.repeat(streamsPerConnectionMax))
    await until(() => answers.split(' 200 OK').length > round * streamsPerConnectionMax)
  }
  isAnswered = false
  socket.write(one.repeat(streamsPerConnectionMax))
  await until(() => asked === 3 * streamsPerConnectionMax)
  assert.equal(socket.closed, false)
  socket.write(one.repeat(3))
  await closed(socket)
  assert.equal(asked, 3 * streamsPerConnectionMax)
})

test('a flood of resets ends the connection', async (t) => {
  const { port } = await startLone(t)
  const raw = await RawHttp2.open(port)
  t.after(() => raw.close())
  const payload = postHeaders(listFiles, [['content-type', 'application/grpc']])
  const cancel = Buffer.alloc(4)
  cancel.writeUInt32BE(http2.constants.NGHTTP2_CANCEL)
  for (let index = 0; index < 3000; index++) {
    const stream = 2 * index + 1
    raw.send({ type: frameTypes.headers, flags: flags.endHeaders, stream, payload })
    raw.send({ type: frameTypes.resetStream, flags: 0, stream, payload: cancel })
  }
  await raw.ended
})

test('13 who asks whether to go on, and is gone at once, ends nothing else', async (t) => {
  const { address, port } = await startLone(t)
  const raw = await RawHttp2.open(port)
  t.after(() => raw.close())
  const payload = postHeaders(listFiles, [['expect', '100-continue']])
  const cancel = Buffer.alloc(4)
  cancel.writeUInt32BE(http2.constants.NGHTTP2_CANCEL)
  raw.send({ type: frameTypes.headers, flags: flags.endHeaders, stream: 1, payload })
  raw.send({ type: frameTypes.resetStream, flags: 0, stream: 1, payload: cancel })
  const [type, text] = ['content-type: application/json', 'expect: 100-continue']
  const head = `POST ${listFiles} HTTP/1.1\r\nHost: x\r\n${type}\r\n${text}\r\nConnection: close\r\n`
  assert.equal(await rawStatus(port, `${head}Content-Length: 2\r\n\r\n{}`), '100')
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const post = { ':method': 'POST', ':path': listFiles, 'content-type': 'application/json' }
  const stream = session.request({ ...post, expect: '100-continue' })
  await once(stream, 'continue')
  stream.end('{}')
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  assert.equal(headers[':status'], 200)
})

test('a call that is taken back at once is no mistake of ours', async (t) => {
  const { address, port, log } = await startLone(t)
  const raw = await RawHttp2.open(port)
  t.after(() => raw.close())
  const cancel = Buffer.alloc(4)
  cancel.writeUInt32BE(http2.constants.NGHTTP2_CANCEL)
  for (const [index, path] of [exchangePath, listFiles, '/nothing'].entries()) {
    const payload = postHeaders(path, [['content-type', 'application/grpc']])
    const stream = 2 * index + 1
    raw.send({ type: frameTypes.headers, flags: flags.endHeaders, stream, payload })
    raw.send({ type: frameTypes.resetStream, flags: 0, stream, payload: cancel })
  }
  raw.send({ type: frameTypes.ping, flags: 0, stream: 0, payload: Buffer.alloc(8) })
  await raw.frame(({ type }) => type === frameTypes.ping)
  assert.equal((await fetch(`${address}/healthz`)).status, 200)
  assert.deepEqual(
    log.filter((line) => line.startsWith('error')),
    [],
  )
})

test('an answer in parts that was not finished in time says so', async (t) => {
  const { address } = await startLone(t)
  const folder = createClient(FolderService, createGrpcTransport({ baseUrl: address }))
  // Only the server is told: it may be the first whose clock says so.
  const watched = folder.watch({}, { headers: { 'grpc-timeout': '300m' } })
  const all = async () => {
    for await (const { event } of watched) assert.equal(event, WatchEvent.READY)
  }
  await assert.rejects(all, { code: Code.DeadlineExceeded })
})

test('a call whose deadline is nothing is over at once, and nothing is done', async (t) => {
  const { address } = await startLone(t)
  const none = [
    [createGrpcTransport({ baseUrl: address }), { 'grpc-timeout': '0m' }],
    [createConnectTransport({ baseUrl: address, httpVersion: '2' }), { 'connect-timeout-ms': '0' }],
  ] as const
  for (const [transport, headers] of none) {
    const folder = createClient(FolderService, transport)
    const saved = folder.saveFile({ file: 'never.md', text: 'never' }, { headers })
    await assert.rejects(saved, { code: Code.DeadlineExceeded })
    assert.deepEqual((await folder.listFiles({})).files, [])
  }
})

test('a deadline further off than any timer goes ends nothing', async (t) => {
  const { address } = await startLone(t)
  const over = new AbortController()
  t.after(() => over.abort())
  const { signal } = over
  const deadlines = [
    [createGrpcTransport({ baseUrl: address }), { 'grpc-timeout': '99999999H' }],
    [createGrpcTransport({ baseUrl: address }), { 'grpc-timeout': '2592000S' }],
    [
      createConnectTransport({ baseUrl: address, httpVersion: '2' }),
      { 'connect-timeout-ms': '9999999999' },
    ],
  ] as const
  for (const [index, [transport, headers]] of deadlines.entries()) {
    const folder = createClient(FolderService, transport)
    let isTold = false
    for await (const { event, file } of folder.watch({}, { headers, signal })) {
      if (event === WatchEvent.READY) await folder.saveFile({ file: `${index}.md`, text: 'later' })
      isTold = file?.name === `${index}.md`
      if (isTold) break
    }
    assert.ok(isTold, JSON.stringify(headers))
  }
})

test('13 two refused requests at once, and a reset behind them, end nothing else', async (t) => {
  const { address, port } = await startLone(t)
  // No body is read of what is refused at once: it is still there when its connection is not.
  const refused = `GET ${listFiles} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`
  for (let times = 0; times < 20; times++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    await new Promise<void>((resolve) => socket.write(refused + refused, () => resolve()))
    socket.resetAndDestroy()
    await closed(socket)
  }
  assert.equal((await fetch(`${address}/healthz`)).status, 200)
})

test('headers that never end, end the connection', async (t) => {
  const { port } = await startLone(t)
  const raw = await RawHttp2.open(port)
  t.after(() => raw.close())
  raw.send({ type: frameTypes.headers, flags: 0, stream: 1, payload: postHeaders(listFiles) })
  const more = postHeaders(listFiles, [['x-more', 'x'.repeat(100)]]).subarray(2)
  for (let index = 0; index < 5000; index++) {
    raw.send({ type: frameTypes.continuation, flags: 0, stream: 1, payload: more })
  }
  await raw.ended
})

test('after all that, the server still answers', async (t) => {
  const { address } = await startLone(t)
  const raw = await RawHttp2.open(Number(new URL(address).port))
  raw.send({ type: 99, flags: 255, stream: 7, payload: Buffer.alloc(100, 255) })
  raw.send({ type: frameTypes.headers, flags: 4, stream: 2, payload: Buffer.alloc(100, 255) })
  await raw.ended
  assert.equal((await fetch(`${address}/healthz`)).status, 200)
})

test('what fails in the middle of an answer is not taken for all of it, over either HTTP', async (t) => {
  const { address } = await pagePort(t, {
    answerDav: async (_, response) => {
      response.writeHead(200)
      await new Promise<void>((resolve) => response.write('a half', () => resolve()))
      throw new Error('the disk is gone')
    },
  })
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const stream = session.request({ ':path': '/dav/file' })
  await assert.rejects(text(stream), { code: 'ERR_HTTP2_STREAM_ERROR' })
  const answer = await fetch(`${address}/dav/file`)
  await assert.rejects(answer.text())
})
