// The documents somebody follows or writes: opening, pushing, spreading changes, unloading.

import { isLongerThan } from '../model/byte-length.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import { gate } from '../model/gate.ts'
import { isSubjectId, type ReplicaId, type SessionId, type SubjectId } from '../model/ids.ts'
import {
  caretBytesMax,
  compactIdleUpdates,
  idleDocumentBytesMax,
  idleDocumentMs,
  openDocumentsMax,
  pieceBytesMax,
} from '../model/limits.ts'
import { storedText, textRoot } from '../model/snapshot.ts'
import { isStateVector } from '../model/state-vector.ts'
import { TypedRun } from '../model/typed-run.ts'
import { CorruptError, type EngineReader, type NewUpdate } from '../ports.ts'
import {
  Code,
  Kind,
  type Caret,
  type Open,
  type Push,
  type ServerMessage,
  type Update,
} from '../model/wire.ts'
import type { Appends } from './appends.ts'
import { LiveDocument } from './live-document.ts'
import type { ClientChannel } from './messages.ts'
import type { People } from './people.ts'
import type { Visitor } from './visitor.ts'
import type { Visitors } from './visitors.ts'
import type { Voice } from './voice.ts'

/** How long updates wait at most for somebody who looks at the text: those of a second go in together. */
const settleAfterMs = 1000

/** How often what does not load is asked for again: the engine asks peers for so many at once. */
const wantAgainMs = 2000

/** 16 bytes that only a server of the set can make, for this document and update. */
export type Seal = (document: string, update: Uint8Array) => Uint8Array

const unreadableText = 'This file cannot be read here. Trying another server.'

export interface DocumentsOptions {
  folder: Folder
  reader: EngineReader
  appends: Appends
  voice: Voice
  visitors: Visitors
  people: People
  /** Uniform in [0, 1). */
  random: () => number
  seal: Seal
  idleDocumentBytesMax?: number | undefined
  /** An update that came in here is on disk. */
  kept: (update: Update, author?: Visitor) => void
  /** Somebody's writing is on disk, be the text shown or not. */
  written: (update: Update) => void
}

export class Documents {
  readonly #options: DocumentsOptions
  readonly #voice: Voice
  readonly #live = new Map<SubjectId, LiveDocument>()
  /** Texts with updates that are not integrated yet, as far as is known, and since when. */
  readonly #unsettled = new Map<LiveDocument, number>()
  /** Those of them for which too many do. */
  readonly #late: LiveDocument[] = []
  /** Pushes on their way to the disk that others will hear of, not sealed yet. */
  #unsealed: Push[] = []
  /** Their seals, by their updates. */
  readonly #seals = new WeakMap<Uint8Array, Uint8Array>()
  /** What was found damaged, and was not read since. */
  readonly #unreadable = new Set<SubjectId>()
  #wantedAt = 0
  #now = 0

  constructor(options: DocumentsOptions) {
    this.#options = options
    this.#voice = options.voice
  }

