// Changes of the folder: what a client's operation becomes in the logs.

import { create, toBinary } from '@bufbuild/protobuf'
import { utf8ByteLength } from 'lib0/string'
import { isLongerThan } from '../model/byte-length.ts'
import { asideStamp, isHash } from '../model/contents.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder, Reach } from '../model/folder.ts'
import { directoryIdOf, isSubjectId, type Origin, type SubjectId } from '../model/ids.ts'
import { entriesMax, namesakesMax, textBytesMax } from '../model/limits.ts'
import { checkFileName, fileKey } from '../model/names.ts'
import { brokenBound, joined } from '../model/path.ts'
import { seedText } from '../model/seed.ts'
import type { EngineReader, NewUpdate } from '../ports.ts'
import {
  ContentSchema,
  EntrySchema,
  Kind,
  StampSchema,
  type Content,
  type Entry,
  type Stamp,
  type Update,
} from '../model/wire.ts'
import { isDirectory } from '../model/tree.ts'
import type { Appends } from './appends.ts'

/** Where an entry is to lie. */
export interface Spot {
  /** The id of a directory; empty: the top. */
  parent: string
  name: string
}

/** What a file is to hold. */
export interface Bytes {
  /** Empty: live text. */
  hash: string
  size: number
  /** What it was made from. */
  base: string
}

/** Who asks, when, under which operation id. */
export interface Request {
  operation: string
  author: string
  at: number
  /** Of what is asked under this id; empty: any request under it is this one. */
  digest: string
  /** Made while no server could be asked: what others did meanwhile does not refuse it. */
  isLate?: boolean
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
   * What an operation was about, when it was carried out, be it here or elsewhere, or is on its way to
   * the disk.
   * @throws FourfoldError invalid; taken: something else was asked under its id; unavailable: it is on
   *   its way from another server
   */
  subjectOf({ operation, digest }: Pick<Request, 'operation' | 'digest'>): SubjectId | undefined {
    if (!isSubjectId(operation)) {
      throw new FourfoldError('invalid', 'An operation needs an id of 128 bits.')
    }
    const done = this.#appends.underWay(operation) ?? this.#reader.operation(operation)
    if (done && done.digest !== digest && done.digest !== '' && digest !== '') {
      throw somethingElse(operation)
    }
    if (done?.coming === 'later') {
      const text = 'This was carried out by another server, and is on its way here; ask again.'
      throw new FourfoldError('unavailable', text)
    }
    return done?.subject
  }

  /** Whether another server carried it out, and it is in the queue for this disk. */
  isComing(operation: string): boolean {
    return this.#reader.operation(operation)?.coming === 'soon'
  }

  /**
   * A new text file. The text comes first, so that no one sees the name without it.
   * @throws FourfoldError invalid, not-found, taken, too-large
   */
  create(request: Request, asked: Spot, text: string): NewUpdate[] {
    const spot = this.#newSpot(request, asked)
    if (isLongerThan(text, textBytesMax)) {
      throw new FourfoldError('too-large', `A text file may have at most ${textBytesMax} bytes.`)
    }
    const made = this.#change(request, this.#made(request, request.operation, Kind.TEXT, spot))
    if (text === '') return [made]
    const body: NewUpdate['body'] = { case: 'text', value: seedText(request.operation, text) }
    return [{ ...made, operation: '', body }, made]
  }

  /** @throws FourfoldError invalid, not-found, taken, too-large */
  makeDirectory(request: Request, asked: Spot): NewUpdate {
    const spot = this.#newSpot(request, asked)
    return this.#change(request, this.#made(request, request.operation, Kind.DIRECTORY, spot))
  }

