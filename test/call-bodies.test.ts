// What comes with calls over HTTP/2: how much a stranger may send, and what becomes of what does not end.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http2 from 'node:http2'
import { json } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'

import { create, toBinary } from '@bufbuild/protobuf'
import { Code } from '@connectrpc/connect'

import {
  callsMax,
  filesPerPageMax,
  helloBytesMax,
  messageFieldsMax,
  saveFilesMax,
  streamsPerConnectionMax,
} from '../src/core/model/limits.ts'
import {
  FolderService,
  ListErasedRequestSchema,
  SessionRequestSchema,
  sessionProtocol,
} from '../src/core/model/wire.ts'
import type { PortOptions } from '../src/server/port.ts'
import { startLone } from './lone-server.ts'
import { listFiles, pagePort } from './page-port.ts'
import { call } from './requests.ts'
import { until } from './until.ts'

/** A gRPC call of Session whose messages may be compressed. */
function sessionStream(session: http2.ClientHttp2Session): http2.ClientHttp2Stream {
  return session.request({
    ':method': 'POST',
    ':path': '/fourfold.v1.SessionService/Session',
    'content-type': 'application/grpc+proto',
    'grpc-encoding': 'gzip',
    te: 'trailers',
  })
}

/** As a message of gRPC travels. */
function enveloped(message: Uint8Array, flags: number): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flags
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

test('what a stranger sends with a call is bounded, and told why; a sign-in goes on', async (t) => {
  const { address } = await startLone(t, { auth: { password: 'correct horse' } })
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const call = async (method: string, message: object) => {
    const path = `/fourfold.v1.FolderService/${method}`
    const post = { ':method': 'POST', ':path': path, 'content-type': 'application/json' }
    const stream = session.request(post)
    const answered = once(stream, 'response') as Promise<[http2.IncomingHttpHeaders]>
    const text = JSON.stringify(message)
    // Its end never comes where it is refused before.
    if (text.length <= helloBytesMax) stream.end(text)
    else stream.write(text.slice(0, -1))
    const [headers] = await answered
    stream.close()
    return headers[':status']
  }
  const long = 'x'.repeat(helloBytesMax)
  assert.equal(await call('SaveFile', { file: 'x.md', text: long }), 401)
  assert.equal(await call('SignIn', { name: long, password: 'correct horse' }), 401)
  assert.equal(await call('SignIn', { name: 'Ana', password: 'correct horse' }), 200)
})

test('what a stranger sends is bounded as it is when it has swollen', async (t) => {
  const { address } = await startLone(t, { auth: { password: 'correct horse' } })
  const long = { name: 'x'.repeat(2 * helloBytesMax), password: 'correct horse' }
  const signIn = async (headers: Record<string, string>, body: BodyInit) => {
    const url = `${address}/fourfold.v1.FolderService/SignIn`
    const usual = { 'content-type': 'application/json' }
    const { status } = await fetch(url, { method: 'POST', headers: { ...usual, ...headers }, body })
    return status
  }
  assert.equal(await signIn({}, JSON.stringify(long)), 401)
  const swelling = gzipSync(JSON.stringify(long))
  assert.ok(swelling.length < 1024)
  assert.equal(await signIn({ 'content-encoding': 'gzip' }, swelling), 429)

  const session = http2.connect(address)
  t.after(() => session.destroy())
  const status = async (flags: number) => {
    const stream = sessionStream(session)
    const trailers = once(stream, 'trailers') as Promise<[http2.IncomingHttpHeaders]>
    const message = gzipSync(Buffer.alloc(2 * helloBytesMax))
    stream.write(enveloped(message, flags))
    stream.resume()
    const [{ 'grpc-status': told }] = await trailers
    stream.close()
    return Number(told)
  }
  assert.equal(await status(1), Code.Unauthenticated)
  assert.equal(await status(0), Code.InvalidArgument)
})

