// Changes of the folder: what a client's operation becomes in the logs.

import { create, toBinary } from '@bufbuild/protobuf'
import { encodeUtf8 } from 'lib0/string'
import * as Y from 'yjs'
import { isDeleted } from '../model/entry.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import { isSubjectId, seedWriterOf, type Origin, type SubjectId } from '../model/ids.ts'
import { entriesMax, textBytesMax } from '../model/limits.ts'
import { checkFileName } from '../model/names.ts'
import { textRoot } from '../model/snapshot.ts'
import type { EngineReader, NewUpdate } from '../ports.ts'
import { EntrySchema, Kind, StampSchema, type Entry, type Stamp } from '../model/wire.ts'
import type { Appends } from './appends.ts'

/** Who asks, when, under which operation id. */
export interface Request {
  operation: string
  author: string
  at: number
}

/**
 * Turns operations into updates. Every operation may be carried out twice, by two servers that do
 * not know of each other: the result is one.
 */
export class Operations {
  readonly #folder: Folder
  readonly #origin: Origin
  readonly #appends: Appends
  readonly #reader: EngineReader
  #counter = 0

  constructor(options: { folder: Folder; origin: Origin; appends: Appends; reader: EngineReader }) {
    this.#folder = options.folder
    this.#origin = options.origin
    this.#appends = options.appends
    this.#reader = options.reader
  }

  /**
   * What an operation with this id was about, when it was carried out or is on its way to the disk.
   * @throws FourfoldError invalid
   */
  subjectOf(operation: string): SubjectId | undefined {
    if (!isSubjectId(operation)) {
      throw new FourfoldError('invalid', 'An operation needs an id of 128 bits.')
    }
    return this.#appends.underWay(operation) ?? this.#reader.operation(operation)
  }

  /**
   * A new text file. The text comes first, so that no one sees the name without it.
   * @throws FourfoldError invalid, taken, too-large
   */
  create(request: Request, name: string, text: string): NewUpdate[] {
    checkFileName(name)
    this.#checkFree(name)
    if (this.#folder.size >= entriesMax) {
      throw new FourfoldError('too-large', `This folder holds ${entriesMax} files already.`)
    }
    const bytes = encodeUtf8(text)
    if (bytes.length > textBytesMax) {
      throw new FourfoldError('too-large', `A text file may have at most ${textBytesMax} bytes.`)
    }
    // Lowest of all: a creation that another server carries out late undoes no rename or deletion.
    const stamp: Stamp = { $typeName: 'fourfold.v1.Stamp', counter: 0, origin: this.#origin }
    const entry = create(EntrySchema, {
      id: request.operation,
      kind: Kind.TEXT,
      created: this.#stamp(),
      name: { value: name, stamp },
      parent: { value: '', stamp },
      deleted: { value: false, stamp },
      createdBy: request.author,
      createdAt: request.at,
    })
    const made = this.#change(request, entry)
    if (text === '') return [made]
    const body: NewUpdate['body'] = { case: 'text', value: seed(request.operation, text, bytes) }
    return [{ ...made, operation: '', body }, made]
  }

  /** @throws FourfoldError invalid, taken */
  rename(request: Request, entry: Entry, name: string): NewUpdate {
    checkFileName(name)
    if (!isDeleted(entry)) this.#checkFree(name, entry.id)
    const change = { id: entry.id, name: { value: name, stamp: this.#stamp() } }
    return this.#change(request, create(EntrySchema, change))
  }

  /** To the trash, or out of it. */
  setDeleted(request: Request, entry: Entry, toTrash: boolean): NewUpdate {
    const deleted = { value: toTrash, stamp: this.#stamp() }
    const change = { id: entry.id, deleted, deletedBy: request.author }
    return this.#change(request, create(EntrySchema, change))
  }

  #change({ operation, author, at }: Request, entry: Entry): NewUpdate {
    const value = toBinary(EntrySchema, entry)
    return { subject: entry.id, author, at, operation, body: { case: 'entry', value } }
  }

  #checkFree(name: string, except?: string): void {
    const holder = this.#folder.holder(name)
    if (holder === undefined || holder.id === except) return
    const shown = this.#folder.shownName(holder.id)
    throw new FourfoldError('taken', `"${shown}" is here already; choose another name.`)
  }

  // Larger than every counter seen, and never given twice by this life.
  #stamp(): Stamp {
    this.#counter = Math.max(this.#counter, this.#folder.counter) + 1
    return create(StampSchema, { counter: this.#counter, origin: this.#origin })
  }
}

// The same on every server: the same writer, the same clock, the same text.
function seed(operation: string, text: string, bytes: Uint8Array): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = seedWriterOf(operation, bytes)
  doc.getText(textRoot).insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}
