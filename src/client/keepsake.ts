// What of a client outlives its program: texts, keys of sessions, the list of files, the servers.

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { earlierKeysMax } from '../core/model/limits.ts'
import { EntrySchema, type Entry } from '../core/model/wire.ts'
import type { LocalStorage } from '../core/ports.ts'

/** Updates of a document kept one by one before they are merged into one. */
const looseMax = 200
/** The list of files is written at most this often. */
const entriesEveryMs = 1000

interface Pages {
  /** Waiting to be written. */
  updates: Uint8Array[]
  isWriting: boolean
  loose: number
  /** The whole document, for merging what is kept. */
  whole: () => Uint8Array
}

/** What was kept by the client's last life. */
export interface Kept {
  keys: Uint8Array[]
  addresses: string[]
  entries: Entry[]
}

/** Writes in the background, in order; a failure is told and the next write tried all the same. */
export class Keepsake {
  readonly #storage: LocalStorage | undefined
  readonly #merge: (updates: Uint8Array[]) => Uint8Array
  readonly #changed: () => void
  readonly #pages = new Map<string, Pages>()
  #entriesTimer: ReturnType<typeof setTimeout> | undefined
  #failure: string | undefined

  /** `changed`: whether storing works has changed. */
  constructor(
    storage: LocalStorage | undefined,
    merge: (updates: Uint8Array[]) => Uint8Array,
    changed: () => void,
  ) {
    this.#storage = storage
    this.#merge = merge
    this.#changed = changed
  }

  /** Why what is typed is not kept here; undefined: it is, or there is nowhere to keep it. */
  get failure(): string | undefined {
    return this.#storage ? this.#failure : 'this program keeps nothing on this device'
  }

  /** What is kept; `key` is added to it, so that its edits can be brought by a later life. */
  async begin(key: Uint8Array): Promise<Kept> {
    const keys = bytesList(await this.#attempt((storage) => storage.get('keys')))
    const addresses = await this.#attempt((storage) => storage.get('addresses'))
    const entries = bytesList(await this.#attempt((storage) => storage.get('entries')))
    const earlier = keys.slice(0, earlierKeysMax)
    await this.#attempt((storage) => storage.set('keys', [key, ...earlier]))
    return {
      keys: earlier,
      addresses: Array.isArray(addresses)
        ? addresses.filter((each) => typeof each === 'string')
        : [],
      entries: entries.map((bytes) => fromBinary(EntrySchema, bytes)),
    }
  }

  keepAddresses(addresses: string[]): void {
    void this.#attempt((storage) => storage.set('addresses', addresses))
  }

  keepEntries(entries: () => Iterable<Entry>): void {
    if (!this.#storage || this.#entriesTimer !== undefined) return
    this.#entriesTimer = setTimeout(() => {
      this.#entriesTimer = undefined
      const bytes = [...entries()].map((entry) => toBinary(EntrySchema, entry))
      void this.#attempt((storage) => storage.set('entries', bytes))
    }, entriesEveryMs)
  }

  /** The document as it was kept here; empty when it was not. */
  async load(document: string, whole: () => Uint8Array): Promise<Uint8Array[]> {
    const updates = (await this.#attempt((storage) => storage.load(document))) ?? []
    this.#pages.set(document, { updates: [], isWriting: false, loose: updates.length, whole })
    return updates
  }

  append(document: string, update: Uint8Array): void {
    const pages = this.#pages.get(document)
    if (!pages) return
    pages.updates.push(update)
    if (!pages.isWriting) void this.#write(document, pages)
  }

  close(): void {
    clearTimeout(this.#entriesTimer)
  }

  async #write(document: string, pages: Pages): Promise<void> {
    pages.isWriting = true
    while (pages.updates.length > 0) {
      const updates = pages.updates
      pages.updates = []
      if (++pages.loose > looseMax) {
        pages.loose = 1
        await this.#attempt((storage) => storage.compact(document, pages.whole()))
      } else {
        const update = updates.length === 1 ? updates[0]! : this.#merge(updates)
        await this.#attempt((storage) => storage.append(document, update))
      }
      // Nothing that was not kept is forgotten: the next write holds the whole document.
      if (this.#failure !== undefined) pages.loose = looseMax
    }
    pages.isWriting = false
  }

  async #attempt<T>(act: (storage: LocalStorage) => Promise<T>): Promise<T | undefined> {
    if (!this.#storage) return undefined
    try {
      const result = await act(this.#storage)
      this.#report(undefined)
      return result
    } catch (error) {
      // Told to the person by the save state: closing the program would lose what no server has.
      this.#report(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  #report(failure: string | undefined): void {
    if (failure === this.#failure) return
    this.#failure = failure
    this.#changed()
  }
}

function bytesList(value: unknown): Uint8Array[] {
  return Array.isArray(value) ? value.filter((each) => each instanceof Uint8Array) : []
}
