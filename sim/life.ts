// One process of a simulated server: the real minds in the loops of the runtime and of its engine.
//
//   clients, time ──> inbox ── turn ──> Replica ── ask ──> inbox ── turn ──> Replication ──> disk, peers
//                       ^─────────────── event ───────────────────────────────┘

import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { create, fromBinary } from '@bufbuild/protobuf'
import type { Origin, ReplicaId, SubjectId } from '../src/core/model/ids.ts'
import { caretsPerSecondMax, pushBurstMax, pushesPerSecondMax } from '../src/core/model/limits.ts'
import {
  Code,
  EntrySchema,
  ServerMessageSchema,
  type ClientMessage,
  type PeerMessage,
  type ServerMessage,
} from '../src/core/model/wire.ts'
import type { Batch, Channel, EngineEvent } from '../src/core/ports.ts'
import type {
  Answer,
  Call,
  CallId,
  ClientChannel,
  Extent,
  ReplicaInput,
  ReplicaOutput,
} from '../src/core/replica/messages.ts'
import { Replica } from '../src/core/replica/replica.ts'
import {
  isHeartbeat,
  type PeerChannel,
  type ReplicationInput,
  type ReplicationOutput,
} from '../src/core/replication/messages.ts'
import { Replication } from '../src/core/replication/replication.ts'
import { Keeper } from './keeper.ts'
import { Loop, Turns } from './loop.ts'
import type { HostName } from './network.ts'
import { OnceInQueue } from './once.ts'
import type { ServerOptions } from './server.ts'
import type { BytesName } from './shelf.ts'

/** When time begins, for those who read a wall clock. */
export const epochMs = 1_700_000_000_000

export function addressOf(server: HostName): string {
  return `http://${server}`
}

/** Whoever asks as a whole-file client. */
export interface Asker {
  answered: (answer: Answer) => void
  /** The mind has made the answer, which may wait for the disk. */
  made?: (answer: Answer) => void
}

/** A watch of the whole folder. */
export interface Watch {
  /** The process is over. */
  readonly isBroken: boolean
  end: () => void
}

export class Life {
  readonly #options: ServerOptions
  readonly keeper: Keeper
  readonly #clockMs: number
  readonly #replica: Replica
  readonly #once: OnceInQueue
  readonly #replication: Replication
  readonly #runtime: Loop<ReplicaInput>
  readonly #engine: Loop<ReplicationInput>
  readonly #clients = new Map<ClientChannel, Channel<object, object>>()
  readonly #peers = new Map<PeerChannel, Channel<object, object>>()
  readonly #calls = new Map<CallId, Asker>()
  readonly #hearing: ((message: PeerMessage) => PeerMessage[]) | undefined
  #isServing = false
  #isWriting = false
  #isOver = false
  #nextId = 1

  constructor(options: ServerOptions, origin: Origin, clockMs: number) {
    const { name, set, disk, network, plant, random, timeline, trace } = options
    this.#options = options
    this.#clockMs = clockMs
    const opened = disk.open(() => this.#now())
    const reader = plant.reader?.(opened) ?? opened
    this.#hearing = plant.hearing?.(reader.vector())
    const replica = name as ReplicaId
    const now = this.#now()
    const shared = { now, replica, set: 'simulated', origin, reader }
    this.#once = new OnceInQueue(origin)
    const servers = set.map((id) => ({ id: id as ReplicaId, address: addressOf(id) }))
    this.#replication = new Replication({ ...shared, servers, isFirst: false })
    this.#replica = new Replica({
      ...shared,
      reader: plant.forgetsComing ? reader : this.#replication.reader,
      version: 'simulated',
      trash: options.trash,
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
    const isStopped = () => this.#isOver || network.isFrozen(name)
    const turns = new Turns({ timeline, now: () => this.#now(), isStopped })
    const looped = { turns, settle: { type: 'settle' }, tick: { type: 'tick' } } as const
    this.#runtime = new Loop<ReplicaInput>({
      ...looped,
      take: (at, inputs) => this.#turnReplica(at, inputs),
      isBusy: () => this.#replica.isBusy(),
    })
    this.#engine = new Loop<ReplicationInput>({
      ...looped,
      take: (at, inputs) => inputs.forEach((input) => this.#stepReplication(at, input)),
      isBusy: () => this.#isWriting || this.#replication.isBusy(),
    })
    this.keeper = new Keeper({
      name,
      shelf: disk.shelf,
      timeline,
      network,
      pieceMs: () => random.span(options.latencyMs),
      flushMs: () => random.span(disk.flushMs),
      keepers: options.keepers,
      named: () => this.namedBytes,
      isWell: () => this.#isServing,
      isExpected: options.isExpected,
      swept: options.swept,
      mixesPieces: plant.mixesPieces === true,
      losesPieces: plant.losesPieces === true,
      sweepsNamed: plant.sweepsNamed === true,
    })
    this.keeper.named(this.namedBytes ?? [])
    trace.note(timeline.now, `${name} starts as ${origin}`)
    network.listen(name, (channel, from, service) => {
      if (service === 'peer') this.#openPeer(channel)
      else this.#openClient(channel, from)
    })
    this.#engine.tickIn(0)
    this.#runtime.tickIn(0)
  }

