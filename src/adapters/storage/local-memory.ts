// A device's storage in memory: for tests, and for programs that want a copy while they run.

import type { KeptDocument, KeptRelay, KeptWith, LocalStorage, Note } from '../../core/ports.ts'

/** One device. Every `open` is a program on it; they share what is stored. */
export class MemoryDevice {
  readonly #updates = new Map<string, Set<Kept>>()
  readonly #values = new Map<string, unknown>()
  readonly #names = new HeldNames()
  readonly #listeners = new Map<LocalStorage, Set<(word: string) => void>>()
  readonly #lostListeners = new Set<() => void>()
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
      names: this.#names,
      listeners: this.#listeners,
      lostListeners: this.#lostListeners,
    })
  }

  /** A person empties it. */
  empty(): void {
    for (const updates of this.#updates.values()) updates.clear()
    this.#values.clear()
    for (const hear of this.#lostListeners) hear()
  }

  #check(): void {
    if (this.failure !== undefined) throw new Error(this.failure)
  }
}

/** What was kept at once. */
interface Kept {
  update: Uint8Array
  relays: readonly KeptRelay[]
}

interface Shelves {
  documents(): string[]
  updates(document: string): Set<Kept>
  values(): Map<string, unknown>
  names: HeldNames
  listeners: Map<LocalStorage, Set<(word: string) => void>>
  lostListeners: Set<() => void>
}

/** Who holds a name, and who waits for it, in order. */
class HeldNames {
  readonly #waiting = new Map<string, (() => void)[]>()

  hold(name: string): Promise<() => void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(name)
      const held = () => resolve(() => this.#letGo(name, held))
      if (waiting) waiting.push(held)
      else this.#waiting.set(name, [held])
      if (!waiting) held()
    })
  }

  // Whoever holds it stands first.
  #letGo(name: string, held: () => void): void {
    const waiting = this.#waiting.get(name)
    if (waiting?.[0] !== held) return
    waiting.shift()
    if (waiting.length === 0) this.#waiting.delete(name)
    else waiting[0]!()
  }
}

class MemoryLocalStorage implements LocalStorage {
  readonly #shelves: Shelves
  readonly #known = new Map<string, Set<Kept>>()

  constructor(shelves: Shelves) {
    this.#shelves = shelves
  }

  async load(document: string): Promise<KeptDocument> {
    const kept = [...this.#shelves.updates(document)]
    this.#known.set(document, new Set(kept))
    return {
      updates: kept.map(({ update }) => update),
      relays: kept.flatMap(({ relays }) => relays),
    }
  }

  async append(
    document: string,
    update: Uint8Array,
    { relays, note }: KeptWith = {},
  ): Promise<void> {
    if (note) this.#change(note)
    this.#add(document, update, relays)
  }

  async compact(
    document: string,
    update: Uint8Array,
    { relays, note }: KeptWith = {},
  ): Promise<void> {
    if (note) this.#change(note)
    const updates = this.#shelves.updates(document)
    for (const known of this.#known.get(document) ?? []) updates.delete(known)
    this.#known.delete(document)
    this.#add(document, update, relays)
  }

  #add(document: string, update: Uint8Array, relays: readonly KeptRelay[] = []): void {
    const kept = structuredClone({ update, relays })
    this.#shelves.updates(document).add(kept)
    const known = this.#known.get(document) ?? new Set()
    this.#known.set(document, known.add(kept))
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
    this.#change({ key, alter })
  }

  #change({ key, alter }: Note): void {
    const values = this.#shelves.values()
    values.set(key, structuredClone(alter(structuredClone(values.get(key)))))
  }

  hold(name: string): Promise<() => void> {
    return this.#shelves.names.hold(name)
  }

  tell(word: string): void {
    for (const [program, hears] of this.#shelves.listeners) {
      if (program === this) continue
      for (const hear of hears) queueMicrotask(() => hears.has(hear) && hear(word))
    }
  }

  listen(hear: (word: string) => void): () => void {
    const { listeners } = this.#shelves
    const hears = listeners.get(this) ?? new Set()
    listeners.set(this, hears.add(hear))
    return () => void hears.delete(hear)
  }

  onLost(hear: () => void): () => void {
    this.#shelves.lostListeners.add(hear)
    return () => this.#shelves.lostListeners.delete(hear)
  }
}
