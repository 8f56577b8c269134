// A process in which writers push straight into a server's loop, without any socket; or into bare SQLite.

import { BinaryReader } from '@bufbuild/protobuf/wire'
import { createHash } from 'node:crypto'

import { ReplicaSetEngine } from '../src/adapters/engine/replica-set.ts'
import { openSqliteStorage } from '../src/adapters/storage/sqlite.ts'
import { now } from '../src/adapters/system.ts'
import { originOf, subjectId, type ReplicaId } from '../src/core/model/ids.ts'
import { ServerMessageSchema, type ServerMessage } from '../src/core/model/wire.ts'
import type { ChannelListener } from '../src/core/ports.ts'
import { Replica } from '../src/core/replica/replica.ts'
import { Replication } from '../src/core/replication/replication.ts'
import type { FrameChannel } from '../src/server/client-link.ts'
import { Runtime } from '../src/server/runtime.ts'
import { answerQuestions } from '../test/companion.ts'
import { bareRate } from './bare.ts'
import { frameOf } from './raw-session.ts'
import { typing } from './typing.ts'

export interface InnerQuestions {
  /**
   * Durable updates a second of a server's loop; each writer has a document of its own open. The first
   * updates of each are not counted: the runtime compiles while they come.
   */
  server: {
    given: { directory: string; writers: number; warmUpEach: number; updatesEach: number }
    answer: { rate: number }
  }
  /** The same of bare SQLite. */
  bare: {
    given: { file: string; records: Uint8Array[][]; warmUpEach: number }
    answer: { rate: number }
  }
}

answerQuestions<InnerQuestions>({
  async server({ directory, writers, warmUpEach, updatesEach }) {
    const runtime = await startRuntime(directory)
    const allEach = warmUpEach + updatesEach
    const people = Array.from({ length: writers }, () => new InnerWriter(runtime, allEach))
    for (const person of people) await person.prepare()
    await Promise.all(people.map((person) => person.write(warmUpEach)))
    const startedAt = performance.now()
    await Promise.all(people.map((person) => person.write(updatesEach)))
    return { rate: ((writers * updatesEach) / (performance.now() - startedAt)) * 1000 }
  },
  async bare({ file, records, warmUpEach }) {
    return { rate: await bareRate(file, records, warmUpEach) }
  },
})

/** A set of one server, as `startServer` puts it together, without the port. */
async function startRuntime(directory: string): Promise<Runtime> {
  const id = 'a' as ReplicaId
  const set = 'bench'
  const storage = await openSqliteStorage({ directory, set, replica: id }, now)
  const { reader } = storage
  const origin = originOf(id, crypto.getRandomValues(new Uint8Array(10)))
  const failed = () => {
    throw new Error('the store failed')
  }
  const common = { now: now(), replica: id, set, origin, reader }
  const servers = [{ id, address: 'http://127.0.0.1:2' }]
  const runtime = new Runtime({
    replica: new Replica({
      ...common,
      version: 'bench',
      safeCount: 1,
      rates: { pushesPerSecond: 1e6, pushBurst: 1e6, caretsPerSecond: 20 },
      random: Math.random,
      seal: () => new Uint8Array(),
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      deflate: () => new Uint8Array(),
    }),
    engine: new ReplicaSetEngine({
      replication: new Replication({ ...common, servers, isFirst: true }),
      storage,
      origin,
      now,
      dial: () => Promise.reject(new Error('there is nobody else')),
      log: () => {},
    }),
    now,
    isDiskFull: () => Promise.resolve(false),
    turnsAway: () => undefined,
    hasBytes: () => Promise.resolve(false),
    named: () => {},
    heard: () => {},
    log: () => {},
    failed,
  })
  runtime.start()
  while (runtime.health !== 'ok') await new Promise((resolve) => setTimeout(resolve, 10))
  return runtime
}

type Kind = ServerMessage['message']['case']

/** A client's end of a channel within the process. */
class InnerWriter implements FrameChannel {
  readonly #runtime: Runtime
  readonly #key = crypto.getRandomValues(new Uint8Array(16))
  readonly #updates: Uint8Array[]
  #frames: Uint8Array[] = []
  #listener: ChannelListener<Uint8Array> | undefined
  #heard: (kind: Kind) => void = () => {}

  constructor(runtime: Runtime, updates: number) {
    this.#runtime = runtime
    this.#updates = typing(this.#key, updates)
  }

  async prepare(): Promise<void> {
    this.#runtime.addClient(this, '127.0.0.1')
    const document = subjectId(crypto.getRandomValues(new Uint8Array(16)))
    const hello = { key: this.#key, name: document.slice(0, 16), protocol: 1, agent: 'bench' }
    await this.#say(frameOf({ case: 'hello', value: hello }), 'welcome')
    const operation = { case: 'create' as const, value: { name: document, text: '' } }
    const value = { ticket: 1, id: document, operation }
    await this.#say(frameOf({ case: 'operation', value }), 'done')
    const stateVector = new Uint8Array()
    await this.#say(frameOf({ case: 'open', value: { document, stateVector } }), 'opened')
    this.#frames = this.#updates.map((update, index) =>
      frameOf({ case: 'push', value: { ticket: index + 2, document, update } }),
    )
  }

  /** The next so many pushes, one after the other, each when the last one is stored. */
  async write(count: number): Promise<void> {
    for (const frame of this.#frames.splice(0, count)) await this.#say(frame, 'stored')
  }

  #say(frame: Uint8Array, answer: Kind): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#heard = (kind) => {
        if (kind === answer) resolve()
        else if (kind === 'refused' || kind === 'rejected' || kind === 'resync') {
          reject(new Error(`${kind} instead of ${answer}`))
        }
      }
      this.#listener!.received(frame)
    })
  }

  send(frame: Uint8Array): void {
    for (const kind of kindsIn(frame)) this.#heard(kind)
  }

  queuedBytes(): number {
    return 0
  }

  close(): void {}

  listen(listener: ChannelListener<Uint8Array>): void {
    this.#listener = listener
  }
}

const kinds = new Map(
  ServerMessageSchema.fields.map(({ number, localName }) => [number, localName]),
)

/** Of the messages of a frame. More is not read of them: it is not the writers that are measured. */
function kindsIn(frame: Uint8Array): Kind[] {
  const found: Kind[] = []
  const reader = new BinaryReader(frame)
  while (reader.pos < reader.len) {
    reader.tag()
    const end = reader.uint32() + reader.pos
    found.push(kinds.get(reader.tag()[0]) as Kind)
    reader.pos = end
  }
  return found
}