  get inMemory(): number {
    let count = 0
    for (const document of this.#live.values()) if (document.isInMemory) count++
    return count
  }

  /** The document, brought to life; its text is loaded when it is asked for. */
  live(id: SubjectId): LiveDocument {
    let document = this.#live.get(id)
    if (!document) {
      document = this.asStored(id)
      this.#live.set(id, document)
    }
    document.usedAt = this.#now
    return document
  }

  /** A text in memory, or read for this once. Throws CorruptError. */
  peek(id: SubjectId): string {
    return (this.#live.get(id) ?? this.asStored(id)).text().toString()
  }

  /** The same for what can be done without: undefined when it cannot be read, and nothing is told. */
  aside(id: SubjectId): string | undefined {
    const document = this.#live.get(id)
    if (document?.isInMemory) return document.text().toString()
    try {
      return storedText(this.#options.reader.load(id)).getText(textRoot).toString()
    } catch (error) {
      // Whoever needs it will say so.
      if (error instanceof CorruptError) return undefined
      throw error
    }
  }

  /** The document as it is on disk, whatever is on its way there. */
  asStored(id: SubjectId): LiveDocument {
    const { reader, random } = this.#options
    return new LiveDocument({
      id,
      now: this.#now,
      load: () => reader.load(id),
      writer: () => 1 + Math.floor(random() * (2 ** 53 - 2)),
    })
  }

  /** What does not load is not empty (7): it is fetched from a peer, and refused meanwhile. */
  attempt<T>(id: SubjectId, read: () => T): T | FourfoldError {
    try {
      const found = read()
      this.#unreadable.delete(id)
      return found
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error
      this.unreadable(error)
      return new FourfoldError('unavailable', unreadableText)
    }
  }

  /** Something does not load: it is asked for. */
  unreadable({ subject, message }: CorruptError): void {
    // Whoever wants it tries again and again: said once, until it can be read.
    if (!this.#unreadable.has(subject)) {
      this.#voice.log('error', `${message}; asking a peer for it`)
    }
    this.#unreadable.add(subject)
    this.#voice.ask({ type: 'want', subject })
  }

  /** Whether something is here of which not even the name can be read. */
  hidesNames(): boolean {
    return [...this.#unreadable].some((id) => !this.#options.folder.get(id))
  }

  /** What to say of what no path or id leads to. */
  notFound(what: 'file' | 'directory' = 'file'): FourfoldError {
    return this.hidesNames()
      ? new FourfoldError('unavailable', unreadableText)
      : new FourfoldError('not-found', `No such ${what}.`)
  }

  // ---------------------------------------------------------------------------------- following

  open(now: number, visitor: Visitor, { document: id, stateVector }: Open): void {
    this.#now = now
    const { channel, follows } = visitor
    if (!isStateVector(stateVector)) {
      this.#voice.refuse(channel, Code.INVALID, 'The state vector is malformed.')
    } else if (this.#options.folder.isPurged(id)) {
      this.#voice.gone(channel, id)
    } else if (!this.#isFile(id)) {
      this.#voice.unavailable(channel, id, this.notFound().message)
    } else if (follows.size >= openDocumentsMax && !follows.has(id)) {
      const text = `At most ${openDocumentsMax} files can be open at once.`
      this.#voice.unavailable(channel, id, text)
    } else {
      const document = this.live(id)
      const difference = this.attempt(id, () => document.difference(stateVector))
      if (difference instanceof FourfoldError) {
        this.#voice.unavailable(channel, id, difference.message)
        return
      }
      follows.add(id)
      document.followers.add(channel)
      this.#holdUntilStored(channel)
      this.#sendOpened(channel, document, difference)
      for (const value of document.carets()) this.#voice.send([channel], { case: 'caret', value })
    }
  }

  // It may show text that is not on disk yet: told only after it is, and nothing overtakes it.
  #holdUntilStored(channel: ClientChannel): void {
    if (!this.#options.appends.isAhead) return
    this.#voice.hold(channel)
    this.#options.appends.whenStored(() => this.#voice.release(channel))
  }

  #sendOpened(
    channel: ClientChannel,
    { id, number }: LiveDocument,
    { update, stateVector }: { update: Uint8Array; stateVector: Uint8Array },
  ): void {
    for (let at = 0; at === 0 || at < update.length; at += pieceBytesMax) {
      const isLast = at + pieceBytesMax >= update.length
      this.#voice.send([channel], {
        case: 'opened',
        value: {
          $typeName: 'fourfold.v1.Opened',
          document: id,
          piece: update.subarray(at, at + pieceBytesMax),
          isLast,
          stateVector: isLast ? stateVector : none,
          number: isLast ? number : 0,
        },
      })
    }
  }

  close(now: number, visitor: Visitor, id: SubjectId): void {
    visitor.follows.delete(id)
    const document = this.#live.get(id)
    if (!document) return
    document.followers.delete(visitor.channel)
    document.usedAt = now
    const caret = document.left(visitor.session, visitor.channel)
    if (!caret) return
    this.#voice.send([...document.followers], { case: 'caret', value: caret })
    this.#voice.toPeers({ case: 'caret', value: caret })
  }

  /** Whether there may be such a text: in the trash, and beneath the bytes that replace it, it goes on. */
  #isFile(id: string): id is SubjectId {
    const entry = isSubjectId(id) ? this.#options.folder.get(id) : undefined
    return entry !== undefined && entry.kind !== Kind.DIRECTORY
  }

  // ------------------------------------------------------------------------------------ writing

