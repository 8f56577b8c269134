// What whole-file clients change in the folder: carried out once, however often it is asked, and answered
// when enough servers hold it.

import { blobOf, hasConflict } from '../model/contents.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import { isSubjectId, type ReplicaId, type SubjectId } from '../model/ids.ts'
import { keptStateBytesMax, receiptWaitMs } from '../model/limits.ts'
import { fileKey } from '../model/names.ts'
import { seedState } from '../model/seed.ts'
import { isDirectory } from '../model/tree.ts'
import { ServerState, type Entry, type Update } from '../model/wire.ts'
import type { Mark, NewUpdate } from '../ports.ts'
import type { Appends } from './appends.ts'
import type { Documents } from './documents.ts'
import type { Answer, Call, CallId } from './messages.ts'
import { callDigest } from './operation-digests.ts'
import { somethingElse, type Operations, type Request, type Spot } from './operations.ts'
import type { Saves } from './saves.ts'
import type { Trash } from './trash.ts'
import type { Views } from './views.ts'
import type { Visitors } from './visitors.ts'
import type { Voice } from './voice.ts'

/** With one disk only, while others live, an answer waits for a second disk at most this long. */
const answerThinAfterMs = 2000

type Kept = Extract<Answer, { type: 'kept' }>
type SaveCall = Extract<Call, { type: 'save' }>
type BinaryCall = Extract<Call, { type: 'saveBinary' }>

/** What an answer says of the text that resulted. */
type Said = Pick<Kept, 'version' | 'state'>
const nothing: Said = { version: '', state: new Uint8Array() }

interface Pending {
  call: CallId
  mark: Mark
  storedAt: number
  answer: Omit<Kept, 'servers' | 'serverCount'>
}

/** A call, and whose it is. */
export interface Question {
  call: CallId
  author: string
  request: ChangingCall
}

/** A call that changes something. */
export type ChangingCall = Extract<Call, { operation: string }>

export interface CallOperationsOptions {
  folder: Folder
  operations: Operations
  trash: Trash
  appends: Appends
  hash: (text: string) => string
  documents: Documents
  visitors: Visitors
  voice: Voice
  views: Views
  saves: Saves
  covered: ReadonlyMap<ReplicaId, Mark>
  /** An update of a call is on disk: everybody who follows its subject is to hear of it. */
  kept: (update: Update) => void
  /** What was asked is to be asked anew: something that it depends on is on the disk now. */
  again: (question: Question) => void
}

export class CallOperations {
  readonly #options: CallOperationsOptions
  #pending: Pending[] = []
  /** Where something is being made that is not on disk yet, so that nobody finds it there. */
  readonly #making = new Set<string>()
  #now = 0

  constructor(options: CallOperationsOptions) {
    this.#options = options
  }

  /** Whether an answer waits for more servers. */
  get isWaiting(): boolean {
    return this.#pending.length > 0
  }

  /**
   * Answers by `kept`, once enough servers hold it.
   * @throws FourfoldError, CorruptError
   */
  take(now: number, { call, author, request }: Question): void {
    this.#now = now
    switch (request.type) {
      case 'save':
        this.#save(call, author, request)
        return
      case 'saveBinary':
        this.#saveBinary(call, author, request)
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
      case 'makeDirectory':
        this.#makeDirectory(call, author, request)
        return
    }
  }

  /** Nobody waits for the answer any more. */
  uncalled(call: CallId): void {
    this.#pending = this.#pending.filter((pending) => pending.call !== call)
  }

  // ------------------------------------------------------------------------------------- saving

