// One server's mind towards its clients: who is here, what they follow, what they may do.
//
//   push ─> gate ─> memory ─> append ─> appended ─┬─> stored (to the writer)
//                                                 └─> changed (to every follower)
//   update of another server ─> changed ─> memory ─> changed (to every follower)
//
// Safety: nothing is told before it is stored (1); no update enters a document but through the gate
// (13); what does not load is unavailable here, not empty (7); a client never seeds text (8).

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { encodeUtf8 } from 'lib0/string'
import { FourfoldError } from '../model/errors.ts'
import { Folder } from '../model/folder.ts'
import type { Origin, ReplicaId, SubjectId } from '../model/ids.ts'
import { nameBytesMax } from '../model/limits.ts'
import { storedEntry } from '../model/snapshot.ts'
import {
  Code,
  EntrySchema,
  ServerState,
  VersionSchema,
  type ClientMessage,
  type Entry,
  type Ephemeral,
  type Operation,
  type ServerMessage,
  type Update,
} from '../model/wire.ts'
import type { EngineEvent, EngineReader, Mark, NewUpdate } from '../ports.ts'
import { Appends } from './appends.ts'
import { Calls } from './calls.ts'
import { Digests } from './digests.ts'
import { Documents, type Seal } from './documents.ts'
import type { ClientChannel, ReplicaInput, ReplicaOutput, ReplicaStatus } from './messages.ts'
import { Operations, type Request } from './operations.ts'
import { People } from './people.ts'
import type { Rates, Visitor } from './visitor.ts'
import { Visitors } from './visitors.ts'
import { Voice } from './voice.ts'

/** Entries in one message: a page of about 100 KB. */
const entriesPerMessage = 500
/** Servers compare their digests after nothing has changed for so long. */
const quietMs = 2000
/** Texts hashed at once for that: a few milliseconds of usual ones. */
const hashesPerTick = 10
/** Texts hashed at once for an operator: more would keep peers and clients waiting for a second. */
const hashesPerDigest = 300
/** Texts that change in one turn and are integrated together; a turn of more is rare. */
const openTextsMax = 32

export interface ReplicaOptions {
  now: number
  replica: ReplicaId
  set: string
  /** Version of the program, for people to read. */
  version: string
  /** The name of this life's log; stamps carry it. */
  origin: Origin
  reader: EngineReader
  /** On how many servers an edit must be to count as safe. */
  safeCount: number
  rates: Rates
  /** Uniform in [0, 1). */
  random: () => number
  /** The same on every server of the set. */
  seal: Seal
  /** SHA-256 of UTF-8 text, in hex. */
  hash: (text: string) => string
  /** Raw deflate (RFC 1951). */
  deflate: (text: string) => Uint8Array
}

export class Replica {
  readonly #options: ReplicaOptions
  readonly #voice = new Voice()
  readonly #folder = new Folder()
  readonly #appends: Appends
  readonly #operations: Operations
  readonly #people: People
  readonly #visitors: Visitors
  readonly #documents: Documents
  readonly #calls: Calls
  /** The mark that each server's disk covers, this one's included. */
  readonly #covered = new Map<ReplicaId, Mark>()
  readonly #digests = new Digests()
  #changedAt = 0
  #isDigestTold = true
  /** Updates and subjects that the engine told of. */
  #heard = 0
  #now: number

