// The documents of a client on their way to this device's storage: each edit as it is made, now and then
// all of a document in one piece, and all of it where something could not be written.
//
//   append ─> updates ── one write at a time ──> kept        failed ─> torn ── retry ──> whole ──> kept

import * as Y from 'yjs'
import { compactBytesPerUpdate, compactUpdatesMax } from '../core/model/limits.ts'
import type { KeptDocument, LocalStorage, Note } from '../core/ports.ts'
import type { Relay } from '../core/session/relays.ts'
import { keptRelay, textOf } from './kept-values.ts'
import type { Keep } from './keyring.ts'

/** Updates of a short document that are kept one by one before all is put in one piece. */
const looseMin = 200
/** What could not be written is tried again after this. */
const retryMs = 5000

/** What is not kept yet. */
interface News {
  updates: Uint8Array[]
  /** Those of them that a server sealed. */
  relays: readonly Relay[]
}

/** One document on its way to the storage. */
interface Pages extends News {
  relays: Relay[]
  /** Among them are edits of this session. */
  hasOwn: boolean
  isWriting: boolean
  writing: Promise<void>
  /** How many are kept since all was put in one piece, and the longest of what is kept. */
  loose: number
  longestBytes: number
  /** Something could not be written: the next write holds the whole document. */
  isTorn: boolean
  /** Why, until that is written. */
  failure: string | undefined
  /** What was loaded is not in the document yet: nothing may take its place. */
  isUnread: boolean
  /** What takes in all that is kept by now, and hears whether it could be read. */
  readings: { take: (kept: KeptDocument) => void; done: (isRead: boolean) => void }[]
  whole: () => Uint8Array
  relayed: () => readonly Relay[]
}

const damage = 'what this device kept of a file cannot be read'

export interface KeptDocumentsOptions {
  /** Whether there is a storage. */
  isKeeping: boolean
  /** What the storage answers; undefined: it failed, which was told. */
  attempt: <T>(act: (storage: LocalStorage) => Promise<T>) => Promise<T | undefined>
  /** Whether the storage took it; `alter`: with a change of the record of keys, which `act` is to note. */
  did: (
    act: (storage: LocalStorage, note?: Note) => Promise<void>,
    alter?: Note['alter'],
  ) => Promise<boolean>
  /**
   * Has edits of this session kept, and its key for their document: nobody else could bring them to a
   * server. Whether both are.
   */
  claim: (document: string, keep: Keep) => Promise<boolean>
  /** Why the storage took nothing when it was asked last. */
  whyNot: () => string | undefined
  /** Changes what `failure` says, and tells it where it is something else. */
  alter: (change: () => void) => void
}

/** Writes in the background, of each document in order; a failure is told and the write tried again. */
export class KeptDocuments {
  readonly #options: KeptDocumentsOptions
  readonly #pages = new Map<string, Pages>()
  /** Documents of which something that is kept does not decode. */
  readonly #damaged = new Set<string>()
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  constructor(options: KeptDocumentsOptions) {
    this.#options = options
  }

