// A world for engines: servers that start, die, lose disks and channels, around the real adapter.

import { create, toBinary } from '@bufbuild/protobuf'
import { randomBytes } from 'node:crypto'
import { memoryChannels } from '../../src/adapters/channel/memory.ts'
import { ReplicaSetEngine } from '../../src/adapters/engine/replica-set.ts'
import { originOf, type ReplicaId, type SubjectId } from '../../src/core/model/ids.ts'
import { storedVersions } from '../../src/core/model/snapshot.ts'
import { VersionSchema, type PeerMessage, type Update } from '../../src/core/model/wire.ts'
import type { Channel, EngineEvent, Mark, Storage } from '../../src/core/ports.ts'
import { Replication } from '../../src/core/replication/replication.ts'

export const names = ['a', 'b', 'c', 'd'] as ReplicaId[]
/** Longer than anything here takes on a busy machine. */
const patienceMs = 20_000

/** Where one server keeps what it has, through all its lives. */
export interface Disk {
  open(): Promise<Storage>
  lose(): Promise<void>
}

/** One life of one engine, with what it told. */
export class Life {
  readonly engine: ReplicaSetEngine
  readonly events: EngineEvent[] = []
  failure: Error | undefined
  #tag = 0
  #waiters: (() => void)[] = []

  constructor(engine: ReplicaSetEngine) {
    this.engine = engine
    engine.listen({
      event: (event) => {
        this.events.push(event)
        this.#wake()
      },
      failed: (error) => {
        this.failure = error
        this.#wake()
      },
    })
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter()
  }

  /** Resolves with what `look` finds, when it finds it. */
  async until<T>(what: string, look: () => T | undefined): Promise<T> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (this.failure) throw this.failure
      if (Date.now() > deadline) throw new Error(`waited too long: ${what}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 25)
        this.#waiters.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Appends a named version; resolves with its mark when it is on this disk. */
  append(subject: SubjectId, name: string): Promise<Mark> {
    const tag = ++this.#tag
    const value = toBinary(VersionSchema, create(VersionSchema, { id: name, name, at: tag }))
    const body: Update['body'] = { case: 'version', value }
    const update = { subject, author: 'ada', at: Date.now(), operation: '', body }
    this.engine.ask({ type: 'append', tag, update })
    return this.until(`append ${name}`, () => {
      const answer = this.events.find((event) => event.type === 'appended' && event.tag === tag)
      return answer?.type === 'appended' ? answer.mark : undefined
    })
  }

  /** Resolves when these servers' disks cover the mark. */
  covered(mark: Mark, replicas: ReplicaId[]): Promise<true> {
    return this.until(`${replicas.join()} cover ${mark}`, () => {
      const reached = replicas.every((replica) =>
        this.events.some(
          (event) => event.type === 'covered' && event.replica === replica && event.mark >= mark,
        ),
      )
      return reached || undefined
    })
  }

  serving(): Promise<true> {
    return this.until('serving', () => {
      const last = this.events.findLast((event) => event.type === 'servers')
      return (last?.type === 'servers' && last.isServing) || undefined
    })
  }

  /** The names stored here of a subject, sorted. */
  stored(subject: SubjectId): string[] {
    return storedVersions(this.engine.reader.load(subject))
      .map(({ name }) => name)
      .sort()
  }

  holds(subject: SubjectId, expected: string[]): Promise<true> {
    const wanted = [...expected].sort().join()
    return this.until(`${wanted} stored`, () => this.stored(subject).join() === wanted || undefined)
  }
}

export class World {
  readonly lives = new Map<ReplicaId, Life>()
  readonly log: string[] = []
  readonly #disks: Map<ReplicaId, Disk>
  readonly #storages = new Map<ReplicaId, Storage>()
  readonly #channels: {
    ends: [ReplicaId, ReplicaId]
    channel: Channel<PeerMessage, PeerMessage>
  }[] = []
  readonly #cuts = new Set<string>()

  constructor(diskOf: (name: ReplicaId) => Disk) {
    this.#disks = new Map(names.map((name) => [name, diskOf(name)]))
  }

  async startAll(): Promise<Life[]> {
    const lives = await Promise.all(names.map((name) => this.start(name)))
    await Promise.all(lives.map((life) => life.serving()))
    return lives
  }

  async start(name: ReplicaId): Promise<Life> {
    const storage = await this.#disks.get(name)!.open()
    this.#storages.set(name, storage)
    const origin = originOf(name, randomBytes(10))
    const replication = new Replication({
      now: Date.now(),
      replica: name,
      set: 'world',
      origin,
      reader: storage.reader,
      servers: names.map((id) => ({ id, address: `http://${id}` })),
      isFirst: false,
    })
    const engine = new ReplicaSetEngine({
      replication,
      storage,
      origin,
      now: Date.now,
      dial: (replica) => this.#dial(name, replica),
      log: (_, text) => this.log.push(`${name}: ${text}`),
    })
    const life = new Life(engine)
    this.lives.set(name, life)
    return life
  }

  /** Ends a life at once; what was under way may or may not be on its disk. */
  async kill(name: ReplicaId): Promise<void> {
    const life = this.lives.get(name)!
    this.lives.delete(name)
    await life.engine.close()
  }

  async loseDisk(name: ReplicaId): Promise<void> {
    await this.#disks.get(name)!.lose()
  }

  /** No channel between these two, until `heal`. */
  cut(one: ReplicaId, other: ReplicaId): void {
    this.#cuts.add([one, other].sort().join())
    for (const { ends, channel } of this.#channels) {
      if (ends.includes(one) && ends.includes(other)) channel.close('cut')
    }
  }

  heal(): void {
    this.#cuts.clear()
  }

  async end(): Promise<void> {
    await Promise.all([...this.lives.keys()].map((name) => this.kill(name)))
  }

  #dial(from: ReplicaId, to: ReplicaId): Promise<Channel<PeerMessage, PeerMessage>> {
    const other = this.lives.get(to)
    if (!other || this.#cuts.has([from, to].sort().join())) {
      return Promise.reject(new Error('nobody answers'))
    }
    const [here, there] = memoryChannels<PeerMessage, PeerMessage>()
    this.#channels.push({ ends: [from, to], channel: here })
    other.engine.addPeer(there)
    return Promise.resolve(here)
  }
}
