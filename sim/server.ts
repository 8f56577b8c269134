// A simulated server: the real minds on a simulated disk and network, in the loop of the runtime.
//
//   gather ─> step ─> perform, a turn at a time; a crash drops everything that is in memory; every
//   start is a new life with a new origin on whatever the disk then holds.

import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { originOf, type Origin, type ReplicaId, type SubjectId } from '../src/core/model/ids.ts'
import { caretsPerSecondMax, pushBurstMax, pushesPerSecondMax } from '../src/core/model/limits.ts'
import type { ClientMessage, PeerMessage, ServerMessage } from '../src/core/model/wire.ts'
import type { Channel } from '../src/core/ports.ts'
import type {
  Answer,
  Call,
  CallId,
  ClientChannel,
  ReplicaInput,
  ReplicaOutput,
} from '../src/core/replica/messages.ts'
import { Replica } from '../src/core/replica/replica.ts'
import type {
  PeerChannel,
  ReplicationInput,
  ReplicationOutput,
} from '../src/core/replication/messages.ts'
import { Replication } from '../src/core/replication/replication.ts'
import type { SimulatedDisk } from './disk.ts'
import type { HostName, Network } from './network.ts'
import type { Plant } from './plants.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

/** As in the runtime. */
const busyTickMs = 50
const idleTickMs = 150
/** What arrives within this is one turn. */
const turnMs = 0.1

/** When time begins, for those who read a wall clock. */
export const epochMs = 1_700_000_000_000

export interface ServerOptions {
  name: HostName
  /** All servers of the set. */
  set: readonly HostName[]
  timeline: Timeline
  network: Network
  random: Random
  trace: Trace
  disk: SimulatedDisk
  plant: Plant
}

export function addressOf(server: HostName): string {
  return `http://${server}`
}

export class SimulatedServer {
  readonly name: HostName
  readonly disk: SimulatedDisk
  readonly #options: ServerOptions
  readonly #origins: Origin[] = []
  /** How far its wall clock is off when a life begins; within one it only counts. */
  clockMs = 0
  #life: Life | undefined