test('12 a message that lists too much is not decoded, in whatever form it comes', async (t) => {
  const { address } = await startLone(t)
  const url = `${address}/fourfold.v1.FolderService/ListErased`
  const listed = (count: number) => ({ files: Array<string>(count).fill('') })
  const binary = (count: number) =>
    toBinary(ListErasedRequestSchema, create(ListErasedRequestSchema, listed(count)))
  const status = async (type: string, body: Uint8Array | string, encoding = '') => {
    const headers = { 'content-type': type, ...(encoding && { 'content-encoding': encoding }) }
    const answer = await fetch(url, { method: 'POST', headers, body: Buffer.from(body) })
    return answer.status
  }
  const many = 2 * messageFieldsMax
  const json = JSON.stringify(listed(many))
  const tooMuch = [
    await status('application/proto', binary(many)),
    await status('application/proto', gzipSync(binary(many)), 'gzip'),
    await status('application/json', json),
    await status('application/json', gzipSync(json), 'gzip'),
  ]
  assert.deepEqual(tooMuch, [429, 429, 429, 429])
  // What is long in other ways goes on, compressed or not.
  const long = JSON.stringify({ file: 'x.md', text: ',{['.repeat(many) })
  const saved = async (body: Uint8Array | string, headers: Record<string, string> = {}) => {
    const usual = { 'content-type': 'application/json' }
    const request = { method: 'POST', headers: { ...usual, ...headers }, body: Buffer.from(body) }
    return (await fetch(url.replace('ListErased', 'SaveFile'), request)).status
  }
  assert.equal(await saved(long), 200)
  assert.equal(await saved(gzipSync(long), { 'content-encoding': 'gzip' }), 200)
})

test('a packed message that is cut off is a mistake of its caller, in every protocol', async (t) => {
  const { address } = await startLone(t)
  const url = `${address}/fourfold.v1.FolderService/ReadFile`
  const asked = async (headers: Record<string, string>, body: Uint8Array) => {
    const answer = await fetch(url, { method: 'POST', headers, body: Buffer.from(body) })
    return { status: answer.status, text: await answer.text() }
  }
  const json = JSON.stringify({ file: 'x.md'.repeat(100) })
  const text = 'The message does not unpack: it is cut off or malformed.'
  const packings = { gzip: gzipSync, br: brotliCompressSync }
  for (const [encoding, pack] of Object.entries(packings)) {
    const packed = pack(json)
    const half = packed.subarray(0, packed.length / 2)
    const connect = { 'content-type': 'application/json', 'content-encoding': encoding }
    for (const body of [half, Buffer.from('neither of them')]) {
      const { status, text: told } = await asked(connect, body)
      assert.deepEqual(
        [status, JSON.parse(told)],
        [400, { code: 'invalid_argument', message: text }],
      )
    }
    const web = { 'content-type': 'application/grpc-web+json', 'grpc-encoding': encoding }
    const told = (await asked(web, enveloped(half, 1))).text
    assert.match(told, /grpc-status: 3\r\n/)
    assert.ok(decodeURIComponent(told).includes(`grpc-message: ${text}`), told)
  }
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const stream = sessionStream(session)
  const trailers = once(stream, 'trailers') as Promise<[http2.IncomingHttpHeaders]>
  stream.write(enveloped(gzipSync(json).subarray(0, 20), 1))
  stream.resume()
  const [{ 'grpc-status': code }] = await trailers
  assert.equal(Number(code), Code.InvalidArgument)
})

