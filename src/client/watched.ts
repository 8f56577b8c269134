// What somebody who watches files makes of what servers tell: each change once, whichever of them tells
// it, and however often it is told.
//
// A server tells with each change which updates it stands for. Whoever comes back, to this or to
// another server, says which it was told of, and is told what lies beyond. Two servers that carried
// out the same operation have different updates of it: it says which that is.

import { joined } from '../core/model/path.ts'
import { covers, raise, type VersionVector } from '../core/model/version-vector.ts'

/** What was done at a server that dies is asked of the next within seconds: some 100 bytes each. */
const toldOperationsMax = 20_000

export type NewsName = 'created' | 'changed' | 'renamed' | 'moved' | 'deleted'

/** A file or directory as a server tells it. */
export interface WatchedFile {
  id: string
  name: string
  /** The id of the directory it lies in; empty: the top. */
  parent: string
  isDeleted: boolean
  /** Of what it holds, where that is no text. */
  hash: string
}

/** One message of a watch, as `WatchResponse` has it. */
export interface Heard<File extends WatchedFile> {
  event: NewsName | 'present' | 'ready'
  /** Absent with `ready`. */
  file: File | undefined
  /** Empty: not told. */
  seen: VersionVector
  /** The one that did it; empty: several, or not known. */
  operation: string
}

/** Something that happened to a file, and was not told before. */
export interface News<File extends WatchedFile> {
  event: NewsName
  file: File
  /** The path before it was renamed or moved, where that is another one. */
  from: string | undefined
}

/** A file as it was told last. */
interface Known extends Omit<WatchedFile, 'id'> {
  /** It came back with a directory above it, in which it may have been deleted or restored meanwhile. */
  isUnsure?: boolean
}

export class Watched<File extends WatchedFile> {
  readonly #top: string
  /** Every file and directory ever told, by id. */
  readonly #known = new Map<string, Known>()
  /** The updates told; absent until the first listing is complete. */
  #seen: VersionVector | undefined
  /** Operations and their files of which was told lately, as long as others may be asked for the same. */
  readonly #operations = new Set<string>()
  /**
   * The server of before had yet to hear of part of what was told by others, and has not listed all since:
   * what it told were changes of what it knew itself.
   */
  #wasBehind = false
  /** What a server tells at first: complete, or as if it had not been told. */
  #listing: Heard<File>[] | undefined

  /** `top` is the id of what is watched; empty: all. The watch itself is of the whole folder. */
  constructor(top = '') {
    this.#top = top
  }

  /** Every file and directory ever told, by id. */
  get known(): ReadonlyMap<string, Known> {
    return this.#known
  }

  /** What a watch is to begin with; undefined: it is told all there is. */
  get since(): VersionVector | undefined {
    return this.#seen
  }

  /** Whether with `since` it is to be told all there is as well. */
  get listsAll(): boolean {
    return this.#wasBehind
  }

  /** A watch begins, of this server or of another. */
  begin(): void {
    this.#listing = []
  }