  push(now: number, visitor: Visitor, push: Push): void {
    this.#now = now
    const { ticket, document: id, update } = push
    const { channel } = visitor
    if (!isSubjectId(id)) {
      this.#voice.reject(channel, ticket, new FourfoldError('not-found', 'No such file.'))
      return
    }
    // It may be on its way to this server: not taken now, and not refused for ever.
    if (!this.#isFile(id)) {
      this.#voice.resync([channel], id, ticket)
      return
    }
    const document = this.live(id)
    const writers = this.#writersOf(visitor, push)
    if (document.goesOn(update, writers)) {
      this.#accepted(now, visitor, push, document)
      return
    }
    const doc = this.attempt(id, () => document.doc())
    if (doc instanceof FourfoldError) {
      this.#voice.resync([channel], id, ticket)
      this.#voice.unavailable(channel, id, doc.message)
      return
    }
    const verdict = gate(doc, update, writers, document.sizes(update.length))
    if (verdict.type !== 'gap') visitor.hasTaken(now, verdict.steps)
    if (verdict.type === 'gap') {
      this.#voice.resync([channel], id, ticket)
    } else if (verdict.type === 'refused') {
      this.#voice.reject(channel, ticket, verdict.error)
      if (verdict.error.code === 'forbidden') this.#options.visitors.offended(visitor)
    } else if (verdict.isNoop) {
      this.#options.appends.barrier((mark) => this.#options.visitors.stored(visitor, ticket, mark))
    } else {
      const run = verdict.mayGoOn ? TypedRun.begin(verdict.update) : undefined
      document.integrate(update, run)
      this.#accepted(now, visitor, push, document)
    }
  }

