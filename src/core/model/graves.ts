// Entries that are deleted for good: out of the folder, and kept as long as the purge may be void.

import type { Entry } from './wire.ts'

export class Graves {
  readonly #buried = new Map<string, Entry>()
  /** Ids of those that have a purge, hidden or not, by the root of it. */
  readonly #byRoot = new Map<string, Set<string>>()

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
    return purged !== undefined || this.#byRoot.has(id)
  }

  /** The ids of those that may be hidden or back because an entry changed so. */
  touched(before: Entry | undefined, entry: Entry): string[] {
    const { id, purged } = entry
    if (purged) {
      const marked = this.#byRoot.get(purged.root) ?? new Set()
      this.#byRoot.set(purged.root, marked.add(id))
    }
    const isSame =
      before !== undefined &&
      before.deleted === entry.deleted &&
      before.parent === entry.parent &&
      before.purged?.root === purged?.root &&
      before.purged?.deletion === purged?.deletion &&
      before.purged?.isDone === purged?.isDone
    if (isSame) return [id]
    // What is in a directory is marked before the directory itself: only that shows all of it.
    return [...new Set([id, ...(this.#byRoot.get(id) ?? []), ...this.#within(entry)])]
  }

  #within({ id, purged }: Entry): Iterable<string> {
    const isRootThere = purged !== undefined && this.#buried.has(purged.root)
    return isRootThere && purged.root !== id ? this.#byRoot.get(purged.root)! : []
  }
}
