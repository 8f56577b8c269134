// The keys of this device's sessions: whoever has one may bring the edits that were made with it.
//
// Each session stands in the record with the documents in which it has edits that may not be safe.
// When it is over another one says its key to the servers and brings the edits; then the record goes.
//
//   expected ── key kept ──> edit ── asked of the storage in the turn it is made in ──> kept
//   edit ── in one piece with the key ──> kept

import { earlierKeysMax } from '../core/model/limits.ts'
import { sessionOf, type SessionId } from '../core/model/ids.ts'
import type { Note } from '../core/ports.ts'

/** A living session renews its record this often, and looks whether others' can go. */
export const beatMs = 15_000
/** Where nobody can tell who is alive: not renewed for this long it is of one that is over, or asleep. */
const overAfterMs = 180_000

/** One session's record. */
interface Kept {
  key: Uint8Array
  documents: string[]
  /** When it was renewed last, by this device's clock. */
  at: number
}

export type Records = { [session: string]: Kept }

/** What a session left. */
export interface Left {
  /** Its key, unless it was told before. */
  keys: Uint8Array[]
  /** Documents whose edits are to be brought. */
  documents: string[]
}

/** Names one state of a session's record: there is nothing in it that is not safe. */
export interface Rest {
  session: string
  at: number
}

/** Where the record of all sessions of this device is kept. */
export interface RecordShelf {
  /** As it is, also where nothing can be written, and the last `Rest`; undefined: it cannot be read. */
  read: () => Promise<{ value: unknown; rest: unknown } | undefined>
  /** Changes it in one piece; whether that is kept. */
  change: (alter: Note['alter']) => Promise<boolean>
}

/** Keeps edits of a document; `alter`: in one piece with a change of the record. Whether all is kept. */
export type Keep = (alter?: Note['alter']) => Promise<boolean>

export class Keyring {
  readonly #key: Uint8Array
  readonly #session: SessionId
  readonly #shelf: RecordShelf
  /** Documents in which this session has edits that may not be safe. */
  #documents = new Set<string>()
  #written: Promise<boolean> = Promise.resolve(true)
  /** Those among them for which the record is known to be kept. */
  #kept: ReadonlySet<string> = new Set()
  #writtenAt = -Infinity
  /** When the record was made that was written last. */
  #at = -Infinity
  /** Sessions whose keys were returned. */
  readonly #known = new Set<string>()
  /** Those that were taken, with the documents whose edits are still to be brought. */
  readonly #taken = new Map<string, { at: number; documents: Set<string>; isOver: boolean }>()

  constructor(key: Uint8Array, shelf: RecordShelf) {
    this.#key = key
    this.#session = sessionOf(key)
    this.#shelf = shelf
  }

  /** Reads the keys of earlier sessions, be they over or not; the newest first. Undefined: it cannot. */
  async begin(): Promise<Uint8Array[] | undefined> {
    const records = await this.#read()
    if (!records) return undefined
    const earlier = newestFirst(records)
    for (const [session] of earlier) this.#known.add(session)
    return earlier.map(([, { key }]) => key)
  }

