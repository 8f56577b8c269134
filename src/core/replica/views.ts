// Files and directories as people see them: one, and a page of a listing.

import type { Folder } from '../model/folder.ts'
import { isDirectory } from '../model/tree.ts'
import { Kind, type Entry } from '../model/wire.ts'
import type { Documents } from './documents.ts'
import type { Answer, Call, FileView } from './messages.ts'

export class Views {
  readonly #folder: Folder
  readonly #documents: Documents

  constructor(folder: Folder, documents: Documents) {
    this.#folder = folder
    this.#documents = documents
  }

  of(entry: Entry): FileView {
    const { id } = entry
    const isDeleted = this.#folder.isTrashed(id)
    const name = this.#folder.shownName(id) ?? entry.name?.value ?? ''
    const parent = this.#folder.parentOf(id)
    return { entry, name, parent, path: this.#folder.pathOf(id), isDeleted }
  }

  /** @throws FourfoldError not-found, unavailable */
  find(file: string, inTrash = false): Entry {
    const entry = this.#folder.find(file, { inTrash })
    if (!entry) throw this.#documents.notFound()
    return entry
  }

  /** @throws FourfoldError not-found, unavailable */
  findText(file: string): Entry {
    const entry = this.find(file)
    if (entry.kind !== Kind.TEXT) throw this.#documents.notFound()
    return entry
  }

  /**
   * The id of a directory; empty: the top.
   * @throws FourfoldError not-found, unavailable
   */
  findDirectory(directory: string, inTrash = false): string {
    if (directory === '') return ''
    const entry = this.#folder.find(directory, { inTrash })
    if (!isDirectory(entry)) throw this.#documents.notFound('directory')
    return entry!.id
  }

  /** @throws FourfoldError not-found, unavailable */
  list(request: Extract<Call, { type: 'list' }>): Extract<Answer, { type: 'list' }> {
    const { isRecursive, inTrash, page, count } = request
    const directory = this.findDirectory(request.directory, inTrash)
    // In a trashed directory things lie as in any other.
    const scope = { directory, isRecursive, inTrash: inTrash && directory === '' }
    const files: FileView[] = []
    for (const entry of this.#folder.list(scope, page)) {
      if (files.length === count) {
        const last = files.at(-1)!.entry.id
        return { type: 'list', files, page: this.#folder.placesOf(last, scope) }
      }
      files.push(this.of(entry))
    }
    return { type: 'list', files, page: undefined }
  }
}
