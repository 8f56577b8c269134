// What clients with a channel change in the folder: carried out once, however often it is asked.

import { create, toBinary } from '@bufbuild/protobuf'
import { isBytesName } from '../model/contents.ts'
import { codeOf } from '../model/error-codes.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import type { SubjectId } from '../model/ids.ts'
import { packedPerStep, severalMax, versionsBytesMax, versionsMax } from '../model/limits.ts'
import { checkVersionName } from '../model/names.ts'
import { forOne } from '../model/several.ts'
import { storedVersions } from '../model/snapshot.ts'
import { isDirectory } from '../model/tree.ts'
import {
  Kind,
  ServerState,
  VersionSchema,
  type Ask,
  type Entry,
  type Operation,
  type Several,
  type Undone,
  type Update,
} from '../model/wire.ts'
import type { EngineReader, Mark, NewUpdate } from '../ports.ts'
import type { Appends } from './appends.ts'
import type { Documents } from './documents.ts'
import { operationDigest } from './operation-digests.ts'
import type { Operations, Request } from './operations.ts'
import type { Trash } from './trash.ts'
import type { Visitor } from './visitor.ts'
import type { Visitors } from './visitors.ts'
import type { Voice } from './voice.ts'

export interface ClientOperationsOptions {
  folder: Folder
  operations: Operations
  trash: Trash
  appends: Appends
  documents: Documents
  visitors: Visitors
  voice: Voice
  reader: EngineReader
  deflate: (text: string) => Uint8Array
  hash: (text: string) => string
  /** An update is on disk: everybody who follows its subject is to hear of it. */
  kept: (update: Update) => void
}

/** What an operation becomes. */
interface Made {
  /** The last one's is the operation's. */
  updates: NewUpdate[]
  entry: string
  undone: Undone[]
}

export class ClientOperations {
  readonly #options: ClientOperationsOptions
  #now = 0
  /** What the operation at hand had to be packed, in characters. */
  #packed = 0

  constructor(options: ClientOperationsOptions) {
    this.#options = options
  }

  /** Answers by Done and receipts, or by Rejected. */
  take(now: number, visitor: Visitor, operation: Operation): void {
    this.#now = now
    this.#packed = 0
    const { ticket } = operation
    try {
      const request = this.#requestOf(visitor, operation)
      const entry = this.#options.operations.subjectOf(request)
      if (entry === undefined) this.#carryOut(visitor, ticket, this.#made(request, operation))
      else this.#again(visitor, entry, operation)
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      this.#options.voice.reject(visitor.channel, ticket, error)
    }
    visitor.hasTaken(now, this.#packed / packedPerStep)
  }

  /** Answers by receipts where that operation is known, or by Rejected. */
  where(visitor: Visitor, { ticket, operation }: Ask): void {
    const { operations, appends, visitors, voice } = this.#options
    try {
      if (operations.subjectOf({ operation, digest: '' }) === undefined) {
        throw new FourfoldError('unavailable', 'This server does not know that operation.')
      }
      appends.barrier((mark) => visitors.stored(visitor, ticket, mark))
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      voice.reject(visitor.channel, ticket, error)
    }
  }

  #carryOut(visitor: Visitor, ticket: number, { updates, entry, undone }: Made): void {
    const { appends, documents, kept } = this.#options
    const changedNothing = updates.length === 0
    const done = (mark: Mark) =>
      this.#done(visitor, ticket, mark, { entry, undone, changedNothing })
    const last = updates.at(-1)
    if (!last) appends.barrier(done)
    for (const update of updates) {
      documents.integrate(update)
      appends.append(update, (mark, stored) => {
        kept(stored)
        if (update === last) done(mark)
      })
    }
  }

