// What clients with a channel change in the folder: carried out once, however often it is asked.

import { create, toBinary } from '@bufbuild/protobuf'
import { encodeUtf8 } from 'lib0/string'
import { isBytesName } from '../model/contents.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import type { SubjectId } from '../model/ids.ts'
import { nameBytesMax } from '../model/limits.ts'
import { isDirectory } from '../model/tree.ts'
import {
  Kind,
  ServerState,
  VersionSchema,
  type Entry,
  type Operation,
  type Update,
} from '../model/wire.ts'
import type { Mark, NewUpdate } from '../ports.ts'
import type { Appends } from './appends.ts'
import type { Documents } from './documents.ts'
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
  deflate: (text: string) => Uint8Array
  /** An update is on disk: everybody who follows its subject is to hear of it. */
  kept: (update: Update) => void
}

export class ClientOperations {
  readonly #options: ClientOperationsOptions
  #now = 0

  constructor(options: ClientOperationsOptions) {
    this.#options = options
  }

  /** Answers by Done and receipts, or by Rejected. */
  take(now: number, visitor: Visitor, operation: Operation): void {
    this.#now = now
    const { ticket, id } = operation
    try {
      const done = this.#options.operations.subjectOf(id)
      if (done === undefined) this.#carryOut(visitor, ticket, this.#updatesOf(visitor, operation))
      else this.#options.appends.barrier((mark) => this.#done(visitor, ticket, done, mark))
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      this.#options.voice.reject(visitor.channel, ticket, error)
    }
  }

  #carryOut(visitor: Visitor, ticket: number, updates: NewUpdate[]): void {
    updates.forEach((update, index) => {
      this.#options.documents.integrate(update)
      this.#options.appends.append(update, (mark, kept) => {
        this.#options.kept(kept)
        if (index < updates.length - 1) return
        this.#done(visitor, ticket, kept.subject, mark)
      })
    })
  }

  #done(visitor: Visitor, ticket: number, entry: string, mark: Mark): void {
    this.#options.visitors.stored(visitor, ticket, mark)
    const value = { $typeName: 'fourfold.v1.Done' as const, ticket, entry }
    this.#options.voice.send([visitor.channel], { case: 'done', value })
  }

  #updatesOf(visitor: Visitor, { id, isLate, operation }: Operation): NewUpdate[] {
    const { operations } = this.#options
    const request: Request = { operation: id, author: visitor.name, at: this.#now, isLate }
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

  #nameVersion({ operation, author, at }: Request, id: string, name: string): NewUpdate {
    if (encodeUtf8(name).length > nameBytesMax) {
      throw new FourfoldError('too-large', `A name may have at most ${nameBytesMax} bytes.`)
    }
    const entry = this.#entry(id)
    if (entry.kind !== Kind.TEXT) throw this.#options.documents.notFound()
    const subject = entry.id as SubjectId
    const document = this.#options.documents.live(subject)
    const text = this.#options.documents.attempt(subject, () => document.text().toString())
    if (text instanceof FourfoldError) throw text
    const version = { id: operation, name, author, at, text: this.#options.deflate(text) }
    const value = toBinary(VersionSchema, create(VersionSchema, version))
    return { subject, author, at, operation, body: { case: 'version', value } }
  }
}

function checkBytes(name: { hash: string; size: number }): void {
  if (isBytesName(name)) return
  throw new FourfoldError('invalid', 'A hash is 64 digits of SHA-256, a size a whole number.')
}

/** It may be on a server that is not heard now. */
function notHere(what: 'file' | 'directory'): FourfoldError {
  return new FourfoldError('unavailable', `No such ${what}.`)
}
