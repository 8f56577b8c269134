// What comes with calls over HTTP/2: how much a stranger may send, and what becomes of what does not end.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http2 from 'node:http2'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { Code } from '@connectrpc/connect'

import { helloBytesMax } from '../src/core/model/limits.ts'
import { FolderService } from '../src/core/model/wire.ts'
import type { PortOptions } from '../src/server/port.ts'
import { startLone } from './lone-server.ts'
import { listFiles, pagePort } from './page-port.ts'

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
    const stream = session.request({
      ':method': 'POST',
      ':path': '/fourfold.v1.SessionService/Session',
      'content-type': 'application/grpc+proto',
      'grpc-encoding': 'gzip',
      te: 'trailers',
    })
    const trailers = once(stream, 'trailers') as Promise<[http2.IncomingHttpHeaders]>
    const message = gzipSync(Buffer.alloc(2 * helloBytesMax))
    const head = Buffer.alloc(5)
    head[0] = flags
    head.writeUInt32BE(message.length, 1)
    stream.write(Buffer.concat([head, message]))
    stream.resume()
    const [{ 'grpc-status': told }] = await trailers
    stream.close()
    return Number(told)
  }
  assert.equal(await status(1), Code.Unauthenticated)
  assert.equal(await status(0), Code.InvalidArgument)
})

test('a call whose body does not come is ended', async (t) => {
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
  assert.notEqual(headers[':status'], 200)
})