  /** It was carried out before: there is an answer when all of it is on this disk. */
  #again(visitor: Visitor, entry: string, operation: Operation): void {
    this.#options.appends.barrier((mark) => {
      const undone = this.#leftOf(operation)
      const first = firstOf(operation) ?? entry
      const done = { entry: first, undone, changedNothing: false }
      this.#done(visitor, operation.ticket, mark, done)
    })
  }

  #done(
    visitor: Visitor,
    ticket: number,
    mark: Mark,
    done: Pick<Made, 'entry' | 'undone'> & { changedNothing: boolean },
  ): void {
    this.#options.visitors.stored(visitor, ticket, mark)
    const value = { $typeName: 'fourfold.v1.Done' as const, ticket, ...done }
    this.#options.voice.send([visitor.channel], { case: 'done', value })
  }

  #requestOf({ name }: Visitor, { id, isLate, operation }: Operation): Request {
    const digest = operationDigest(operation, this.#options.hash)
    return { operation: id, digest, author: name, at: this.#now, isLate }
  }

  #made(request: Request, { operation }: Operation): Made {
    if (operation.case === 'several') return this.#madeOfSeveral(request, operation.value)
    const updates = this.#updatesOf(request, operation)
    return { updates, entry: updates.at(-1)!.subject, undone: [] }
  }

  #madeOfSeveral(request: Request, several: Several): Made {
    const { entries } = several
    if (entries.length === 0 || entries.length > severalMax) {
      throw new FourfoldError('invalid', `One operation changes 1 to ${severalMax} entries.`)
    }
    const updates: NewUpdate[] = []
    const undone: Undone[] = []
    for (const entry of entries) {
      // One server may have done it to some of them and told only of these.
      if (several.change.case === 'erase' && this.#options.folder.isPurged(entry)) continue
      try {
        const unnamed = { ...request, operation: '', digest: '' }
        updates.push(...this.#updatesOf(unnamed, forOne(several, entry)))
      } catch (error) {
        if (!(error instanceof FourfoldError)) throw error
        undone.push(undoneOf(entry, error))
      }
    }
    const last = updates.at(-1)
    // All of it is known by its last update, as a directory that is deleted for good.
    if (last) {
      last.operation = request.operation
      last.operationDigest = request.digest
    }
    return { updates, entry: entries[0]!, undone }
  }

  /** To which of several it was not done when it was carried out is seen by how these are. */
  #leftOf({ operation }: Operation): Undone[] {
    if (operation.case !== 'several') return []
    const { entries, change } = operation.value
    const left = entries.filter((id) => !this.#isSo(change, id))
    const error = new FourfoldError('invalid', 'It is not so any more, or never was.')
    return left.map((id) => undoneOf(id, error))
  }

  #isSo({ case: what, value }: Several['change'], id: string): boolean {
    const { folder } = this.#options
    if (what === 'erase') return folder.isPurged(id)
    const isThere = folder.get(id) !== undefined
    if (what === 'move') return isThere && folder.parentOf(id) === value.parent
    return isThere && folder.isTrashed(id) === (what === 'delete')
  }

  #updatesOf(request: Request, operation: Operation['operation']): NewUpdate[] {
    const { operations } = this.#options
    const { isLate } = request
    switch (operation.case) {
      case 'create': {
        const { name, text, parent } = operation.value
        if (!isLate) this.#checkKnown(parent)
        return operations.create(request, { parent, name }, text)
      }
      case 'makeDirectory': {
        const { name, parent } = operation.value
        if (!isLate) this.#checkKnown(parent)
        return [operations.makeDirectory(request, { parent, name })]
      }
      case 'move': {
        const { entry, parent, name } = operation.value
        this.#checkKnown(parent)
        return [operations.move(request, this.#entry(entry), { parent, name })]
      }
      case 'rename': {
        const { entry, name } = operation.value
        return [operations.rename(request, this.#entry(entry), name)]
      }
      case 'delete':
      case 'restore': {
        const isDeleted = operation.case === 'delete'
        return [operations.setDeleted(request, this.#entry(operation.value.entry), isDeleted)]
      }
      case 'erase':
        return this.#options.trash.purge(request, this.#entry(operation.value.entry))
      case 'createBinary': {
        const { name, parent, hash, size } = operation.value
        if (!isLate) this.#checkKnown(parent)
        checkBytes({ hash, size })
        return [operations.createBinary(request, { parent, name }, { hash, size, base: '' })]
      }
      case 'setContent': {
        const { entry, hash, size, base } = operation.value
        if (hash !== '') checkBytes({ hash, size })
        const bytes = { hash, size: hash === '' ? 0 : size, base }
        return [operations.setContent(request, this.#file(entry), bytes)]
      }
      case 'nameVersion':
        return [this.#nameVersion(request, operation.value.document, operation.value.name)]
      case 'several':
      case undefined:
        throw new FourfoldError('invalid', 'This operation says nothing to do.')
    }
  }

  #entry(id: string): Entry {
    const entry = this.#options.folder.get(id)
    if (entry) return entry
    throw this.#isAllHere() ? this.#options.documents.notFound() : notHere('file')
  }

  #file(id: string): Entry {
    const entry = this.#entry(id)
    if (isDirectory(entry)) throw new FourfoldError('invalid', 'That is a directory.')
    return entry
  }

  #checkKnown(directory: string): void {
    if (directory === '' || this.#options.folder.get(directory)) return
    if (!this.#isAllHere()) throw notHere('directory')
  }

  #isAllHere(): boolean {
    return this.#options.visitors.servers.every(({ state }) => state === ServerState.LIVE)
  }

  #nameVersion({ operation, digest, author, at }: Request, id: string, asked: string): NewUpdate {
    const name = checkVersionName(asked)
    const entry = this.#entry(id)
    if (entry.kind !== Kind.TEXT) throw this.#options.documents.notFound()
    const subject = entry.id as SubjectId
    const { documents, reader, deflate } = this.#options
    const read = documents.attempt(subject, () => ({
      text: documents.live(subject).text().toString(),
      known: storedVersions(reader.load(subject)),
    }))
    if (read instanceof FourfoldError) throw read
    const { text, known } = read
    const roomBytes = known.reduce((room, each) => room - each.text.length, versionsBytesMax)
    // To deflate a long text takes a third of a second: not for nothing.
    if (known.length >= versionsMax || roomBytes <= 0) throw tooManyVersions()
    this.#packed = text.length
    const version = { id: operation, name, author, at, text: deflate(text) }
    if (version.text.length > roomBytes) throw tooManyVersions()
    const value = toBinary(VersionSchema, create(VersionSchema, version))
    const named = { operation, operationDigest: digest, author, at }
    return { subject, ...named, body: { case: 'version', value } }
  }
}

/** What `Done` names of several. */
function firstOf({ operation }: Operation): string | undefined {
  return operation.case === 'several' ? operation.value.entries[0] : undefined
}

function undoneOf(entry: string, error: FourfoldError): Undone {
  const { message: text } = error
  return { $typeName: 'fourfold.v1.Undone', entry, code: codeOf(error), text }
}

function checkBytes(name: { hash: string; size: number }): void {
  if (isBytesName(name)) return
  throw new FourfoldError('invalid', 'A hash is 64 digits of SHA-256, a size a whole number.')
}

function tooManyVersions(): FourfoldError {
  const most = `${versionsMax} named versions, or ${versionsBytesMax / 1024 / 1024} MiB of them`
  const text = `A file keeps ${most}, compressed: save a copy, and name those that follow there.`
  return new FourfoldError('too-large', text)
}

/** It may be on a server that is not heard now. */
function notHere(what: 'file' | 'directory'): FourfoldError {
  return new FourfoldError('unavailable', `No such ${what}.`)
}
