// The list of files as people see it, from this device at first and from servers as they tell it.

import { bytesOf, hasConflict } from '../core/model/contents.ts'
import { isDeleted } from '../core/model/entry.ts'
import { Folder } from '../core/model/folder.ts'
import { Kind, type Entry } from '../core/model/wire.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import type { FileInfo } from './api.ts'
import { Foreseen } from './foreseen.ts'

const kinds: Record<Kind, FileInfo['kind']> = {
  // Of a later revision: bytes, as far as this one can tell.
  [Kind.UNSPECIFIED]: 'binary',
  [Kind.TEXT]: 'text',
  [Kind.DIRECTORY]: 'directory',
  [Kind.BINARY]: 'binary',
}

/** What is the same for all that lies in one directory. */
interface Above {
  /** What stands before the name in a path. */
  prefix: string
  /** What it is in the trash with; absent: it is not in the trash. */
  trashed: Entry | undefined
}

/** Costs what changed, however many there are. */
export class Files {
  readonly #folder = new Folder()
  readonly #foreseen = new Foreseen(this.#folder)
  /** In the order in which they came. */
  #list: FileInfo[] = []
  /** Where in the list each is, by id. */
  readonly #places = new Map<string, number>()
  /** Ids of those that may be others than in the list. */
  #stale = new Set<string>()
  #areCurrent = false

  /** The trash included; the same array, and the same files in it, until something changed. */
  get list(): FileInfo[] {
    for (const { entry } of this.#folder.takeRenumbered()) this.#stale.add(entry.id)
    if (this.#stale.size === 0) return this.#list
    const list = [...this.#list]
    const above = new Map<string, Above>()
    const gone = new Set<string>()
    // What lies in a directory comes after it.
    for (const id of this.#stale) {
      if (this.#folder.get(id)) this.#refresh(list, id, above)
      else gone.add(id)
    }
    this.#stale = new Set()
    this.#list = gone.size > 0 ? this.#without(gone, list) : list
    return this.#list
  }

  #without(gone: Set<string>, list: FileInfo[]): FileInfo[] {
    const left = list.filter(({ id }) => !gone.has(id))
    this.#places.clear()
    for (const [place, { id }] of left.entries()) this.#places.set(id, place)
    return left
  }

  /** Whether a server has told all of them. */
  get areCurrent(): boolean {
    return this.#areCurrent
  }

  /** As servers told them, without what waits. */
  *entries(): Iterable<Entry> {
    for (const entry of this.#folder.all()) {
      const told = this.#foreseen.told(entry.id)
      if (told) yield told
    }
  }

  /** Whether a server has told of this entry. */
  isTold(id: string): boolean {
    return this.#foreseen.told(id) !== undefined
  }

  /** What this person asked for and no server has carried out: shown as if it were so. */
  wait(operations: readonly OperationBody[]): void {
    for (const id of this.#foreseen.wait(operations)) this.#stale.add(id)
  }

  get(id: string): FileInfo | undefined {
    const entry = this.#folder.get(id)
    return entry && this.#file(entry, new Map())
  }

  /** `isComplete`: with these a server has told all. */
  apply(entries: readonly Entry[], isComplete = false): void {
    for (const change of entries) {
      for (const id of this.#foreseen.apply(change)) this.#stale.add(id)
    }
    this.#areCurrent ||= isComplete
  }

  #refresh(list: FileInfo[], id: string, above: Map<string, Above>): void {
    const place = this.#places.get(id) ?? list.length
    const before = list[place]
    const file = this.#file(this.#folder.get(id)!, above)
    this.#places.set(id, place)
    list[place] = file
    if (file.kind !== 'directory' || !before || isAlikeBelow(before, file)) return
    for (const child of this.#folder.childrenOf(id)) this.#stale.add(child)
  }

  #file(entry: Entry, known: Map<string, Above>): FileInfo {
    const { id, createdBy, createdAt } = entry
    const givenName = entry.name?.value ?? ''
    const name = this.#folder.shownName(id) ?? givenName
    const parent = this.#folder.parentOf(id)
    const { prefix, trashed: above } = this.#above(parent, known)
    const isInTrashItself = isDeleted(entry)
    const trashed = above ?? (isInTrashItself ? entry : undefined)
    const content = bytesOf(entry)
    const bytes = content && {
      hash: content.hash,
      size: content.size,
      hasConflict: hasConflict(entry),
    }
    return {
      id,
      kind: kinds[entry.kind] ?? 'binary',
      name,
      givenName,
      parent,
      path: prefix + name,
      isDeleted: trashed !== undefined,
      isInTrashItself,
      deletedBy: trashed?.deletedBy ?? '',
      createdBy,
      createdAt,
      ...(bytes && { bytes }),
      ...(this.#foreseen.has(id) && { isWaiting: true }),
    }
  }

  #above(directory: string, known: Map<string, Above>): Above {
    const found = known.get(directory)
    if (found) return found
    const prefix = directory === '' ? '' : `${this.#folder.pathOf(directory)}/`
    const above = { prefix, trashed: this.#folder.trashedWith(directory) }
    known.set(directory, above)
    return above
  }
}

/** Whether all that lies in a directory is as it was. */
function isAlikeBelow(before: FileInfo, after: FileInfo): boolean {
  return (
    before.path === after.path &&
    before.isDeleted === after.isDeleted &&
    before.deletedBy === after.deletedBy
  )
}