  /** What decides in this process. */
  get minds(): object[] {
    return [this.#replica, this.#replication]
  }

  /** Whether it lets clients in. */
  get isServing(): boolean {
    return this.#isServing
  }

  /** The bytes that entries name; undefined: nobody can tell. */
  get namedBytes(): readonly BytesName[] | undefined {
    return this.#replica.named()
  }

  get digest(): string {
    return this.#replica.digest()
  }

  end(): void {
    this.#isOver = true
    this.keeper.end()
  }

  /** The process goes on: what was due while it was frozen is due now. */
  thawed(): void {
    for (const loop of [this.#engine, this.#runtime]) {
      loop.schedule()
      loop.tickIn(0)
    }
  }

  /** Whether it has heard from this life of another server, and lately. */
  hears(name: HostName, origin: Origin): boolean {
    const views = this.#replication.servers(this.#now())
    return views.some((view) => view.id === name && view.origin === origin)
  }

  call(request: Call, { answered, made }: Asker): void {
    const call = this.#nextId++
    this.#calls.set(call, {
      answered: (answer) => {
        this.#calls.delete(call)
        answered(answer)
      },
      ...(made && { made }),
    })
    this.#runtime.put({ type: 'called', call, author: '', request })
  }

  /** Tells `heard` what is there, or lies beyond what is known, and then each change. */
  watch(extent: Extent, heard: (answer: Answer) => void): Watch {
    const call = this.#nextId++
    this.#calls.set(call, { answered: heard })
    const request: Call = { type: 'watch', file: '', ...extent }
    this.#runtime.put({ type: 'called', call, author: '', request })
    const isOver = () => this.#isOver
    return {
      get isBroken() {
        return isOver()
      },
      end: () => {
        if (this.#calls.delete(call)) this.#runtime.put({ type: 'uncalled', call })
      },
    }
  }

  compact(subject: SubjectId): void {
    this.#engine.put({ type: 'asked', request: { type: 'compact', subject } })
  }

  #now(): number {
    return epochMs + this.#options.timeline.now + this.#clockMs
  }

  // ------------------------------------------------------------------------------ channels

  #openClient(channel: Channel<object, object>, address: string): void {
    const id = this.#nextId++
    this.#clients.set(id, channel)
    this.#runtime.put({ type: 'opened', channel: id, address })
    channel.listen({
      received: (received) => {
        const message = received as ClientMessage
        const lacking = this.#lacking(message)
        if (lacking === undefined) {
          this.#runtime.put({ type: 'received', channel: id, message, bytes: 100 })
        } else channel.send(lacking)
      },
      closed: () => {
        if (this.#clients.delete(id)) this.#runtime.put({ type: 'closed', channel: id })
      },
    })
  }

