// A client's mind: which servers it talks to, what it still owes them, what a person is told.
//
//   offline <──> joining ── Welcome ──> online          any ── Refused ──> refused ── retry ──> joining
//      └────────────<── lost ──<──────────┘             any ── stopped ──> stopped
//
// Safety: an edit leaves only when it is safe; on every connection both sides compare what they have
// (4). Liveness: while one server can be reached, edits reach it within a bounded time.

import { encodeUtf8 } from 'lib0/string'
import { errorOf } from '../model/error-codes.ts'
import { FourfoldError, type ErrorCode } from '../model/errors.ts'
import { sessionOf, writerOf } from '../model/ids.ts'
import { textBytesMax } from '../model/limits.ts'
import type { Refused, Rejected, Server, ServerMessage } from '../model/wire.ts'
import { Carets } from './carets.ts'
import { Connections } from './connections.ts'
import { Delivery, type Spare } from './delivery.ts'
import { Follows, type Comparison, type Documents, type Untaken } from './follows.ts'
import { Holders } from './holders.ts'
import type { Link } from './link.ts'
import type { SessionInput, SessionOutput } from './messages.ts'
import { Others } from './others.ts'
import { Outbox, type Disks } from './outbox.ts'
import { Outlet } from './outlet.ts'
import type { OperationBody } from './parcel.ts'
import { Roster } from './roster.ts'
import { SaveWatch, type SaveState } from './save-state.ts'
import { Shows } from './shows.ts'
import { Standing, type Move, type Person } from './standing.ts'

export type { Documents } from './follows.ts'
export type { SaveState } from './save-state.ts'
export type { Move } from './standing.ts'

/** A dial that is due within this belongs to joining. */
const soonMs = 50
/** When a step comes so much later than asked for, the machine slept: silence proves nothing. */
const lateMs = 500

export interface SessionOptions extends Person {
  /** Addresses of servers: "http://127.0.0.1:4400". */
  addresses: readonly string[]
  hasStandby: boolean
  documents: Documents
  /** Name of the life of the set that what is kept here belongs to; empty: not known. */
  life: string
  /** Uniform in [0, 1). */
  random: () => number
}

/** A change of the folder that somebody asked for. */
export interface Asked {
  operation: OperationBody
  /** A server has carried it out, and told of what it changed. */
  hasEffect: boolean
}

export type SessionState =
  /** No server answers; the next dial is at `retryAt`. */
  | { name: 'offline'; since: number; retryAt: number }
  | { name: 'joining'; since: number }
  | { name: 'online'; server: string }
  /** Turned away for a reason that trying again does not mend. */
  | { name: 'refused'; code: ErrorCode; text: string }
  /** The servers were emptied and began anew: what is here is of another life, and goes nowhere. */
  | { name: 'outlived'; life: string }
  | { name: 'stopped' }

export class Session {
  readonly #options: SessionOptions
  readonly #outlet = new Outlet()
  readonly #outbox = new Outbox()
  readonly #saving = new SaveWatch()
  readonly #roster: Roster
  readonly #connections: Connections
  readonly #follows: Follows
  readonly #shows: Shows
  readonly #delivery: Delivery
  readonly #holders: Holders
  readonly #carets: Carets
  readonly #others: Others
  readonly #standing: Standing

  #state: SessionState = { name: 'stopped' }
  /** Of the set; empty: not known yet. */
  #life: string
  #isStandbyWanted: boolean
  #wakeAt = Infinity
  /** Of the last step. */
  #now = 0

