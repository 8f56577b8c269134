// Bad input through every way in: what one door refuses all refuse, with the same sentence, and nothing
// of it stays.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'

import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node'
import { WebSocket as ClientSocket } from 'ws'

import {
  changeFilesMax,
  filesPerPageMax,
  findWordsMax,
  nameBytesMax,
  openDocumentsMax,
  pathBytesMax,
  pathNamesMax,
  saveFilesMax,
  searchTextMax,
} from '../src/core/model/limits.ts'
import {
  FolderService,
  sessionProtocol,
  SessionRequestSchema,
  SessionResponseSchema,
  type ClientMessageSchema,
  type OperationSchema,
  type ServerMessage,
} from '../src/core/model/wire.ts'
import { fourfold } from './cli/prompt.ts'
import { Dav, type Answer } from './dav-client.ts'
import { startLone } from './lone-server.ts'
import { until } from './until.ts'

type Said = MessageInitShape<typeof ClientMessageSchema>['message']
type Asked = MessageInitShape<typeof OperationSchema>['operation']
type Told = ServerMessage['message']

/** A session over a WebSocket, in the words of the wire. */
class Talk {
  readonly #socket: ClientSocket
  readonly #told: Told[] = []
  #ticket = 0

  private constructor(socket: ClientSocket) {
    this.#socket = socket
    socket.on('message', (frame: Buffer) => {
      const { messages } = fromBinary(SessionResponseSchema, frame)
      this.#told.push(...messages.map(({ message }) => message))
    })
  }

  static async begin(t: TestContext, address: string): Promise<Talk> {
    const socket = new ClientSocket(`${address.replace('http', 'ws')}/session`)
    t.after(() => socket.terminate())
    await once(socket, 'open')
    const talk = new Talk(socket)
    const hello = { key: randomBytes(16), name: 'Ana', protocol: sessionProtocol }
    talk.say({ case: 'hello', value: hello })
    await talk.hears((told) => told.case === 'welcome')
    return talk
  }

  say(message: Said): void {
    const request = create(SessionRequestSchema, { messages: [{ message }] })
    this.#socket.send(toBinary(SessionRequestSchema, request))
  }

  /** The first that it is told of this kind, however long ago. */
  async hears(isIt: (told: Told) => boolean): Promise<Told> {
    for (;;) {
      const found = this.#told.find(isIt)
      if (found) return found
      await once(this.#socket, 'message')
    }
  }

  /** Asks for a change; the sentence that refuses it, or nothing. */
  async operate(operation: Asked): Promise<string | undefined> {
    const ticket = ++this.#ticket
    const id = randomBytes(16).toString('base64url')
    this.say({ case: 'operation', value: { ticket, id, operation } })
    const answer = await this.hears(
      (told) => (told.case === 'done' || told.case === 'rejected') && told.value.ticket === ticket,
    )
    return answer.case === 'rejected' ? answer.value.text : undefined
  }
}

/** A server with a text, and bytes that a file may hold. */
async function server(t: TestContext) {
  const { address } = await startLone(t)
  const grpc = createClient(FolderService, createGrpcTransport({ baseUrl: address }))
  const bytes = Buffer.from([0, 1, 2])
  const [hash, size] = [createHash('sha256').update(bytes).digest('hex'), bytes.length]
  const headers = { 'upload-offset': '0' }
  const url = `${address}/blobs/${hash}?size=${size}`
  assert.equal((await fetch(url, { method: 'PATCH', headers, body: bytes })).status, 201)
  const { file } = await grpc.saveFile({ file: 'plan.md', text: 'kept' })
  return {
    address,
    grpc,
    dav: new Dav(address),
    talk: await Talk.begin(t, address),
    hash,
    size,
    entry: file!.id,
  }
}

/** What refuses a call, or nothing. */
async function refusal(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    return ConnectError.from(error).rawMessage
  }
}

const names: [name: string, rule: RegExp][] = [
  ['..', /^A name must not be "\.\."\.$/],
  ['a\\b', /^A name must not contain \\ /],
  ['C:', /^A name must not contain : /],
  ['a\0', /^A name must not contain control characters\.$/],
  ['a?', /^A name must not contain \? /],
  ['x. ', /^A name must not end with a dot or a space\.$/],
  ['com\u00b9.txt', /^"com\u00b9\.txt" is the name of a device on some systems\.$/],
  ['x'.repeat(nameBytesMax + 1), /^A name has at most 255 bytes\.$/],
  ['a\u202eb', /^A name must not contain characters that change the writing direction\.$/],
  ['a\u200bb', /^A name must not contain invisible characters\.$/],
  ['.GIT', /^"\.GIT" belongs to Git\.$/],
  ['.fourfold-x', /^Names that begin with "\.fourfold" are reserved\.$/],
]