  /**
   * A directory in a directory and so on, of these names. Their ids follow from where they are, so
   * that whoever does this at once makes the same. The last update is the operation's.
   * @throws FourfoldError invalid, not-found, taken, too-large
   */
  makeDirectories(request: Request, parent: string, names: readonly string[]): NewUpdate[] {
    this.#checkRoom(names.length)
    this.#checkSpot(request, { parent, name: names[0]! })
    for (const name of names) checkFileName(name)
    this.#checkPath(parent, names.join('/'))
    let above = parent
    return names.map((name, index) => {
      const isLast = index === names.length - 1
      const id = this.#freeDirectoryId(request, above, fileKey(name))
      const entry = this.#made(request, id, Kind.DIRECTORY, { parent: above, name })
      above = id
      return { ...this.#change(request, entry), operation: isLast ? request.operation : '' }
    })
  }

  /** The first that nothing has or had: in the trash, elsewhere by now, or deleted for good. */
  #freeDirectoryId({ operation }: Request, parent: string, nameKey: string): SubjectId {
    let id = directoryIdOf(parent, nameKey)
    for (let before = 0; this.#folder.known(id); before++) {
      // Who makes it once more at once, at this server or another, makes the same again.
      const last = before < namesakesMax ? id : `${operation} ${id}`
      id = directoryIdOf(`${parent} ${last}`, nameKey)
    }
    return id
  }

