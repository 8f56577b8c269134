// In which directory each entry lies, whatever the changes say: a tree, the same on every replica.
//
// An entry names its directory by id. It is shown at the top instead when that id is of no directory
// that is known, or when the directories above it lead back to it and, of all that lie on this cycle,
// it was moved last. All of it follows from the entries alone.

import { newer } from './entry.ts'
import { Kind, type Entry } from './wire.ts'

/** Looks at entries that somebody else keeps, one change at a time. */
export class Tree {
  /** By id. */
  readonly #entries: Map<string, Entry>
  /** Ids of the entries that name this id as their directory, known or not; not those at the top. */
  readonly #claims = new Map<string, Set<string>>()
  /** One of each cycle: the one that was moved last. */
  readonly #broken = new Set<string>()

  constructor(entries: Map<string, Entry>) {
    this.#entries = entries
  }

  /** The id of the directory in which this entry lies; empty: the top. */
  parentOf(id: string): string {
    const named = this.#named(id)
    return named === '' || this.#broken.has(id) || !isDirectory(this.#entries.get(named))
      ? ''
      : named
  }

  /** The ids of the entries that lie directly in a directory; not of the top. */
  childrenOf(directory: string): string[] {
    const claims = this.#claims.get(directory) ?? []
    return [...claims].filter((id) => this.parentOf(id) === directory)
  }

  /**
   * Puts `entry` in the place of `before`, which had its id. Returns the ids of the other entries
   * that may lie elsewhere now: those that were waiting for this directory, and one of each cycle
   * that the change closes or opens.
   */
  replace(before: Entry | undefined, entry: Entry): string[] {
    const { id } = entry
    const isSameKind = isDirectory(before) === isDirectory(entry)
    if (before && isSameKind && before.parent === entry.parent) {
      this.#entries.set(id, entry)
      return []
    }
    const opened = this.#open(id)
    if (before) this.#disclaim(before)
    this.#entries.set(id, entry)
    this.#claim(entry)
    const closed = this.#close(id)
    const children = isSameKind ? [] : (this.#claims.get(id) ?? [])
    const others = new Set([...opened, ...closed, ...children])
    others.delete(id)
    return [...others]
  }

  /** Takes an entry out. Returns the ids of the others that may lie elsewhere now. */
  remove(id: string): string[] {
    const before = this.#entries.get(id)
    if (!before) return []
    const opened = this.#open(id)
    this.#disclaim(before)
    this.#broken.delete(id)
    this.#entries.delete(id)
    const others = new Set([...opened, ...(this.#claims.get(id) ?? [])])
    others.delete(id)
    return [...others]
  }

  #named(id: string): string {
    return this.#entries.get(id)?.parent?.value ?? ''
  }

  #claim({ id, parent }: Entry): void {
    if (!parent?.value) return
    const claims = this.#claims.get(parent.value)
    if (claims) claims.add(id)
    else this.#claims.set(parent.value, new Set([id]))
  }

  #disclaim({ id, parent }: Entry): void {
    if (!parent?.value) return
    const claims = this.#claims.get(parent.value)
    claims?.delete(id)
    if (claims?.size === 0) this.#claims.delete(parent.value)
  }

  /** If this entry lies on a cycle, none of it is broken any more. */
  #open(id: string): string[] {
    let last = id
    for (let above = this.parentOf(id); above !== ''; above = this.parentOf(above)) last = above
    if (!this.#broken.has(last)) return []
    let isOnIt = last === id
    for (let at = this.#named(last); at !== last; at = this.parentOf(at)) isOnIt ||= at === id
    if (!isOnIt) return []
    this.#broken.delete(last)
    return [last]
  }

  /** If this entry lies on an unbroken cycle, it is broken where it was moved last. */
  #close(id: string): string[] {
    let last = id
    let above = this.parentOf(id)
    for (; above !== '' && above !== id; above = this.parentOf(above)) {
      if (this.#isMovedAfter(above, last)) last = above
    }
    if (above === '') return []
    this.#broken.add(last)
    return [last]
  }

  #isMovedAfter(a: string, b: string): boolean {
    const [left, right] = [this.#entries.get(a)?.parent?.stamp, this.#entries.get(b)?.parent?.stamp]
    return newer(left, right) || (!newer(right, left) && a > b)
  }
}

/** Whether its creation has arrived. */
export function isWhole(entry: Entry): boolean {
  return entry.created !== undefined && entry.name !== undefined && entry.kind !== Kind.UNSPECIFIED
}

export function isDirectory(entry: Entry | undefined): boolean {
  return entry !== undefined && entry.kind === Kind.DIRECTORY && isWhole(entry)
}
