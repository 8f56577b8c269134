// The folder as people see it: directories with what is in them, made from the client's flat list.

import type { FileInfo } from '../client/api.ts'

/** The id of the directory that holds everything. */
export const top = ''

const byName = new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare

/**
 * What a client's list of files says about directories. Never changed: another list makes another
 * tree, which takes over from the one before it what is still true, so that entries that did not
 * change stay the same objects, and a directory of 100,000 is not sorted again for one new name.
 */
export class FolderTree {
  readonly #entries = new Map<string, FileInfo>()
  readonly #members = new Map<string, FileInfo[]>()
  readonly #sorted = new Map<string, FileInfo[]>()
  readonly #sortedBefore: ReadonlyMap<string, FileInfo[]>
  /** What people put in the trash themselves: what lies in a directory goes and comes with it. */
  readonly trash: FileInfo[] = []
  #size = 0

  /** The list that it was made of. */
  readonly files: readonly FileInfo[]

  constructor(files: readonly FileInfo[], before?: FolderTree) {
    this.files = files
    this.#sortedBefore = before?.sortedNow ?? new Map()
    for (const fresh of files) {
      const known = before?.get(fresh.id)
      const file = known && isSame(known, fresh) ? known : fresh
      this.#entries.set(file.id, file)
    }
    for (const file of this.#entries.values()) {
      if (file.isInTrashItself) this.trash.push(file)
      if (file.isDeleted) continue
      this.#size++
      const parent = this.parentOf(file)
      const members = this.#members.get(parent)
      if (members) members.push(file)
      else this.#members.set(parent, [file])
    }
  }

  /** How many entries there are outside the trash. */
  get size(): number {
    return this.#size
  }

  get sortedNow(): ReadonlyMap<string, FileInfo[]> {
    return this.#sorted
  }

  /** The entry with this id, in the trash or not. */
  get(id: string): FileInfo | undefined {
    return this.#entries.get(id)
  }

  entries(): Iterable<FileInfo> {
    return this.#entries.values()
  }

  /** What is in a directory, outside the trash: directories first, then by name. */
  children(directory: string): readonly FileInfo[] {
    const known = this.#sorted.get(directory)
    if (known) return known
    const members = this.#members.get(directory) ?? []
    const before = this.#sortedBefore.get(directory) ?? []
    const isUnchanged =
      before.length === members.length &&
      before.every((file) => this.#entries.get(file.id) === file)
    const sorted = isUnchanged ? before : inOrder(members, before)
    this.#sorted.set(directory, sorted)
    return sorted
  }

  childCount(directory: string): number {
    return this.#members.get(directory)?.length ?? 0
  }

  /** The directory that an entry is shown in. */
  parentOf(file: FileInfo): string {
    return file.parent !== top && this.#entries.has(file.parent) ? file.parent : top
  }

  /** The directories above an entry, the outermost first. */
  ancestors(id: string): FileInfo[] {
    const found: FileInfo[] = []
    for (let file = this.#above(id); file; file = this.#above(file.id)) {
      if (found.includes(file)) break
      found.unshift(file)
    }
    return found
  }

  /** Whether an entry is one of these, or lies in one of them. */
  isWithin(id: string, ids: ReadonlySet<string>): boolean {
    return ids.has(id) || this.ancestors(id).some((directory) => ids.has(directory.id))
  }

  /** Of several entries those that do not lie in another of them: what is done to these is enough. */
  outermost(ids: Iterable<string>): FileInfo[] {
    const all = new Set(ids)
    const entries = [...all].flatMap((id) => this.#entries.get(id) ?? [])
    return entries.filter(({ id }) => !this.ancestors(id).some(({ id }) => all.has(id)))
  }

  #above(id: string): FileInfo | undefined {
    const file = this.#entries.get(id)
    return file && this.#entries.get(file.parent)
  }
}

export function isDirectory(file: FileInfo): boolean {
  return file.kind === 'directory'
}

/** Whether two say the same of an entry. */
export function isSame(a: FileInfo, b: FileInfo): boolean {
  return (
    a.name === b.name &&
    a.givenName === b.givenName &&
    a.path === b.path &&
    a.parent === b.parent &&
    a.isDeleted === b.isDeleted &&
    a.isInTrashItself === b.isInTrashItself &&
    a.deletedBy === b.deletedBy &&
    a.kind === b.kind &&
    a.createdBy === b.createdBy &&
    a.createdAt === b.createdAt &&
    (a.isWaiting ?? false) === (b.isWaiting ?? false) &&
    (a.hasConflict ?? false) === (b.hasConflict ?? false) &&
    a.bytes?.hash === b.bytes?.hash &&
    a.bytes?.size === b.bytes?.size &&
    a.bytes?.hasConflict === b.bytes?.hasConflict
  )
}

function compare(a: FileInfo, b: FileInfo): number {
  const isFirst = Number(isDirectory(b)) - Number(isDirectory(a))
  return isFirst || byName(a.name, b.name) || (a.id < b.id ? -1 : 1)
}

/** Sorted; what was sorted before is not compared anew unless it changed. */
function inOrder(members: readonly FileInfo[], before: readonly FileInfo[]): FileInfo[] {
  const places = new Map(before.map((file, place) => [file.id, place]))
  const kept: FileInfo[] = Array.from({ length: before.length })
  const others: FileInfo[] = []
  for (const file of members) {
    const place = places.get(file.id)
    const old = place === undefined ? undefined : before[place]!
    if (old && old.name === file.name && old.kind === file.kind) kept[place!] = file
    else others.push(file)
  }
  return merged(kept.filter(Boolean), others.toSorted(compare))
}

function merged(a: FileInfo[], b: FileInfo[]): FileInfo[] {
  if (b.length === 0) return a
  if (a.length === 0) return b
  const all: FileInfo[] = []
  let next = 0
  for (const file of b) {
    const until = lowerBound(a, file, next)
    for (; next < until; next++) all.push(a[next]!)
    all.push(file)
  }
  for (; next < a.length; next++) all.push(a[next]!)
  return all
}

/** The first place from `from` on whose entry does not come before this one. */
function lowerBound(sorted: readonly FileInfo[], file: FileInfo, from: number): number {
  let low = from
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(sorted[middle]!, file) < 0) low = middle + 1
    else high = middle
  }
  return low
}
