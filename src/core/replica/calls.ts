// What whole-file clients ask: list, read, save, delete, watch. One call, one or more answers.

import { isLongerThan } from '../model/byte-length.ts'
import { bytesOf as contentOf, hasConflict, history } from '../model/contents.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import { isSubjectId, sessionOf, type ReplicaId, type SubjectId } from '../model/ids.ts'
import { keptStateBytesMax, receiptWaitMs, textBytesMax } from '../model/limits.ts'
import { checkScreenName, fileKey } from '../model/names.ts'
import { seedState } from '../model/seed.ts'
import { storedVersions } from '../model/snapshot.ts'
import { isDirectory } from '../model/tree.ts'
import { ServerState, type Entry, type Update } from '../model/wire.ts'
import { CorruptError, type EngineReader, type Mark, type NewUpdate } from '../ports.ts'
import type { Appends } from './appends.ts'
import type { Documents } from './documents.ts'
import { Measures } from './measures.ts'
import type { Answer, Call, CallId } from './messages.ts'
import { callDigest } from './operation-digests.ts'
import type { Operations, Request } from './operations.ts'
import type { People } from './people.ts'
import type { Trash } from './trash.ts'
import { Views } from './views.ts'
import type { Visitors } from './visitors.ts'
import type { Voice } from './voice.ts'
import { Saves } from './saves.ts'
import { Searches } from './searches.ts'
import type { Sketches } from './sketches.ts'
import { Watches } from './watches.ts'

/** With one disk only, while others live, an answer waits for a second disk at most this long. */
const answerThinAfterMs = 2000

type Kept = Extract<Answer, { type: 'kept' }>
type SaveCall = Extract<Call, { type: 'save' }>

/** What an answer says of the text that resulted. */
type Said = Pick<Kept, 'version' | 'state'>
const nothing: Said = { version: '', state: new Uint8Array() }

/** A call, and whose it is. */
interface Question {
  call: CallId
  author: string
  request: Call
}

interface Pending {
  call: CallId
  mark: Mark
  storedAt: number
  answer: Omit<Kept, 'servers' | 'serverCount'>
}

export interface CallsOptions {
  folder: Folder
  operations: Operations
  trash: Trash
  appends: Appends
  people: People
  reader: EngineReader
  hash: (text: string) => string
  documents: Documents
  visitors: Visitors
  sketches: Sketches<SubjectId>
  voice: Voice
  covered: ReadonlyMap<ReplicaId, Mark>
  /** An update of a call is on disk: everybody who follows its subject is to hear of it. */
  kept: (update: Update) => void
}

export class Calls {
  readonly #options: CallsOptions
  readonly #saves: Saves
  readonly #views: Views
  readonly #watches: Watches
  readonly #searches: Searches
  readonly #measures: Measures
  #pending: Pending[] = []
  /** Where something is being made that is not on disk yet, so that nobody finds it there. */
  readonly #making = new Set<string>()
  #now = 0

  constructor(options: CallsOptions) {
    const { folder, documents, reader, appends, sketches, voice } = options
    this.#options = options
    this.#views = new Views(folder, documents)
    this.#saves = new Saves(options)
    this.#watches = new Watches({ folder, documents, views: this.#views, reader, voice })
    const view = (entry: Entry) => this.#views.of(entry)
    this.#searches = new Searches({ folder, documents, appends, sketches, voice, view })
    this.#measures = new Measures({ documents, reader, hash: options.hash })
  }

  /** Those who are to hear of changes that are stored. */
  get watches(): Watches {
    return this.#watches
  }

  /** The stored text of a document changed. */
  textChanged(subject: SubjectId): void {
    this.#watches.textChanged(subject)
    this.#measures.forget(subject)
  }

  get isWaiting(): boolean {
    return this.#pending.length > 0
  }