  /** The sessions in the record, but for this one; undefined: it cannot be read. */
  async sessions(): Promise<string[] | undefined> {
    const records = await this.#read()
    return records && Object.keys(records).filter((session) => session !== this.#session)
  }

  /**
   * What a session left that no other program sees to. `isOver`: it is known to have ended; otherwise
   * its record stays for as long as it may be alive. Undefined: it cannot be read.
   */
  async take(session: string, isOver: boolean): Promise<Left | undefined> {
    const records = await this.#read()
    if (!records) return undefined
    const record = records[session]
    if (!record) return { keys: [], documents: [] }
    const { at, key, documents } = record
    this.#taken.set(session, { at, documents: new Set(documents), isOver })
    const isNews = !this.#known.has(session)
    this.#known.add(session)
    return { keys: isNews ? [key] : [], documents }
  }

  /**
   * Keys that were not returned before, of sessions that began after this one and may have unsafe edits
   * in this document. Whoever brings all of it needs them.
   */
  async others(document: string): Promise<Uint8Array[]> {
    const others = newestFirst((await this.#read()) ?? {}).filter(([session, { documents }]) => {
      return session !== this.#session && !this.#known.has(session) && documents.includes(document)
    })
    for (const [session] of others) this.#known.add(session)
    return others.map(([, { key }]) => key)
  }

  /** Documents with edits of sessions that were taken. */
  get unsettled(): string[] {
    return [...new Set([...this.#taken.values()].flatMap(({ documents }) => [...documents]))]
  }

  /** All that this session left of a document is safe. Resolves when that is kept. */
  async settled(session: string, document: string): Promise<void> {
    const taken = this.#taken.get(session)
    taken?.documents.delete(document)
    if (!taken?.isOver || taken.documents.size > 0) return
    this.#taken.delete(session)
    await this.#forget([{ session, at: taken.at }])
  }

  /** Whether this session stands in the record, as far as it knows. */
  get isClaiming(): boolean {
    return this.#documents.size > 0
  }

  /**
   * Edits of a document are kept, the first ones in one piece with this session's key: a program that
   * crashes meanwhile leaves both, or none. Whether both are kept.
   */
  claim(now: number, document: string, keep: Keep): Promise<boolean> {
    // After a long sleep the record may have been taken for that of a session that is over.
    const isFresh = now < this.#writtenAt + overAfterMs / 3
    if (!this.#documents.has(document) || !isFresh) {
      this.#documents.add(document)
      return this.#write(now, keep)
    }
    // At once where that can be.
    if (this.#kept.has(document)) return keep()
    return this.#written.then(async (isClaimed) => (await keep()) && isClaimed)
  }

  /** Edits of this document are to come: the key is kept, so that the first of them waits for nothing. */
  expect(now: number, document: string): void {
    const change: Keep = async (alter) => alter === undefined || this.#shelf.change(alter)
    void this.claim(now, document, change)
  }

  /**
   * The program may be gone in a moment. Undefined: something that it has may still be lost. Otherwise its
   * record, in which there is nothing to look for; if the program goes on all is as before its first edit.
   */
  rest(isUnsafe: (document: string) => boolean): Rest | undefined {
    if (!this.isClaiming || [...this.#documents].some(isUnsafe)) return undefined
    this.#documents.clear()
    this.#kept = new Set()
    return { session: this.#session, at: this.#at }
  }

  /** The storage failed: it may have lost what it had, and the record is written again before an edit. */
  doubt(): void {
    this.#kept = new Set()
    this.#writtenAt = -Infinity
  }

  /** To be called every `beatMs` at least, and at the end. `isUnsafe`: whether edits may still be lost. */
  beat(now: number, isUnsafe: (document: string) => boolean): Promise<boolean> {
    const before = this.#documents.size
    this.#documents = new Set([...this.#documents].filter(isUnsafe))
    const isDue = this.#documents.size < before || now >= this.#writtenAt + beatMs
    if (before > 0 && isDue) void this.#write(now, this.#shelf.change)
    const over = [...this.#taken].filter(
      ([, { documents, at }]) => documents.size === 0 && now >= at + overAfterMs,
    )
    if (over.length > 0) void this.#forget(over.map(([session, { at }]) => ({ session, at })))
    for (const [session] of over) this.#taken.delete(session)
    return this.#written
  }

  /** Undefined: it cannot be read. */
  async #read(): Promise<Records | undefined> {
    const read = await this.#shelf.read()
    if (!read) return undefined
    const records = recordsOf(read.value)
    const { session, at } = (read.rest ?? {}) as Partial<Rest>
    if (typeof session === 'string' && records[session]?.at === at) delete records[session]
    return records
  }

  #write(now: number, change: RecordShelf['change']): Promise<boolean> {
    const documents = [...this.#documents]
    this.#writtenAt = now
    this.#at = now
    const written = change((value) => {
      const { [this.#session]: _, ...others } = recordsOf(value)
      if (documents.length === 0) return others
      const own: Kept = { key: this.#key, documents, at: now }
      return { ...others, [this.#session]: own }
    })
    this.#written = written
    void written.then((isKept) => {
      if (this.#written !== written) return
      if (isKept) this.#kept = new Set(documents)
      // It is due at once.
      else this.doubt()
    })
    return written
  }

  /** Unless somebody is alive after all. */
  #forget(sessions: { session: string; at: number }[]): Promise<boolean> {
    return this.#shelf.change((value) => {
      const records = recordsOf(value)
      for (const { session, at } of sessions) {
        if (records[session]?.at === at) delete records[session]
      }
      return records
    })
  }
}

function newestFirst(records: Records): [string, Kept][] {
  const sorted = Object.entries(records).toSorted(([, a], [, b]) => b.at - a.at)
  return sorted.slice(0, earlierKeysMax)
}

/** Only the records of keys that servers hear, and the documents of the others. */
export function cut(value: unknown): { records: Records; documents: string[] } {
  const records = recordsOf(value)
  const heard = Object.fromEntries(newestFirst(records))
  const others = Object.entries(records).filter(([session]) => !(session in heard))
  return { records: heard, documents: others.flatMap(([, { documents }]) => documents) }
}

/** The record that stands for a list of keys whose edits may be in any of these documents. */
export function recordsOfKeys(value: unknown, documents: string[]): unknown {
  if (!Array.isArray(value)) return value
  const keys = value.filter((each): each is Uint8Array => each instanceof Uint8Array)
  return Object.fromEntries(keys.map((key) => [sessionOf(key), { key, documents, at: 0 }]))
}

/** Whether nothing of it was lost, as far as it can be told. */
export function isRecord(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((each) => each instanceof Uint8Array)
  return typeof value === 'object' && value !== null && Object.values(value).every(isKept)
}

/** What can be read of it. */
export function recordsOf(value: unknown): Records {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value as Records).filter(([, kept]) => isKept(kept)))
}

// The storage is this device's own, but another version of the program may have written there.
function isKept(value: unknown): value is Kept {
  if (typeof value !== 'object' || value === null) return false
  const { key, documents, at } = value as Partial<Kept>
  return key instanceof Uint8Array && Array.isArray(documents) && typeof at === 'number'
}