  #save(call: CallId, author: string, request: SaveCall): void {
    const asked = this.#asked(author, request)
    const done = this.#options.operations.subjectOf(asked)
    if (done) checkAbout(request, done)
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
    this.#checkNew(request)
    const { operation, file, text } = request
    const spot = this.#options.views.spot(file)
    const make = () => this.#options.operations.create(asked, spot, text)
    this.#makeAt(spot, { call, author: asked.author, request }, make, operation)
  }

  /**
   * Makes the entry of this id, one after the other: whoever comes second to a path finds what the first
   * made.
   */
  #makeAt(spot: Spot, question: Question, make: () => NewUpdate[], id: string): void {
    const key = `${spot.parent}/${fileKey(spot.name)}`
    if (this.#making.has(key)) {
      this.#options.appends.whenStored(() => this.#options.again(question))
      return
    }
    const updates = make()
    const { call, request } = question
    const text = request.type === 'save' ? request.text : undefined
    const said = text === undefined ? nothing : this.#said(text, seedState(id, text))
    this.#making.add(key)
    this.#append(updates, this.#made(call, key, id, said))
  }

  // By itself, so that it holds no text while disks are waited for: that would grow old with all others.
  #made(call: CallId, key: string, id: string, said: Said): (mark: Mark) => void {
    return (mark) => {
      this.#making.delete(key)
      this.#await(call, id, mark, said)
    }
  }

  #saveBinary(call: CallId, author: string, request: BinaryCall): void {
    const { file, hash, size, operation } = request
    const asked = this.#asked(author, request)
    if (this.#isDone(call, asked, request)) return
    const { operations } = this.#options
    const entry = this.#found(request)
    if (isDirectory(entry)) throw new FourfoldError('invalid', 'That is a directory.')
    if (entry && request.isNew) {
      this.#finish(call, entry, [], false)
      return
    }
    if (!entry) {
      this.#checkNew(request)
      const bytes = { hash, size, base: '' }
      const spot = this.#options.views.spot(file)
      const make = () => [operations.createBinary(asked, spot, bytes)]
      this.#makeAt(spot, { call, author, request }, make, operation)
      return
    }
    const present = blobOf(entry)?.hash ?? ''
    const base = request.base ?? present
    const isSettled = present === hash && base === hash && !hasConflict(entry)
    const made = isSettled ? [] : [operations.setContent(asked, entry, { hash, size, base })]
    this.#finish(call, entry, made, false)
  }

  /**
   * What a save is about; undefined: a file that is to be made.
   * @throws FourfoldError taken
   */
  #found({ file, isNew, operation }: SaveCall | BinaryCall) {
    const { folder } = this.#options
    if (!isNew) return folder.find(file)
    // A file has the id of the operation that made it, here or on another server.
    const made = folder.get(operation)
    const other = made ? undefined : folder.at(file)
    if (!other) return made
    const shown = folder.pathOf(other.id)
    throw new FourfoldError('taken', `"${shown}" is here already; choose another name.`)
  }

  /** Whether a file may be made because nothing is known at this path. */
  #checkNew({ file, isNew }: SaveCall | BinaryCall): void {
    // While others know whether there is such a file, no second one is made on a guess.
    const isGuess = this.#options.documents.hidesNames() && this.#isAnotherLive()
    // Nothing gets a name by which another thing is found.
    const isId = isNew ? this.#options.folder.get(file) !== undefined : isSubjectId(file)
    if (isId || isGuess) throw this.#options.documents.notFound()
  }

  #merge(call: CallId, asked: Request, entry: Entry, request: SaveCall): void {
    const bytes = blobOf(entry)
    const { operation, digest, author, at } = asked
    // Made from the bytes that are there: of these the text beneath them is no part.
    const isOfBytes = bytes !== undefined && bytes.hash === request.baseVersion
    const update = this.#options.saves.change(
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
    if (this.#isDone(call, asked, request)) return
    const { views } = this.#options
    const entry =
      request.type === 'move'
        ? views.findMovable(request.file)
        : views.find(request.file, request.type === 'restore')
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
        return operations.move(asked, entry, this.#options.views.spot(request.path))
      case 'delete':
      case 'restore':
        return operations.setDeleted(asked, entry, request.type === 'delete')
    }
  }

  #erase(call: CallId, author: string, request: Extract<Call, { type: 'erase' }>): void {
    const { operations, folder, appends, trash } = this.#options
    const asked = this.#asked(author, request)
    const done = operations.subjectOf(asked)
    const entry = (done && folder.known(done)) ?? this.#options.views.find(request.file, true)
    const view = { ...this.#options.views.of(entry), isDeleted: true }
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
    if (this.#isDone(call, asked, request)) return
    const { operations, folder } = this.#options
    if (!hasParents) {
      const spot = this.#options.views.spot(path)
      const make = () => [operations.makeDirectory(asked, spot)]
      this.#makeAt(spot, { call, author, request }, make, operation)
      return
    }
    const { parent, names } = this.#options.views.missing(path)
    if (names.length === 0) this.#finish(call, folder.get(parent)!, [], false)
    else {
      const made = operations.makeDirectories(asked, parent, names)
      const { subject } = made.at(-1)!
      this.#append(made, (mark) => this.#await(call, subject, mark, nothing))
    }
  }

  /** Answers an operation that was carried out before. */
  #isDone(call: CallId, asked: Request, request: ChangingCall): boolean {
    const done = this.#options.operations.subjectOf(asked)
    if (done && request.type === 'saveBinary') checkAbout(request, done)
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
    return this.#said(text, this.#options.saves.stateOf(entry.id as SubjectId, keptStateBytesMax))
  }

  #said(text: string, state: Uint8Array): Said {
    return { version: this.#options.saves.remember(text), state }
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
    const file = this.#options.views.of(entry)
    this.#pending.push({ call, mark, storedAt: this.#now, answer: { type: 'kept', file, ...said } })
  }

  /** Answers what is stored on every live server, or waited long enough for the slow ones. */
  settle(now: number): void {
    this.#now = now
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
}

/**
 * What may be asked anew in other words is still of one file.
 * @throws FourfoldError taken
 */
function checkAbout({ file, isNew, operation }: SaveCall | BinaryCall, done: SubjectId): void {
  const isIt = isNew ? done === operation : !isSubjectId(file) || file === done
  if (!isIt) throw somethingElse(operation)
}

/** A save that takes the place of all that is there. */
function ofPresent({ baseText: _text, baseState: _state, ...request }: SaveCall): SaveCall {
  return { ...request, baseVersion: '' }
}