  called(now: number, call: CallId, author: string, request: Call): void {
    this.#attempt(now, call, () => {
      if (!this.#options.visitors.isServing) {
        throw new FourfoldError('unavailable', 'This server is catching up. Try another.')
      }
      if (this.#options.appends.isFull) {
        throw new FourfoldError('unavailable', 'This server saves too slowly. Try another.')
      }
      this.#call(call, author, request)
    })
  }

  /** The next part of an answer that comes in parts. */
  asked(now: number, call: CallId): void {
    this.#attempt(now, call, () => this.#searches.more(call))
  }

  #attempt(now: number, call: CallId, act: () => void): void {
    this.#now = now
    try {
      act()
    } catch (error) {
      if (error instanceof CorruptError) this.#options.documents.unreadable(error)
      this.#options.voice.answer(call, { type: 'failed', error: asAnswer(error) })
    }
  }

  uncalled(call: CallId): void {
    this.#watches.end(call)
    this.#searches.end(call)
    this.#pending = this.#pending.filter((pending) => pending.call !== call)
  }

  #call(call: CallId, author: string, request: Call): void {
    if ('operation' in request && this.#options.operations.isComing(request.operation)) {
      const again = () => this.#call(call, author, request)
      this.#options.appends.barrier(() => this.#attempt(this.#now, call, again))
      return
    }
    switch (request.type) {
      case 'list':
        this.#options.voice.answer(call, this.#views.list(request))
        return
      case 'find':
        this.#options.voice.answer(call, this.#views.finding(request))
        return
      case 'get':
        this.#get(call, request.file)
        return
      case 'read':
        this.#read(call, request.file)
        return
      case 'save':
        this.#save(call, author, request)
        return
      case 'saveBinary':
        this.#saveBinary(call, author, request)
        return
      case 'contents': {
        const contents = history(this.#views.findFile(request.file))
        this.#options.voice.answer(call, { type: 'contents', contents })
        return
      }
      case 'measure':
        this.#measure(call, request.texts)
        return
      case 'delete':
      case 'restore':
      case 'rename':
      case 'move':
        this.#changeEntry(call, author, request)
        return
      case 'erase':
        this.#erase(call, author, request)
        return
      case 'erased': {
        const files = request.files.filter((id) => this.#options.folder.isPurged(id))
        this.#options.voice.answer(call, { type: 'erased', files })
        return
      }
      case 'makeDirectory':
        this.#makeDirectory(call, author, request)
        return
      case 'versions': {
        const entry = this.#views.findFile(request.file)
        const versions = storedVersions(this.#options.reader.load(entry.id as SubjectId))
        this.#options.voice.answer(call, { type: 'versions', versions })
        return
      }
      case 'watch':
        this.#watches.begin(call, request.file, request.since)
        return
      case 'search': {
        const { pattern, directory } = request
        const place = directory === '' ? undefined : this.#views.find(directory)
        this.#searches.begin(call, pattern, place)
        return
      }
      case 'signIn': {
        const name = checkScreenName(request.name)
        const holder = this.#options.people.holder(name, [sessionOf(request.key)])
        if (holder) {
          throw new FourfoldError('taken', `"${holder.name}" is here already; choose another name.`)
        }
        this.#options.voice.answer(call, { type: 'signedIn', name })
        return
      }
    }
  }

  // ------------------------------------------------------------------------------------ reading

  #get(call: CallId, file: string): void {
    const view = this.#views.of(this.#views.find(file))
    this.#options.voice.answer(call, { type: 'got', file: view })
  }

  #read(call: CallId, file: string): void {
    const entry = this.#views.findText(file)
    const text = this.#text(entry)
    const state = this.#saves.stateOf(entry.id as SubjectId)
    // It may not be on disk yet: told only after it is (1).
    this.#options.appends.whenStored(() => {
      const version = this.#saves.remember(text)
      const file = this.#views.of(entry)
      this.#options.voice.answer(call, { type: 'read', file, text, version, state })
    })
  }

  #measure(call: CallId, texts: string[]): void {
    const known = texts.filter((id) => isSubjectId(id) && this.#options.folder.get(id))
    if (texts.length === 0 || known.length < texts.length) throw this.#options.documents.notFound()
    const measures = this.#measures.of(known as SubjectId[])
    // As with the text itself (1).
    this.#options.appends.whenStored(() => {
      this.#options.voice.answer(call, { type: 'measured', measures })
    })
  }

  /** The text in memory. Throws CorruptError. */
  #text(entry: Entry): string {
    return this.#options.documents
      .live(entry.id as SubjectId)
      .text()
      .toString()
  }

  #isAnotherLive(): boolean {
    const { servers } = this.#options.visitors
    return servers.filter(({ state }) => state === ServerState.LIVE).length > 1
  }

  // ------------------------------------------------------------------------------------- saving

  #save(call: CallId, author: string, request: SaveCall): void {
    const { text } = request
    const asked = this.#asked(author, request)
    const done = this.#options.operations.subjectOf(asked)
    if (isLongerThan(text, textBytesMax)) {
      throw new FourfoldError('too-large', `The file would be larger than ${textBytesMax} bytes.`)
    }
    const entry = done ? this.#options.folder.get(done) : this.#found(request)
    if (isDirectory(entry)) throw new FourfoldError('invalid', 'That is a directory.')
    if (entry && (done || request.isNew)) this.#finish(call, entry, [], true)
    else if (entry) this.#merge(call, asked, entry, request)
    else this.#make(call, asked, request)
  }

  #asked(author: string, request: Extract<Call, { operation: string }>): Request {
    const digest = callDigest(request, this.#options.hash)
    return { operation: request.operation, digest, author, at: this.#now }
  }

  #make(call: CallId, asked: Request, request: SaveCall): void {
    if (request.baseVersion !== '') throw this.#options.documents.notFound()
    this.#checkNew(request.file)
    const { operation, file, text } = request
    const spot = this.#views.spot(file)
    const make = () => this.#options.operations.create(asked, spot, text)
    this.#makeAt(file, { call, author: asked.author, request }, make, operation)
  }

  /**
   * Makes the entry of this id, one after the other: whoever comes second to a path finds what the first
   * made.
   */
  #makeAt(path: string, question: Question, make: () => NewUpdate[], id: string): void {
    const key = fileKey(path)
    if (this.#making.has(key)) {
      this.#options.appends.whenStored(() => this.#again(question))
      return
    }
    const updates = make()
    const { call, request } = question
    const text = request.type === 'save' ? request.text : undefined
    const said = text === undefined ? nothing : this.#said(text, seedState(id, text))
    this.#making.add(key)
    this.#append(updates, this.#made(call, key, id, said))
  }

  #again({ call, author, request }: Question): void {
    this.#attempt(this.#now, call, () => this.#call(call, author, request))
  }

  // By itself, so that it holds no text while disks are waited for: that would grow old with all others.
  #made(call: CallId, key: string, id: string, said: Said): (mark: Mark) => void {
    return (mark) => {
      this.#making.delete(key)
      this.#await(call, id, mark, said)
    }
  }

  #saveBinary(call: CallId, author: string, request: Extract<Call, { type: 'saveBinary' }>): void {
    const { file, hash, size, operation } = request
    const asked = this.#asked(author, request)
    if (this.#isDone(call, asked)) return
    const { operations } = this.#options
    const entry = this.#found(request)
    if (isDirectory(entry)) throw new FourfoldError('invalid', 'That is a directory.')
    if (entry && request.isNew) {
      this.#finish(call, entry, [], false)
      return
    }
    if (!entry) {
      this.#checkNew(file)
      const bytes = { hash, size, base: '' }
      const make = () => [operations.createBinary(asked, this.#views.spot(file), bytes)]
      this.#makeAt(file, { call, author, request }, make, operation)
      return
    }
    const present = contentOf(entry)?.hash ?? ''
    const base = request.base ?? present
    const isSettled = present === hash && base === hash && !hasConflict(entry)
    const made = isSettled ? [] : [operations.setContent(asked, entry, { hash, size, base })]
    this.#finish(call, entry, made, false)
  }

  /**
   * What a save is about; undefined: a file that is to be made.
   * @throws FourfoldError taken
   */
  #found({ file, isNew, operation }: Extract<Call, { type: 'save' | 'saveBinary' }>) {
    const { folder } = this.#options
    if (!isNew) return folder.find(file)
    // A file has the id of the operation that made it, here or on another server.
    const made = folder.get(operation)
    const other = made ? undefined : folder.find(file)
    if (!other) return made
    const shown = folder.pathOf(other.id)
    throw new FourfoldError('taken', `"${shown}" is here already; choose another name.`)
  }

  /** Whether a file may be made because nothing is known at this path. */
  #checkNew(file: string): void {
    // While others know whether there is such a file, no second one is made on a guess.
    const isGuess = this.#options.documents.hidesNames() && this.#isAnotherLive()
    if (isSubjectId(file) || isGuess) throw this.#options.documents.notFound()
  }

  #merge(call: CallId, asked: Request, entry: Entry, request: SaveCall): void {
    const bytes = contentOf(entry)
    const { operation, digest, author, at } = asked
    // Made from the bytes that are there: of these the text beneath them is no part.
    const isOfBytes = bytes !== undefined && bytes.hash === request.baseVersion
    const update = this.#saves.change(
      entry.id as SubjectId,
      isOfBytes ? ofPresent(request) : request,
    )
    const made: NewUpdate[] = []
    if (update) {
      const body: NewUpdate['body'] = { case: 'text', value: update }
      const named = bytes ? { operation: '' } : { operation, operationDigest: digest }
      made.push({ subject: entry.id, author, at, ...named, body })
    }
    if (bytes) {
      const text = { hash: '', size: 0, base: bytes.hash }
      made.push(this.#options.operations.setContent(asked, entry, text))
    }
    this.#finish(call, entry, made, true)
  }

  #changeEntry(
    call: CallId,
    author: string,
    request: Extract<Call, { type: 'delete' | 'restore' | 'rename' | 'move' }>,
  ): void {
    const asked = this.#asked(author, request)
    if (this.#isDone(call, asked)) return
    const entry = this.#views.find(request.file, request.type === 'restore')
    this.#finish(call, entry, [this.#update(asked, entry, request)], false)
  }

  #update(
    asked: Request,
    entry: Entry,
    request: Extract<Call, { type: 'delete' | 'restore' | 'rename' | 'move' }>,
  ): NewUpdate {
    const { operations } = this.#options
    switch (request.type) {
      case 'rename':
        return operations.rename(asked, entry, request.name)
      case 'move':
        return operations.move(asked, entry, this.#views.spot(request.path))
      case 'delete':
      case 'restore':
        return operations.setDeleted(asked, entry, request.type === 'delete')
    }
  }

  #erase(call: CallId, author: string, request: Extract<Call, { type: 'erase' }>): void {
    const { operations, folder, appends, trash } = this.#options
    const asked = this.#asked(author, request)
    const done = operations.subjectOf(asked)
    const entry = (done && folder.known(done)) ?? this.#views.find(request.file, true)
    const view = { ...this.#views.of(entry), isDeleted: true }
    const told = (mark: Mark) => {
      const answer = { type: 'kept' as const, file: view, ...nothing }
      this.#pending.push({ call, mark, storedAt: this.#now, answer })
    }
    if (done) appends.barrier(told)
    else this.#append(trash.purge(asked, entry), told)
  }

  #makeDirectory(
    call: CallId,
    author: string,
    request: Extract<Call, { type: 'makeDirectory' }>,
  ): void {
    const { path, hasParents, operation } = request
    const asked = this.#asked(author, request)
    if (this.#isDone(call, asked)) return
    const { operations, folder } = this.#options
    if (!hasParents) {
      const make = () => [operations.makeDirectory(asked, this.#views.spot(path))]
      this.#makeAt(path, { call, author, request }, make, operation)
      return
    }
    const { parent, names } = this.#views.missing(path)
    if (names.length === 0) this.#finish(call, folder.get(parent)!, [], false)
    else {
      const made = operations.makeDirectories(asked, parent, names)
      const { subject } = made.at(-1)!
      this.#append(made, (mark) => this.#await(call, subject, mark, nothing))
    }
  }

  /** Answers an operation that was carried out before. */
  #isDone(call: CallId, asked: Request): boolean {
    const done = this.#options.operations.subjectOf(asked)
    const entry = done && this.#options.folder.get(done)
    if (entry) this.#finish(call, entry, [], false)
    return entry !== undefined
  }

  #finish(call: CallId, entry: Entry, updates: NewUpdate[], isSave: boolean): void {
    const said = isSave ? this.#saidOf(entry) : nothing
    const then = (mark: Mark) => this.#await(call, entry.id, mark, said)
    if (updates.length === 0) this.#options.appends.barrier(then)
    else this.#append(updates, then)
  }

  #saidOf(entry: Entry): Said {
    const text = this.#text(entry)
    return this.#said(text, this.#saves.stateOf(entry.id as SubjectId, keptStateBytesMax))
  }

  #said(text: string, state: Uint8Array): Said {
    return { version: this.#saves.remember(text), state }
  }

  #append(updates: NewUpdate[], then: (mark: Mark) => void): void {
    updates.forEach((update, index) => {
      this.#options.appends.append(update, (mark, kept) => {
        this.#options.kept(kept)
        if (index === updates.length - 1) then(mark)
      })
    })
  }

  #await(call: CallId, id: string, mark: Mark, said: Said): void {
    const entry = this.#options.folder.get(id)
    if (!entry) {
      // Somebody deleted it for good while this was on its way to the disk.
      this.#options.voice.answer(call, {
        type: 'failed',
        error: this.#options.documents.notFound(),
      })
      return
    }
    const file = this.#views.of(entry)
    this.#pending.push({ call, mark, storedAt: this.#now, answer: { type: 'kept', file, ...said } })
  }

  /** Answers what is stored on every live server, or waited long enough for the slow ones. */
  settle(now: number): void {
    this.#now = now
    this.#watches.tell()
    if (this.#pending.length === 0) return
    const servers = this.#options.visitors.servers
    this.#pending = this.#pending.filter(({ call, mark, storedAt, answer }) => {
      const holders = servers.filter(({ id }) => (this.#options.covered.get(id) ?? 0) >= mark)
      const live = servers.filter(({ state }) => state === ServerState.LIVE)
      const isEverywhere = live.every((server) => holders.includes(server))
      const waitMs = holders.length >= 2 ? receiptWaitMs : answerThinAfterMs
      if (!isEverywhere && now - storedAt < waitMs) return true
      const names = holders.map(({ id }) => id)
      this.#options.voice.answer(call, { ...answer, servers: names, serverCount: servers.length })
      return false
    })
  }
}

function asAnswer(error: unknown): FourfoldError {
  if (error instanceof FourfoldError) return error
  if (error instanceof CorruptError) {
    return new FourfoldError('unavailable', 'This file cannot be read here. Try another server.')
  }
  throw error
}

/** A save that takes the place of all that is there. */
function ofPresent({ baseText: _text, baseState: _state, ...request }: SaveCall): SaveCall {
  return { ...request, baseVersion: '' }
}
