// Servers with certificates and a password: who is let in, and who is not.

import assert from 'node:assert/strict'
import { copyFileSync, chmodSync, readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import * as https from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node'
import { create } from '@bufbuild/protobuf'
import { WebSocket as ClientSocket } from 'ws'

import {
  ExchangeRequestSchema,
  FolderService,
  ReplicationService,
  SessionResponseSchema,
  SessionRequestSchema,
  Code as WireCode,
} from '../src/core/model/wire.ts'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { now } from '../src/adapters/system.ts'
import { SetClient } from '../src/cli/set-client.ts'
import { parseConfiguration } from '../src/server/configuration.ts'
import { startServer } from '../src/server/server.ts'
import { proofHeader } from '../src/server/services/replication.ts'
import { Tokens } from '../src/server/tokens.ts'
import { startLone, temporaryFolder } from './lone-server.ts'
import { freePorts } from './ports.ts'
import { root } from './tool.ts'
import { until } from './until.ts'

const files = join(root, 'test', 'tls')
const pem = (name: string) => readFileSync(join(files, name))
const password = 'correct horse'

/** The certificates where a configuration may use them: keys are private. */
function tlsKeys(t: TestContext) {
  const folder = temporaryFolder(t)
  for (const name of ['server.pem', 'server.key', 'set-ca.pem']) {
    copyFileSync(join(files, name), join(folder, name))
    chmodSync(join(folder, name), 0o600)
  }
  const [cert, key, ca] = ['server.pem', 'server.key', 'set-ca.pem'].map((name) =>
    join(folder, name),
  )
  return { cert, key, ca }
}

/** What a caller presents. */
interface Papers {
  certificate?: 'server' | 'stranger' | 'expired'
  proof?: string
}

/** Dials in as a server would: its first message, or the code of the refusal. */
async function dialIn(address: string, { certificate, proof }: Papers): Promise<string> {
  const own = certificate && { cert: pem(`${certificate}.pem`), key: pem(`${certificate}.key`) }
  const transport = createGrpcTransport({
    baseUrl: address,
    nodeOptions: { ca: pem('set-ca.pem'), ...own },
  })
  const ended = new AbortController()
  const requests = async function* () {
    yield create(ExchangeRequestSchema, { messages: [] })
    await once(ended.signal, 'abort')
  }
  try {
    const headers = { [proofHeader]: proof ?? '' }
    const answers = createClient(ReplicationService, transport).exchange(requests(), {
      headers,
      signal: ended.signal,
    })
    for await (const { messages } of answers) return String(messages[0]?.message.case)
    return 'nothing'
  } catch (error) {
    return Code[ConnectError.from(error).code]
  } finally {
    ended.abort()
  }
}

test('only a server of the set may exchange updates: by certificate and by proof', async (t) => {
  const { address } = await startLone(t, { tls: tlsKeys(t), auth: { password } })
  const proof = new Tokens('test', password).proof('b', now())
  const wrong = new Tokens('test', 'other horse').proof('b', now())
  assert.equal(await dialIn(address, { certificate: 'server', proof }), 'hello')
  const refused: Papers[] = [
    { proof },
    { certificate: 'server' },
    { certificate: 'server', proof: wrong },
    { certificate: 'stranger', proof },
    { certificate: 'expired', proof },
  ]
  for (const papers of refused) {
    assert.equal(await dialIn(address, papers), 'PermissionDenied', JSON.stringify(papers))
  }
})

test('an operator reads why a server of the set cannot be reached', async (t) => {
  const ports = await freePorts(2)
  const servers = ports.map((port, index) => ({
    id: 'ab'[index],
    address: `https://127.0.0.1:${port}`,
  }))
  const tls = tlsKeys(t)
  const auth = { password }
  const data = temporaryFolder(t)
  const json = { set: 'test', data, servers, tls, auth, diskFreeBytesMin: 0 }
  const log: string[] = []
  const start = async (id: string, keys: object) => {
    const server = await startServer({
      configuration: parseConfiguration({ ...json, ...keys }, 'test.json', { id }),
      isFirst: false,
      log: (level, text) => log.push(`${id}: ${level} ${text}`),
      failed: () => {},
    })
    let stopped: Promise<void> | undefined
    const stop = () => (stopped ??= server.stop())
    t.after(stop)
    return stop
  }
  const said = async (line: RegExp) => {
    await until(() => log.some((each) => line.test(each)), `${line} in ${log.join('; ')}`)
  }
  const stopB = await start('b', {})
  await said(/^b: info the disk is empty: waiting/)
  // Of an authority that this machine does not know.
  await start('a', { tls: { cert: tls.cert, key: tls.key } })
  await said(/^a: info b cannot be reached: its certificate is .* unknown here: see "tls.ca"$/)
  await stopB()
  await said(/^a: info b cannot be reached: .*ECONNREFUSED/)
})

test('a command says what is wrong with an address, and lives to say it', async (t) => {
  const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  t.after(() => other.close())
  await once(other.listen(0, '127.0.0.1'), 'listening')
  const { port } = other.address() as AddressInfo
  const { address } = await startLone(t, { tls: tlsKeys(t), auth: { password } })
  // A session that breaks says so once more when its socket is closed, while the next one is tried:
  // with nobody to hear it, that would end this test.
  const notPlain = /\(what answers speaks no HTTP\/2; if it has TLS, write https:\/\/\)/
  for (const [servers, why] of [
    [`http://127.0.0.1:${port}`, notPlain],
    [address.replace('https', 'http'), notPlain],
    [address, /\(its certificate is of an authority unknown here: see NODE_EXTRA_CA_CERTS\)/],
  ] as const) {
    const set = new SetClient({ servers })
    await assert.rejects(
      set.ask(({ folder }, call) => folder.listFiles({}, call)),
      why,
    )
    set.close()
  }
})

test('servers with certificates find each other, and clients need none', async (t) => {
  const data = temporaryFolder(t)
  const ports = await freePorts(2)
  const tls = tlsKeys(t)
  const json = {
    set: 'test',
    data,
    servers: ports.map((port, index) => ({
      id: 'ab'[index],
      address: `https://127.0.0.1:${port}`,
    })),
    tls,
    auth: { password },
    diskFreeBytesMin: 0,
  }
  const log: string[] = []
  for (const id of ['a', 'b']) {
    const server = await startServer({
      configuration: parseConfiguration(json, 'test.json', { id }),
      isFirst: false,
      log: (level, text) => log.push(`${level} ${text}`),
      failed: () => {},
    })
    t.after(() => server.stop())
  }
  const [address] = json.servers.map((server) => server.address)
  const nodeOptions = { ca: pem('set-ca.pem') }
  const transports = [
    createGrpcTransport({ baseUrl: address!, nodeOptions }),
    createConnectTransport({ baseUrl: address!, httpVersion: '1.1', nodeOptions }),
    createConnectTransport({ baseUrl: address!, httpVersion: '2', nodeOptions }),
  ]
  // An empty set serves only when its servers have found each other.
  for (let tries = 0; log.filter((line) => line.includes('serving')).length < 2; tries++) {
    assert.ok(tries < 6000, log.join('; '))
    await sleep(10)
  }
  for (const [index, transport] of transports.entries()) {
    const folder = createClient(FolderService, transport)
    const { token } = await folder.signIn({ name: `Ana ${index}`, password })
    const headers = { authorization: `Bearer ${token}` }
    const save = () => folder.saveFile({ file: `${index}.md`, text: 'x' }, { headers })
    // An answer waits for the disk of the other, but not for long.
    await until(
      async () => (await save()).servers.join() === 'a,b',
      () => log.join('; '),
    )
  }
  // What is uploaded to one the other fetches, with the proof and the certificate of the set.
  const bytes = Buffer.from('any bytes')
  const hash = createHash('sha256').update(bytes).digest('hex')
  const { token } = new Tokens('test', password).make('Ana', now())
  const ask = async (method: string, more: string, body = Buffer.alloc(0)) => {
    const headers = { authorization: `Bearer ${token}`, 'upload-offset': 0 }
    const url = `${address}/blobs/${hash}?size=${bytes.length}${more}`
    const request = https.request(url, { method, headers, ca: pem('set-ca.pem'), agent: false })
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    return { status: response.statusCode, servers: response.headers['blob-servers'] }
  }
  assert.equal((await ask('PATCH', '', bytes)).status, 201)
  for (let tries = 0; (await ask('HEAD', '&servers=1')).servers !== 'a, b'; tries++) {
    assert.ok(tries < 6000, log.join('; '))
    await sleep(10)
  }
})

test('a live session wants a token where the set wants sign-in', async (t) => {
  const { address } = await startLone(t, { tls: tlsKeys(t), auth: { password } })
  const answerTo = async (token: string) => {
    const socket = new ClientSocket(`${address.replace('http', 'ws')}/session`, {
      ca: pem('set-ca.pem'),
    })
    await once(socket, 'open')
    const hello = { key: new Uint8Array(16).fill(7), name: 'Ana', protocol: 1, token }
    const messages = [{ message: { case: 'hello' as const, value: hello } }]
    socket.send(toBinary(SessionRequestSchema, create(SessionRequestSchema, { messages })))
    const [frame] = (await once(socket, 'message')) as [Buffer]
    socket.close()
    return fromBinary(SessionResponseSchema, frame).messages[0]!.message
  }
  for (const token of ['', 'rubbish', new Tokens('test', undefined).make('Ana', now()).token]) {
    const answer = await answerTo(token)
    assert.equal(answer.case, 'refused')
    assert.equal(answer.case === 'refused' && answer.value.code, WireCode.UNAUTHENTICATED)
    assert.equal(answer.case === 'refused' && answer.value.text, 'Sign in again.')
  }
  const good = new Tokens('test', password).make('Ana', now()).token
  assert.equal((await answerTo(good)).case, 'welcome')
})
