// The names in one directory: which entry is shown by which, and all of them in order.
//
// A name that several entries have stays with the one created first; the others are shown as
// "name (2).ext", "name (3).ext" … in the order of their creation.

import { newer } from './entry.ts'
import { fileKey, stemLength, withNumber } from './names.ts'
import { isDirectory } from './tree.ts'
import type { Entry } from './wire.ts'

/** An entry as it stands in a listing. */
export interface Listed {
  id: string
  entry: Entry
  /** What it is shown as. */
  name: string
  /** The name as it is sorted by. */
  key: string
}

/** Where a listing goes on: after this one, be it there still or not. */
export type Place = Pick<Listed, 'id' | 'key'>

/** Entries whose names clash; one entry, usually. */
interface Namesakes {
  /** By creation. */
  entries: Entry[]
  /** What each is shown as, by id; absent until asked for. */
  shown: Map<string, string> | undefined
  /** What each was shown as before the changes that were not taken yet; absent: there are none. */
  before: Map<string, string> | undefined
}

/** An entry whose shown name changed because of another one. */
export interface Renumbered {
  entry: Entry
  before: string
}

export class Directory {
  readonly #isNumbered: boolean
  /** By key of the name. */
  readonly #namesakes = new Map<string, Namesakes>()
  #sorted: (Listed & { own: string })[] = []
  /** Those of them that are directories; absent until asked for. */
  #directories: Listed[] | undefined
  /** Keys of names that may stand otherwise in `#sorted` than they should. */
  readonly #stale = new Set<string>()
  /** Keys of names whose numbers may be others than those that were asked for. */
  readonly #renumbered = new Set<string>()
  #size = 0

  /** `isNumbered`: clashing names are told apart. */
  constructor({ isNumbered = true }: { isNumbered?: boolean } = {}) {
    this.#isNumbered = isNumbered
  }

  get size(): number {
    return this.#size
  }

  add(entry: Entry): void {
    const own = keyOf(entry)
    const known = this.#namesakes.get(own)
    if (known) {
      this.#touch(own, known)
      known.entries.splice(placeByCreation(known.entries, entry), 0, entry)
    } else this.#namesakes.set(own, { entries: [entry], shown: undefined, before: undefined })
    this.#size++
    this.#changed(own, entry, known === undefined)
  }

  /** `entry` as it was when it was added. */
  remove(entry: Entry): void {
    const own = keyOf(entry)
    const known = this.#namesakes.get(own)!
    this.#touch(own, known)
    known.entries.splice(placeByCreation(known.entries, entry), 1)
    if (known.entries.length === 0) this.#namesakes.delete(own)
    this.#size--
    this.#changed(own, entry, known.entries.length === 0)
  }

