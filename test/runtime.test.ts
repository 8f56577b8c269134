// The loop around the minds: what happens when the disk fails, is full, or everybody comes at once.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateRawSync } from 'node:zlib'

import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'

import { memoryChannels } from '../src/adapters/channel/memory.ts'
import { ReplicaSetEngine } from '../src/adapters/engine/replica-set.ts'
import { MemoryDisk, MemoryStorage } from '../src/adapters/storage/memory.ts'
import { now, random } from '../src/adapters/system.ts'
import { originOf, subjectId, type ReplicaId } from '../src/core/model/ids.ts'
import {
  callsMax,
  sessionsMax,
  sessionsPerAddressMax,
  streamsMax,
  watchBacklogMax,
} from '../src/core/model/limits.ts'
import { sealUpdate } from '../src/core/model/snapshot.ts'
import {
  Code,
  EntrySchema,
  Kind,
  SessionRequestSchema,
  SessionResponseSchema,
  UpdateSchema,
  type ClientMessageSchema,
  type PeerMessage,
  type ServerMessage,
  type Update,
} from '../src/core/model/wire.ts'
import type { Channel } from '../src/core/ports.ts'
import { Replica } from '../src/core/replica/replica.ts'
import { Replication } from '../src/core/replication/replication.ts'
import { Runtime } from '../src/server/runtime.ts'
import { Tokens } from '../src/server/tokens.ts'
import { until } from './until.ts'

const id = 'a' as ReplicaId

interface World {
  /** From now on every write fails with this. */
  diskError?: Error
  isFull: boolean
  log: string[]
  hasFailed: boolean
  dialled: string[]
}

/** One server's loop on a memory disk. */
function startRuntime(t: TestContext, peers: string[] = [], files = 0) {
  const world: World = { isFull: false, log: [], hasFailed: false, dialled: [] }
  const storage = new MemoryStorage(new MemoryDisk(), {
    flush: async () => {
      if (world.diskError) throw world.diskError
    },
    now,
  })
  storage.commit({ updates: filed(files), snapshots: [] })
  const origin = originOf(id, random(10))
  const servers = [id, ...peers].map((each) => ({
    id: each as ReplicaId,
    address: `http://${each}`,
  }))
  const { reader } = storage
  const log = (level: string, text: string) => world.log.push(`${level} ${text}`)
  const tokens = new Tokens('test', undefined)
  const engine = new ReplicaSetEngine({
    replication: new Replication({
      now: now(),
      replica: id,
      set: 'test',
      origin,
      reader,
      servers,
      isFirst: true,
    }),
    storage,
    origin,
    now,
    dial: async (peer) => {
      world.dialled.push(peer)
      throw new Error('nobody')
    },
    log,
  })
  const runtime = new Runtime({
    replica: new Replica({
      now: now(),
      replica: id,
      set: 'test',
      version: '0',
      origin,
      reader,
      safeCount: 1,
      rates: { pushesPerSecond: 50, pushBurst: 500, caretsPerSecond: 20 },
      random: Math.random,
      seal: (document, update) => tokens.seal(document, update),
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      deflate: (text) => deflateRawSync(text),
    }),
    engine,
    now,
    isDiskFull: async () => world.isFull,
    diskLookMs: 100,
    turnsAway: () => undefined,
    hasBytes: async () => false,
    named: () => {},
    heard: () => {},
    log,
    failed: () => (world.hasFailed = true),
  })
  runtime.start()
  t.after(() => runtime.stop())
  return { runtime, engine, world }
}

/** So many files that an earlier life of this server made. */
function filed(count: number): Update[] {
  const origin = originOf(id, random(10))
  return Array.from({ length: count }, (_, index) => {
    const subject = subjectId(random(16))
    const stamp = { counter: 1, origin }
    const name = { value: `${index}.txt`, stamp }
    const entry = create(EntrySchema, { id: subject, kind: Kind.TEXT, created: stamp, name })
    const body = { case: 'entry' as const, value: toBinary(EntrySchema, entry) }
    return sealUpdate(create(UpdateSchema, { subject, origin, seq: index + 1, body }))
  })
}

/** A client of it, and what it heard. */
class Client {
  readonly heard: ServerMessage['message'][] = []
  closedWhy: string | undefined
  readonly #channel: Channel<Uint8Array, Uint8Array>

  constructor(runtime: Runtime, address = '127.0.0.1') {
    const [server, client] = memoryChannels<Uint8Array, Uint8Array>(({ length }) => length)
    this.#channel = client
    client.listen({
      received: (frame) =>
        this.heard.push(
          ...fromBinary(SessionResponseSchema, frame).messages.map(({ message }) => message),
        ),
      closed: (why) => (this.closedWhy = why),
    })
    runtime.addClient(server, address)
  }

