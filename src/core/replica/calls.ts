// What whole-file clients ask: list, read, watch, search, and what they change. A call has one answer
// or more.

import { history } from '../model/contents.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import { isSubjectId, sessionOf, type ReplicaId, type SubjectId } from '../model/ids.ts'
import { checkScreenName } from '../model/names.ts'
import { storedVersions } from '../model/snapshot.ts'
import type { Entry, Update } from '../model/wire.ts'
import { CorruptError, type EngineReader, type Mark } from '../ports.ts'
import type { Appends } from './appends.ts'
import { CallOperations, type Question } from './call-operations.ts'
import type { Documents } from './documents.ts'
import { Measures } from './measures.ts'
import type { Call, CallId } from './messages.ts'
import type { Operations } from './operations.ts'
import type { People } from './people.ts'
import { Saves } from './saves.ts'
import { Searches } from './searches.ts'
import type { Sketches } from './sketches.ts'
import type { Trash } from './trash.ts'
import { Views } from './views.ts'
import type { Visitors } from './visitors.ts'
import type { Voice } from './voice.ts'
import { Watches } from './watches.ts'

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
  readonly #operations: CallOperations
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
    const again = ({ call, author, request }: Question) =>
      this.#attempt(this.#now, call, () => this.#call(call, author, request))
    const parts = { views: this.#views, saves: this.#saves, again }
    this.#operations = new CallOperations({ ...options, ...parts })
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
    return this.#operations.isWaiting
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
    this.#operations.uncalled(call)
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
        this.#get(call, request)
        return
      case 'read':
        this.#read(call, request.file)
        return
      case 'save':
      case 'saveBinary':
      case 'delete':
      case 'restore':
      case 'rename':
      case 'move':
      case 'erase':
      case 'makeDirectory':
        this.#operations.take(this.#now, { call, author, request })
        return
      case 'contents': {
        const contents = history(this.#views.findFile(request.file))
        this.#options.voice.answer(call, { type: 'contents', contents })
        return
      }
      case 'measure':
        this.#measure(call, request.texts)
        return
      case 'erased': {
        const files = request.files.filter((id) => this.#options.folder.isPurged(id))
        this.#options.voice.answer(call, { type: 'erased', files })
        return
      }
      case 'versions': {
        const entry = this.#views.findFile(request.file)
        const versions = storedVersions(this.#options.reader.load(entry.id as SubjectId))
        this.#options.voice.answer(call, { type: 'versions', versions })
        return
      }
      case 'watch':
        this.#watches.begin(call, request.file, request)
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

  #get(call: CallId, { file, inTrash }: Extract<Call, { type: 'get' }>): void {
    const view = this.#views.of(this.#views.find(file, inTrash))
    this.#options.voice.answer(call, { type: 'got', file: view })
  }

  #read(call: CallId, file: string): void {
    const entry = this.#views.findText(file)
    const id = entry.id as SubjectId
    const text = this.#options.documents.live(id).text().toString()
    const state = this.#saves.stateOf(id)
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

  /** A turn ends: watchers hear what changed, and callers what enough servers hold. */
  settle(now: number): void {
    this.#now = now
    this.#watches.tell()
    this.#operations.settle(now)
  }
}

function asAnswer(error: unknown): FourfoldError {
  if (error instanceof FourfoldError) return error
  if (error instanceof CorruptError) {
    return new FourfoldError('unavailable', 'This file cannot be read here. Try another server.')
  }
  throw error
}