  constructor(options: ReplicaOptions) {
    const { replica, set, version, origin, reader, safeCount, rates, random, seal, hash } = options
    const voice = this.#voice
    const folder = this.#folder
    const covered = this.#covered
    this.#options = options
    this.#now = options.now
    covered.set(replica, 0)
    this.#people = new People(replica)
    this.#appends = new Appends((request) => voice.ask(request))
    this.#operations = new Operations({ folder, origin, appends: this.#appends, reader })
    const parts = { folder, reader, voice, appends: this.#appends, people: this.#people }
    this.#visitors = new Visitors({ replica, set, version, safeCount, rates, covered, ...parts })
    const kept = (update: Update, author?: Visitor) => this.#spread(update, author)
    this.#documents = new Documents({ ...parts, visitors: this.#visitors, random, seal, kept })
    this.#calls = new Calls({
      ...parts,
      operations: this.#operations,
      documents: this.#documents,
      visitors: this.#visitors,
      covered,
      hash,
      kept,
    })
    this.#loadFolder()
  }

  /** The only way in. Everything returned must be performed, in order. */
  step(now: number, input: ReplicaInput): ReplicaOutput[] {
    return this.turn(now, [input])
  }

  /** The same as a step for each, and cheaper: many changes of one text are integrated at once. */
  turn(now: number, inputs: readonly ReplicaInput[]): ReplicaOutput[] {
    this.#now = now
    for (let at = 0; at < inputs.length;) at = this.#take(inputs, at, new Set())
    return this.#voice.take()
  }

  /**
   * Takes the input at this place, and the changes of texts right behind it within one transaction
   * of its text; returns the place of the first that was not taken. The order is kept.
   */
  #take(inputs: readonly ReplicaInput[], at: number, open: Set<SubjectId>): number {
    const subject = textOf(inputs[at]!)
    const isAlone = subject === undefined || textOf(inputs[at + 1]) === undefined
    if (isAlone || open.has(subject) || open.size >= openTextsMax) {
      this.#takeOne(inputs[at]!)
      return at + 1
    }
    open.add(subject)
    let next = at
    this.#documents.together(subject, () => {
      this.#takeOne(inputs[next++]!)
      while (textOf(inputs[next]) !== undefined) next = this.#take(inputs, next, open)
    })
    open.delete(subject)
    return next
  }

  #takeOne(input: ReplicaInput): void {
    const now = this.#now
    switch (input.type) {
      case 'event':
        this.#event(input.event)
        break
      case 'opened':
        break
      case 'closed':
        this.#closed(input.channel)
        break
      case 'received':
        this.#received(input.channel, input.message, input.bytes)
        break
      case 'called':
        this.#calls.called(now, input.call, input.author, input.request)
        break
      case 'uncalled':
        this.#calls.uncalled(input.call)
        break
      case 'settle':
        this.#visitors.tellReceipts()
        this.#calls.settle(now)
        break
      case 'tick':
        this.#people.tick(now)
        this.#documents.tick(now)
        this.#tellDigest()
        break
    }
  }

  status(): ReplicaStatus {
    const documentsInMemory = this.#documents.inMemory
    return { sessions: this.#visitors.size, entries: this.#folder.size, documentsInMemory }
  }

  /** Whether something waits for a tick soon. */
  isBusy(): boolean {
    return this.#calls.isWaiting
  }

  /**
   * Over every entry and every text on disk: equal on servers that hold the same. Empty while more
   * has changed than one call looks at: ask again.
   */
  digest(): string {
    this.#digests.refresh(hashesPerDigest, (subject) => this.#hashOf(subject))
    return this.#digests.isCurrent ? this.#digests.value : ''
  }

  // When nothing changes for a while, the servers compare what they hold.
  #tellDigest(): void {
    if (this.#isDigestTold || this.#now - this.#changedAt < quietMs) return
    this.#digests.refresh(hashesPerTick, (subject) => this.#hashOf(subject))
    if (!this.#digests.isCurrent) return
    this.#isDigestTold = true
    this.#voice.ask({ type: 'compare', digest: this.#digests.value, heard: this.#heard })
  }

  #changed(subject: SubjectId): void {
    this.#digests.changed(subject)
    this.#changedAt = this.#now
    this.#isDigestTold = false
  }

  #hashOf(subject: SubjectId): string | undefined {
    const entry = this.#folder.get(subject)
    if (!entry) return undefined
    const stored = this.#documents.asStored(subject)
    const text = this.#documents.attempt(subject, () => stored.text().toString())
    const { id, kind, created, name, parent, deleted } = entry
    const content = text instanceof FourfoldError ? undefined : text
    return this.#options.hash(JSON.stringify([id, kind, created, name, parent, deleted, content]))
  }

  // -------------------------------------------------------------------------------- the engine

  #event(event: EngineEvent): void {
    switch (event.type) {
      case 'appended':
        if (event.update) this.#heard++
        this.#covered.set(this.#options.replica, event.mark)
        this.#appends.stored(event.tag, event.mark, event.update)
        return
      case 'covered':
        this.#covered.set(event.replica, event.mark)
        return
      case 'changed':
        this.#heard++
        this.#documents.integrate(event.update)
        this.#spread(event.update)
        return
      case 'replaced':
        this.#heard++
        this.#replaced(event.subject)
        return
      case 'ephemeral':
        this.#heardEphemeral(event.from, event.ephemeral)
        return
      case 'servers':
        // A server that has told nothing yet holds nothing: receipts wait for it too.
        for (const { id } of event.servers) {
          if (!this.#covered.has(id)) this.#covered.set(id, 0)
        }
        this.#visitors.heardServers(this.#now, event.servers, event.isServing)
        return
    }
  }

  /** An update is on disk: everybody whom it concerns hears of it. */
  #spread(update: Update, author?: Visitor): void {
    const subject = update.subject as SubjectId
    this.#documents.countLoose(subject)
    this.#changed(subject)
    if (update.body.case === 'text') {
      this.#documents.spread(subject, update.body.value, author)
      this.#calls.textChanged(subject)
    }
    if (update.body.case === 'entry') this.#applyEntry(fromBinary(EntrySchema, update.body.value))
  }

  #applyEntry(change: Entry): void {
    const was = this.#folder.get(change.id)
    const before = was && {
      name: this.#folder.shownName(change.id) ?? '',
      isDeleted: was.deleted?.value ?? false,
    }
    if (!this.#folder.apply(change)) return
    const entry = this.#folder.get(change.id)
    if (!entry) return
    this.#voice.send(this.#visitors.present(), entriesMessage([entry], false))
    this.#calls.entryChanged(entry, before)
  }

  #replaced(subject: SubjectId): void {
    this.#changed(subject)
    const stored = this.#documents.attempt(subject, () => this.#options.reader.load(subject))
    if (stored instanceof FourfoldError) return
    const entry = storedEntry(stored)
    if (entry) this.#applyEntry(entry)
    this.#documents.replaced(subject)
  }

  #heardEphemeral(from: ReplicaId, { topic }: Ephemeral): void {
    if (topic.case === 'presence') this.#visitors.heardPresence(from, topic.value)
    if (topic.case === 'caret') this.#documents.heardCaret(this.#now, from, topic.value)
  }

  // ---------------------------------------------------------------------------------- clients

  #received(channel: ClientChannel, { message }: ClientMessage, bytes: number): void {
    const visitor = this.#visitors.get(channel)
    if (message.case === 'hello') {
      const greeted = this.#visitors.hello(this.#now, channel, message.value)
      if (greeted && !greeted.isStandby) this.#listEntries(channel)
    } else if (message.case === 'ping') {
      const { number } = message.value
      const value = { $typeName: 'fourfold.v1.Pong' as const, number }
      this.#voice.send([channel], { case: 'pong', value })
    } else if (!visitor) {
      this.#voice.refuse(channel, Code.UNAUTHENTICATED, 'Say hello first.')
    } else if (!visitor.maySend(this.#now, bytes)) {
      const text = 'You are sending too much; wait a moment.'
      this.#voice.refuse(channel, Code.UNAVAILABLE, text)
    } else {
      this.#said(visitor, message)
    }
  }

  #said(visitor: Visitor, message: ClientMessage['message']): void {
    switch (message.case) {
      case 'open':
        this.#documents.open(this.#now, visitor, message.value)
        break
      case 'close':
        this.#documents.close(this.#now, visitor, message.value.document as SubjectId)
        break
      case 'push':
        if (!this.#mayTake(visitor, message.value.ticket)) return
        this.#documents.push(this.#now, visitor, message.value)
        break
      case 'operation':
        if (!this.#mayTake(visitor, message.value.ticket)) return
        this.#operation(visitor, message.value)
        break
      case 'caret':
        this.#documents.caret(this.#now, visitor, message.value)
        break
      case 'hello':
      case 'ping':
      case 'credit':
      case undefined:
        break
    }
  }

  #listEntries(channel: ClientChannel): void {
    const entries = [...this.#folder.all()]
    for (let at = 0; at === 0 || at < entries.length; at += entriesPerMessage) {
      const page = entries.slice(at, at + entriesPerMessage)
      const isComplete = at + page.length >= entries.length
      this.#voice.send([channel], entriesMessage(page, isComplete))
    }
  }

  #closed(channel: ClientChannel): void {
    const visitor = this.#visitors.get(channel)
    if (!visitor) return
    for (const id of visitor.follows) this.#documents.close(this.#now, visitor, id)
    this.#visitors.closed(visitor)
  }

  #mayTake(visitor: Visitor, ticket: number): boolean {
    const { channel, lastTicket } = visitor
    // Receipts are cumulative: a lower number would count as stored before it is.
    if (ticket <= lastTicket) {
      const text = `Ticket ${ticket} came after ${lastTicket}; on one channel they ascend.`
      this.#voice.refuse(channel, Code.INVALID, text)
      return false
    }
    if (this.#appends.isFull) {
      this.#voice.refuse(channel, Code.UNAVAILABLE, 'This server saves too slowly. Trying another.')
      return false
    }
    if (!visitor.mayPush(this.#now)) {
      const text = 'You are sending too many changes; wait a moment.'
      this.#voice.refuse(channel, Code.UNAVAILABLE, text)
      return false
    }
    visitor.lastTicket = ticket
    return true
  }

  // ------------------------------------------------------------------------------- operations

  #operation(visitor: Visitor, operation: Operation): void {
    const { ticket, id } = operation
    try {
      const done = this.#operations.subjectOf(id)
      if (done === undefined) this.#carryOut(visitor, ticket, this.#updatesOf(visitor, operation))
      else this.#appends.barrier((mark) => this.#operationDone(visitor, ticket, done, mark))
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      this.#voice.reject(visitor.channel, ticket, error)
    }
  }

  #carryOut(visitor: Visitor, ticket: number, updates: NewUpdate[]): void {
    updates.forEach((update, index) => {
      this.#documents.integrate(update)
      this.#appends.append(update, (mark, kept) => {
        this.#spread(kept)
        if (index < updates.length - 1) return
        this.#operationDone(visitor, ticket, kept.subject, mark)
      })
    })
  }

  #operationDone(visitor: Visitor, ticket: number, entry: string, mark: Mark): void {
    this.#visitors.stored(visitor, ticket, mark)
    const value = { $typeName: 'fourfold.v1.Done' as const, ticket, entry }
    this.#voice.send([visitor.channel], { case: 'done', value })
  }

  #updatesOf(visitor: Visitor, { id, operation }: Operation): NewUpdate[] {
    const request: Request = { operation: id, author: visitor.name, at: this.#now }
    switch (operation.case) {
      case 'create':
        return this.#operations.create(request, operation.value.name, operation.value.text)
      case 'rename': {
        const entry = this.#entry(operation.value.entry)
        return [this.#operations.rename(request, entry, operation.value.name)]
      }
      case 'delete':
        return [this.#operations.setDeleted(request, this.#entry(operation.value.entry), true)]
      case 'restore':
        return [this.#operations.setDeleted(request, this.#entry(operation.value.entry), false)]
      case 'nameVersion':
        return [this.#nameVersion(request, operation.value.document, operation.value.name)]
      case undefined:
        throw new FourfoldError('invalid', 'This operation says nothing to do.')
    }
  }

  #entry(id: string): Entry {
    const entry = this.#folder.get(id)
    if (entry) return entry
    const areAllHere = this.#visitors.servers.every(({ state }) => state === ServerState.LIVE)
    // It may be on a server that is not heard now.
    throw new FourfoldError(areAllHere ? 'not-found' : 'unavailable', 'No such file.')
  }

  #nameVersion({ operation, author, at }: Request, id: string, name: string): NewUpdate {
    if (encodeUtf8(name).length > nameBytesMax) {
      throw new FourfoldError('too-large', `A name may have at most ${nameBytesMax} bytes.`)
    }
    const subject = this.#entry(id).id as SubjectId
    const document = this.#documents.live(subject)
    const text = this.#documents.attempt(subject, () => document.text().toString())
    if (text instanceof FourfoldError) throw text
    const version = { id: operation, name, author, at, text: this.#options.deflate(text) }
    const value = toBinary(VersionSchema, create(VersionSchema, version))
    return { subject, author, at, operation, body: { case: 'version', value } }
  }

  // ----------------------------------------------------------------------------------- loading

  #loadFolder(): void {
    let after: SubjectId | '' = ''
    for (;;) {
      const page: SubjectId[] = this.#options.reader.entries(after, entriesPerMessage)
      for (const id of page) {
        const stored = this.#documents.attempt(id, () => this.#options.reader.load(id))
        const entry = stored instanceof FourfoldError ? undefined : storedEntry(stored)
        if (entry) this.#folder.apply(entry)
        this.#changed(id)
      }
      const last = page.at(-1)
      if (last === undefined) return
      after = last
    }
  }
}

function entriesMessage(entries: Entry[], isComplete: boolean): ServerMessage['message'] {
  return { case: 'entries', value: { $typeName: 'fourfold.v1.Entries', entries, isComplete } }
}

/** The text that an input changes, if that is all it does. */
function textOf(input: ReplicaInput | undefined): SubjectId | undefined {
  if (input?.type === 'received' && input.message.message.case === 'push') {
    return input.message.message.value.document as SubjectId
  }
  if (input?.type !== 'event' || input.event.type !== 'changed') return undefined
  const { subject, body } = input.event.update
  return body.case === 'text' ? (subject as SubjectId) : undefined
}
