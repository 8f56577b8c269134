// One server's mind towards its clients: who is here, what they follow, what they may do.
//
//   push ─> gate ─> append ─┬─> appended ─┬─> stored (to the writer)
//                           │             └─> changed (to every follower)
//                           └─> memory (while the disk works)
//   update of another server ─> changed ─> changed (to every follower), then memory
//
// Safety: nothing is told before it is stored (1); no update enters a document but through the gate
// (13); what does not load is unavailable here, not empty (7); a client never seeds text (8).

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { FourfoldError } from '../model/errors.ts'
import { Folder } from '../model/folder.ts'
import type { Origin, ReplicaId, SubjectId } from '../model/ids.ts'
import { entriesPerMessage, trashLookMs, trashStepMs, trashSteps } from '../model/limits.ts'
import { pushesOf } from '../model/several.ts'
import { isTombstone, storedEntry } from '../model/snapshot.ts'
import {
  Code,
  EntriesSchema,
  EntrySchema,
  Kind,
  type ClientMessage,
  type Content,
  type Entry,
  type Ephemeral,
  type Operation,
  type ServerMessage,
  type Update,
} from '../model/wire.ts'
import type { EngineEvent, EngineReader, Mark, NewUpdate } from '../ports.ts'
import { Appends } from './appends.ts'
import { Calls } from './calls.ts'
import { ClientOperations } from './client-operations.ts'
import { Documents, type Seal } from './documents.ts'
import { Inventory } from './inventory.ts'
import type { ClientChannel, ReplicaInput, ReplicaOutput, ReplicaStatus } from './messages.ts'
import { Merging } from './merging.ts'
import { Operations } from './operations.ts'
import { People } from './people.ts'
import { Showings } from './showings.ts'
import { Sketches } from './sketches.ts'
import { oftenChanged, textOf } from './texts-of-a-turn.ts'
import { Trash, type TrashTimes } from './trash.ts'
import type { Rates, Visitor } from './visitor.ts'
import { Visitors } from './visitors.ts'
import { Voice } from './voice.ts'

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
  /** Instead of the usual bound of texts in memory that nobody follows. */
  idleDocumentBytesMax?: number
  /** When what is in the trash goes for good; 30 days when absent. */
  trash?: TrashTimes
}

const defaultTimes: TrashTimes = { stepMs: trashStepMs, steps: trashSteps, lookMs: trashLookMs }

export class Replica {
  readonly #options: ReplicaOptions
  readonly #voice = new Voice()
  readonly #folder = new Folder()
  readonly #appends: Appends
  readonly #people: People
  readonly #visitors: Visitors
  readonly #showings: Showings
  readonly #documents: Documents
  readonly #merging: Merging
  readonly #clientOperations: ClientOperations
  readonly #calls: Calls
  readonly #inventory: Inventory
  readonly #trash: Trash
  readonly #sketches: Sketches<SubjectId>
  /** Ids of what was deleted for good in this turn. */
  readonly #gone = new Set<SubjectId>()
  /** The mark that each server's disk covers, this one's included. */
  readonly #covered = new Map<ReplicaId, Mark>()
  #now: number