test('12 nor is one of a stream: what came before it is', async (t) => {
  const { address } = await startLone(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const who = { key: new Uint8Array(16), name: 'Ana', protocol: sessionProtocol }
  const hello = { case: 'hello' as const, value: who }
  const several = { entries: Array<string>(2 * messageFieldsMax).fill('') }
  const operation = { case: 'several' as const, value: several }
  const long = { case: 'operation' as const, value: { operation } }
  const framed = (message: typeof hello | typeof long, isCompressed: boolean) => {
    const request = create(SessionRequestSchema, { messages: [{ message }] })
    const bytes = toBinary(SessionRequestSchema, request)
    return isCompressed ? enveloped(gzipSync(bytes), 1) : enveloped(bytes, 0)
  }
  for (const isCompressed of [false, true]) {
    const stream = sessionStream(session)
    const trailers = once(stream, 'trailers') as Promise<[http2.IncomingHttpHeaders]>
    const [first, second] = [framed(hello, false), framed(long, isCompressed)]
    stream.write(first.subarray(0, 3))
    stream.write(Buffer.concat([first.subarray(3), second.subarray(0, 100)]))
    const [welcome] = (await once(stream, 'data')) as [Buffer]
    assert.ok(welcome.length > 5)
    stream.write(second.subarray(100))
    stream.resume()
    const [{ 'grpc-status': told }] = await trailers
    assert.equal(Number(told), Code.ResourceExhausted)
  }
})

test('a call whose body does not come is ended, and told so', async (t) => {
  const never = 3600_000
  const patience = { headersMs: never, requestMs: 300, probeMs: never, idleMs: never }
  const routes: PortOptions['routes'] = (router) => router.service(FolderService, {})
  const { address } = await pagePort(t, { patience, routes })
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const post = { ':method': 'POST', ':path': listFiles, 'content-type': 'application/json' }
  const stream = session.request(post)
  stream.write('{')
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  assert.equal(headers[':status'], 503)
  const { code, message } = (await json(stream)) as { code: string; message: string }
  assert.equal(code, 'unavailable')
  assert.match(message, /^The call did not come as a whole, or too slowly\. /)
})

test('a call whose body does not come is over at its deadline, in every protocol', async (t) => {
  const { address } = await startLone(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const asked = async (type: string, deadline: object) => {
    const post = { ':method': 'POST', ':path': listFiles, 'content-type': type, te: 'trailers' }
    const stream = session.request({ ...post, ...deadline }, { endStream: false })
    stream.write('{')
    const trailers = once(stream, 'trailers') as Promise<[http2.IncomingHttpHeaders]>
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
    if (!type.startsWith('application/grpc')) return headers[':status']
    stream.resume()
    return Number((await trailers)[0]['grpc-status'])
  }
  const grpc = await asked('application/grpc', { 'grpc-timeout': '200m' })
  assert.equal(grpc, Code.DeadlineExceeded)
  assert.equal(await asked('application/json', { 'connect-timeout-ms': '200' }), 504)
})

/** Asks for this twice as often at once as calls are at work. Returns how many were answered so far. */
function flood(t: TestContext, address: string, path: string, body?: string): () => number {
  let answered = 0
  for (let left = flooded; left > 0; left -= streamsPerConnectionMax) {
    const session = http2.connect(address)
    t.after(() => session.destroy())
    session.on('error', () => {})
    for (let count = 0; count < streamsPerConnectionMax; count++) {
      const post = { ':method': 'POST', ':path': path, 'content-type': 'application/json' }
      const stream = session.request(body === undefined ? { ':path': path } : post)
      stream.on('error', () => {})
      stream.on('response', (headers) => {
        if (headers[':status'] === 200) answered++
      })
      stream.resume()
      stream.end(body)
    }
  }
  return () => answered
}

const flooded = 2 * callsMax
const getFile = '/fourfold.v1.FolderService/GetFile'

test('12 who asks for many lists waits for them, and others of the same host do not', async (t) => {
  const { address } = await startLone(t)
  for (let made = 0; made < filesPerPageMax; made += saveFilesMax) {
    const files = Array.from({ length: saveFilesMax }, (_, n) => ({ file: `${made + n}.md` }))
    assert.equal((await call(address, 'SaveFiles', { files })).status, 200)
  }
  const answered = flood(t, address, listFiles, '{}')
  await until(() => answered() > 0)
  assert.equal((await call(address, 'GetFile', { file: '7.md' })).status, 200)
  assert.ok(answered() < flooded / 4, `${answered()} were answered before a file`)
  const { status, body } = await call(address, 'ListFiles', { pageSize: 1 })
  assert.equal(status, 200, JSON.stringify(body))
  assert.ok(answered() < flooded / 4, `${answered()} were answered before another list`)
})

test('12 so it is with calls that cost little', async (t) => {
  const { address } = await startLone(t)
  await call(address, 'SaveFile', { file: 'x.md' })
  const answered = flood(t, address, getFile, '{"file":"x.md"}')
  assert.equal((await call(address, 'GetFile', { file: 'x.md' })).status, 200)
  assert.ok(answered() < flooded, 'all were answered before another')
})

test('12 so it is with files that are asked for by WebDAV', async (t) => {
  const { address } = await startLone(t)
  await call(address, 'SaveFile', { file: 'x.md' })
  const answered = flood(t, address, '/dav/x.md')
  const { status } = await fetch(`${address}/dav/x.md`)
  assert.equal(status, 200)
  assert.ok(answered() < flooded, 'all were answered before another')
})