  /** The name that people see of an entry that is in here: unique, when they are numbered. */
  shownName(entry: Entry): string {
    const namesakes = this.#namesakes.get(keyOf(entry))
    if (!namesakes || namesakes.entries.length === 1 || !this.#isNumbered) return nameOf(entry)
    namesakes.shown ??= this.#numbered(namesakes.entries)
    return namesakes.shown.get(entry.id)!
  }

  /** The entry that is shown by this name, whatever its case and Unicode form, if any. */
  holder(name: string): Entry | undefined {
    const first = this.#namesakes.get(fileKey(name))?.entries[0]
    if (first) return first
    const original = withoutNumber(name)
    const namesakes = original && this.#namesakes.get(fileKey(original))
    if (!namesakes) return undefined
    const key = fileKey(name)
    return namesakes.entries.find((entry) => fileKey(this.shownName(entry)) === key)
  }

  /** The entries that were given this name, by creation. */
  namesakes(name: string): readonly Entry[] {
    return this.#namesakes.get(fileKey(name))?.entries ?? []
  }

  /** Whether `takeRenumbered` may have something. */
  get isRenumbered(): boolean {
    return this.#renumbered.size > 0
  }

  /** Those whose name was asked for, and is another since others came or went; each time anew. */
  takeRenumbered(): Renumbered[] {
    const taken: Renumbered[] = []
    for (const own of this.#renumbered) {
      const namesakes = this.#namesakes.get(own)
      if (!namesakes?.before) continue
      for (const entry of namesakes.before.size > 0 ? namesakes.entries : []) {
        const before = namesakes.before.get(entry.id)
        if (before !== undefined && before !== this.shownName(entry)) taken.push({ entry, before })
      }
      namesakes.before = undefined
    }
    this.#renumbered.clear()
    return taken
  }

  /** By shown name, whatever the case; costs little when little has changed. Not to be changed. */
  sorted(): readonly Listed[] {
    if (this.#stale.size === 0) return this.#sorted
    const fresh = [...this.#stale].flatMap((own) =>
      (this.#namesakes.get(own)?.entries ?? []).map((entry) => {
        const name = this.shownName(entry)
        return { id: entry.id, entry, name, own, key: name === nameOf(entry) ? own : fileKey(name) }
      }),
    )
    fresh.sort(compare)
    const kept = this.#sorted.filter(({ own }) => !this.#stale.has(own))
    this.#sorted = merged(kept, fresh)
    this.#directories = undefined
    this.#stale.clear()
    return this.#sorted
  }

  /** Those of `sorted` that are directories. Not to be changed. */
  sortedDirectories(): readonly Listed[] {
    const sorted = this.sorted()
    return (this.#directories ??= sorted.filter(({ entry }) => isDirectory(entry)))
  }

  /** `isOther`: whether this name is one that nobody has besides. */
  #changed(own: string, entry: Entry, isOther: boolean): void {
    this.#stale.add(own)
    if (!isOther || !this.#isNumbered) return
    // "plan (2)" came or went as somebody's own name: the numbers of "plan" may change.
    const original = withoutNumber(nameOf(entry))
    const key = original && fileKey(original)
    const numbered = key && this.#namesakes.get(key)
    if (!numbered) return
    this.#touch(key, numbered)
    this.#stale.add(key)
  }

  /** Some of these may be shown otherwise from here on. */
  #touch(own: string, namesakes: Namesakes): void {
    const [first, ...others] = namesakes.entries
    if (this.#isNumbered && first) {
      const known = others.length > 0 ? [] : [[first.id, nameOf(first)] as const]
      namesakes.before ??= namesakes.shown ?? new Map(known)
      this.#renumbered.add(own)
    }
    namesakes.shown = undefined
  }

  #numbered(entries: Entry[]): Map<string, string> {
    const shown = new Map<string, string>()
    let number = 1
    for (const entry of entries) {
      let name = nameOf(entry)
      // A number that is somebody's own name is left out.
      while (number > 1 && this.#namesakes.has(fileKey(withNumber(name, number)))) number++
      if (number > 1) name = withNumber(name, number)
      shown.set(entry.id, name)
      number++
    }
    return shown
  }
}

export const nameOf = (entry: Entry) => entry.name?.value ?? ''
const keyOf = (entry: Entry) => fileKey(nameOf(entry))

/** The index of the first that comes after a place in a sorted list. */
export function placeAfter(sorted: readonly Listed[], place: Place): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(sorted[middle]!, place) > 0) high = middle
    else low = middle + 1
  }
  return low
}

/** The order of a listing of all that is in a directory, by the places of each from there down. */
export function comparePlaces(a: readonly Place[], b: readonly Place[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compare(a[at]!, b[at]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compare(a: Place, b: Place): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function merged<T extends Listed>(a: T[], b: T[]): T[] {
  if (a.length === 0) return b
  const both: T[] = []
  let at = 0
  for (const each of b) {
    while (at < a.length && compare(a[at]!, each) < 0) both.push(a[at++]!)
    both.push(each)
  }
  while (at < a.length) both.push(a[at++]!)
  return both
}

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

/** The name that this one would be a numbered form of; undefined when it has no number. */
function withoutNumber(name: string): string | undefined {
  const at = stemLength(name)
  const stem = /^(.+) \(([2-9]|[1-9][0-9]{1,5})\)$/su.exec(name.slice(0, at))?.[1]
  return stem && stem + name.slice(at)
}