test('a name that breaks a rule is refused at every door with that rule', async (t) => {
  const { address, grpc, dav, talk, hash, size, entry } = await server(t)
  const web = createClient(
    FolderService,
    createGrpcWebTransport({ baseUrl: address, httpVersion: '1.1' }),
  )
  const json = createClient(
    FolderService,
    createConnectTransport({ baseUrl: address, httpVersion: '1.1', useBinaryFormat: false }),
  )
  const many = async (name: string) => {
    const { results } = await grpc.saveFiles({ files: [{ file: name, text: '', isNew: true }] })
    const [{ result } = {}] = results
    return result?.case === 'refused' ? result.value.text : undefined
  }
  const moved = async (name: string) => {
    const move = { file: entry, path: name }
    const { results } = await grpc.changeFiles({
      changes: [{ change: { case: 'move', value: move } }],
    })
    const [{ result } = {}] = results
    return result?.case === 'refused' ? result.value.text : undefined
  }
  const shared = async (method: string, name: string) => {
    const there = `/${encodeURIComponent(name)}`
    const destination = `${address}/dav${there}`
    const answer = ['MOVE', 'COPY'].includes(method)
      ? await dav.ask(method, '/plan.md', { destination })
      : await dav.ask(method, there)
    return answer.status === 403 ? answer.text.trim() : undefined
  }
  const doors: [what: string, act: (name: string) => Promise<string | undefined>][] = [
    ['SaveFile', (file) => refusal(grpc.saveFile({ file, text: '' }))],
    ['SaveFile of gRPC-Web', (file) => refusal(web.saveFile({ file, text: '' }))],
    ['SaveFile of Connect', (file) => refusal(json.saveFile({ file, text: '' }))],
    ['SaveFiles', many],
    ['SaveBinary', (file) => refusal(grpc.saveBinary({ file, hash, size }))],
    ['MakeDirectory', (path) => refusal(grpc.makeDirectory({ path }))],
    ['… with parents', (path) => refusal(grpc.makeDirectory({ path, hasParents: true }))],
    ['RenameFile', (name) => refusal(grpc.renameFile({ file: entry, name }))],
    ['MoveFile', (path) => refusal(grpc.moveFile({ file: entry, path }))],
    ['ChangeFiles', moved],
    ['create', (name) => talk.operate({ case: 'create', value: { name } })],
    ['make directory', (name) => talk.operate({ case: 'makeDirectory', value: { name } })],
    [
      'create binary',
      (name) => talk.operate({ case: 'createBinary', value: { name, hash, size } }),
    ],
    ['rename', (name) => talk.operate({ case: 'rename', value: { entry, name } })],
    ['move', (name) => talk.operate({ case: 'move', value: { entry, name } })],
  ]
  for (const method of ['PUT', 'MKCOL', 'MOVE', 'COPY']) {
    doors.push([method, (name) => shared(method, name)])
  }
  for (const [name, rule] of names) {
    for (const [what, act] of doors) {
      // In an address two dots are no name, but lead up.
      if (name === '..' && what === what.toUpperCase()) continue
      const why = `${what} ${JSON.stringify(name).slice(0, 40)}`
      assert.match((await act(name)) ?? 'it is taken', rule, why)
    }
  }
  const { files } = await grpc.listFiles({ isRecursive: true })
  assert.deepEqual(
    files.map(({ path }) => path),
    ['plan.md'],
  )
  // What only looks like a rule is none: percent signs mean nothing.
  for (const name of ['%2e%2e', 'x'.repeat(nameBytesMax), '-rf', '~', ' x']) {
    assert.equal(await refusal(grpc.renameFile({ file: entry, name })), undefined)
    const there = `/${encodeURIComponent(name)}`
    assert.equal((await dav.ask('GET', there)).text, 'kept', name)
  }
})

test('12 a path is as long and as deep as it may be at every door, and no more', async (t) => {
  const { address, grpc, dav, talk } = await server(t)
  const made = async (path: string) => {
    await grpc.makeDirectory({ path, hasParents: true })
    const { file } = await grpc.getFile({ file: path })
    return { path, id: file!.id }
  }
  const shared = async (asked: Promise<Answer>) => {
    const { status, text } = await asked
    return status === 201 ? undefined : text.trim()
  }
  type Place = Awaited<ReturnType<typeof made>>
  type Act = (place: Place, name: string) => Promise<string | undefined>
  const doors: Act[] = [
    ({ path }, name) => refusal(grpc.saveFile({ file: `${path}/${name}`, text: '' })),
    ({ path }, name) => refusal(grpc.makeDirectory({ path: `${path}/${name}` })),
    ({ id: parent }, name) => talk.operate({ case: 'create', value: { name, parent } }),
    ({ id: parent }, name) => talk.operate({ case: 'makeDirectory', value: { name, parent } }),
    ({ path }, name) => shared(dav.ask('PUT', `/${path}/${name}`, {}, 'x')),
    ({ path }, name) => shared(dav.ask('MKCOL', `/${path}/${name}`)),
    ({ path }, name) => {
      const destination = `${address}/dav/${path}/${name}`
      return shared(dav.ask('COPY', '/plan.md', { destination }))
    },
  ]
  const above = Array.from({ length: pathNamesMax - 2 }, (_, index) => `${index}`).join('/')
  const [deep, deeper] = [await made(above), await made(`${above}/x`)]
  const lowest = await made(`${above}/x/y`)
  const long = await made(Array(4).fill('n'.repeat(200)).join('/'))
  const room = pathBytesMax - long.path.length - 1
  for (const [index, act] of doors.entries()) {
    assert.equal(await act(deep, `${index}`), undefined)
    assert.equal(await act(deeper, `${index}`), undefined)
    assert.match(
      (await act(lowest, `${index}`)) ?? 'it is taken',
      /^A path has at most 64 names\.$/,
    )
    const name = `${index}`.padEnd(room, 'x')
    assert.equal(await act(long, name), undefined)
    assert.match(
      (await act(long, `${name}x`)) ?? 'it is taken',
      /^A path has at most 1024 bytes\.$/,
    )
  }
})