  leaves(): void {
    this.#channel.close('enough')
  }

  says(message: MessageInitShape<typeof ClientMessageSchema>['message']): void {
    const request = create(SessionRequestSchema, { messages: [{ message }] })
    this.#channel.send(toBinary(SessionRequestSchema, request))
  }

  greets(name: string): void {
    this.says({ case: 'hello', value: { key: random(16), name, protocol: 1 } })
  }

  find<T extends ServerMessage['message']['case']>(what: T) {
    return this.heard.find((message) => message.case === what) as
      | Extract<ServerMessage['message'], { case: T }>
      | undefined
  }
}

const serving = ({ runtime }: { runtime: Runtime }) =>
  until(() => runtime.health === 'ok', 'it serves')
const save = { type: 'save', file: 'x', text: 'x', baseVersion: '', operation: '' } as const
const operation = () => subjectId(random(16))

test('a client is greeted, and what it makes is stored before it is told', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const client = new Client(scene.runtime)
  client.greets('Ana')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  const id = operation()
  client.says({
    case: 'operation',
    value: { ticket: 1, id, operation: { case: 'create', value: { name: 'a.md', text: 'hi' } } },
  })
  await until(() => client.find('stored') !== undefined, 'stored')
  const stored = client.find('stored')!.value.holdings
  assert.deepEqual(
    stored.map(({ server, ticket }) => [server, ticket]),
    [['a', 1]],
  )
  const signal = new AbortController().signal
  const answer = await scene.runtime.calls.ask({ type: 'read', file: 'a.md' }, 'Ben', signal)
  assert.equal(answer.type === 'read' && answer.text, 'hi')
})

test('G14 after a failed write nothing is acknowledged, and everybody is sent elsewhere', async (t) => {
  const scene = startRuntime(t)
  const { runtime, world } = scene
  await serving(scene)
  const client = new Client(runtime)
  client.greets('Ana')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  world.diskError = new Error('EIO: the disk is gone')
  const call = runtime.calls.ask(
    { ...save, operation: operation() },
    'Ana',
    new AbortController().signal,
  )
  await assert.rejects(call, {
    code: 'unavailable',
    message: 'This server cannot save. Trying another.',
  })
  await until(() => client.closedWhy !== undefined, 'the client is closed')
  const refused = client.find('refused')!.value
  assert.equal(refused.code, Code.UNAVAILABLE)
  assert.equal(refused.text, 'This server cannot save. Trying another.')
  assert.equal(client.find('stored'), undefined)
  assert.equal(runtime.health, 'failed')
  await until(() => world.hasFailed, 'the process is to end')
  const errors = world.log.filter((line) => line.startsWith('error'))
  assert.deepEqual(errors, ['error cannot save any more, ending: EIO: the disk is gone'])
  const late = new Client(runtime)
  await until(() => late.closedWhy !== undefined, 'a late client is turned away')
  assert.equal(late.find('refused')?.value.code, Code.UNAVAILABLE)
})

test('12 on a nearly full disk nothing is taken until there is room', async (t) => {
  const scene = startRuntime(t, ['b'])
  const { runtime, world } = scene
  await serving(scene)
  const client = new Client(runtime)
  client.greets('Ana')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  world.isFull = true
  await until(() => runtime.health === 'full', 'it notices')
  await until(() => client.closedWhy !== undefined, 'the client is sent away')
  assert.equal(client.find('refused')?.value.text, 'This server cannot save. Trying another.')
  const signal = new AbortController().signal
  await assert.rejects(runtime.calls.ask({ ...save, operation: operation() }, 'Ana', signal), {
    code: 'unavailable',
  })
  const dials = world.dialled.length
  await sleep(1000)
  assert.equal(world.dialled.length, dials, 'peers get nothing from a server that takes nothing')
  world.isFull = false
  await until(() => runtime.health === 'ok', 'it goes on')
  const again = new Client(runtime)
  again.greets('Ana')
  await until(() => again.find('welcome') !== undefined, 'welcome again')
})

test('12 one client too many is sent elsewhere', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const clients = Array.from({ length: sessionsMax }, () => new Client(scene.runtime))
  const last = new Client(scene.runtime)
  await until(() => last.closedWhy !== undefined, 'the last is turned away')
  assert.equal(last.find('refused')?.value.text, 'This server is full. Trying another.')
  assert.ok(clients.every(({ closedWhy }) => closedWhy === undefined))
  assert.equal(scene.runtime.clientCount, sessionsMax)
})