  #accepted(now: number, visitor: Visitor, push: Push, document: LiveDocument): void {
    this.#settleLater(document)
    if (document.followers.size > 1) this.#unsealed.push(push)
    this.#append(now, visitor, push)
  }

  #settleLater(document: LiveDocument): void {
    if (!this.#unsettled.has(document)) this.#unsettled.set(document, this.#now)
    if (document.isLate) this.#late.push(document)
  }

  #settle(document: LiveDocument): void {
    document.settle()
    this.#unsettled.delete(document)
  }

  // Somebody else's update, which this client got from a server that may be dead by now.
  #writersOf(visitor: Visitor, { document, update, seal }: Push): ReadonlySet<number> | 'any' {
    if (seal.length === 0 || !areEqual(seal, this.#options.seal(document, update))) {
      return visitor.writers
    }
    return 'any'
  }

  #append(at: number, visitor: Visitor, { ticket, document, update, seal }: Push): void {
    const body: NewUpdate['body'] = { case: 'text', value: update }
    const author = seal.length > 0 ? '' : visitor.name
    const made = { subject: document, author, at, operation: '', body }
    this.#options.appends.append(made, (mark, kept) => {
      this.#options.visitors.stored(visitor, ticket, mark)
      this.#options.kept(kept, visitor)
      this.#options.written(kept)
    })
  }

  /** Changes of this text within `act` are integrated at once. */
  together(subject: SubjectId, act: () => void): void {
    const document = this.#live.get(subject)
    if (document) document.together(act)
    else act()
  }

  /** A text that this server made: memory is ahead of the disk with it, as with every push. */
  integrate({ subject, body }: Pick<Update, 'subject' | 'body'>): void {
    const document = body.case === 'text' && this.#live.get(subject as SubjectId)
    if (!document) return
    document.integrate(body.value)
    this.#settleLater(document)
  }

  /** Does what neither the disk nor anybody who hears of a change has to wait for. */
  rest(): void {
    for (const document of this.#late.splice(0)) this.#settle(document)
    for (const { document, update } of this.#unsealed) {
      this.#seals.set(update, this.#options.seal(document, update))
    }
    this.#unsealed = []
  }

  // ---------------------------------------------------------------------------------- spreading

  /** An update of a text is on disk: its followers hear of it. */
  spread(subject: SubjectId, update: Uint8Array, author?: Visitor): void {
    const document = this.#live.get(subject)
    if (!document || document.followers.size === 0) return
    const number = ++document.number
    const others = document.followersBut(author?.channel)
    if (others.length > 0) {
      const seal = this.#seals.get(update) ?? this.#options.seal(subject, update)
      this.#voice.send(others, changed(subject, number, update, seal))
    }
    // The writer has the text; it only keeps count.
    if (author && others.length < document.followers.size) {
      this.#voice.send([author.channel], changed(subject, number, none, none))
    }
  }

  /** It was deleted for good. */
  gone(id: SubjectId): void {
    const document = this.#live.get(id)
    if (!document) return
    for (const channel of document.followers) {
      this.#voice.gone(channel, id)
      this.#options.visitors.get(channel)?.follows.delete(id)
    }
    document.followers.clear()
    // Whoever restores it must find in memory what is on its way to the disk.
    if (!this.#options.appends.isAhead) this.#live.delete(id)
  }

  /** All of a text as one update, if it is in memory. */
  kept(id: SubjectId): Uint8Array | undefined {
    const document = this.#live.get(id)
    return document?.isInMemory ? document.difference(new Uint8Array()).update : undefined
  }

  /** A document was received whole: followers may lack any part of it, and open it again. */
  replaced(subject: SubjectId): void {
    const document = this.#live.get(subject)
    if (!document) return
    document.reload()
    this.#voice.resync([...document.followers], subject, 0)
  }

  // ------------------------------------------------------------------------------------- carets

  caret(now: number, visitor: Visitor, caret: Caret): void {
    const document = this.#live.get(caret.document as SubjectId)
    if (isLongerThan(caret.state, caretBytesMax)) return
    if (!visitor.writers.has(caret.writer)) return
    const isFollowed = document?.followers.has(visitor.channel) ?? false
    // Whoever closed a text while changing servers never opened it here, and others may know of the caret.
    const isFarewell = caret.state === '' && this.#isFile(caret.document)
    if ((!isFollowed && !isFarewell) || !visitor.mayMove(now)) return
    const said = { ...caret, session: visitor.session }
    if (document && !this.#moved(now, document, said, visitor.channel)) return
    this.#voice.toPeers({ case: 'caret', value: said })
  }

  /**
   * Where everybody who is on this server is, for a server that has just come: it knows of nobody, or did
   * not hear who closed a text while there was no channel.
   */
  tellCarets(): void {
    for (const document of this.#live.values()) {
      for (const value of document.caretsHere()) this.#voice.toPeers({ case: 'caret', value })
    }
  }

  heardCaret(now: number, from: ReplicaId, caret: Caret): void {
    // A caret taken away where its session is not any more has only moved to another server.
    const session = caret.session as SessionId
    const isStale = caret.state === '' && !this.#options.people.isAt(session, from)
    // Kept also where nobody follows the document: who opens it next sees who is there.
    if (!isStale && this.#isFile(caret.document)) {
      this.#now = now
      this.#moved(now, this.live(caret.document), caret)
    }
  }

  /** Its server died, or did not hear of the end of it: nobody else says that it is in no text. */
  left(session: SessionId): void {
    for (const document of this.#live.values()) {
      const caret = document.left(session)
      if (caret) this.#voice.send([...document.followers], { case: 'caret', value: caret })
    }
  }

  #moved(now: number, document: LiveDocument, caret: Caret, from?: ClientChannel): boolean {
    if (!document.moved(now, caret.session as SessionId, caret, from)) return false
    this.#voice.send(document.followersBut(from), { case: 'caret', value: caret })
    return true
  }

  // -------------------------------------------------------------------------------- time passes

  tick(now: number): void {
    this.#now = now
    this.rest()
    for (const [document, since] of this.#unsettled) {
      if (now - since >= settleAfterMs) this.#settle(document)
    }
    if (now - this.#wantedAt >= wantAgainMs) {
      this.#wantedAt = now
      for (const subject of this.#unreadable) this.#voice.ask({ type: 'want', subject })
    }
    for (const document of this.#live.values()) {
      document.forgetOldCarets(now)
      const isIdle = document.followers.size === 0 && now - document.usedAt > idleDocumentMs
      // What is on its way to the disk must be found in memory.
      if (!isIdle || this.#options.appends.isAhead) continue
      document.unload()
      this.#live.delete(document.id)
      if (this.#options.reader.loose(document.id) < compactIdleUpdates) continue
      this.#voice.ask({ type: 'compact', subject: document.id })
    }
    if (!this.#options.appends.isAhead) this.#makeRoom()
  }

  /** Who reads one text after the other would have all of them in memory: those used last stay. */
  #makeRoom(): void {
    let over = -(this.#options.idleDocumentBytesMax ?? idleDocumentBytesMax)
    for (const document of this.#live.values()) {
      if (document.followers.size === 0) over += document.bytes
    }
    if (over <= 0) return
    const idle = [...this.#live.values()].filter(({ followers }) => followers.size === 0)
    for (const document of idle.sort((one, other) => one.usedAt - other.usedAt)) {
      if (over <= 0) return
      over -= document.bytes
      document.unload()
    }
  }
}

const none = new Uint8Array()

function changed(
  document: SubjectId,
  number: number,
  update: Uint8Array,
  seal: Uint8Array,
): ServerMessage['message'] {
  const value = { $typeName: 'fourfold.v1.Changed' as const, document, number, update, seal }
  return { case: 'changed', value }
}

// In the same time wherever they differ: a seal is not to be found out byte by byte.
function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length
  for (let index = 0; index < one.length; index++) difference |= one[index]! ^ other[index]!
  return difference === 0
}
