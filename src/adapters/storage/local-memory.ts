// A device's storage in memory: for tests, and for programs that want a copy while they run.

import type { LocalStorage } from '../../core/ports.ts'

/** One device. Every `open` is a program on it; they share what is stored. */
export class MemoryDevice {
  readonly #updates = new Map<string, Set<Uint8Array>>()
  readonly #values = new Map<string, unknown>()
  /** Why every use fails; undefined: it works. */
  failure: string | undefined

  open(): LocalStorage {
    return new MemoryLocalStorage({
      documents: () => {
        this.#check()
        return [...this.#updates].flatMap(([document, { size }]) => (size > 0 ? [document] : []))
      },
      updates: (document) => {
        this.#check()
        const updates = this.#updates.get(document) ?? new Set()
        this.#updates.set(document, updates)
        return updates
      },
      values: () => {
        this.#check()
        return this.#values
      },
    })
  }

  #check(): void {
    if (this.failure !== undefined) throw new Error(this.failure)
  }
}

interface Shelves {
  documents(): string[]
  updates(document: string): Set<Uint8Array>
  values(): Map<string, unknown>
}

class MemoryLocalStorage implements LocalStorage {
  readonly #shelves: Shelves
  readonly #known = new Map<string, Set<Uint8Array>>()

  constructor(shelves: Shelves) {
    this.#shelves = shelves
  }

  async load(document: string): Promise<Uint8Array[]> {
    const updates = [...this.#shelves.updates(document)]
    this.#known.set(document, new Set(updates))
    return updates
  }

  async append(document: string, update: Uint8Array): Promise<void> {
    const kept = update.slice()
    this.#shelves.updates(document).add(kept)
    const known = this.#known.get(document) ?? new Set()
    this.#known.set(document, known.add(kept))
  }

  async compact(document: string, update: Uint8Array): Promise<void> {
    const updates = this.#shelves.updates(document)
    for (const known of this.#known.get(document) ?? []) updates.delete(known)
    this.#known.delete(document)
    await this.append(document, update)
  }

  async documents(): Promise<string[]> {
    return this.#shelves.documents()
  }

  async forget(document: string): Promise<void> {
    this.#shelves.updates(document).clear()
    this.#known.delete(document)
  }

  async get(key: string): Promise<unknown> {
    return structuredClone(this.#shelves.values().get(key))
  }

  async set(key: string, value: unknown): Promise<void> {
    this.#shelves.values().set(key, structuredClone(value))
  }

  async change(key: string, alter: (value: unknown) => unknown): Promise<void> {
    const values = this.#shelves.values()
    values.set(key, structuredClone(alter(structuredClone(values.get(key)))))
  }
}