  constructor(options: SessionOptions) {
    const { key, addresses, random, documents } = options
    const writer = writerOf(key)
    this.#options = options
    this.#life = options.life
    this.#isStandbyWanted = options.hasStandby
    this.#roster = new Roster(key, addresses, random)
    this.#connections = new Connections(this.#roster, random, this.#outlet)
    const who = { writer, hasEarlier: options.earlierKeys.length > 0 }
    this.#follows = new Follows(documents, who, this.#outbox, this.#outlet)
    this.#shows = new Shows(this.#outlet)
    this.#delivery = new Delivery(this.#connections, this.#follows, this.#outbox, this.#outlet)
    this.#holders = new Holders(
      {
        roster: this.#roster,
        connections: this.#connections,
        follows: this.#follows,
        outbox: this.#outbox,
        delivery: this.#delivery,
      },
      who.hasEarlier,
    )
    this.#carets = new Carets(sessionOf(key), writer, this.#outlet)
    this.#others = new Others(writer, this.#outlet)
    this.#standing = new Standing(options, {
      roster: this.#roster,
      connections: this.#connections,
      follows: this.#follows,
      shows: this.#shows,
      carets: this.#carets,
      others: this.#others,
      outlet: this.#outlet,
    })
  }

  get state(): SessionState {
    return this.#state
  }

  get save(): SaveState {
    return this.#saving.shown
  }

  /** In the order of the configuration; empty before the first Welcome. */
  get servers(): readonly Server[] {
    return this.#roster.servers
  }

  /** To be remembered for the next start. */
  get addresses(): string[] {
    return this.#roster.addresses
  }

  get moves(): readonly Move[] {
    return this.#standing.moves
  }

  /** The name asked for, or held. */
  get name(): string {
    return this.#standing.name
  }

  get roundTripMs(): number {
    return this.#connections.active?.roundTripMs ?? 0
  }

  /** The ids of the servers that were live when last heard of. */
  get liveServers(): string[] {
    return this.#roster.live()
  }

  /** These servers in the order of the configuration. */
  inOrder(servers: readonly string[]): string[] {
    return this.#roster.servers.map(({ id }) => id).filter((id) => servers.includes(id))
  }

  /** On how many servers an edit must be to count as safe. */
  get safeCount(): number {
    return this.#roster.safeCount
  }

  /** A step is due then, at the latest. */
  get wakeAt(): number {
    return this.#wakeAt
  }

  /** What was asked of the folder and is not certain to stay, oldest first. */
  get operations(): readonly Asked[] {
    return [...this.#outbox.operations()].map(({ operation, effect }) => {
      return { operation, hasEffect: effect !== undefined }
    })
  }

  /** How many edits of this document were made. */
  edits(document: string): number {
    return this.#outbox.edits(document)
  }

  /**
   * The servers on whose disks all edits of a document are, up to this one. Before the document was
   * compared with any server: none.
   */
  holders(document: string, upTo: number): string[] {
    if (this.#follows.isTurnedDown(document) || this.#isOutlived) return []
    return this.#holders.of(this.#now, document, upTo)
  }

  /** Why servers do not take the edits of a document that were made so far; undefined: they may. */
  refusal(document: string): FourfoldError | undefined {
    return this.#follows.refusal(document)
  }

  /** The documents with edits that no server takes. */
  get untaken(): Untaken[] {
    return [...this.#follows.untaken()]
  }

  /** How a document and what a server had of it differed last; undefined: they were not compared. */
  compared(document: string): Comparison | undefined {
    const opened = this.#follows.lastOpened(document)
    if (!opened || this.#outbox.isInDocument(document)) return undefined
    const isWithAll = this.liveServers.length === this.servers.length
    return { at: opened.at, isLacking: this.#follows.isLacking(document), isWithAll }
  }

  /** Whether the active server has given all it has of a document, and tells what changes. */
  isOpen(document: string): boolean {
    return this.#follows.isOpen(document)
  }

  /** Whether the document must go on being readable through `Documents`. */
  needs(document: string): boolean {
    return this.#follows.has(document)
  }

  /** Whether a document has edits that are not safe. */
  isUnsafe(document: string): boolean {
    if (this.#follows.isTurnedDown(document) || this.#isOutlived) return true
    return this.#outbox.isUnsafe(document, this.#disks())
  }

  /** The only way in. Everything returned must be performed, in order. */
  step(now: number, input: SessionInput): SessionOutput[] {
    if (now - this.#wakeAt > lateMs) this.#connections.grace(now)
    this.#now = now
    const isQuiet = now < this.#wakeAt && this.#isQuiet(input)
    switch (input.type) {
      case 'started':
        if (this.#state.name === 'stopped') this.#join(now)
        break
      case 'opened':
      case 'closed':
        this.#connected(now, input)
        break
      case 'received':
        this.#received(now, input)
        break
      case 'edited':
        this.#outbox.edited(now, input.document, input.update)
        this.#follows.edited(now, input.document)
        break
      case 'follow':
        this.#follows.follow(input.document)
        break
      case 'unfollow':
        this.#follows.unfollow(input.document)
        break
      case 'recalled':
        this.#holders.expectEarlier()
        this.#follows.recalled(input.document)
        break
      case 'show':
        this.#shows.show(input.entry, input.extent)
        break
      case 'operate':
        this.#operate(now, input.operation, input.isLate ?? false)
        break
      case 'caret':
        this.#carets.moved(now, input.document, input.state)
        break
      case 'keys':
        this.#learn(now, input.keys)
        break
      case 'retry':
        this.#retry(now, input)
        break
      case 'stopped':
        if (!this.#isOutlived) this.#stop(now)
        break
      case 'tick':
        break
    }
    if (!isQuiet) this.#advance(now)
    return this.#outlet.take()
  }

  /** Most of what arrives changes nothing but a text or the folder: nothing else need be looked at. */
  #isQuiet(input: SessionInput): boolean {
    if (input.type !== 'received') return false
    const { message } = input.message
    const isOfOthers = ['changed', 'caret', 'entries'].includes(message.case ?? '')
    return isOfOthers && this.#connections.link(input.connection) === this.#connections.active
  }

  // ------------------------------------------------------------------------- beginning and end

  #join(now: number): void {
    this.#connections.start(now)
    this.#become({ name: 'joining', since: now })
  }

  #retry(now: number, asked: { name?: string; token?: string }): void {
    if (this.#state.name === 'stopped' || this.#isOutlived) return
    this.#standing.askFor(asked)
    if (this.#state.name === 'refused') this.#join(now)
    this.#connections.hurry(now)
  }

  /** Servers hear of keys when a connection begins, and not later. */
  #learn(now: number, keys: readonly Uint8Array[]): void {
    this.#standing.learn(keys)
    this.#follows.expectEarlier()
    this.#holders.expectEarlier()
    if (this.#isRunning) this.#standing.end(now)
  }

  #refuse(now: number, code: ErrorCode, text: string): void {
    this.#standing.end(now)
    this.#become({ name: 'refused', code, text })
  }

  #stop(now: number): void {
    const { active } = this.#connections
    if (active) this.#delivery.flush(now, active)
    this.#standing.end(now)
    this.#become({ name: 'stopped' })
  }

  #become(state: SessionState): void {
    if (this.#isOnline && state.name !== 'online') this.#outbox.delay()
    this.#state = state
    this.#outlet.put({ type: 'changed' })
  }

  get #isOnline(): boolean {
    return this.#state.name === 'online'
  }

  get #isRunning(): boolean {
    return this.#state.name === 'joining' || this.#isOnline || this.#state.name === 'offline'
  }

  get #isOutlived(): boolean {
    return this.#state.name === 'outlived'
  }

  // ---------------------------------------------------------------------------------- messages

  #connected(now: number, input: Extract<SessionInput, { type: 'opened' | 'closed' }>): void {
    const link = this.#connections.link(input.connection)
    if (!link) return
    if (input.type === 'opened') this.#standing.opened(now, link)
    else this.#standing.lose(now, link, 'closed')
  }

  #received(now: number, input: Extract<SessionInput, { type: 'received' }>): void {
    const link = this.#connections.link(input.connection)
    if (!link || !this.#isRunning) return
    const bytesRead = link.heard(now, input.bytes)
    if (bytesRead > 0) {
      const value = { $typeName: 'fourfold.v1.Credit' as const, bytesRead }
      this.#outlet.send(link.id, { case: 'credit', value })
    }
    const { message } = input.message
    if (this.#outlives(now, message)) return
    if (message.case === 'welcome') {
      this.#standing.welcomed(now, link, message.value, this.#isStandbyWanted)
    } else if (message.case === 'refused') this.#refused(now, link, message.value)
    else if (link === this.#connections.active) this.#receivedOnActive(now, link, message)
    else this.#receivedElsewhere(now, link, message)
    // It is alive after all, and goes: the server takes it for the active one.
    const { fading } = this.#connections
    if (fading === link) this.#connections.end(now, link, 'left')
  }

  /** Nothing that the servers said before holds when they live another life than was known. */
  #outlives(now: number, { case: what, value }: ServerMessage['message']): boolean {
    if (what === 'welcome' && this.#standing.isForeign(value)) return false
    const life = what === 'welcome' ? value.servers?.life : what === 'servers' ? value.life : ''
    if (!life || life === this.#life) return false
    if (this.#life === '') {
      this.#life = life
      this.#outlet.put({ type: 'life', life })
      return false
    }
    this.#standing.end(now)
    this.#become({ name: 'outlived', life })
    return true
  }

  #receivedOnActive(now: number, link: Link, message: ServerMessage['message']): void {
    switch (message.case) {
      case 'opened':
        if (this.#follows.opened(now, message.value)) {
          this.#others.opened(now, message.value.document)
          this.#progressed(link)
          this.#delivery.count(now, link)
        }
        return
      case 'changed':
        this.#follows.changed(message.value)
        return
      case 'stored':
        link.hold(message.value.holdings.filter(({ server }) => this.#roster.isKnown(server)))
        if (this.#delivery.count(now, link)) this.#progressed(link)
        return
      case 'rejected':
        this.#rejected(now, link, message.value)
        return
      case 'resync':
        link.turnBack(message.value.ticket)
        this.#holders.turnedBack(now, link, message.value.ticket, 'unavailable')
        this.#follows.resync(now, message.value.document)
        return
      case 'done':
        this.#delivery.done(now, link, message.value)
        return
      case 'entries':
        this.#shows.told(message.value)
        this.#follows.changedFolder()
        return
      case 'caret':
        // On its way when the text was closed: nobody would say that it is gone.
        if (this.#follows.isWanted(message.value.document)) this.#others.heard(now, message.value)
        return
      case 'pong':
        link.pong(now, message.value.number)
        return
      case 'servers':
        this.#standing.heardServers(message.value.servers)
        return
      case 'goaway':
        link.leaving ??= message.value.text
        return
      case 'renamed':
        this.#standing.named(message.value.name, message.value.text)
        return
      case 'unavailable': {
        const { document, text, isGone } = message.value
        if (isGone) {
          this.#follows.gone(now, document, this.isUnsafe(document))
          return
        }
        this.#follows.unavailable(now, document, text, (servers) => this.#isElsewhere(servers))
        return
      }
      // Told apart before this.
      case 'refused':
      case 'welcome':
      // Of a later revision.
      case undefined:
        return
    }
  }

  #rejected(now: number, link: Link, rejected: Rejected): void {
    const error = errorOf(rejected)
    this.#holders.turnedBack(now, link, rejected.ticket, error.code)
    this.#delivery.rejected(now, link, rejected.ticket, error, this.#disks())
  }

  /** On a standby, or on the active connection of before, only answers to parcels matter. */
  #receivedElsewhere(now: number, link: Link, message: ServerMessage['message']): void {
    switch (message.case) {
      case 'stored': {
        link.hold(message.value.holdings.filter(({ server }) => this.#roster.isKnown(server)))
        const lateSince = this.#outbox.waiting().since
        const isFirst = this.#delivery.count(now, link)
        if (isFirst && link === this.#connections.standby) this.#standing.swap(now, lateSince)
        return
      }
      case 'rejected':
        this.#rejected(now, link, message.value)
        return
      case 'resync':
        link.turnBack(message.value.ticket)
        link.blocked.add(message.value.document)
        return
      case 'done':
        this.#delivery.done(now, link, message.value)
        return
      case 'pong':
        link.pong(now, message.value.number)
        return
      case 'goaway':
        this.#connections.end(now, link, 'failed')
        return
      default:
        return
    }
  }

  #refused(now: number, link: Link, { code, text }: Refused): void {
    const { active } = this.#connections
    const isSpare = active !== undefined && link !== active
    const error = errorOf({ code, text })
    if (isSpare || !finalCodes.has(error.code)) this.#standing.lose(now, link, 'failed')
    else this.#refuse(now, error.code, text)
  }

  /** Whether a live server is not among these. */
  #isElsewhere(servers: string[]): boolean {
    return this.#roster.live().some((id) => !servers.includes(id))
  }

  #operate(now: number, operation: OperationBody, isLeft: boolean): void {
    const { active } = this.#connections
    if (active) this.#delivery.flush(now, active)
    const bytes = operationBytes(operation)
    const isLate = isLeft || !this.#isOnline
    if (bytes > operationFrameBytes + textBytesMax) {
      const text = `A text file may have at most ${textBytesMax / 1024 / 1024} MiB.`
      this.#fail(operation, new FourfoldError('too-large', text))
    } else if (!this.#outbox.operate(now, operation, { bytes, isLate })) {
      const text = 'Too many changes wait for a server already.'
      this.#fail(operation, new FourfoldError('unavailable', text))
    }
  }

  #fail({ id }: OperationBody, error: FourfoldError): void {
    this.#outlet.put({ type: 'failed', operation: id, error })
  }

  // -------------------------------------------------------------------------------------- time

  #advance(now: number): void {
    if (this.#isRunning) {
      for (const link of this.#connections.silent(now)) this.#dead(now, link)
      this.#standing.succeed(now)
      const { active, standby } = this.#connections
      let isLate = false
      if (active) {
        this.#follows.advance(now)
        this.#delivery.advance(now, active)
        isLate = this.#delivery.hedge(now, active, standby && this.#spare(standby))
      }
      const isLeaving = active !== undefined && active.leaving !== undefined
      this.#isStandbyWanted = this.#options.hasStandby || isLate || isLeaving
      this.#connections.dial(now, this.#isStandbyWanted)
      this.#settle(now, active)
      if (active) {
        this.#carets.advance(now, active.id, (document) => this.#follows.isOpen(document))
        this.#others.advance(now)
      }
      this.#watchState(now)
    }
    this.#watchSave(now)
    this.#wakeAt = this.#nextAt(now)
  }

  #spare(link: Link): Spare {
    return { link, isHeard: this.#roster.live().includes(link.server) }
  }

  #dead(now: number, link: Link): void {
    // It may be slow and not dead: next time it gets longer.
    if (this.#isMuchUnderWay(link)) this.#connections.beMorePatient()
    this.#standing.lose(now, link, 'failed')
  }

  /** Something came to its end on it. Little proves nothing of what is large and not yet through. */
  #progressed(link: Link): void {
    if (!this.#isMuchUnderWay(link)) this.#connections.beImpatient()
  }

  #isMuchUnderWay(link: Link): boolean {
    const isOpening = link === this.#connections.active && this.#follows.isOpening
    return isOpening || link.unacknowledgedBytes() > busyBytes
  }

  #settle(now: number, active: Link | undefined): void {
    const disks = this.#disks()
    this.#delivery.tellDone(now, disks)
    this.#holders.look(now)
    const isWanted = (document: string) => this.#follows.isWanted(document)
    if (active) this.#outbox.settle(now, disks, isWanted, active)
    this.#holders.ask(now)
    this.#follows.release(now, (document) => this.#outbox.isUnsafe(document, disks))
    this.#carets.forget(now, isWanted, (document) => {
      return this.#follows.isOpen(document) ? undefined : active?.id
    })
    this.#others.forget(isWanted)
    const gone = this.#outbox.takeGone()
    for (const link of this.#connections.links()) for (const parcel of gone) link.forget(parcel)
  }

  #disks(): Disks {
    return {
      all: this.#roster.servers.map(({ id }) => id),
      live: this.#roster.live(),
      safeCount: this.#roster.safeCount,
    }
  }

  #watchState(now: number): void {
    const next = this.#stateAt(now)
    if (!isSame(this.#state, next)) this.#become(next)
  }

  #stateAt(now: number): SessionState {
    const { active, lostAt } = this.#connections
    if (active) return { name: 'online', server: active.server }
    const retryAt = this.#connections.nextDialAt(false)
    const isJoining = this.#connections.isDialling || retryAt <= now + soonMs
    return isJoining
      ? { name: 'joining', since: lostAt }
      : { name: 'offline', since: lostAt, retryAt }
  }

  #watchSave(now: number): void {
    const before = this.#saving.shown
    const state = this.#state
    const isOffline = state.name === 'joining' || state.name === 'offline'
    const refusal = this.#isOutlived
      ? outlivedText
      : state.name === 'refused'
        ? state.text
        : this.untaken[0]?.error.message
    const shown = this.#holders.shown()
    this.#saving.look(now, {
      waiting: this.#outbox.waiting(),
      offlineSince: isOffline ? state.since : undefined,
      refused: refusal,
      servers: shown && this.inOrder(shown),
      lackedSince: (count) => this.#outbox.lackedSince(count),
      of: this.#roster.servers.length,
      safeCount: this.#roster.safeCount,
    })
    if (before !== this.#saving.shown) this.#outlet.put({ type: 'changed' })
  }

  #nextAt(now: number): number {
    if (!this.#isRunning) return this.#saving.nextAt
    const { active, standby } = this.#connections
    const isOpen = (document: string) => this.#follows.isOpen(document)
    return Math.min(
      this.#saving.nextAt,
      this.#holders.nextAt,
      this.#connections.silentAt(),
      this.#connections.nextDialAt(this.#isStandbyWanted),
      this.#follows.dueAt(),
      active ? this.#carets.dueAt(isOpen) : Infinity,
      active ? this.#others.nextAt : Infinity,
      active ? this.#delivery.dueAt(now, active, standby) : Infinity,
    )
  }
}

function isSame(a: SessionState, b: SessionState): boolean {
  if (a.name === 'online' && b.name === 'online') return a.server === b.server
  if (a.name === 'offline' && b.name === 'offline') return a.retryAt === b.retryAt
  return a.name === b.name
}

const outlivedText = 'The servers were emptied since this device was here.'

/** So much without an answer keeps a slow line busy for longer than a ping may take. */
const busyBytes = 64 * 1024

/** Refusals that another server would repeat. */
const finalCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid',
  'forbidden',
  'taken',
  'unauthenticated',
  'protocol',
])

/** Names and ids of an operation. */
const operationFrameBytes = 1024
/** Each more of several. */
const entryIdBytes = 24

function operationBytes({ operation }: OperationBody): number {
  if (operation.case === 'several') {
    return operationFrameBytes + operation.value.entries.length * entryIdBytes
  }
  if (operation.case !== 'create') return operationFrameBytes
  return operationFrameBytes + encodeUtf8(operation.value.text).length
}
