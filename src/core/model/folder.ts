// A folder: the tree of entries that every replica and client builds from the same changes.
//
// A name that several entries of a directory have stays with the one created first; the others are
// shown as "name (2).ext", "name (3).ext" … in the order of their creation. All of it follows from
// the entries alone, so that whoever has the same entries shows the same names.

import { copyEntry, entryCounter, isDeleted, mergeEntry, newer } from './entry.ts'
import { fileKey } from './names.ts'
import { Kind, type Entry } from './wire.ts'

/** Entries outside the trash whose names clash; one entry, usually. */
interface Namesakes {
  /** By creation. */
  entries: Entry[]
  /** What each is shown as, by id; absent until asked for. */
  shown: Map<string, string> | undefined
}

export class Folder {
  /** Those whose creation has not arrived too: these are kept, and not shown. */
  readonly #entries = new Map<string, Entry>()
  /** By directory and key of the name. */
  readonly #namesakes = new Map<string, Namesakes>()
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
   * number of times. Tells what became of the entry for people; an entry given out before is not
   * changed, it is replaced.
   */
  apply(change: Entry): 'created' | 'changed' | undefined {
    this.#counter = Math.max(this.#counter, entryCounter(change))
    const before = this.#entries.get(change.id)
    const entry = copyEntry(before ?? change)
    if (before && !mergeEntry(entry, change)) return undefined
    this.#entries.set(entry.id, entry)
    if (before && isNamed(before)) this.#unname(before)
    if (isNamed(entry)) this.#name(entry)
    if (!isWhole(entry)) return undefined
    return before && isWhole(before) ? 'changed' : 'created'
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

  /** The name that people see: unique in its directory, but for the trash. */
  shownName(id: string): string | undefined {
    const entry = this.get(id)
    if (entry === undefined) return undefined
    const namesakes = isNamed(entry) && this.#namesakes.get(placeOf(entry))
    if (!namesakes || namesakes.entries.length === 1) return nameOf(entry)
    namesakes.shown ??= this.#numbered(namesakes.entries)
    return namesakes.shown.get(id)
  }

  /** The entry that is shown by this name, whatever its case and Unicode form, if any. */
  holder(name: string, parent = ''): Entry | undefined {
    const first = this.#namesakes.get(keyOf(parent, name))?.entries[0]
    if (first) return first
    const original = withoutNumber(name)
    const namesakes = original && this.#namesakes.get(keyOf(parent, original))
    if (!namesakes) return undefined
    const key = fileKey(name)
    return namesakes.entries.find(({ id }) => fileKey(this.shownName(id)!) === key)
  }

  /**
   * The entry with this id or shown name, of those outside the trash or of those in it. Of several
   * of one name in the trash it is the one deleted last.
   */
  find(nameOrId: string, { inTrash = false }: { inTrash?: boolean } = {}): Entry | undefined {
    const entry = this.get(nameOrId)
    if (entry) return isDeleted(entry) === inTrash ? entry : undefined
    if (!inTrash) return this.holder(nameOrId)
    const key = fileKey(nameOrId)
    let last: Entry | undefined
    for (const each of this.all()) {
      if (!isDeleted(each) || fileKey(nameOf(each)) !== key) continue
      if (!last || newer(each.deleted?.stamp, last.deleted?.stamp)) last = each
    }
    return last
  }

  /** The entries outside the trash, or in it, each with its shown name, by name. */
  list({ inTrash = false }: { inTrash?: boolean } = {}): { entry: Entry; name: string }[] {
    const listed: { entry: Entry; name: string; key: string }[] = []
    for (const entry of this.all()) {
      if (isDeleted(entry) !== inTrash) continue
      const name = this.shownName(entry.id)!
      listed.push({ entry, name, key: fileKey(name) })
    }
    listed.sort((a, b) => compare(a.key, b.key) || compare(a.entry.id, b.entry.id))
    return listed.map(({ entry, name }) => ({ entry, name }))
  }

  #name(entry: Entry): void {
    const place = placeOf(entry)
    const known = this.#namesakes.get(place)
    if (known === undefined) {
      this.#namesakes.set(place, { entries: [entry], shown: undefined })
      this.#renumber(entry)
      return
    }
    known.shown = undefined
    known.entries.splice(placeByCreation(known.entries, entry), 0, entry)
  }

  #unname(entry: Entry): void {
    const place = placeOf(entry)
    const known = this.#namesakes.get(place)!
    known.shown = undefined
    known.entries.splice(placeByCreation(known.entries, entry), 1)
    if (known.entries.length > 0) return
    this.#namesakes.delete(place)
    this.#renumber(entry)
  }

  /** "plan (2)" came or went as somebody's own name: the numbers of "plan" may change. */
  #renumber(entry: Entry): void {
    const original = withoutNumber(nameOf(entry))
    const namesakes = original && this.#namesakes.get(keyOf(parentOf(entry), original))
    if (namesakes) namesakes.shown = undefined
  }

  #numbered(entries: Entry[]): Map<string, string> {
    const shown = new Map<string, string>()
    let number = 1
    for (const entry of entries) {
      let name = nameOf(entry)
      // A number that is somebody's own name is left out.
      while (number > 1 && this.#namesakes.has(keyOf(parentOf(entry), withNumber(name, number)))) {
        number++
      }
      if (number > 1) name = withNumber(name, number)
      shown.set(entry.id, name)
      number++
    }
    return shown
  }
}

/** Whether its creation has arrived. */
function isWhole(entry: Entry): boolean {
  return entry.created !== undefined && entry.name !== undefined && entry.kind !== Kind.UNSPECIFIED
}

/** Whether it takes part in the names of its directory. */
function isNamed(entry: Entry): boolean {
  return isWhole(entry) && !isDeleted(entry)
}

const nameOf = (entry: Entry) => entry.name?.value ?? ''
const parentOf = (entry: Entry) => entry.parent?.value ?? ''
const placeOf = (entry: Entry) => keyOf(parentOf(entry), nameOf(entry))
const keyOf = (parent: string, name: string) => `${parent}/${fileKey(name)}`

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function createdBefore(a: Entry, b: Entry): boolean {
  if (newer(b.created, a.created)) return true
  return !newer(a.created, b.created) && a.id < b.id
}

/** Where an entry stands, or would stand, among entries that are sorted by creation. */
function placeByCreation(entries: Entry[], entry: Entry): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (createdBefore(entries[middle]!, entry)) low = middle + 1
    else high = middle
  }
  return low
}

/** Where a name's extension begins: at its last dot, unless that is its first character. */
function extensionAt(name: string): number {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? dot : name.length
}

function withNumber(name: string, number: number): string {
  const at = extensionAt(name)
  return `${name.slice(0, at)} (${number})${name.slice(at)}`
}

/** The name that this one would be a numbered form of; undefined when it has no number. */
function withoutNumber(name: string): string | undefined {
  const at = extensionAt(name)
  const stem = /^(.+) \(([2-9]|[1-9][0-9]{1,5})\)$/su.exec(name.slice(0, at))?.[1]
  return stem && stem + name.slice(at)
}
