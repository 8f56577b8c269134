// The list of files as people see it, from this device at first and from servers as they tell it.

import { isDeleted } from '../core/model/entry.ts'
import { Folder } from '../core/model/folder.ts'
import { Kind, type Entry } from '../core/model/wire.ts'
import type { FileInfo } from './api.ts'

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

export class Files {
  readonly #folder = new Folder()
  #list: FileInfo[] | undefined
  #areCurrent = false

  /** The trash included; the same array until something changed. */
  get list(): FileInfo[] {
    if (this.#list) return this.#list
    const above = new Map<string, Above>()
    this.#list = [...this.#folder.all()].map((entry) => this.#file(entry, above))
    return this.#list
  }

  /** Whether a server has told all of them. */
  get areCurrent(): boolean {
    return this.#areCurrent
  }

  entries(): Iterable<Entry> {
    return this.#folder.all()
  }

  get(id: string): FileInfo | undefined {
    const entry = this.#folder.get(id)
    return entry && this.#file(entry, new Map())
  }

  /** `isComplete`: with these a server has told all. */
  apply(entries: readonly Entry[], isComplete = false): void {
    for (const entry of entries) {
      if (this.#folder.apply(entry).length > 0) this.#list = undefined
    }
    this.#areCurrent ||= isComplete
  }

  #file(entry: Entry, known: Map<string, Above>): FileInfo {
    const { id, createdBy, createdAt } = entry
    const givenName = entry.name?.value ?? ''
    const name = this.#folder.shownName(id) ?? givenName
    const parent = this.#folder.parentOf(id)
    const { prefix, trashed: above } = this.#above(parent, known)
    const isInTrashItself = isDeleted(entry)
    const trashed = above ?? (isInTrashItself ? entry : undefined)
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
