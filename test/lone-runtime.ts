// One server's loop on a memory disk, and clients of it.

import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { deflateRawSync } from 'node:zlib'

import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'

import { memoryChannels } from '../src/adapters/channel/memory.ts'
import { ReplicaSetEngine } from '../src/adapters/engine/replica-set.ts'
import { MemoryDisk, MemoryStorage } from '../src/adapters/storage/memory.ts'
import { now, random } from '../src/adapters/system.ts'
import { originOf, subjectId, type ReplicaId } from '../src/core/model/ids.ts'
import { sealUpdate } from '../src/core/model/snapshot.ts'
import {
  EntrySchema,
  Kind,
  SessionRequestSchema,
  SessionResponseSchema,
  UpdateSchema,
  type ClientMessageSchema,
  type ServerMessage,
  type Update,
} from '../src/core/model/wire.ts'
import type { Channel } from '../src/core/ports.ts'
import { Replica } from '../src/core/replica/replica.ts'
import { Replication } from '../src/core/replication/replication.ts'
import { Runtime, type RuntimeOptions } from '../src/server/runtime.ts'
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
export function startRuntime(
  t: TestContext,
  peers: string[] = [],
  files = 0,
  bounds: Pick<RuntimeOptions, 'unread'> = {},
) {
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
      reader: engine.reader,
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
    ...bounds,
  })
  runtime.start()
  t.after(() => runtime.stop())
  return { runtime, engine, world }
}

/** So many files that a life of a server made. */
export function filed(count: number, replica = id): Update[] {
  const origin = originOf(replica, random(10))
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
export class Client {
  readonly heard: ServerMessage['message'][] = []
  /** The same, by frames. */
  readonly frames: ServerMessage['message'][][] = []
  closedWhy: string | undefined
  readonly #channel: Channel<Uint8Array, Uint8Array>

  constructor(runtime: Runtime, address = '127.0.0.1') {
    const [server, client] = memoryChannels<Uint8Array, Uint8Array>(({ length }) => length)
    this.#channel = client
    client.listen({
      received: (frame) => {
        const { messages } = fromBinary(SessionResponseSchema, frame)
        this.frames.push(messages.map(({ message }) => message))
        this.heard.push(...this.frames.at(-1)!)
      },
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

/** A client that says hello, and reads nothing. */
export class Mute {
  closedWhy: string | undefined
  bytes = 0

  constructor(runtime: Runtime, name: string) {
    let hear: (frame: Uint8Array) => void = () => {}
    const channel: Channel<Uint8Array, Uint8Array> = {
      send: ({ length }) => (this.bytes += length),
      queuedBytes: () => this.bytes,
      close: (why) => (this.closedWhy = why),
      listen: ({ received }) => (hear = received),
    }
    runtime.addClient(channel, '127.0.0.1')
    const hello = { case: 'hello' as const, value: { key: random(16), name, protocol: 1 } }
    const request = create(SessionRequestSchema, { messages: [{ message: hello }] })
    hear(toBinary(SessionRequestSchema, request))
  }
}

export const serving = ({ runtime }: { runtime: Runtime }) =>
  until(() => runtime.health === 'ok', 'it serves')
