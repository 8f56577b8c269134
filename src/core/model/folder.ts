// A folder: the tree of entries that every replica and client builds from the same changes.
//
// Whoever has the same entries shows the same names at the same paths: all of it follows from them
// alone. What lies in a trashed directory keeps its place and name in there, and is not shown.

import { utf8ByteLength } from 'lib0/string'
import { blobOf } from './contents.ts'
import {
  comparePlaces,
  Directory,
  nameOf,
  placeAfter,
  type Listed,
  type Place,
} from './directory.ts'
import { copyEntry, entryCounter, isDeleted, mergeEntry, newer } from './entry.ts'
import { Graves } from './graves.ts'
import { fileKey } from './names.ts'
import { idInPath } from './path.ts'
import { isPurged } from './purge.ts'
import { isDirectory, isWhole, Tree } from './tree.ts'
import type { Entry } from './wire.ts'

/** An entry as people saw it before a change. */
export interface Seen {
  /** The name shown. */
  name: string
  /** The id of its directory; empty: the top. */
  parent: string
  /** Whether it was in the trash, by itself or with a directory above it. */
  isDeleted: boolean
  /** The hash of its bytes; empty: live text. */
  hash: string
}

/** What a change did to an entry. */
export interface Change {
  entry: Entry
  /** Absent: it is new. */
  before: Seen | undefined
}

/** Which part of the folder. */
export interface Scope {
  /** The id of a directory; empty: the top. */
  directory: string
  /** All below it, and not only what lies directly in it. */
  isRecursive: boolean
  /** What was put in the trash, of all directories. Goes with no directory but the top. */
  inTrash: boolean
}

/** How far something reaches below its directory: names on the longest path, bytes of the largest. */
export interface Reach {
  readonly names: number
  readonly bytes: number
}

const nothing: Reach = { names: 0, bytes: 0 }

export class Folder {
  /** Those whose creation has not arrived too: these are kept, and not shown. */
  readonly #entries = new Map<string, Entry>()
  readonly #tree = new Tree(this.#entries)
  /** Of those that are whole and not at the top, the directory that they lie in. */
  readonly #parents = new Map<string, string>()
  /** Of what is not in the trash by itself, by directory. */
  readonly #directories = new Map<string, Directory>()
  /**
   * How far paths go on below a directory. When it is known of one, it is known of all below it: what
   * changes somewhere is forgotten from there up to the first where nothing is known.
   */
  readonly #reaches = new Map<string, Reach>()
  /** Those in which names may have changed because of others. */
  readonly #renumbered = new Set<string>()
  /** What is in the trash by itself. */
  readonly #trash = new Directory({ isNumbered: false })
  readonly #graves = new Graves()
  /** Those that were hidden, as they were seen before. */
  readonly #hidden = new Map<string, Seen | undefined>()
  #counter = 0

  /** The highest counter in any stamp seen: the next stamp of this replica must be larger. */
  get counter(): number {
    return this.#counter
  }

  /** How many entries there are, the trash included. */
  get size(): number {
    return this.#entries.size
  }

  /**
   * Takes an entry or a change of one in. The same changes give the same folder in any order, any
   * number of times. Tells what became of the entry, and of others that lie elsewhere because of it;
   * nothing when it was known. An entry given out before is not changed, it is replaced; `change` is
   * kept, and must stay as it is.
   */
  apply(change: Entry): Change[] {
    this.#counter = Math.max(this.#counter, entryCounter(change))
    const before = this.known(change.id)
    const entry = before ? copyEntry(before) : change
    if (before && !mergeEntry(entry, change)) return []
    return this.#graves.concerns(entry)
      ? this.#bury(before, entry)
      : this.#replace(change.id, entry)
  }

  /** What is known of an id, be it deleted for good or not yet whole. */
  known(id: string): Entry | undefined {
    return this.#entries.get(id) ?? this.#graves.get(id)
  }

  /** Those that are deleted for good: out of everything else that is told of the folder. */
  purged(): Iterable<Entry> {
    return this.#graves.all()
  }

  isPurged(id: string): boolean {
    return this.#graves.has(id)
  }