  /** As at the door of a server: no entry names bytes that are not here. */
  #lacking({ message }: ClientMessage): ServerMessage | undefined {
    if (message.case !== 'operation') return undefined
    const { ticket, operation } = message.value
    const isNaming = operation.case === 'createBinary' || operation.case === 'setContent'
    if (!isNaming || this.keeper.claim(operation.value.hash)) return undefined
    const value = { ticket, code: Code.UNAVAILABLE, text: 'These bytes are not here yet.' }
    return create(ServerMessageSchema, { message: { case: 'rejected', value } })
  }

  #openPeer(channel: Channel<object, object>): void {
    const id = this.#nextId++
    this.#peers.set(id, channel)
    this.#engine.put({ type: 'opened', channel: id })
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
        this.#engine.put({ type: 'opened', channel: id, dialled })
      },
      received: (message) => this.#fromPeer(id, message as PeerMessage),
      closed: (why) => {
        if (this.#peers.has(id)) this.#peerClosed(id)
        else this.#engine.put({ type: 'undialled', replica: dialled, why })
      },
    })
  }

  #fromPeer(channel: PeerChannel, message: PeerMessage): void {
    for (const each of this.#hearing?.(message) ?? [message]) {
      this.#engine.put({ type: 'received', channel, message: each })
    }
  }

  #peerClosed(id: PeerChannel): void {
    if (this.#peers.delete(id)) this.#engine.put({ type: 'closed', channel: id })
  }

  // ----------------------------------------------------------------------------- the minds

  #turnReplica(at: number, inputs: ReplicaInput[]): void {
    for (const output of this.#replica.turn(at, inputs)) this.#performReplica(output)
  }

  #performReplica(output: ReplicaOutput): void {
    switch (output.type) {
      case 'ask':
        if (output.request.type === 'append') this.#asked(output.request.update.operation)
        this.#engine.putNext({ type: 'asked', request: output.request })
        return
      case 'send':
        this.#send(output)
        return
      case 'hangUp':
        this.#leave(() => this.#clients.get(output.channel)?.close(output.why))
        return
      case 'answer':
        this.#calls.get(output.call)?.made?.(output.answer)
        this.#answer(output)
        return
      case 'named':
        this.keeper.named(output.contents)
        return
      case 'log':
        this.#note(output.level, output.text)
    }
  }

  #answer({ call, answer }: Extract<ReplicaOutput, { type: 'answer' }>): void {
    for (const each of this.#options.plant.answering?.(answer) ?? [answer]) {
      this.#leave(() => this.#calls.get(call)?.answered(each))
    }
  }

  #asked(operation: string): void {
    this.#once.asked(operation)
    this.#options.asked(operation)
  }

  #send({ channels, message }: Extract<ReplicaOutput, { type: 'send' }>): void {
    const { fanOut } = this.#options.plant
    for (const channel of fanOut?.(message, channels) ?? channels) {
      this.#pass(this.#clients.get(channel), message)
    }
  }

  #pass(channel: Channel<object, object> | undefined, message: PeerMessage | ServerMessage): void {
    const { plant, disk, takes } = this.#options
    const send = () => channel?.send(message)
    if (plant.waitsForFlush?.(message) ?? (takes && !isHeartbeat(message))) disk.afterFlush(send)
    else send()
  }

  /** Where minds go on before their disk, whatever others see waits for that. */
  #leave(release: () => void): void {
    if (this.#options.takes) this.#options.disk.afterFlush(release)
    else release()
  }

  #stepReplication(at: number, input: ReplicationInput): void {
    if (input.type === 'received') this.#once.received(input.message)
    for (const output of this.#replication.step(at, input)) this.#performReplication(output)
  }

  #store(batch: Batch): void {
    const isTaken = this.#options.disk.write(batch, () => {
      this.#isWriting = false
      this.#engine.put({ type: 'stored' })
    })
    this.#isWriting = !isTaken
    if (isTaken) this.#engine.putNext({ type: 'stored' })
  }

  #performReplication(output: ReplicationOutput): void {
    switch (output.type) {
      case 'store':
        for (const operation of this.#once.repeated(output.batch)) this.#options.repeated(operation)
        this.#store(output.batch)
        return
      case 'compact':
        this.#compactNow(output)
        return
      case 'dial':
        this.#dial(output.replica)
        return
      case 'send':
        this.#pass(this.#peers.get(output.channel), output.message)
        return
      case 'hangUp':
        this.#peers.get(output.channel)?.close(output.why)
        return
      case 'event':
        if (output.event.type === 'servers') this.#isServing = output.event.isServing
        this.#runtime.putNext({ type: 'event', event: output.event })
        this.#purgeAtOnce(output.event)
        return
      case 'log':
        this.#note(output.level, output.text)
    }
  }

  /** A planted bug. */
  #purgeAtOnce(event: EngineEvent): void {
    const { plant, disk } = this.#options
    if (!plant.purgesAtOnce || (event.type !== 'changed' && event.type !== 'appended')) return
    const { subject, body } = event.update ?? {}
    if (body?.case !== 'entry' || !fromBinary(EntrySchema, body.value).purged) return
    const purge = { subject: subject as SubjectId, upTo: new Map(disk.vector()), isPurge: true }
    disk.compact(purge, (isDamaged) => {
      if (isDamaged) return
      this.#runtime.put({ type: 'event', event: { type: 'purged', subject: purge.subject } })
    })
  }

  #compactNow(output: Extract<ReplicationOutput, { type: 'compact' }>): void {
    const { subject, isPurge } = output
    if (this.#options.plant.compactsTooMuch && !isPurge) this.#options.disk.loseLast(subject)
    this.#options.disk.compact(output, (isDamaged) => {
      if (isDamaged) this.#engine.put({ type: 'asked', request: { type: 'want', subject } })
      this.#engine.put({ type: 'compacted', subject, isPurged: isPurge && !isDamaged })
    })
  }

  #note(level: 'info' | 'error', text: string): void {
    const { trace, timeline, name, alarmed } = this.#options
    trace.note(timeline.now, `${name} ${level}: ${text}`)
    if (level === 'error') alarmed(text)
  }
}