test('12 one call takes as many as it may, and one more is refused with the number', async (t) => {
  const { grpc } = await server(t)
  const many = (count: number) => Array.from({ length: count }, (_, index) => `none/${index}`)
  const words = (count: number) => many(count).join(' ')
  const rows: [max: number, ask: (count: number) => Promise<unknown>][] = [
    [saveFilesMax, (count) => grpc.saveFiles({ files: many(count).map((file) => ({ file })) })],
    [
      changeFilesMax,
      (count) =>
        grpc.changeFiles({
          changes: many(count).map((file) => ({ change: { case: 'delete', value: { file } } })),
        }),
    ],
    [filesPerPageMax, (count) => grpc.listErased({ files: many(count) })],
    [findWordsMax, (count) => grpc.findFiles({ words: words(count) })],
    [searchTextMax, (count) => grpc.findFiles({ words: 'x'.repeat(count) })],
  ]
  for (const [max, ask] of rows) {
    assert.equal(await refusal(ask(max)), undefined)
    assert.match((await refusal(ask(max + 1))) ?? 'it is taken', new RegExp(`\\b${max}\\b`))
  }
  const { files } = await grpc.listFiles({ isRecursive: true })
  assert.equal(files.length, 1)
})

test('12 a session opens as many documents as it may, and hears why no more', async (t) => {
  const { grpc, talk } = await server(t)
  const names = Array.from({ length: openDocumentsMax + 1 }, (_, index) => `${index}.md`)
  const { results } = await grpc.saveFiles({ files: names.map((file) => ({ file, text: 'x' })) })
  const ids = results.map(({ result }) =>
    result.case === 'saved' ? result.value.file!.id : assert.fail('not saved'),
  )
  for (const document of ids) talk.say({ case: 'open', value: { document } })
  const last = await talk.hears(
    ({ case: what, value }) =>
      (what === 'opened' || what === 'unavailable') && value.document === ids.at(-1),
  )
  assert.equal(
    last.case === 'unavailable' && last.value.text,
    'At most 100 files can be open at once.',
  )
})

test('G14 a server with too little room on its disk takes nothing at any door, and says why', async (t) => {
  const { address, log } = await startLone(t, { diskFreeBytesMin: 1e15 })
  await until(() => log.some((line) => line.includes('the disk is nearly full')))
  const health = await fetch(`${address}/healthz`)
  assert.equal(health.status, 503)
  assert.equal(((await health.json()) as { status: string }).status, 'full')
  const why = 'This server cannot save. Trying another.'
  for (const transport of [
    createGrpcTransport({ baseUrl: address }),
    createGrpcWebTransport({ baseUrl: address, httpVersion: '1.1' }),
    createConnectTransport({ baseUrl: address, httpVersion: '1.1' }),
  ]) {
    const folder = createClient(FolderService, transport)
    const unavailable = { code: Code.Unavailable, rawMessage: why }
    await assert.rejects(folder.saveFile({ file: 'x.md', text: 'x' }), unavailable)
    await assert.rejects(folder.makeDirectory({ path: 'd' }), unavailable)
  }
  const socket = new ClientSocket(`${address.replace('http', 'ws')}/session`)
  const [, said] = (await once(socket, 'close')) as [number, Buffer]
  assert.equal(String(said), why)
  const put = await new Dav(address).ask('PUT', '/x.md', {}, 'x')
  assert.deepEqual([put.status, put.text.trim()], [503, why])
  const bytes = await fetch(`${address}/blobs/${'a'.repeat(64)}?size=1`, {
    method: 'PATCH',
    headers: { 'upload-offset': '0' },
    body: 'x',
  })
  assert.equal(bytes.status, 503)
  for (const words of [['put', '-', 'x.md'], ['ls']]) {
    const { code, err } = await fourfold(words, { servers: address, input: 'x' })
    assert.match(err, /^No server answers; [^\n]+ \(the disk of the last is nearly full: [^\n]+\n$/)
    assert.equal(code, 1)
  }
})