  /** Nothing but this is left of what was deleted for good. */
  strip(tombstone: Entry): void {
    if (this.#graves.has(tombstone.id)) this.#graves.put(tombstone)
  }

  /**
   * Those that were hidden since the last call, because they are deleted for good, by their ids: as they
   * were seen before.
   */
  takeHidden(): Map<string, Seen | undefined> {
    const hidden = [...this.#hidden].filter(([id]) => this.#graves.has(id))
    this.#hidden.clear()
    return new Map(hidden)
  }

  /** Takes in a change that may hide entries, or bring back what was hidden. */
  #bury(before: Entry | undefined, entry: Entry): Change[] {
    const changes: Change[] = []
    const wasSeen = this.seen(entry.id)
    if (this.#graves.has(entry.id)) this.#graves.put(entry)
    else changes.push(...this.#replace(entry.id, entry))
    const known = (id: string) => this.known(id)
    const touched = this.#graves.touched(before, entry)
    const seen = new Map(touched.map((id) => [id, id === entry.id ? wasSeen : this.seen(id)]))
    for (const id of touched) {
      const each = this.known(id)
      if (!each || isPurged(each, known) === this.#graves.has(id)) continue
      if (this.#graves.has(id)) this.#graves.delete(id)
      else {
        this.#graves.put(each)
        if (!this.#hidden.has(id)) this.#hidden.set(id, seen.get(id))
      }
      changes.push(...this.#replace(id, this.#graves.has(id) ? undefined : each))
    }
    // Of what is hidden nothing is told; of what was moved twice where it lies in the end.
    const last = new Map<string, Change>()
    for (const change of changes) {
      const { id } = change.entry
      const first = last.get(id)
      if (this.#isPlaced(id)) last.set(id, first ? { ...change, before: first.before } : change)
    }
    return [...last.values()].map((change) => ({ ...change, entry: this.get(change.entry.id)! }))
  }

  /**
   * Puts an entry in the place of what is known by this id, whatever the stamps say; undefined: takes
   * it out. Tells what became of it, if it is there, and of others that lie elsewhere because of it.
   */
  set(id: string, entry: Entry | undefined): Change[] {
    if (this.#entries.get(id) === entry && entry) return []
    if (entry && this.#graves.concerns(entry)) return this.#bury(this.known(id), entry)
    this.#graves.delete(id)
    return this.#replace(id, entry)
  }

  #replace(id: string, entry: Entry | undefined): Change[] {
    const before = this.#entries.get(id)
    const seen = this.seen(id)
    const moved = entry ? this.#tree.replace(before, entry) : this.#tree.remove(id)
    const others = moved
      .filter((each) => this.#isPlaced(each) && this.#tree.parentOf(each) !== this.parentOf(each))
      .map((each) => ({ id: each, before: this.seen(each) }))
    if (before && isWhole(before)) this.#take(before)
    for (const each of others) this.#take(this.#entries.get(each.id)!)
    if (!entry) this.#forget(id)
    const changed = entry && isWhole(entry) ? [{ id, before: seen }, ...others] : others
    for (const each of changed) this.#link(each.id)
    for (const each of changed) this.#put(this.#entries.get(each.id)!)
    return changed.map((each) => ({ entry: this.#entries.get(each.id)!, before: each.before }))
  }

  #forget(id: string): void {
    this.#parents.delete(id)
    this.#reaches.delete(id)
  }

  /** Those that were seen under another name, and are renumbered since others came or went. */
  takeRenumbered(): Change[] {
    const taken = [...this.#renumbered].flatMap((id) => {
      return this.#directories.get(id)?.takeRenumbered() ?? []
    })
    this.#renumbered.clear()
    return taken.map(({ entry, before }) => {
      return { entry, before: { ...this.seen(entry.id)!, name: before } }
    })
  }

  /** The entry with this id, in the trash or not. */
  get(id: string): Entry | undefined {
    const entry = this.#entries.get(id)
    return entry && isWhole(entry) ? entry : undefined
  }

  /** Every entry, the trash included, in no order. */
  *all(): Iterable<Entry> {
    for (const entry of this.#entries.values()) if (isWhole(entry)) yield entry
  }

  // ------------------------------------------------------------------------- one entry's place

  /** The id of the directory that an entry lies in; empty: the top. */
  parentOf(id: string): string {
    return this.#parents.get(id) ?? ''
  }

  /** The name that people see: unique in its directory, but for the trash. */
  shownName(id: string): string | undefined {
    const entry = this.get(id)
    if (entry === undefined || isDeleted(entry)) return entry && nameOf(entry)
    return this.#directories.get(this.parentOf(id))?.shownName(entry)
  }

  /** The names shown from the top down to an entry, joined by "/". */
  pathOf(id: string): string {
    const names: string[] = []
    for (let at = id; at !== ''; at = this.parentOf(at)) names.push(this.shownName(at) ?? '')
    return names.reverse().join('/')
  }

  /** How many names its path has; 0 for the top. */
  depthOf(id: string): number {
    let depth = 0
    for (let at = id; at !== ''; at = this.parentOf(at)) depth++
    return depth
  }

  /** The ids of all that lies directly in a directory, the trash included. Not of the top. */
  childrenOf(directory: string): string[] {
    return this.#tree.childrenOf(directory).filter((id) => this.#isPlaced(id))
  }

  /** Whether an entry is a directory, or lies at any depth in it. All lie in the top. */
  isWithin(id: string, directory: string): boolean {
    let at = id
    while (at !== directory && at !== '') at = this.parentOf(at)
    return at === directory
  }

  /** The topmost of an entry and the directories above it that is in the trash by itself. */
  trashedWith(id: string): Entry | undefined {
    let found: Entry | undefined
    for (let at = id; at !== ''; at = this.parentOf(at)) {
      const entry = this.#entries.get(at)
      if (entry && isDeleted(entry)) found = entry
    }
    return found
  }

  /** Whether people find it in the trash: by itself, or with a directory above it. */
  isTrashed(id: string): boolean {
    return this.trashedWith(id) !== undefined
  }

  /** An entry as people see it now. */
  seen(id: string): Seen | undefined {
    const name = this.shownName(id)
    if (name === undefined) return undefined
    const hash = blobOf(this.#entries.get(id)!)?.hash ?? ''
    return { name, parent: this.parentOf(id), isDeleted: this.isTrashed(id), hash }
  }

  /** How far paths go on below an entry, without what is in the trash. 0 for a file. */
  reachBelow(id: string): Reach {
    const known = this.#reaches.get(id)
    if (known || !isDirectory(this.#entries.get(id))) return known ?? nothing
    const reach = { names: 0, bytes: 0 }
    for (const { entry, name } of this.#directories.get(id)?.sorted() ?? []) {
      const below = this.reachBelow(entry.id)
      reach.names = Math.max(reach.names, 1 + below.names)
      reach.bytes = Math.max(reach.bytes, 1 + bytesOf(name) + below.bytes)
    }
    this.#reaches.set(id, reach)
    return reach
  }

  // ----------------------------------------------------------------------------------- lookups

  /** The entry that is shown by this name in a directory, whatever its case and Unicode form. */
  holder(name: string, directory = ''): Entry | undefined {
    return this.#directories.get(directory)?.holder(name)
  }

  /**
   * The entry with this id or path, of those outside the trash or of those in it. Of several of one
   * path in the trash it is the one deleted last.
   */
  find(pathOrId: string, { inTrash = false }: { inTrash?: boolean } = {}): Entry | undefined {
    const entry = this.get(pathOrId)
    if (entry) return this.isTrashed(entry.id) === inTrash ? entry : undefined
    return inTrash ? this.#trashedAt(pathOrId.split('/')) : this.at(pathOrId)
  }

  /** What is shown at a path, be it one that could be an id. */
  at(path: string): Entry | undefined {
    const [first = '', ...below] = path.split('/')
    let found = this.begin(first)
    for (const name of below) {
      if (!found) return undefined
      found = this.holder(name, found.id)
    }
    return found
  }

  /** What the first name of a path says: the name of something at the top, or an id. */
  begin(name: string): Entry | undefined {
    const id = idInPath(name)
    if (id === undefined) return this.holder(name)
    const entry = this.get(id)
    return entry && !this.isTrashed(id) ? entry : undefined
  }

  #trashedAt(names: string[]): Entry | undefined {
    const name = names.at(-1)!
    const above = names.slice(0, -1)
    const key = fileKey(above.join('/'))
    let last: Entry | undefined
    for (const each of this.#trash.namesakes(name)) {
      if (fileKey(this.pathOf(this.parentOf(each.id))) !== key) continue
      if (!last || newer(each.deleted?.stamp, last.deleted?.stamp)) last = each
    }
    if (last || above.length === 0) return last
    const directory = this.#trashedAt(above)
    return directory && this.holder(name, directory.id)
  }

  /**
   * The entries of a part of the folder, by path: name for name, whatever the case, a directory
   * before what is in it. Goes on after the entry at `after`, the places from the directory down.
   */
  *list({ directory, isRecursive, inTrash }: Scope, after: Place[] = []): Iterable<Entry> {
    const names = inTrash ? this.#trash : this.#directories.get(directory)
    if (!names) return
    const [place, ...below] = after
    const sorted = names.sorted()
    let index = place ? placeAfter(sorted, place) : 0
    const last = sorted[index - 1]
    const goesInto = isRecursive && !inTrash
    if (goesInto && last && last.id === place?.id && last.key === place.key) {
      yield* this.list({ directory: last.id, isRecursive, inTrash }, below)
    }
    for (; index < sorted.length; index++) {
      const { id, entry } = sorted[index]!
      yield entry
      if (goesInto) yield* this.list({ directory: id, isRecursive, inTrash })
    }
  }

  /** What `list` gives of these entries, for a part that is recursive and outside the trash. */
  listOf(ids: readonly string[], scope: Scope, after: Place[] = []): Entry[] {
    return ids
      .filter((id) => this.#holds(scope, id))
      .map((id) => ({ id, places: this.placesOf(id, scope) }))
      .filter(({ places }) => comparePlaces(places, after) > 0)
      .sort((a, b) => comparePlaces(a.places, b.places))
      .map(({ id }) => this.get(id)!)
  }

  /** The directories that lie directly in a directory, outside the trash, by shown name. */
  *directoriesIn(directory: string, after?: Place): Iterable<Entry> {
    const all = this.#directories.get(directory)?.sortedDirectories() ?? []
    for (let index = after ? placeAfter(all, after) : 0; index < all.length; index++) {
      yield all[index]!.entry
    }
  }

  /** What lies directly in a directory and not in the trash, by shown name. Not to be changed. */
  members(directory: string): readonly Listed[] {
    return this.#directories.get(directory)?.sorted() ?? []
  }

  /** How many a listing has that is not recursive. */
  countOf({ directory, inTrash }: Scope): number {
    return (inTrash ? this.#trash : this.#directories.get(directory))?.size ?? 0
  }

  /** Where a listing of this part of the folder goes on after an entry of it. */
  placesOf(id: string, { directory, inTrash }: Scope): Place[] {
    const places: Place[] = []
    for (let at = id; at !== directory && at !== ''; at = inTrash ? '' : this.parentOf(at)) {
      places.unshift({ id: at, key: fileKey(this.shownName(at) ?? '') })
    }
    return places
  }

  // ------------------------------------------------------------------------------------ places

  #holds({ directory }: Scope, id: string): boolean {
    return this.#isPlaced(id) && this.isWithin(id, directory) && !this.isTrashed(id)
  }

  #isPlaced(id: string): boolean {
    return this.get(id) !== undefined
  }

  #take(entry: Entry): void {
    if (isDeleted(entry)) {
      this.#trash.remove(entry)
      return
    }
    const parent = this.parentOf(entry.id)
    const directory = this.#directories.get(parent)!
    directory.remove(entry)
    if (directory.isRenumbered) this.#renumbered.add(parent)
    if (directory.size === 0) this.#directories.delete(parent)
    this.#forgetReach(parent)
  }

  #link(id: string): void {
    const parent = this.#tree.parentOf(id)
    if (parent === '') this.#parents.delete(id)
    else this.#parents.set(id, parent)
  }

  #put(entry: Entry): void {
    if (isDeleted(entry)) {
      this.#trash.add(entry)
      return
    }
    const parent = this.parentOf(entry.id)
    const directory = this.#directories.get(parent) ?? new Directory()
    this.#directories.set(parent, directory)
    directory.add(entry)
    if (directory.isRenumbered) this.#renumbered.add(parent)
    this.#forgetReach(parent)
  }

  #forgetReach(directory: string): void {
    for (let at = directory; at !== '' && this.#reaches.delete(at); at = this.parentOf(at));
  }
}

/** In UTF-8; of most names there are as many as characters. */
function bytesOf(name: string): number {
  return /[^\0-\x7f]/.test(name) ? utf8ByteLength(name) : name.length
}