  constructor(options: ReplicaOptions) {
    const { replica, set, version, origin, reader, safeCount, rates, random, seal } = options
    const { hash, deflate } = options
    const voice = this.#voice
    const folder = this.#folder
    const covered = this.#covered
    this.#options = options
    this.#now = options.now
    covered.set(replica, 0)
    this.#people = new People(replica)
    this.#showings = new Showings(folder, voice)
    this.#appends = new Appends((request) => voice.ask(request))
    const appends = this.#appends
    this.#merging = new Merging({
      merge: (subject) => voice.ask({ type: 'compact', subject }),
      mergedBytes: (subject) => reader.mergedBytes(subject),
    })
    const operations = new Operations({ folder, origin, appends, reader })
    const parts = { folder, reader, voice, appends, people: this.#people }
    const visiting = { replica, set, version, safeCount, rates, covered, ...parts }
    this.#visitors = new Visitors({ ...visiting, life: () => reader.life() })
    const kept = (update: Update, author?: Visitor) => this.#spread(update, author)
    const keep = (updates: NewUpdate[]) => {
      for (const update of updates) appends.append(update, (_mark, stored) => kept(stored))
    }
    const written = (update: Update) => keep(operations.asideOf(update))
    const { idleDocumentBytesMax } = options
    const documenting = {
      visitors: this.#visitors,
      random,
      seal,
      idleDocumentBytesMax,
      kept,
      written,
    }
    this.#documents = new Documents({ ...parts, ...documenting })
    const servers = () => this.#visitors.servers
    const { trash: times = defaultTimes } = options
    this.#trash = new Trash({ replica, folder, appends, voice, times, servers, covered, keep })
    const sketches = new Sketches((id: SubjectId) => this.#documents.aside(id))
    this.#sketches = sketches
    const changing = {
      operations,
      trash: this.#trash,
      documents: this.#documents,
      visitors: this.#visitors,
      kept,
    }
    this.#clientOperations = new ClientOperations({ ...parts, ...changing, deflate, hash })
    this.#calls = new Calls({ ...parts, ...changing, covered, sketches, hash })
    this.#inventory = new Inventory({ folder, documents: this.#documents, voice, hash })
    this.#loadFolder()
  }

  /** The only way in. Everything returned must be performed, in order. */
  step(now: number, input: ReplicaInput): ReplicaOutput[] {
    return this.turn(now, [input])
  }

  /** The same as a step for each, and cheaper: many changes of one text are integrated at once. */
  turn(now: number, inputs: readonly ReplicaInput[]): ReplicaOutput[] {
    this.#now = now
    const texts = oftenChanged(inputs)
    for (let at = 0; at < inputs.length;) at = this.#take(inputs, at, texts)
    return this.#voice.take()
  }

  /**
   * To be called when the outputs of a turn are performed, and what they asked for is under way: does
   * what nobody waits for. Without it that is done when it is needed, or at the next tick.
   */
  rest(): void {
    this.#documents.rest()
  }

  /**
   * Takes the input at this place. When that changes one of these texts, also the changes of texts
   * right behind it, within one transaction of that text. Returns the place of the first input that
   * was not taken. The order is kept.
   */
  #take(inputs: readonly ReplicaInput[], at: number, texts: Set<SubjectId>): number {
    const subject = textOf(inputs[at])
    if (subject === undefined || !texts.delete(subject)) {
      this.#takeOne(inputs[at]!)
      return at + 1
    }
    let next = at
    this.#documents.together(subject, () => {
      this.#takeOne(inputs[next++]!)
      while (textOf(inputs[next]) !== undefined) next = this.#take(inputs, next, texts)
    })
    texts.add(subject)
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
      case 'asked':
        this.#calls.asked(now, input.call)
        break
      case 'uncalled':
        this.#calls.uncalled(input.call)
        break
      case 'settle':
        for (const session of this.#people.takeGone()) this.#documents.left(session)
        this.#tellGone()
        this.#visitors.tellReceipts()
        this.#calls.settle(now)
        break
      case 'tick':
        this.#people.tick(now)
        this.#visitors.tick(now)
        this.#calls.watches.tick(now)
        this.#documents.tick(now)
        this.#merging.tick(now)
        this.#inventory.tick(now)
        this.#trash.tick(now)
        this.#sketches.tick(now)
        break
    }
  }

  status(): ReplicaStatus {
    const documentsInMemory = this.#documents.inMemory
    return { sessions: this.#visitors.size, entries: this.#folder.size, documentsInMemory }
  }

  /**
   * Over every entry and every text on disk: equal on servers that hold the same. Empty while more
   * has changed than one call looks at: ask again.
   */
  digest(): string {
    return this.#inventory.digest()
  }

  /**
   * The bytes that entries name, those in the trash too; undefined while something does not load
   * here, so that nobody can tell what it names.
   */
  named(): Content[] | undefined {
    if (this.#documents.hidesNames()) return undefined
    // What is deleted for good may come back until nothing of it is left.
    return [...this.#folder.all(), ...this.#folder.purged()].flatMap(({ contents }) =>
      contents.filter(({ hash }) => hash !== ''),
    )
  }

  /** Whether something waits for a tick soon. */
  isBusy(): boolean {
    return this.#calls.isWaiting
  }

  // -------------------------------------------------------------------------------- the engine

  #event(event: EngineEvent): void {
    switch (event.type) {
      case 'appended':
        if (event.update) this.#inventory.heard()
        this.#covered.set(this.#options.replica, event.mark)
        this.#appends.stored(event.tag, event.mark, event.update)
        return
      case 'covered':
        this.#covered.set(event.replica, event.mark)
        return
      case 'changed':
        this.#inventory.heard()
        this.#documents.integrate(event.update)
        this.#spread(event.update)
        return
      case 'replaced':
        this.#inventory.heard()
        this.#replaced(event.subject)
        return
      case 'advanced':
        this.#calls.watches.tookUpTo(event.upTo)
        return
      case 'absent':
        this.#calls.watches.absent(event.tag, event.origins)
        return
      case 'lost':
        this.#sayAgain(event.subject)
        return
      case 'purged':
        this.#inventory.changed(this.#now, event.subject)
        this.#sketches.forget(event.subject)
        if (!this.#isLeft(event.subject)) this.#trash.removed(event.subject)
        return
      case 'ephemeral':
        this.#heardEphemeral(event.from, event.ephemeral)
        return
      case 'servers':
        // A server that has told nothing yet holds nothing: receipts wait for it too.
        for (const { id } of event.servers) {
          if (!this.#covered.has(id)) this.#covered.set(id, 0)
        }
        if (this.#visitors.heardServers(this.#now, event.servers, event.isServing)) {
          this.#documents.tellCarets()
        }
        return
    }
  }

  /** An update is on disk: everybody whom it concerns hears of it. */
  #spread(update: Update, author?: Visitor): void {
    const subject = update.subject as SubjectId
    this.#calls.watches.took(update)
    this.#merging.count(this.#now, subject)
    this.#inventory.changed(this.#now, subject)
    if (update.body.case === 'text') {
      this.#documents.spread(subject, update.body.value, author)
      this.#calls.textChanged(subject)
      this.#sketches.changed(this.#now, subject)
    }
    const change =
      update.body.case === 'entry' ? fromBinary(EntrySchema, update.body.value) : undefined
    if (change) this.#applyEntry(change)
    this.#bury(subject, change?.purged?.isDone === true)
  }

  /** Something of a subject is on disk: if it was removed for good, that goes again. */
  #bury(subject: SubjectId, isInLog: boolean): void {
    const isDone = this.#folder.known(subject)?.purged?.isDone
    if (isDone && this.#isLeft(subject)) this.#trash.returned(subject, isInLog)
  }

  /** Whether more than a tombstone is on disk, as far as can be told. */
  #isLeft(subject: SubjectId): boolean {
    const stored = this.#documents.attempt(subject, () => this.#options.reader.load(subject))
    return stored instanceof FourfoldError || !isTombstone(stored)
  }

  #applyEntry(change: Entry): void {
    const changes = this.#folder.apply(change)
    const own = changes.find(({ entry }) => entry.id === change.id)
    this.#voice.named(change.contents.filter(({ hash }) => hash !== ''))
    // What others lie elsewhere because of it, everybody derives.
    const told = own?.entry ?? (this.#folder.isPurged(change.id) && this.#folder.known(change.id))
    if (told) this.#voice.send(this.#visitors.hearingAll(), entriesMessage([told], false))
    this.#showings.changed(changes)
    for (const { entry, before } of changes) {
      const id = entry.id as SubjectId
      if (entry.kind === Kind.TEXT) this.#sketches.add(this.#now, id)
      // It may have come back with the directory above it.
      if (!before) this.#inventory.changed(this.#now, id)
    }
    this.#hide()
    const known = new Set(changes.map(({ entry }) => entry.id))
    const renumbered = this.#folder.takeRenumbered().filter(({ entry }) => !known.has(entry.id))
    this.#showings.renumbered(renumbered)
    for (const each of [...changes, ...renumbered]) this.#calls.watches.changed(each)
  }

  #hide(): void {
    const seen = this.#folder.takeHidden()
    this.#calls.watches.hidden(seen)
    const hidden = [...seen.keys()] as SubjectId[]
    for (const id of hidden) {
      this.#gone.add(id)
      this.#sketches.forget(id)
      this.#inventory.changed(this.#now, id)
    }
    // What was removed for good has nothing on disk, as a rule.
    this.#trash.hidden(hidden.filter((id) => !this.#folder.known(id)?.purged?.isDone))
  }

  /**
   * At the end of a turn: of what came at once from several servers the deletion may come before what it
   * deletes, and part of that would stay on screens; and many that go together one by one would keep a
   * page busy.
   */
  #tellGone(): void {
    if (this.#gone.size === 0) return
    // Some may be back already.
    const gone = [...this.#gone].filter((id) => this.#folder.isPurged(id))
    this.#gone.clear()
    this.#showings.gone(gone)
    for (const id of gone) this.#documents.gone(id)
  }

  /** What was damaged on the disk since it was read is in memory as it was. */
  #sayAgain(subject: SubjectId): void {
    const text = this.#documents.kept(subject)
    const entry = this.#folder.get(subject)
    const bodies: NewUpdate['body'][] = []
    if (text) bodies.push({ case: 'text', value: text })
    if (entry) bodies.push({ case: 'entry', value: toBinary(EntrySchema, entry) })
    for (const body of bodies) {
      const update = { subject, author: '', at: 0, operation: '', body }
      this.#appends.append(update, (_mark, stored) => this.#spread(stored))
    }
  }

  #replaced(subject: SubjectId): void {
    this.#inventory.changed(this.#now, subject)
    this.#calls.watches.tookWhole()
    this.#sketches.changed(this.#now, subject)
    const stored = this.#documents.attempt(subject, () => this.#options.reader.load(subject))
    if (stored instanceof FourfoldError) return
    const entry = storedEntry(stored)
    if (entry) this.#applyEntry(entry)
    this.#bury(subject, false)
    this.#documents.replaced(subject)
    this.#calls.textChanged(subject)
  }

  #heardEphemeral(from: ReplicaId, { topic }: Ephemeral): void {
    if (topic.case === 'presence') this.#visitors.heardPresence(from, topic.value)
    if (topic.case === 'caret') this.#documents.heardCaret(this.#now, from, topic.value)
  }

  // ---------------------------------------------------------------------------------- clients

  #received(channel: ClientChannel, { message }: ClientMessage, bytes: number): void {
    const visitor = this.#visitors.get(channel)
    if (message.case === 'hello') {
      const wasPresent = visitor?.isStandby === false
      const greeted = this.#visitors.hello(this.#now, channel, message.value)
      // Once: a folder is long, and its listing counts as read only when it is.
      const isNew = greeted !== undefined && !greeted.isStandby && !wasPresent
      if (isNew && !greeted.showsDirectories) this.#listEntries(channel)
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
        if (!this.#mayTake(visitor, message.value.ticket, 1)) return
        this.#documents.push(this.#now, visitor, message.value)
        break
      case 'operation':
        this.#operation(visitor, message.value)
        break
      case 'ask':
        if (!this.#mayTake(visitor, message.value.ticket, 1)) return
        this.#clientOperations.where(visitor, message.value)
        break
      case 'caret':
        this.#documents.caret(this.#now, visitor, message.value)
        break
      case 'show':
        if (visitor.showsDirectories) this.#showings.show(visitor, message.value)
        break
      case 'more':
        this.#showings.more(visitor, message.value.entry)
        break
      case 'hello':
      case 'ping':
      case 'credit':
      case undefined:
        break
    }
  }

  #operation(visitor: Visitor, operation: Operation): void {
    if (!this.#mayTake(visitor, operation.ticket, pushesOf(operation.operation))) return
    this.#clientOperations.take(this.#now, visitor, operation)
  }

  #listEntries(channel: ClientChannel): void {
    const entries = [...this.#folder.all(), ...this.#folder.purged()]
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
    this.#showings.left(visitor)
    this.#visitors.closed(visitor)
  }

  /** `pushes`: as how many it counts. */
  #mayTake(visitor: Visitor, ticket: number, pushes: number): boolean {
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
    if (!visitor.mayPush(this.#now, pushes)) {
      const text = 'You are sending too many changes; wait a moment.'
      this.#voice.refuse(channel, Code.UNAVAILABLE, text)
      return false
    }
    visitor.lastTicket = ticket
    return true
  }

  // ----------------------------------------------------------------------------------- loading

  #loadFolder(): void {
    const returned: SubjectId[] = []
    for (const { subject, read } of this.#options.reader.eachEntry()) {
      this.#inventory.changed(this.#now, subject)
      const stored = this.#documents.attempt(subject, read)
      if (stored instanceof FourfoldError) continue
      const entry = storedEntry(stored)
      if (entry) this.#folder.apply(entry)
      if (entry?.purged?.isDone && !isTombstone(stored)) returned.push(subject)
    }
    for (const { id, kind } of this.#folder.all()) {
      if (kind === Kind.TEXT) this.#sketches.add(-Infinity, id as SubjectId)
    }
    // Nobody was told any name yet.
    this.#folder.takeRenumbered()
    this.#hide()
    for (const subject of returned) this.#trash.returned(subject, false)
  }
}

function entriesMessage(entries: Entry[], isComplete: boolean): ServerMessage['message'] {
  return { case: 'entries', value: create(EntriesSchema, { entries, isComplete }) }
}
