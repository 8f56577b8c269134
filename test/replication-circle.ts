// A circle of minds of replication on memory disks, joined by channels that deliver at once and in order.

import { create, toBinary } from '@bufbuild/protobuf'
import { MemoryDisk, MemoryStorage } from '../src/adapters/storage/memory.ts'
import { originOf, subjectId, type Origin, type ReplicaId } from '../src/core/model/ids.ts'
import { VersionSchema, type PeerMessage } from '../src/core/model/wire.ts'
import type { Batch, EngineEvent } from '../src/core/ports.ts'
import {
  isHeartbeat,
  type ReplicationInput,
  type ReplicationOutput,
} from '../src/core/replication/messages.ts'
import { Peer } from '../src/core/replication/peer.ts'
import { Replication } from '../src/core/replication/replication.ts'

export const names = ['a', 'b', 'c', 'd'] as ReplicaId[]
/** What everything is about that is appended. */
export const subject = subjectId(new Uint8Array(16).fill(7))

/** One server: its mind, its disk, and what it told. */
export class Server {
  readonly id: ReplicaId
  readonly storage: MemoryStorage
  readonly mind: Replication
  readonly events: EngineEvent[] = []
  readonly channels = new Map<number, { server: Server; channel: number }>()
  readonly log: string[] = []
  /** What peers said to it. */
  readonly heard: { from: Server; message: PeerMessage }[] = []

  constructor(circle: Circle, id: ReplicaId, disk: MemoryDisk) {
    this.id = id
    this.storage = new MemoryStorage(disk)
    const random = Uint8Array.from({ length: 10 }, () => circle.nextByte())
    this.mind = new Replication({
      now: circle.now,
      replica: id,
      set: 'test',
      origin: originOf(id, random),
      reader: this.storage.reader,
      servers: circle.members.map((name) => ({ id: name, address: `http://${name}` })),
      isFirst: false,
    })
  }

  marks(): number[] {
    return this.events.flatMap((event) => (event.type === 'appended' ? [event.mark] : []))
  }

  covered(replica: string): number {
    const marks = this.events.flatMap((event) =>
      event.type === 'covered' && event.replica === replica ? [event.mark] : [],
    )
    return marks.at(-1) ?? 0
  }
}

/** The set: performs outputs one after the other; the disk is as fast as the network. */
export class Circle {
  now = 0
  /** Who is in the set, as whoever starts reads it. */
  members: readonly ReplicaId[] = names
  readonly living = new Map<ReplicaId, Server>()
  readonly disks = new Map<ReplicaId, MemoryDisk>()
  readonly #queue: { server: Server; input: ReplicationInput }[] = []
  #channels = 0
  #bytes = 1
  /** Where what is written never arrives on the disk. */
  readonly stuck = new Set<ReplicaId>()
  /** Where what is written is taken in and never flushed: what rests on it is not told. */
  readonly hanging = new Set<ReplicaId>()
  /** What they would have said. */
  readonly #withheld: { server: Server; output: ReplicationOutput }[] = []
  /** How long a flush takes there; as long as a message where absent. */
  readonly flushMs = new Map<ReplicaId, number>()
  readonly #flushes: { server: Server; batch: Batch; at: number }[] = []
  /** Who speaks as before servers told how many whole subjects they have stored. */
  readonly early = new Set<ReplicaId>()

  nextByte(): number {
    this.#bytes = (this.#bytes * 75 + 74) % 65537
    return this.#bytes & 255
  }

  start(id: ReplicaId): Server {
    const disk = this.disks.get(id) ?? new MemoryDisk()
    this.disks.set(id, disk)
    const server = new Server(this, id, disk)
    this.living.set(id, server)
    return server
  }

  kill(id: ReplicaId): void {
    const server = this.living.get(id)!
    this.living.delete(id)
    for (const end of server.channels.values()) this.#closeEnd(end.server, end.channel)
  }

