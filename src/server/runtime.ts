// The loop around a server's mind towards its clients: gather what happened, step, perform.
//
//   clients, calls, time, engine ──> inbox ──(one turn of the event loop)──> Replica
//                                                                             │
//   frames (one a client and turn), answers, requests to the engine <─────────┘
//
// Ends in one of two ways: `stop`, or an engine that can store no more: then nothing is acknowledged
// any more, clients are sent elsewhere, and the owner ends the process. Three others are alive.

import { setTimeout as sleep } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import {
  busyTickMs,
  diskLookMs,
  entriesPerMessage,
  farewellMs,
  idleTickMs,
  sessionsMax,
  sessionsPerAddressMax,
  unreadLookBytes,
  unreadTogetherBytesMax,
} from '../core/model/limits.ts'
import {
  Code,
  ServerMessageSchema,
  type ClientMessage,
  type Content,
  type Entries,
  type Hello,
  type ServerMessage,
} from '../core/model/wire.ts'
import type { Engine, EngineEvent, ServerView } from '../core/ports.ts'
import type { ClientChannel, ReplicaInput, ReplicaOutput } from '../core/replica/messages.ts'
import type { Replica } from '../core/replica/replica.ts'
import type { BlobName } from '../adapters/storage/blob.ts'
import { orFailed } from '../adapters/storage/storage-error.ts'
import { untilTogether } from '../adapters/system.ts'
import { Turns } from '../adapters/turns.ts'
import { AddressCounts } from './addresses.ts'
import { Calls } from './calls.ts'
import { ClientLink, type ClientLinkOwner, type FrameChannel } from './client-link.ts'
import { encodeFrame } from './frames.ts'
import { withheld } from './withheld-channel.ts'

/** How often clients are looked at for silence. */
const sweepMs = 5000
/**
 * Inputs of one turn: the disk has what these ask of it while the next are taken. Few, and it waits;
 * fewer, and it flushes for hardly anything.
 */
const turnInputsMax = 64
/**
 * Updates of other servers that follow each other are taken together all the same, up to so many: those
 * that waited for each other are told in the order in which they came, and so in one frame (0008). More
 * than 512 KiB of at least 80 bytes do not wait.
 */
const togetherMax = 8192
/** No call is taken in a turn after so long: people who type are heard before the next. */
const callsOfTurnMs = 20
/** After a failed write clients hear of it for this long before the process ends. */
const lastWordsMs = 200

const usualUnread = { bytesMax: unreadTogetherBytesMax, lookBytes: unreadLookBytes }

const tooManyHere = 'Too many sessions from your address; close some, or wait a minute.'
const cannotSave = 'This server cannot save. Trying another.'

/** How this server is, for health checks. */
export type Health =
  /** It takes and keeps edits. */
  | 'ok'
  /** It is filling an empty disk. */
  | 'recovering'
  /** Its disk is nearly full: it takes nothing until there is room. */
  | 'full'
  /** A write failed: it takes nothing any more. */
  | 'failed'
  | 'stopping'

export interface RuntimeOptions {
  replica: Replica
  engine: Engine
  /** Milliseconds since 1970 that never run backwards. */
  now: () => number
  /** Whether the disk has too little room to go on. Rejects when nothing more can be stored. */
  isDiskFull: () => Promise<boolean>
  /** Instead of the usual distance between two such looks. */
  diskLookMs?: number
  /** Why a client may not come in, if so. */
  turnsAway: (hello: Hello) => { code: Code; text: string } | undefined
  /** Instead of the usual bound of the sessions of one address. */
  sessionsPerAddress?: number
  /** Instead of the usual bounds of what is not read. */
  unread?: { bytesMax: number; lookBytes: number }
  /** Whether these bytes are on this disk, as a whole. */
  hasBytes: (name: BlobName) => Promise<boolean>
  /** Entries name these bytes: they are to be on this disk. */
  named: (contents: Content[]) => void
  /** How the servers are now. */
  heard: (servers: ServerView[]) => void
  log: (level: 'info' | 'error', text: string) => void
  /** A write failed and clients were told: end the process. */
  failed: () => void
}

