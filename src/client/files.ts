// The list of files as people see it, from this device at first and from servers as they tell it.

import { isDeleted } from '../core/model/entry.ts'
import { Folder } from '../core/model/folder.ts'
import type { Entry } from '../core/model/wire.ts'
import type { FileInfo } from './api.ts'

export class Files {
  readonly #folder = new Folder()
  #list: FileInfo[] | undefined
  #areCurrent = false

  /** The trash included; the same array until something changed. */
  get list(): FileInfo[] {
    this.#list ??= [...this.#folder.all()].map((entry) => this.#file(entry))
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
    return entry && this.#file(entry)
  }

  /** `isComplete`: with these a server has told all. */
  apply(entries: readonly Entry[], isComplete = false): void {
    for (const entry of entries) if (this.#folder.apply(entry)) this.#list = undefined
    this.#areCurrent ||= isComplete
  }

  #file(entry: Entry): FileInfo {
    const isInTrash = isDeleted(entry)
    return {
      id: entry.id,
      name: this.#folder.shownName(entry.id) ?? entry.name?.value ?? '',
      isDeleted: isInTrash,
      deletedBy: isInTrash ? entry.deletedBy : '',
      createdBy: entry.createdBy,
      createdAt: entry.createdAt,
    }
  }
}