  /** Why something of a document is not kept; undefined: all is. */
  get failure(): string | undefined {
    const torn = [...this.#pages.values()].find(({ failure }) => failure !== undefined)
    return torn?.failure ?? (this.#damaged.size > 0 ? damage : undefined)
  }

  /** Whether edits of any document are still on their way to the storage. */
  get areBehind(): boolean {
    return [...this.#pages.keys()].some((document) => this.isBehind(document))
  }

  /** Each, as a whole. */
  *wholes(): Generator<[document: string, update: Uint8Array]> {
    for (const [document, { whole }] of this.#pages) yield [document, whole()]
  }

  /**
   * The document as it was kept here; undefined: it cannot be read. `whole` encodes what it is by then,
   * `relayed` are others' edits that are kept with it in one piece.
   */
  async load(
    document: string,
    whole: () => Uint8Array,
    relayed: () => readonly Relay[] = () => [],
  ): Promise<KeptDocument | undefined> {
    if (!this.#options.isKeeping) return { updates: [], relays: [] }
    // What could not be written before it was closed is still to be.
    const { isTorn = false, failure } = this.#pages.get(document) ?? {}
    const pages: Pages = {
      updates: [],
      relays: [],
      hasOwn: false,
      isWriting: false,
      writing: Promise.resolve(),
      loose: 0,
      longestBytes: 0,
      isTorn,
      failure,
      isUnread: true,
      readings: [],
      whole,
      relayed,
    }
    this.#pages.set(document, pages)
    const kept = await this.#options.attempt((storage) => storage.load(document))
    const { updates } = kept ?? { updates: [] }
    pages.loose += updates.length
    pages.longestBytes = Math.max(pages.longestBytes, longestOf(updates))
    pages.isUnread = updates.length > 0
    return kept
  }

  /** What `load` returned is in the document. */
  taken(document: string): void {
    const pages = this.#pages.get(document)
    if (pages) pages.isUnread = false
  }

  /**
   * `take` is given all that is kept of an open document by now, by whomever. Whether it could be read.
   * It takes its turn among the writes: one that puts all in one piece counts on having all.
   */
  again(document: string, take: (kept: KeptDocument) => void): Promise<boolean> {
    const pages = this.#pages.get(document)
    if (!pages) return Promise.resolve(false)
    return new Promise((done) => {
      pages.readings.push({ take, done })
      if (!pages.isWriting) pages.writing = this.#write(document, pages)
    })
  }

  /** The text of a document that is not open, as far as it is kept here. */
  async text(document: string): Promise<string> {
    const kept = await this.#options.attempt((storage) => storage.load(document))
    return textOf(kept?.updates ?? [])
  }

  /** Whether anything of a document is kept here. */
  async has(document: string): Promise<boolean> {
    // What is loaded counts as being in the document, and would go when that is written in one piece.
    if ((this.#pages.get(document)?.loose ?? 0) > 0) return true
    const kept = await this.#options.attempt((storage) => storage.load(document))
    return kept !== undefined && kept.updates.length > 0
  }

  /** `isOwn`: an edit of this session, whose key must be kept before it. `relay`: as it was sealed. */
  append(document: string, update: Uint8Array, isOwn: boolean, relay?: Relay): void {
    const pages = this.#pages.get(document)
    if (!pages) return
    pages.updates.push(update)
    if (relay) pages.relays.push(relay)
    pages.hasOwn ||= isOwn
    if (!pages.isWriting) pages.writing = this.#write(document, pages)
  }

  /** The storage lost what it had: all that is here is written again, and with it the key. */
  lost(): void {
    for (const [document, pages] of this.#pages) {
      pages.isTorn = true
      pages.hasOwn = true
      if (!pages.isWriting) pages.writing = this.#write(document, pages)
    }
  }

  /** Something that is kept of this document does not decode. It stays as it is until `mend`. */
  damaged(document: string): void {
    this.#options.alter(() => this.#damaged.add(document))
  }

  /** All that a server has of this document is here: what does not decode is written anew. */
  mend(document: string): void {
    const pages = this.#pages.get(document)
    if (!pages || !this.#damaged.has(document)) return
    pages.isTorn = true
    if (!pages.isWriting) pages.writing = this.#write(document, pages)
  }

  /** Whether a program has this document, or something of it is still to be written. */
  isOpen(document: string): boolean {
    return this.#pages.has(document)
  }

  /** Whether edits of this document are still on their way to the storage. */
  isBehind(document: string): boolean {
    const pages = this.#pages.get(document)
    return pages !== undefined && (pages.isWriting || pages.isTorn)
  }

  /** The document is not open any more. */
  release(document: string): void {
    const pages = this.#pages.get(document)
    if (pages && !this.isBehind(document)) this.#pages.delete(document)
    this.#isSound(document)
  }

  /** Tries to write now what could not be written. */
  retry(): void {
    for (const [document, pages] of this.#pages) {
      if (pages.isTorn && !pages.isWriting) pages.writing = this.#write(document, pages)
    }
  }

  /** Resolves when nothing of any document is on its way to the storage. */
  async written(): Promise<void> {
    await Promise.all([...this.#pages.values()].map(({ writing }) => writing))
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retryTimer)
  }

  async #write(document: string, pages: Pages): Promise<void> {
    pages.isWriting = true
    while (pages.updates.length > 0 || pages.isTorn || pages.readings.length > 0) {
      if (pages.readings.length > 0) {
        await this.#readAgain(document, pages)
        continue
      }
      const { updates, relays, hasOwn } = pages
      pages.updates = []
      pages.relays = []
      pages.hasOwn = false
      const keep: Keep = (alter) => this.#put(document, pages, { updates, relays }, alter)
      if (await (hasOwn ? this.#options.claim(document, keep) : keep())) {
        if (!pages.isTorn) this.#options.alter(() => (pages.failure = undefined))
        continue
      }
      pages.isTorn = true
      pages.hasOwn ||= hasOwn
      this.#options.alter(
        () => (pages.failure = this.#options.whyNot() ?? 'not all of it is kept here yet'),
      )
      this.#retryLater()
      break
    }
    pages.isWriting = false
  }

  #put(document: string, pages: Pages, news: News, alter?: Note['alter']): Promise<boolean> {
    const isDue = pages.loose >= dueAt(pages) && !this.#damaged.has(document)
    if (!pages.isUnread && (pages.isTorn || isDue)) return this.#compact(document, pages, alter)
    if (!pages.isTorn) return this.#append(document, pages, news, alter)
    const all = { updates: [pages.whole()], relays: pages.relayed() }
    return this.#append(document, pages, all, alter)
  }

  async #readAgain(document: string, pages: Pages): Promise<void> {
    const readings = pages.readings.splice(0)
    const kept = await this.#options.attempt((storage) => storage.load(document))
    if (kept) {
      pages.loose = kept.updates.length
      pages.longestBytes = longestOf(kept.updates)
    }
    for (const { take, done } of readings) {
      if (kept) take(kept)
      done(kept !== undefined)
    }
  }

  async #append(
    document: string,
    pages: Pages,
    { updates, relays }: News,
    alter?: Note['alter'],
  ): Promise<boolean> {
    const { isTorn } = pages
    const update = updates.length === 1 ? updates[0]! : Y.mergeUpdates(updates)
    const kept = relays.map(keptRelay)
    const append = (storage: LocalStorage, note?: Note) =>
      storage.append(document, update, { relays: kept, note })
    if (!(await this.#options.did(append, alter))) return false
    pages.loose++
    pages.longestBytes = Math.max(pages.longestBytes, update.length)
    if (isTorn) pages.isTorn = false
    return true
  }

  async #compact(document: string, pages: Pages, alter?: Note['alter']): Promise<boolean> {
    const whole = pages.whole()
    const kept = pages.relayed().map(keptRelay)
    const compact = (storage: LocalStorage, note?: Note) =>
      storage.compact(document, whole, { relays: kept, note })
    if (!(await this.#options.did(compact, alter))) return false
    pages.loose = 1
    pages.longestBytes = whole.length
    pages.isTorn = false
    this.#isSound(document)
    return true
  }

  #isSound(document: string): void {
    this.#options.alter(() => this.#damaged.delete(document))
  }

  #retryLater(): void {
    clearTimeout(this.#retryTimer)
    if (!this.#isClosed) this.#retryTimer = setTimeout(() => this.retry(), retryMs)
  }
}

/** With how many all is put in one piece: as on servers, whatever its length that costs each the same. */
function dueAt({ longestBytes }: Pages): number {
  return Math.min(Math.max(looseMin, longestBytes / compactBytesPerUpdate), compactUpdatesMax)
}

const longestOf = (updates: Uint8Array[]) =>
  updates.reduce((longest, { length }) => Math.max(longest, length), 0)
