// Whose scripts may call and connect, and how many sessions one address may have.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { WebSocket as ClientSocket } from 'ws'

import {
  FolderService,
  HelloSchema,
  sessionProtocol,
  SessionRequestSchema,
  SessionResponseSchema,
  WatchEvent,
  type WatchResponse,
} from '../src/core/model/wire.ts'
import { startLone } from './lone-server.ts'
import { listFiles, pagePort } from './page-port.ts'
import { until } from './until.ts'

/** 'open', or the status that refused the upgrade. */
async function upgrade(address: string, headers: { [name: string]: string }): Promise<string> {
  const socket = new ClientSocket(`${address.replace('http', 'ws')}/session`, { headers })
  const refused = once(socket, 'unexpected-response').then(
    ([, response]) => `${(response as IncomingMessage).statusCode}`,
  )
  const opened = once(socket, 'open').then(() => 'open')
  socket.on('error', () => {})
  const outcome = await Promise.race([refused, opened])
  socket.terminate()
  return outcome
}

test('scripts of other pages may not open a WebSocket', async (t) => {
  const { address, port } = await pagePort(t)
  const browser = { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64)' }
  const verdicts: [headers: { [name: string]: string }, outcome: string][] = [
    [{ Origin: 'http://127.0.0.1:4400' }, 'open'],
    [{ Origin: `http://127.0.0.1:${port}` }, 'open'],
    [{ Origin: `http://localhost:${port}`, Host: `localhost:${port}` }, 'open'],
    [{ Origin: 'https://evil.example.org' }, '403'],
    [{ Origin: 'null' }, '403'],
    [{ Origin: 'http://127.0.0.1:9999' }, '403'],
    // A name of the stranger's that leads here.
    [{ Origin: `http://evil.example.org:${port}`, Host: `evil.example.org:${port}` }, '403'],
    [browser, '403'],
    [{ 'Sec-Fetch-Site': 'cross-site' }, '403'],
    // A program.
    [{}, 'open'],
  ]
  for (const [headers, outcome] of verdicts) {
    assert.equal(await upgrade(address, headers), outcome, JSON.stringify(headers))
  }
})

test('scripts of known pages may ask whether a WebSocket can be opened, and read the answer', async (t) => {
  const { address } = await pagePort(t)
  const ask = async (origin: string) => {
    const { status, headers } = await fetch(`${address}/session`, {
      method: 'HEAD',
      headers: { origin },
    })
    return [status, headers.get('access-control-allow-origin')]
  }
  const known = 'http://127.0.0.1:4400'
  assert.deepEqual(await ask(known), [204, known])
  assert.deepEqual(await ask('https://evil.example.org'), [403, null])
})

test('a WebSocket is opened at /session only, and nothing else there', async (t) => {
  const { address } = await pagePort(t)
  assert.equal((await fetch(`${address}/session`)).status, 426)
  const socket = new ClientSocket(`${address.replace('http', 'ws')}/elsewhere`)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  assert.equal(response.statusCode, 404)
  socket.on('error', () => {})
  socket.terminate()
})

test('scripts of other pages may not call, those of the set may', async (t) => {
  const { address } = await startLone(t, { origins: ['https://notes.example.org'] })
  const call = (origin: string, method = 'POST') =>
    fetch(`${address}${listFiles}`, {
      method,
      headers: { origin, 'content-type': 'application/json' },
      ...(method === 'POST' && { body: '{}' }),
    })
  assert.equal((await call('https://evil.example.org')).status, 403)
  const good = await call('https://notes.example.org')
  assert.equal(good.status, 200)
  assert.equal(good.headers.get('access-control-allow-origin'), 'https://notes.example.org')
  const question = await call('https://notes.example.org', 'OPTIONS')
  assert.equal(question.status, 204)
  assert.match(question.headers.get('access-control-allow-headers')!, /authorization/)
})

/** What a WebSocket is refused with, sent by a proxy on behalf of this address; '' when it is not. */
async function refusal(t: TestContext, address: string, caller: string): Promise<string> {
  const socket = new ClientSocket(`${address.replace('http', 'ws')}/session`, {
    headers: { 'X-Forwarded-For': caller },
  })
  t.after(() => socket.terminate())
  const hello = { key: new Uint8Array(16), protocol: sessionProtocol, isStandby: true }
  const request = create(SessionRequestSchema, {
    messages: [{ message: { case: 'hello', value: create(HelloSchema, hello) } }],
  })
  socket.once('open', () => socket.send(toBinary(SessionRequestSchema, request)))
  const [frame] = (await once(socket, 'message')) as [Buffer]
  const [first] = fromBinary(SessionResponseSchema, frame).messages
  return first?.message.case === 'refused' ? first.message.value.text : ''
}

test('12 one session too many of one address is refused, others are not', async (t) => {
  const proxied = { proxies: ['127.0.0.1'], sessionsPerAddress: 2 }
  const { address } = await startLone(t, proxied)
  const text = 'Too many sessions from your address; close some, or wait a minute.'
  for (const outcome of ['', '', text]) {
    assert.equal(await refusal(t, address, '192.0.2.1'), outcome)
  }
  assert.equal(await refusal(t, address, '192.0.2.2'), '')
  const unlisted = await startLone(t, { sessionsPerAddress: 2 })
  for (let count = 0; count < 4; count++) {
    assert.equal(await refusal(t, unlisted.address, '192.0.2.1'), '', 'any caller can say so')
  }
})

test('12 one watch too many of one address is refused, others and its calls are not', async (t) => {
  const { address } = await startLone(t, { proxies: ['127.0.0.1'], sessionsPerAddress: 2 })
  const folder = createClient(FolderService, createGrpcTransport({ baseUrl: address }))
  const from = (caller: string, signal: AbortSignal) => ({
    headers: { 'X-Forwarded-For': caller },
    signal,
  })
  const gone = new AbortController()
  t.after(() => gone.abort())
  const watch = async (caller: string) => {
    const events = folder.watch({}, from(caller, gone.signal))[Symbol.asyncIterator]()
    return (await events.next()).value as WatchResponse
  }
  const refused = { code: Code.Unavailable, message: /from your address/ }
  for (let count = 0; count < 2; count++) {
    assert.equal((await watch('192.0.2.1')).event, WatchEvent.READY)
  }
  await assert.rejects(watch('192.0.2.1'), refused)
  const found = folder.searchFiles({ text: 'x' }, from('192.0.2.1', gone.signal))
  await assert.rejects(found[Symbol.asyncIterator]().next(), refused)
  await folder.listFiles({}, from('192.0.2.1', gone.signal))
  assert.equal((await watch('192.0.2.2')).event, WatchEvent.READY)
  gone.abort()
  // Until the server has heard that they are gone.
  const { signal } = new AbortController()
  await until(async () => {
    try {
      for await (const found of folder.searchFiles({ text: 'x' }, from('192.0.2.1', signal))) {
        assert.fail(`${found.line}`)
      }
      return true
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unavailable) throw error
      return false
    }
  })
})