  /** Takes in what the server tells next; answers what of it is news. */
  take(heard: Heard<File>): News<File>[] {
    const { event, file, seen, operation } = heard
    if (this.#listing) {
      this.#listing.push(heard)
      return event === 'ready' ? this.#ready(this.#listing, seen) : []
    }
    if (event === 'present') {
      // A server that was behind tells all that is there once more when it has caught up.
      this.#listing = [heard]
      return []
    }
    if (!file || event === 'ready') return []
    // A server that was behind tells what another has told before. Where things lie follows from all
    // that it has, of which the other may have lacked some: that is compared with what is known.
    if (event === 'changed' && seen.size > 0 && covers(this.#seen!, seen)) return []
    raise(this.#seen!, seen)
    return this.#isKnown(event, file, operation) ? [] : this.#news(event, file)
  }

  #ready(listing: Heard<File>[], seen: VersionVector): News<File>[] {
    this.#listing = undefined
    const isFirst = this.#seen === undefined
    this.#seen ??= new Map()
    this.#wasBehind = !covers(seen, this.#seen)
    raise(this.#seen, seen)
    if (!isFirst) return this.#missed(listing)
    for (const { file } of listing) if (file) this.#keep(file)
    return []
  }

  /** Whether another server did the same, and told of it. */
  #isKnown(event: NewsName, file: File, operation: string): boolean {
    const isTold = this.#isTold(operation, file.id)
    const before = this.#known.get(file.id)
    if (!before) return false
    if (before.isUnsure && (event === 'deleted' || event === 'created')) return isTold
    const isGone = this.#above(file.id).some((each) => this.#known.get(each)?.isDeleted)
    if (event === 'deleted') return isGone
    if (event === 'created') return !isGone
    if (event !== 'changed') return before.name === file.name && before.parent === file.parent
    return isTold || (file.hash !== '' && before.hash === file.hash)
  }

  /** Whether this operation ("": one of many, or not known) was told of for this file; now it is. */
  #isTold(operation: string, file: string): boolean {
    if (operation === '') return false
    const key = `${operation} ${file}`
    const isTold = this.#operations.has(key)
    this.#operations.add(key)
    const [oldest] = this.#operations
    if (this.#operations.size > toldOperationsMax) this.#operations.delete(oldest!)
    return isTold
  }

  /** What changed while nobody told of it, against what was known. */
  #missed(listing: Heard<File>[]): News<File>[] {
    const news: News<File>[] = []
    /** Of these it need not be told that their content changed. */
    const done = new Set<string>()
    const trashed = new Map<string, File>()
    for (const { event, file, operation } of listing) {
      if (!file) continue
      if (event === 'present' && file.isDeleted) {
        trashed.set(file.id, file)
        continue
      }
      const before = this.#known.get(file.id)
      if (event === 'present') {
        const name = missedEvent(before, file)
        if (name) news.push(...this.#news(name, file))
        else this.#keep(file)
        if (name === 'created') done.add(file.id)
      }
      const isChanged = event === 'changed' && !this.#isTold(operation, file.id)
      const isOther = isChanged || (before && !before.isDeleted && before.hash !== file.hash)
      if (!isOther || done.has(file.id)) continue
      done.add(file.id)
      news.push(...this.#news('changed', file))
    }
    return [...news, ...this.#missedDeletions(trashed)]
  }

  /** What went with a directory above it comes back with that, and is told with it. */
  #missedDeletions(trashed: ReadonlyMap<string, File>): News<File>[] {
    return [...trashed.values()].flatMap((file) => {
      const wasDeleted = this.#known.get(file.id)?.isDeleted
      const isWithin = this.#above(file.parent).some((id) => {
        return trashed.has(id) || this.#known.get(id)?.isDeleted
      })
      if (wasDeleted === false && !isWithin) return this.#news('deleted', file)
      this.#keep(isWithin ? { ...file, isDeleted: wasDeleted ?? false } : file)
      return []
    })
  }

  #news(event: NewsName, file: File): News<File>[] {
    const before = this.#known.get(file.id)
    const from = before && this.#pathOf(file.id)
    const wasMeant = this.#isMeant(file.id)
    // The file is told as it is by now: what became of it since follows. A server that is behind tells of
    // changes of what another has told to be gone: that it is back, only one that knows both tells.
    const wasDeleted = event !== 'created' && before?.isDeleted === true
    this.#keep({ ...file, isDeleted: event === 'deleted' || wasDeleted })
    if (event === 'created' && before) this.#returned(file.id)
    if (!wasMeant && !this.#isMeant(file.id)) return []
    const hasMoved = event === 'moved' || event === 'renamed'
    return [{ event, file, from: hasMoved ? from : undefined }]
  }

  #keep({ id, name, parent, isDeleted, hash }: WatchedFile): void {
    this.#known.set(id, { name, parent, isDeleted, hash })
  }

  /** Of a directory it is told that it came back, and not of what lies in it. */
  #returned(directory: string): void {
    for (const [id, file] of this.#known) {
      if (id === directory || !this.#above(id).includes(directory)) continue
      this.#known.set(id, { ...file, isUnsure: true })
    }
  }

  #isMeant(id: string): boolean {
    return this.#top === '' || this.#above(id).includes(this.#top)
  }

  #pathOf(id: string): string {
    return this.#above(id).reduce((path, each) => {
      const name = this.#known.get(each)?.name ?? ''
      return path === '' ? name : joined(name, path)
    }, '')
  }

  /** It and the directories above it, from below. */
  #above(id: string): string[] {
    const ids: string[] = []
    // The parents come from different moments: together they might go round.
    for (let at = id; at !== '' && !ids.includes(at); at = this.#known.get(at)?.parent ?? '') {
      ids.push(at)
    }
    return ids
  }
}

/** What happened to the place of something that is there, since it was known so. */
function missedEvent(before: Known | undefined, file: WatchedFile): NewsName | undefined {
  if (!before || before.isDeleted) return 'created'
  if (before.parent !== file.parent) return 'moved'
  return before.name === file.name ? undefined : 'renamed'
}
