// Files and directories as people see them: one, a page of a listing, and where a path leads.

import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import { pathBytesMax, searchTextMax } from '../model/limits.ts'
import { checkFileName } from '../model/names.ts'
import { idInPath } from '../model/path.ts'
import { isDirectory } from '../model/tree.ts'
import { Kind, type Entry } from '../model/wire.ts'
import type { Documents } from './documents.ts'
import { find, type Wanted } from './finds.ts'
import type { Answer, Call, FileView } from './messages.ts'
import type { Spot } from './operations.ts'

export class Views {
  readonly #folder: Folder
  readonly #documents: Documents

  constructor(folder: Folder, documents: Documents) {
    this.#folder = folder
    this.#documents = documents
  }

  /** Of what is deleted for good the name is known, and not where it lay. */
  of(entry: Entry): FileView {
    const { id } = entry
    const isDeleted = this.#folder.isTrashed(id) || this.#folder.isPurged(id)
    const name = this.#folder.shownName(id) ?? entry.name?.value ?? ''
    const parent = this.#folder.parentOf(id)
    return { entry, name, parent, path: this.#folder.pathOf(id) || name, isDeleted }
  }

  /** @throws FourfoldError not-found, unavailable */
  find(file: string, inTrash = false): Entry {
    const entry = this.#folder.find(file, { inTrash })
    if (!entry) throw this.#documents.notFound()
    return entry
  }

  /**
   * Something outside the trash, or else in it with a directory, out of which it may be moved.
   * @throws FourfoldError not-found, unavailable
   */
  findMovable(file: string): Entry {
    const entry = this.#folder.find(file)
    if (entry) return entry
    const within = this.find(file, true)
    if (this.#folder.isTrashed(this.#folder.parentOf(within.id))) return within
    throw this.#documents.notFound()
  }

  /**
   * A file outside the trash, or else in it: what it held can be seen there too.
   * @throws FourfoldError not-found, unavailable
   */
  findFile(file: string): Entry {
    const entry = this.#folder.find(file) ?? this.find(file, true)
    if (isDirectory(entry)) throw this.#documents.notFound()
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

  /**
   * Where a path leads, be something there or not. Its directory must be there.
   * @throws FourfoldError invalid, not-found, too-large, unavailable
   */
  spot(path: string): Spot {
    const names = namesOf(path)
    const name = names.pop()!
    return { parent: this.findDirectory(names.join('/')), name }
  }

  /**
   * The last directory on a path that is there, and the names that are missing below it.
   * @throws FourfoldError invalid, not-found, taken, too-large, unavailable
   */
  missing(path: string): { parent: string; names: string[] } {
    const names = namesOf(path)
    let parent = ''
    for (const [index, name] of names.entries()) {
      const isById = idInPath(name) !== undefined
      const next = index === 0 ? this.#folder.begin(name) : this.#folder.holder(name, parent)
      if (!next && isById) throw this.#documents.notFound('directory')
      if (!next) return { parent, names: names.slice(index) }
      if (!isDirectory(next)) {
        const shown = this.#folder.pathOf(next.id)
        throw new FourfoldError('taken', `"${shown}" is here already, and is no directory.`)
      }
      parent = next.id
    }
    return { parent, names: [] }
  }

  /** @throws FourfoldError not-found, unavailable */
  list(request: Extract<Call, { type: 'list' }>): Extract<Answer, { type: 'list' }> {
    const { isRecursive, inTrash, page, count } = request
    const directory = this.findDirectory(request.directory, inTrash)
    // In a trashed directory things lie as in any other.
    const scope = { directory, isRecursive, inTrash: inTrash && directory === '' }
    const total = isRecursive ? 0 : this.#folder.countOf(scope)
    const files: FileView[] = []
    for (const entry of this.#folder.list(scope, page)) {
      if (files.length === count) {
        const last = files.at(-1)!.entry.id
        return { type: 'list', files, page: this.#folder.placesOf(last, scope), total }
      }
      files.push(this.of(entry))
    }
    return { type: 'list', files, page: undefined, total }
  }

  /** @throws FourfoldError not-found, unavailable, too-large */
  finding(wanted: Wanted): Extract<Answer, { type: 'finding' }> {
    if (wanted.words.length > searchTextMax) {
      throw new FourfoldError('too-large', `Words have at most ${searchTextMax} characters.`)
    }
    const directory = this.findDirectory(wanted.directory)
    const { best, found, looked } = find(this.#folder, { ...wanted, directory })
    return { type: 'finding', files: best.map((entry) => this.of(entry)), found, looked }
  }
}

/** @throws FourfoldError invalid, too-large */
function namesOf(path: string): string[] {
  const names = path.split('/')
  if (names.length > 1 && path.length > pathBytesMax) {
    throw new FourfoldError('too-large', `A path has at most ${pathBytesMax} bytes.`)
  }
  names.forEach((name, index) => {
    const isAbove = index === 0 && names.length > 1
    if (!isAbove || idInPath(name) === undefined) checkFileName(name)
  })
  return names
}
