// What disk and folder have in common: in memory for every plan, and in the store for every next life.

import type { Reach } from '../../core/mirror/reach.ts'
import type { CommonRow, MirrorStore, TextSource } from '../../adapters/mirror/store.ts'
import type { Found } from '../../adapters/mirror/look.ts'
import { isBelow, isWithin } from '../../core/model/path.ts'
import { moved } from '../../core/mirror/paths.ts'

export class Commons {
  /** By id. */
  readonly rows = new Map<string, CommonRow>()
  readonly #store: MirrorStore
  /** Ids of directories by what they are on the disk. */
  readonly #directories = new Map<string, string>()
  /** Paths of texts; undefined: to be gathered anew. */
  #texts: Set<string> | undefined

  constructor(store: MirrorStore, rows: CommonRow[]) {
    this.#store = store
    for (const row of rows) this.#set(row)
  }

  get(id: string): CommonRow | undefined {
    return this.rows.get(id)
  }

  /** The id of a directory, by what it is on the disk. */
  directory(identity: string): string | undefined {
    return this.#directories.get(identity)
  }

  /** Whether nothing is known at a path, or below it. */
  isFree(path: string): boolean {
    return ![...this.rows.values()].some((row) => isWithin(row.path, path))
  }

  /** Whether the file of this path is shared as a text. */
  readonly isText = (path: string): boolean => {
    this.#texts ??= new Set(
      [...this.rows.values()].flatMap(({ kind, path }) => (kind === 'text' ? [path] : [])),
    )
    return this.#texts.has(path)
  }

  /** `reach`: how far the folder's text has come; absent: as far as was known. */
  keep(row: CommonRow, text: TextSource, reach?: Reach): void {
    const { id, path, kind, version, identity, stamp } = row
    const kept = { id, path, kind, version, identity, stamp }
    this.#store.keep(kept, text, reach)
    // What was typed before it became bytes is no base of what is typed after that.
    if (kind === 'binary' && this.get(id)?.kind === 'text') {
      this.#store.forgetEarlierOf(id)
      this.#store.keepReach(id, undefined)
    }
    this.#set(kept)
  }

  /** Something is elsewhere, or another thing; what is in it is to be read again. */
  place(id: string, path: string, identity: string): void {
    const row = this.get(id)
    if (!row) return
    this.#set({ ...row, identity, stamp: undefined })
    this.move(id, path)
  }

  /** With all that is below it. `note` is kept with it. */
  move(id: string, to: string, note?: () => void): void {
    const from = this.get(id)!.path
    this.#store.together(() => {
      note?.()
      for (const row of [...this.rows.values()]) {
        if (row.id !== id && !isBelow(row.path, from)) continue
        const at = { ...row, path: moved(row.path, from, to) }
        this.#store.keepPlace(at)
        this.#set(at)
      }
    })
  }

  forget(id: string): void {
    this.#store.forget(id)
    this.#leave(id)
    this.rows.delete(id)
    this.#texts = undefined
  }

  /** Keeps for the next life how files were that need not be read then. */
  rememberStamps(items: ReadonlyMap<string, Found>): void {
    const fresh = [...this.rows.values()].flatMap((row) => {
      const item = items.get(row.path)
      if (row.kind === 'directory' || !item?.isSettled || item.version !== row.version) return []
      const isKnown =
        row.identity === item.identity && row.stamp?.changedNs === item.stamp?.changedNs
      return isKnown ? [] : [{ ...row, identity: item.identity, stamp: item.stamp }]
    })
    if (fresh.length === 0) return
    this.#store.together(() => fresh.forEach((row) => this.#store.keepPlace(row)))
    for (const row of fresh) this.#set(row)
  }

  #set(row: CommonRow): void {
    this.#leave(row.id)
    this.rows.set(row.id, row)
    if (row.kind === 'directory') this.#directories.set(row.identity, row.id)
    this.#texts = undefined
  }

  /** Two directories may have changed what they are with each other. */
  #leave(id: string): void {
    const identity = this.get(id)?.identity
    if (identity !== undefined && this.directory(identity) === id) {
      this.#directories.delete(identity)
    }
  }
}