  input(server: Server, input: ReplicationInput): void {
    this.#queue.push({ server, input })
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if (this.living.get(next.server.id) !== next.server) continue
      for (const input of [next.input, { type: 'settle' as const }]) {
        const outputs = next.server.mind.step(this.now, input)
        for (const output of outputs) this.#perform(next.server, output)
      }
    }
  }

  /** Disks that hung flush: what waited for them is said. */
  flush(): void {
    this.hanging.clear()
    for (const { server, output } of this.#withheld.splice(0)) this.#perform(server, output)
    for (const server of this.living.values()) this.input(server, { type: 'tick' })
  }

  pass(ms: number): void {
    const end = this.now + ms
    while (this.now < end) {
      this.now += 50
      for (const flush of this.#flushes.splice(0)) {
        if (flush.at > this.now) this.#flushes.push(flush)
        else this.input(flush.server, this.#stored(flush.server, flush.batch))
      }
      for (const server of this.living.values()) this.input(server, { type: 'tick' })
    }
  }

  append(server: Server, tag: number, text: string, operation = ''): void {
    const version = create(VersionSchema, { id: text, name: text, at: this.now })
    const body = { case: 'version' as const, value: toBinary(VersionSchema, version) }
    const update = { subject, author: 'ada', at: this.now, operation, body }
    this.input(server, { type: 'asked', request: { type: 'append', tag, update } })
  }

  #stored(server: Server, batch: Batch): ReplicationInput {
    server.storage.commit(batch)
    return { type: 'stored' }
  }

  #perform(server: Server, output: ReplicationOutput): void {
    switch (output.type) {
      case 'store': {
        if (this.stuck.has(server.id)) return
        const at = this.now + (this.flushMs.get(server.id) ?? 0)
        if (at > this.now) this.#flushes.push({ server, batch: output.batch, at })
        else this.#queue.push({ server, input: this.#stored(server, output.batch) })
        return
      }
      case 'compact':
        server.storage.compactNow(output.subject, output.upTo, output.isPurge)
        this.#queue.push({
          server,
          input: { type: 'compacted', isPurged: output.isPurge, subject: output.subject },
        })
        return
      case 'dial':
        this.#dial(server, output.replica)
        return
      case 'send': {
        const end = server.channels.get(output.channel)
        if (!end) return
        if (this.hanging.has(server.id) && !isHeartbeat(output.message)) {
          this.#withheld.push({ server, output })
          return
        }
        const { channel } = end
        // What it does not know it does not hear.
        const isEarly = this.early.has(server.id) || this.early.has(end.server.id)
        const message = isEarly ? asBefore(output.message) : output.message
        end.server.heard.push({ from: server, message })
        const input = { type: 'received' as const, channel, message }
        this.#queue.push({ server: end.server, input })
        return
      }
      case 'hangUp': {
        const end = server.channels.get(output.channel)
        if (end) this.#closeEnd(end.server, end.channel)
        this.#closeEnd(server, output.channel)
        return
      }
      case 'event':
        server.events.push(output.event)
        return
      case 'log':
        server.log.push(output.text)
        return
    }
  }

  #dial(server: Server, replica: ReplicaId): void {
    const other = this.living.get(replica)
    if (!other) {
      this.#queue.push({ server, input: { type: 'undialled', replica, why: 'it is down' } })
      return
    }
    const here = ++this.#channels
    const there = ++this.#channels
    server.channels.set(here, { server: other, channel: there })
    other.channels.set(there, { server, channel: here })
    this.#queue.push({ server, input: { type: 'opened', channel: here, dialled: replica } })
    this.#queue.push({ server: other, input: { type: 'opened', channel: there } })
  }

  #closeEnd(server: Server, channel: number): void {
    if (!server.channels.delete(channel)) return
    this.input(server, { type: 'closed', channel })
  }
}

function asBefore({ message, $typeName }: PeerMessage): PeerMessage {
  if (message.case === 'hello') {
    return { $typeName, message: { ...message, value: { ...message.value, tellsStored: false } } }
  }
  if (message.case !== 'have') return { $typeName, message }
  return { $typeName, message: { ...message, value: { ...message.value, stored: 0 } } }
}

/** A peer by itself, just met, that has the first update of a log. */
export function peerB(log: Origin): Peer {
  return new Peer({
    id: 'b' as ReplicaId,
    channel: 1,
    origin: 'b.0123456789abc' as Origin,
    have: new Map([[log, 1]]),
    isRecovering: false,
    tellsStored: true,
    life: '',
    saidAt: 0,
    metAt: 0,
    patience: 1,
    now: 0,
  })
}

/** Four servers that have agreed that their set is new. */
export function four(): { circle: Circle; servers: Server[] } {
  const circle = new Circle()
  const servers = names.map((name) => circle.start(name))
  circle.pass(500)
  return { circle, servers }
}