test('12 of one address one client too many is refused, until another leaves', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const enter = () => new Client(scene.runtime, '192.0.2.1')
  const clients = Array.from({ length: sessionsPerAddressMax }, enter)
  const last = enter()
  await until(() => last.closedWhy !== undefined, 'the last is turned away')
  const refused = last.find('refused')!.value
  assert.equal(refused.code, Code.UNAVAILABLE)
  assert.match(refused.text, /^Too many sessions from your address; /)
  const other = new Client(scene.runtime, '192.0.2.2')
  other.greets('Ben')
  await until(() => other.find('welcome') !== undefined, 'another address is welcome')
  assert.ok(clients.every(({ closedWhy }) => closedWhy === undefined))
  clients[0]!.leaves()
  await until(() => scene.runtime.clientCount === sessionsPerAddressMax, 'one has left')
  const next = enter()
  next.greets('Ana')
  await until(() => next.find('welcome') !== undefined, 'the next is welcome')
})

test('12 one call too many is sent elsewhere, and a caller that goes away ends its call', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const gone = new AbortController()
  const watch = () => scene.runtime.calls.watch({ type: 'watch', file: '' }, 'Ana', gone.signal)
  const watches = Array.from({ length: streamsMax }, watch)
  const firsts = await Promise.all(watches.map((watch) => watch.next()))
  assert.ok(firsts.every(({ done }) => !done))
  const { signal } = new AbortController()
  const all = { directory: '', isRecursive: false, inTrash: false, count: 10 }
  const list = () => scene.runtime.calls.ask({ type: 'list', ...all }, 'Ben', signal)
  await assert.rejects(watch().next(), { code: 'unavailable' })
  const pattern = { text: 'x', ignoresCase: false, isRegex: false }
  const search = scene.runtime.calls.parts(
    { type: 'search', pattern, directory: '' },
    'Ben',
    signal,
  )
  await assert.rejects(search.next(), { code: 'unavailable' })
  // Those who watch take nothing from those who call.
  const lists = Array.from({ length: callsMax }, list)
  await assert.rejects(list(), { code: 'unavailable' })
  for (const answer of await Promise.all(lists)) assert.equal(answer.type, 'list')
  gone.abort()
  const ends = await Promise.all(watches.map((watch) => watch.next()))
  assert.ok(ends.every(({ done }) => done))
  assert.equal((await watch().next()).done, true)
  assert.equal((await list()).type, 'list')
})

test('a folder of any size can be watched: its listing is no backlog', async (t) => {
  const scene = startRuntime(t, [], watchBacklogMax + 1)
  await serving(scene)
  const gone = new AbortController()
  let present = 0
  for await (const answer of scene.runtime.calls.watch(
    { type: 'watch', file: '' },
    'Ana',
    gone.signal,
  )) {
    if (answer.type === 'watched' && answer.event === 'ready') break
    present++
  }
  assert.equal(present, watchBacklogMax + 1)
})

test('what comes at once is taken a few at a time, in its order', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const client = new Client(scene.runtime)
  client.greets('Ana')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  const tickets = Array.from({ length: 300 }, (_, index) => index + 1)
  for (const ticket of tickets) {
    const value = { name: `${ticket}.md`, text: '' }
    client.says({
      case: 'operation',
      value: { ticket, id: operation(), operation: { case: 'create', value } },
    })
  }
  const done = () => client.heard.filter(({ case: what }) => what === 'done')
  await until(() => done().length === tickets.length, 'all of it is done')
  assert.deepEqual(
    done().map(({ value }) => value && 'ticket' in value && value.ticket),
    tickets,
  )
})

test('a stopping server says so, and then closes', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const clients = [new Client(scene.runtime), new Client(scene.runtime)]
  for (const [index, client] of clients.entries()) client.greets(`Ana ${index}`)
  await until(() => clients.every((client) => client.find('welcome')), 'welcome')
  await scene.runtime.stop()
  await until(() => clients.every(({ closedWhy }) => closedWhy !== undefined), 'all are closed')
  for (const client of clients) {
    assert.equal(client.find('goaway')?.value.text, 'This server is stopping. Trying another.')
  }
})

test('a peer that dials in is greeted, and one that leaves is dialled again', async (t) => {
  // Of two servers the one with the smaller id dials.
  const scene = startRuntime(t, ['b'])
  await until(() => scene.world.dialled.length >= 3, 'dialled again and again')
  const [here, there] = memoryChannels<PeerMessage, PeerMessage>()
  const heard: PeerMessage[] = []
  let isClosed = false
  there.listen({ received: (message) => heard.push(message), closed: () => (isClosed = true) })
  scene.engine.addPeer(here)
  await until(() => heard.length > 0, 'a hello')
  assert.equal(heard[0]!.message.case, 'hello')
  await until(() => isClosed, 'a peer that says nothing is closed')
})