  constructor(options: ServerOptions) {
    this.name = options.name
    this.disk = options.disk
    this.#options = options
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  /** Whether it lets clients in. */
  get isServing(): boolean {
    return this.#life?.isServing ?? false
  }

  get isFrozen(): boolean {
    return this.#options.network.isFrozen(this.name)
  }

  start(): void {
    if (this.#life) return
    const { plant, random } = this.#options
    const fresh = originOf(this.name as ReplicaId, random.bytes(10))
    const origin = plant.origin?.(fresh, this.#origins, this.disk.vector()) ?? fresh
    this.#origins.push(origin)
    this.#life = new Life(this.#options, origin, this.clockMs)
  }

  /** Everything in memory is gone. */
  crash(isPowerCut: boolean): void {
    if (!this.#life) return
    const { network, trace, timeline } = this.#options
    trace.note(timeline.now, `${this.name} ${isPowerCut ? 'loses power' : 'is killed'}`)
    this.#life.end()
    this.#life = undefined
    this.disk.crash()
    if (isPowerCut) network.unplug(this.name)
    else network.kill(this.name)
  }

  freeze(): void {
    if (this.#life) this.#options.network.freeze(this.name)
  }

  thaw(): void {
    this.#options.network.thaw(this.name)
    this.#life?.thawed()
  }

  /** Asks as a whole-file client does; the answer comes with one of the next turns. */
  call(request: Call, answered: (answer: Answer) => void): void {
    this.#life?.call(request, answered)
  }

  /** Merges the loose updates of a subject, as if there were many. */
  compact(subject: SubjectId): void {
    this.#life?.compact(subject)
  }
}

type Work =
  | { mind: 'replica'; input: ReplicaInput }
  | { mind: 'replication'; input: ReplicationInput }

/** One process, from its start to its crash. */
class Life {
  readonly #options: ServerOptions
  readonly #replica: Replica
  readonly #replication: Replication
  readonly #clients = new Map<ClientChannel, Channel<object, object>>()
  readonly #peers = new Map<PeerChannel, Channel<object, object>>()
  readonly #calls = new Map<CallId, (answer: Answer) => void>()
  readonly #clockMs: number
  readonly #hearing: ((message: PeerMessage) => PeerMessage[]) | undefined
  #isServing = false
  #work: Work[] = []
  #isScheduled = false
  #isWriting = false
  #isOver = false
  #nextId = 1
  /** Counts the timers set: only the newest one is heard. */
  #tickNumber = 0
  #tickMs = 0

  constructor(options: ServerOptions, origin: Origin, clockMs: number) {
    const { name, set, disk, network, plant, random, timeline, trace } = options
    this.#options = options
    this.#clockMs = clockMs
    const opened = disk.open()
    const reader = plant.reader?.(opened) ?? opened
    this.#hearing = plant.hearing?.(reader.vector())
    const replica = name as ReplicaId
    const now = this.#now()
    const shared = { now, replica, set: 'simulated', origin, reader }
    const servers = set.map((id) => ({ id: id as ReplicaId, address: addressOf(id) }))
    this.#replication = new Replication({ ...shared, servers, isFirst: false })
    this.#replica = new Replica({
      ...shared,
      version: 'simulated',
      safeCount: 2,
      rates: {
        pushesPerSecond: pushesPerSecondMax,
        pushBurst: pushBurstMax,
        caretsPerSecond: caretsPerSecondMax,
      },
      random: () => random.next(),
      seal: (document, update) =>
        createHash('sha256').update(document).update(update).digest().subarray(0, 16),
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      deflate: (text) => deflateRawSync(text),
    })
    trace.note(timeline.now, `${name} starts as ${origin}`)
    network.listen(name, (channel, from, service) => {
      if (service === 'peer') this.#openPeer(channel)
      else this.#openClient(channel, from)
    })
    this.#tickIn(0)
  }

  get isServing(): boolean {
    return this.#isServing
  }

  end(): void {
    this.#isOver = true
  }

  /** The process goes on: what was due while it was frozen is due now. */
  thawed(): void {
    this.#schedule()
    this.#tickIn(0)
  }

  call(request: Call, answered: (answer: Answer) => void): void {
    const call = this.#nextId++
    this.#calls.set(call, (answer) => {
      this.#calls.delete(call)
      answered(answer)
    })
    this.#enqueue({ mind: 'replica', input: { type: 'called', call, author: '', request } })
  }

  compact(subject: SubjectId): void {
    this.#enqueue({
      mind: 'replication',
      input: { type: 'asked', request: { type: 'compact', subject } },
    })
  }

  #now(): number {
    return epochMs + this.#options.timeline.now + this.#clockMs
  }

  // ------------------------------------------------------------------------------ channels

  #openClient(channel: Channel<object, object>, address: string): void {
    const id = this.#nextId++
    this.#clients.set(id, channel)
    this.#enqueue({ mind: 'replica', input: { type: 'opened', channel: id, address } })
    channel.listen({
      received: (received) => {
        const message = received as ClientMessage
        const input: ReplicaInput = { type: 'received', channel: id, message, bytes: 100 }
        this.#enqueue({ mind: 'replica', input })
      },
      closed: () => {
        if (!this.#clients.delete(id)) return
        this.#enqueue({ mind: 'replica', input: { type: 'closed', channel: id } })
      },
    })
  }

  #openPeer(channel: Channel<object, object>): void {
    const id = this.#nextId++
    this.#peers.set(id, channel)
    this.#enqueue({ mind: 'replication', input: { type: 'opened', channel: id } })
    channel.listen({
      received: (message) => this.#fromPeer(id, message as PeerMessage),
      closed: () => this.#peerClosed(id),
    })
  }

  #dial(dialled: ReplicaId): void {
    const id = this.#nextId++
    const channel = this.#options.network.dial(this.#options.name, dialled, 'peer', {
      opened: () => {
        this.#peers.set(id, channel)
        const input: ReplicationInput = { type: 'opened', channel: id, dialled }
        this.#enqueue({ mind: 'replication', input })
      },
      received: (message) => this.#fromPeer(id, message as PeerMessage),
      closed: () => {
        if (this.#peers.has(id)) this.#peerClosed(id)
        else {
          const input: ReplicationInput = { type: 'undialled', replica: dialled }
          this.#enqueue({ mind: 'replication', input })
        }
      },
    })
  }

  #fromPeer(channel: PeerChannel, message: PeerMessage): void {
    for (const each of this.#hearing?.(message) ?? [message]) {
      const input: ReplicationInput = { type: 'received', channel, message: each }
      this.#enqueue({ mind: 'replication', input })
    }
  }

  #peerClosed(id: PeerChannel): void {
    if (!this.#peers.delete(id)) return
    this.#enqueue({ mind: 'replication', input: { type: 'closed', channel: id } })
  }

  // ---------------------------------------------------------------------------------- loop

  #enqueue(work: Work): void {
    this.#work.push(work)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#work.length === 0) return
    this.#isScheduled = true
    this.#options.timeline.after(turnMs, () => {
      this.#isScheduled = false
      this.#turn()
    })
  }

  #isStopped(): boolean {
    return this.#isOver || this.#options.network.isFrozen(this.#options.name)
  }

  #turn(): void {
    if (this.#isStopped()) return
    const now = this.#now()
    const work = this.#work
    this.#work = []
    // What the minds say to each other joins the end of this turn's work.
    let done = 0
    for (; done < work.length; done++) this.#step(now, work[done]!, work)
    work.push({ mind: 'replica', input: { type: 'settle' } })
    work.push({ mind: 'replication', input: { type: 'settle' } })
    work.push({ mind: 'replication', input: { type: 'settle' } })
    for (; done < work.length; done++) this.#step(now, work[done]!, work)
    if (this.#isBusy() && this.#tickMs > busyTickMs) this.#tickIn(busyTickMs)
  }

  #step(now: number, { mind, input }: Work, work: Work[]): void {
    if (mind === 'replica') {
      for (const output of this.#replica.step(now, input)) {
        if (output.type === 'ask') {
          work.push({ mind: 'replication', input: { type: 'asked', request: output.request } })
        } else this.#performReplica(output)
      }
      return
    }
    for (const output of this.#replication.step(now, input)) {
      if (output.type === 'event') {
        if (output.event.type === 'servers') this.#isServing = output.event.isServing
        work.push({ mind: 'replica', input: { type: 'event', event: output.event } })
      } else this.#performReplication(output)
    }
  }

  #performReplica(output: Exclude<ReplicaOutput, { type: 'ask' }>): void {
    switch (output.type) {
      case 'send':
        this.#send(output)
        return
      case 'hangUp':
        this.#clients.get(output.channel)?.close(output.why)
        return
      case 'answer':
        this.#calls.get(output.call)?.(output.answer)
        return
      case 'log':
        this.#note(output.level, output.text)
    }
  }

  #send({ channels, message }: Extract<ReplicaOutput, { type: 'send' }>): void {
    const { fanOut } = this.#options.plant
    for (const channel of fanOut?.(message, channels) ?? channels) {
      this.#pass(this.#clients.get(channel), message)
    }
  }

  #pass(channel: Channel<object, object> | undefined, message: PeerMessage | ServerMessage): void {
    const { plant, disk } = this.#options
    if (plant.waitsForFlush?.(message)) disk.afterFlush(() => channel?.send(message))
    else channel?.send(message)
  }

  #performReplication(output: Exclude<ReplicationOutput, { type: 'event' }>): void {
    const { disk } = this.#options
    switch (output.type) {
      case 'store':
        this.#isWriting = true
        disk.write(output.batch, () => {
          this.#isWriting = false
          this.#enqueue({ mind: 'replication', input: { type: 'stored' } })
        })
        return
      case 'compact': {
        const { subject } = output
        disk.compact(subject, output.upTo, () =>
          this.#enqueue({ mind: 'replication', input: { type: 'compacted', subject } }),
        )
        return
      }
      case 'dial':
        this.#dial(output.replica)
        return
      case 'send':
        this.#pass(this.#peers.get(output.channel), output.message)
        return
      case 'hangUp':
        this.#peers.get(output.channel)?.close(output.why)
        return
      case 'log':
        this.#note(output.level, output.text)
    }
  }

  #note(level: 'info' | 'error', text: string): void {
    const { trace, timeline, name } = this.#options
    trace.note(timeline.now, `${name} ${level}: ${text}`)
  }

  // ---------------------------------------------------------------------------------- time

  #isBusy(): boolean {
    return this.#isWriting || this.#replica.isBusy() || this.#replication.isBusy()
  }

  #tickIn(ms: number): void {
    const number = ++this.#tickNumber
    this.#tickMs = ms
    this.#options.timeline.after(ms, () => {
      if (number === this.#tickNumber) this.#tick()
    })
  }

  #tick(): void {
    if (this.#isStopped()) return
    this.#enqueue({ mind: 'replication', input: { type: 'tick' } })
    this.#enqueue({ mind: 'replica', input: { type: 'tick' } })
    this.#tickIn(this.#isBusy() ? busyTickMs : idleTickMs)
  }
}