  /**
   * A new file of bytes that are kept already.
   * @throws FourfoldError invalid, not-found, taken, too-large
   */
  createBinary(request: Request, asked: Spot, bytes: Bytes): NewUpdate {
    const spot = this.#newSpot(request, asked)
    const entry = this.#made(request, request.operation, Kind.BINARY, spot)
    entry.contents = [this.#content(request, bytes)]
    return this.#change(request, entry)
  }

  /** Puts bytes, or with no hash the live text, in the place of what a file holds. */
  setContent(request: Request, entry: Entry, bytes: Bytes): NewUpdate {
    const contents = [this.#content(request, bytes)]
    return this.#change(request, create(EntrySchema, { id: entry.id, contents }))
  }

  /**
   * Somebody wrote in a text. Where the file holds bytes, of which they did not know, these stay what
   * is shown, and that there is text, too, is told as a second version, unless it is already.
   */
  asideOf({ subject, author, at }: Update): NewUpdate[] {
    // Another client brings it, of one who wrote it at another server: that one has told it.
    if (author === '') return []
    const entry = this.#folder.get(subject)
    const stamp = entry && asideStamp(entry, author, this.#origin)
    if (!stamp) return []
    const text = create(ContentSchema, { author, at, stamp, isAside: true })
    const change = create(EntrySchema, { id: subject, contents: [text] })
    return [this.#change({ operation: '', digest: '', author, at }, change)]
  }

  /** @throws FourfoldError invalid, taken, too-large */
  rename(request: Request, entry: Entry, name: string): NewUpdate {
    if (this.#folder.isTrashed(entry.id)) checkFileName(name)
    else this.#checkSpot(request, { parent: this.#folder.parentOf(entry.id), name }, entry)
    const change = { id: entry.id, name: { value: name, stamp: this.#stamp() } }
    return this.#change(request, create(EntrySchema, change))
  }

  /**
   * To another directory, and under another name unless that is empty.
   * @throws FourfoldError invalid, not-found, taken, too-large
   */
  move(request: Request, entry: Entry, { parent, name }: Spot): NewUpdate {
    const isThere = name === '' && parent === this.#folder.parentOf(entry.id)
    if (!isThere) this.#checkSpot(request, { parent, name: name || entry.name!.value }, entry)
    const stamp = this.#stamp()
    return this.#change(
      request,
      create(EntrySchema, {
        id: entry.id,
        parent: { value: parent, stamp },
        ...(name !== '' && { name: { value: name, stamp } }),
      }),
    )
  }

  /**
   * To the trash, or out of it.
   * @throws FourfoldError invalid
   */
  setDeleted(request: Request, entry: Entry, toTrash: boolean): NewUpdate {
    const above = this.#folder.trashedWith(this.#folder.parentOf(entry.id))
    if (!toTrash && above) {
      const name = this.#folder.shownName(above.id)
      const text = `It is in the trash with "${name}": restore that, or move this out of it first.`
      throw new FourfoldError('invalid', text)
    }
    const deleted = { value: toTrash, stamp: this.#stamp() }
    const by = { deletedBy: request.author, deletedAt: request.at }
    const change = { id: entry.id, deleted, ...by }
    return this.#change(request, create(EntrySchema, change))
  }

  #content({ author, at }: Request, bytes: Bytes): Content {
    if (bytes.base !== '' && !isHash(bytes.base)) {
      throw new FourfoldError('invalid', 'A base is 64 digits of SHA-256, or empty.')
    }
    return create(ContentSchema, { ...bytes, author, at, stamp: this.#stamp() })
  }

  #change({ operation, digest, author, at }: Request, entry: Entry): NewUpdate {
    const value = toBinary(EntrySchema, entry)
    const named = { operation, operationDigest: digest, author, at }
    return { subject: entry.id, ...named, body: { case: 'entry', value } }
  }

  #made(request: Request, id: string, kind: Kind, { parent, name }: Spot): Entry {
    if (this.#folder.isPurged(id)) {
      throw new FourfoldError('not-found', 'This was deleted for good.')
    }
    // Lowest of all: a creation that another server carries out late undoes no rename, move or
    // deletion.
    const stamp: Stamp = { $typeName: 'fourfold.v1.Stamp', counter: 0, origin: this.#origin }
    return create(EntrySchema, {
      id,
      kind,
      created: this.#stamp(),
      name: { value: name, stamp },
      parent: { value: parent, stamp },
      deleted: { value: false, stamp },
      createdBy: request.author,
      createdAt: request.at,
    })
  }

  // ------------------------------------------------------------------------------------- rules

  #checkRoom(count: number): void {
    if (this.#folder.size + count <= entriesMax) return
    throw new FourfoldError('too-large', `This folder holds ${this.#folder.size} files already.`)
  }

  /** Where a new entry lies: at the top, when it is late and its directory is in the trash by now. */
  #newSpot(request: Request, spot: Spot): Spot {
    this.#checkRoom(1)
    if (!request.isLate) {
      this.#checkSpot(request, spot)
      return spot
    }
    checkFileName(spot.name)
    if (spot.parent !== '' && !isSubjectId(spot.parent)) throw noDirectory()
    // One that is not known here may still come; until then everybody shows this at the top.
    return this.#folder.isTrashed(spot.parent) ? { ...spot, parent: '' } : spot
  }

  /** `entry`: what is to lie there, when it is somewhere already. */
  #checkSpot({ isLate }: Request, { parent, name }: Spot, entry?: Entry): void {
    checkFileName(name)
    this.#checkDirectory(parent)
    if (entry && isDirectory(entry) && this.#folder.isWithin(parent, entry.id)) {
      throw new FourfoldError('invalid', 'A directory cannot lie in itself.')
    }
    // As when two servers do not know of each other: both names are kept, and told apart.
    if (isLate) return
    this.#checkPath(parent, name, entry && this.#folder.reachBelow(entry.id))
    const holder = this.#folder.holder(name, parent)
    if (holder === undefined || holder.id === entry?.id) return
    const shown = this.#folder.shownName(holder.id)
    throw new FourfoldError('taken', `"${shown}" is here already; choose another name.`)
  }

  #checkDirectory(id: string): void {
    if (id === '') return
    if (isDirectory(this.#folder.get(id)) && !this.#folder.isTrashed(id)) return
    throw noDirectory()
  }

  #checkPath(parent: string, path: string, below: Reach = { names: 0, bytes: 0 }): void {
    const names = this.#folder.depthOf(parent) + path.split('/').length + below.names
    const bytes = utf8ByteLength(joined(this.#folder.pathOf(parent), path)) + below.bytes
    const rule = brokenBound(names, bytes)
    if (rule !== undefined) throw new FourfoldError('too-large', rule)
  }

  // Larger than every counter seen, and never given twice by this life.
  #stamp(): Stamp {
    this.#counter = Math.max(this.#counter, this.#folder.counter) + 1
    return create(StampSchema, { counter: this.#counter, origin: this.#origin })
  }
}

/** An id was given twice. */
export function somethingElse(operation: string): FourfoldError {
  const text = `The operation ${operation} was something else; give each an id of its own.`
  return new FourfoldError('taken', text)
}

function noDirectory(): FourfoldError {
  return new FourfoldError('not-found', 'No such directory.')
}
