// Entries that are deleted for good: out of the folder, and kept as long as the purge may be void.

import type { Entry } from './wire.ts'

export class Graves {
  readonly #buried = new Map<string, Entry>()
  /** Ids of those that have a purge, hidden or not, by each directory that they were seen in. */
  readonly #byParent = new Map<string, Set<string>>()

  get(id: string): Entry | undefined {
    return this.#buried.get(id)
  }

  has(id: string): boolean {
    return this.#buried.has(id)
  }

  all(): Iterable<Entry> {
    return this.#buried.values()
  }

  put(entry: Entry): void {
    this.#buried.set(entry.id, entry)
  }

  delete(id: string): void {
    this.#buried.delete(id)
  }

  /** Whether a change of this entry may hide entries or bring them back. */
  concerns({ id, purged }: Entry): boolean {
    return purged !== undefined || this.#byParent.has(id)
  }

  /** The ids of those that may be hidden or back because an entry changed so. */
  touched(before: Entry | undefined, entry: Entry): string[] {
    const { id, parent, purged } = entry
    if (purged && parent?.value) {
      const marked = this.#byParent.get(parent.value) ?? new Set()
      this.#byParent.set(parent.value, marked.add(id))
    }
    const isSame =
      before !== undefined &&
      before.deleted === entry.deleted &&
      before.parent === entry.parent &&
      before.purged?.root === purged?.root &&
      before.purged?.deletion === purged?.deletion &&
      before.purged?.place === purged?.place &&
      before.purged?.isDone === purged?.isDone
    return isSame ? [id] : this.#within(id)
  }

  // Whether a purge holds hangs on all above it, and on nothing beside it: looking at all of a large
  // directory for each entry in it would take minutes.
  #within(id: string): string[] {
    const found = new Set([id])
    for (const each of found) for (const child of this.#byParent.get(each) ?? []) found.add(child)
    return [...found]
  }
}