export class Runtime implements ClientLinkOwner {
  readonly #options: RuntimeOptions
  readonly #clients = new Map<ClientChannel, ClientLink>()
  /** Where each of them comes from. */
  readonly #addresses = new Map<ClientChannel, string>()
  readonly #addressCounts: AddressCounts
  /** What whole-file clients ask. */
  readonly calls = new Calls({
    nextId: () => this.#nextId++,
    refusal: () => (this.#takesWork() ? undefined : this.#reason()),
    enqueue: (input) => this.#enqueue(input),
    called: () => this.#turns.soon(),
  })
  readonly #touched = new Set<ClientLink>()
  /** What clients were told since it was looked at what they have not read. */
  #toldBytes = 0
  readonly #turns = new Turns(() => orFailed(() => this.#turn(), this.#fail))
  #inbox: ReplicaInput[] = []
  /** So much was taken of what was called that all else comes first. */
  #areCallsOver = false
  #nextId = 1
  #isServing = false
  #health: Health = 'recovering'
  /** Nothing is stepped any more. */
  #isOver = false
  #ticker: NodeJS.Timeout | undefined
  #tickMs = 0
  #sweptAt: number
  #lookedAt: number

  constructor(options: RuntimeOptions) {
    this.#options = options
    this.#sweptAt = options.now()
    this.#lookedAt = 0
    this.#addressCounts = new AddressCounts(options.sessionsPerAddress ?? sessionsPerAddressMax)
  }

  /** Lets time pass: from now on peers are dialled. */
  start(): void {
    this.#options.engine.listen({ event: (event) => this.#told(event), failed: this.#fail })
    this.#tickIn(0)
  }

  get health(): Health {
    if (this.#health === 'ok' || this.#health === 'recovering') {
      return this.#isServing ? 'ok' : 'recovering'
    }
    return this.#health
  }

  get clientCount(): number {
    return this.#clients.size
  }

  now(): number {
    return this.#options.now()
  }

  // ------------------------------------------------------------------------------ clients

  /** Takes an open channel of a client. `address` is where it comes from. */
  addClient(channel: FrameChannel, address: string): void {
    const link = new ClientLink(this.#nextId++, withheld(channel, this.#options.engine), this)
    if (this.#clients.size >= sessionsMax) {
      link.refuse(Code.UNAVAILABLE, 'This server is full. Trying another.')
      return
    }
    if (!this.#takesWork()) {
      link.refuse(Code.UNAVAILABLE, this.#reason())
      return
    }
    if (!this.#addressCounts.enter(address)) {
      link.refuse(Code.UNAVAILABLE, tooManyHere)
      return
    }
    this.#addresses.set(link.id, address)
    this.#clients.set(link.id, link)
    this.#enqueue({ type: 'opened', channel: link.id, address })
  }

  turnsAway(hello: Hello): { code: Code; text: string } | undefined {
    return this.#options.turnsAway(hello)
  }

  hasBytes(name: BlobName): Promise<boolean> {
    return this.#options.hasBytes(name)
  }

  isCarriedOut(operation: string): boolean {
    let isSo = false
    const look = () => {
      isSo = this.#options.engine.reader.operation(operation) !== undefined
    }
    orFailed(look, this.#fail)
    return isSo
  }

  received(link: ClientLink, message: ClientMessage, bytes: number): void {
    this.#enqueue({ type: 'received', channel: link.id, message, bytes })
  }

  closed(link: ClientLink): void {
    this.#touched.delete(link)
    if (!this.#clients.delete(link.id)) return
    this.#addressCounts.leave(this.#addresses.get(link.id)!)
    this.#addresses.delete(link.id)
    this.#enqueue({ type: 'closed', channel: link.id })
  }

  // --------------------------------------------------------------------------------- loop

  #enqueue(input: ReplicaInput): void {
    if (this.#isOver) return
    this.#inbox.push(input)
    this.#turns.soon()
  }

  // What the engine tells in one turn of its own is taken right after it.
  #told(event: EngineEvent): void {
    if (this.#isOver) return
    if (event.type === 'servers') {
      this.#isServing = event.isServing
      this.#options.heard(event.servers)
    }
    this.#inbox.push({ type: 'event', event })
    this.#turns.next()
  }

  #turn(): void {
    if (this.#isOver || (this.#inbox.length === 0 && !this.#hasCalls())) return
    const now = this.#options.now()
    const inputs = this.#inbox.splice(0, this.#turnEnd())
    for (const input of inputs) if (input.type === 'received') this.#touch(input.channel)
    if (this.#hasCalls()) {
      this.#step(now, inputs.splice(0))
      this.#takeCalls(now)
    }
    inputs.push({ type: 'settle' })
    this.#step(now, inputs)
    for (const link of this.#touched) {
      this.#touched.delete(link)
      link.flush()
    }
    this.#cutUnread()
    // After the engine has taken what it was asked: the disk works meanwhile.
    queueMicrotask(() => orFailed(() => this.#options.replica.rest(), this.#fail))
    if (this.#inbox.length > 0) this.#turns.next()
    if (this.#isBusy() && this.#tickMs > busyTickMs) this.#tickIn(busyTickMs)
  }

  #step(now: number, inputs: ReplicaInput[]): void {
    for (const output of this.#options.replica.turn(now, inputs)) this.#perform(output)
  }

  #hasCalls(): boolean {
    return this.calls.areUntaken && !this.#areCallsOver
  }

  /** One at least. A few bytes may ask for a long text to be merged: what comes after waits. */
  #takeCalls(now: number): void {
    const until = performance.now() + callsOfTurnMs
    do {
      const called = this.calls.next()
      if (called) this.#step(now, [called])
    } while (this.calls.areUntaken && performance.now() < until)
    if (!this.calls.areUntaken) return
    // Turns that follow from these come before anything from outside is heard. And to hear somebody who
    // has just come takes several rounds of the event loop: these have as much time as was taken too much.
    this.#areCallsOver = true
    const goOn = () => {
      this.#areCallsOver = false
      this.#turns.take()
    }
    const tooMuchMs = performance.now() - until
    if (tooMuchMs > 0) setTimeout(goOn, tooMuchMs)
    else setImmediate(goOn)
  }

  #turnEnd(): number {
    let end = turnInputsMax
    while (end < togetherMax && isOfOthers(this.#inbox[end - 1]) && isOfOthers(this.#inbox[end]))
      end++
    return end
  }

  #touch(channel: ClientChannel): void {
    const link = this.#clients.get(channel)
    if (link) this.#touched.add(link)
  }

  #perform(output: ReplicaOutput): void {
    switch (output.type) {
      case 'ask':
        this.#options.engine.ask(output.request)
        return
      case 'send':
        this.#send(output.channels, output.message)
        return
      case 'hangUp':
        this.#clients.get(output.channel)?.close(output.why)
        return
      case 'answer':
        this.#options.engine.whenStored(() => this.calls.answered(output.call, output.answer))
        return
      case 'named':
        this.#options.named(output.contents)
        return
      case 'log':
        this.#options.log(output.level, output.text)
    }
  }

  #send(channels: ClientChannel[], message: ServerMessage): void {
    const frame = encodeFrame(message)
    const kind = kindOf(message)
    for (const id of channels) {
      const link = this.#clients.get(id)
      if (!link) continue
      link.send(frame, kind)
      this.#toldBytes += frame.length
      this.#touched.add(link)
    }
  }

  /** A document or a listing is told as long as it is: many at once that nobody reads fill the memory. */
  #cutUnread(): void {
    const { bytesMax, lookBytes } = this.#options.unread ?? usualUnread
    if (this.#toldBytes < lookBytes) return
    this.#toldBytes = 0
    const unread = [...this.#clients.values()].map((link) => ({ link, bytes: link.queuedBytes }))
    let total = unread.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { link, bytes } of unread.sort((one, other) => other.bytes - one.bytes)) {
      if (total <= bytesMax) return
      total -= bytes
      link.close('too much waits unread at this server; connect again')
    }
  }

  // --------------------------------------------------------------------------------- time

  #isBusy(): boolean {
    return this.#options.replica.isBusy()
  }

  #tickIn(ms: number): void {
    clearTimeout(this.#ticker)
    this.#tickMs = ms
    const delayMs = ms === idleTickMs ? untilTogether(ms) : ms
    this.#ticker = setTimeout(() => this.#tick(), delayMs)
  }

  #tick(): void {
    const now = this.#options.now()
    for (const link of this.#clients.values()) if (link.isHolding) this.#touched.add(link)
    if (now - this.#sweptAt >= sweepMs) {
      this.#sweptAt = now
      for (const link of this.#clients.values()) link.sweep()
    }
    if (now - this.#lookedAt >= (this.#options.diskLookMs ?? diskLookMs)) {
      this.#lookedAt = now
      this.#options.isDiskFull().then((isFull) => this.#looked(isFull), this.#fail)
    }
    this.#inbox.push({ type: 'tick' })
    this.#turns.take()
    this.#tickIn(this.#isBusy() ? busyTickMs : idleTickMs)
  }

  // ------------------------------------------------------------------------ how it ends

  #takesWork(): boolean {
    return this.#health === 'ok' || this.#health === 'recovering'
  }

  #reason(): string {
    return this.#health === 'stopping' ? 'This server is stopping. Trying another.' : cannotSave
  }

  #looked(isFull: boolean): void {
    if (isFull && this.#takesWork()) {
      this.#health = 'full'
      this.#options.log('error', 'the disk is nearly full: nothing is taken until there is room')
      this.#sendAway(cannotSave)
      this.#options.engine.suspend()
    } else if (!isFull && this.#health === 'full') {
      this.#health = 'ok'
      this.#options.engine.resume()
      this.#options.log('info', 'the disk has room again')
    }
  }

  readonly #fail = (error: Error): void => {
    if (this.#health === 'failed' || this.#isOver) return
    this.#options.log('error', `cannot save any more, ending: ${error.message}`)
    this.#sendAway(cannotSave)
    this.#health = 'failed'
    this.#halt()
    setTimeout(this.#options.failed, lastWordsMs)
  }

  #halt(): void {
    this.#isOver = true
    clearTimeout(this.#ticker)
  }

  #sendAway(text: string): void {
    for (const link of this.#clients.values()) link.refuse(Code.UNAVAILABLE, text)
    this.calls.failAll(text)
  }

  /** Asks clients to move, spread over a second, closes everything, and the storage last. */
  async stop(): Promise<void> {
    if (this.#health === 'failed' || this.#health === 'stopping') return
    this.#health = 'stopping'
    const text = this.#reason()
    const goaway = encodeFrame(
      create(ServerMessageSchema, { message: { case: 'goaway', value: { text } } }),
    )
    const links = [...this.#clients.values()]
    for (const [index, link] of links.entries()) {
      link.send(goaway, 'other')
      link.flush()
      const isLast = index === links.length - 1
      await sleep(isLast ? farewellMs / 4 : farewellMs / links.length)
    }
    this.#sendAway(text)
    // The other servers hear who has left.
    while (this.#inbox.length > 0 && !this.#isOver) this.#turns.take()
    this.#halt()
    await this.#options.engine.close()
  }
}

function isOfOthers(input: ReplicaInput | undefined): boolean {
  return input?.type === 'event' && input.event.type === 'changed'
}

/** Whole documents and listings are as long as they are: `piece`s have their own bound. */
function kindOf({ message }: ServerMessage): 'welcome' | 'piece' | 'other' {
  switch (message.case) {
    case 'welcome':
      return 'welcome'
    case 'opened':
      return 'piece'
    case 'entries':
      return isListing(message.value) ? 'piece' : 'other'
    default:
      return 'other'
  }
}

/** No change, which may come with the directories above it. */
function isListing({ shown, isComplete, entries }: Entries): boolean {
  return shown !== undefined || isComplete || entries.length === entriesPerMessage
}
