// The keys of this device's sessions: whoever has one may bring the edits that were made with it.
//
// Each session stands in the record with the documents in which it has edits that may not be safe.
// When it is over another one says its key to the servers and brings the edits; then the record goes.

import { earlierKeysMax } from '../core/model/limits.ts'
import { sessionOf, type SessionId } from '../core/model/ids.ts'

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

/** Where the record of all sessions of this device is kept. */
export interface RecordShelf {
  /** As it is, also where nothing can be written; undefined: it cannot be read. */
  read: () => Promise<{ value: unknown } | undefined>
  /** Changes it in one piece; whether that is kept. */
  change: (alter: (value: unknown) => unknown) => Promise<boolean>
}

export class Keyring {
  readonly #key: Uint8Array
  readonly #session: SessionId
  readonly #shelf: RecordShelf
  /** Documents in which this session has edits that may not be safe. */
  #documents = new Set<string>()
  #written: Promise<boolean> = Promise.resolve(true)
  #writtenAt = -Infinity
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

  /** Whether this session's key is kept for this document: before its first edit is. */
  claim(now: number, document: string): Promise<boolean> {
    // After a long sleep the record may have been taken for that of a session that is over.
    const isFresh = now < this.#writtenAt + overAfterMs / 3
    if (!this.#documents.has(document) || !isFresh) {
      this.#documents.add(document)
      this.#write(now)
    }
    return this.#written
  }

  /** The storage failed: it may have lost what it had, and the record is written again before an edit. */
  doubt(): void {
    this.#writtenAt = -Infinity
  }

  /** To be called every `beatMs` at least, and at the end. `isUnsafe`: whether edits may still be lost. */
  beat(now: number, isUnsafe: (document: string) => boolean): Promise<boolean> {
    const before = this.#documents.size
    this.#documents = new Set([...this.#documents].filter(isUnsafe))
    const isDue = this.#documents.size < before || now >= this.#writtenAt + beatMs
    if (before > 0 && isDue) this.#write(now)
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
    return read && recordsOf(read.value)
  }

  #write(now: number): void {
    const documents = [...this.#documents]
    this.#writtenAt = now
    const written = this.#shelf.change((value) => {
      const { [this.#session]: _, ...others } = recordsOf(value)
      if (documents.length === 0) return others
      const own: Kept = { key: this.#key, documents, at: now }
      return { ...others, [this.#session]: own }
    })
    this.#written = written
    void written.then((isKept) => {
      // It is due at once.
      if (!isKept && this.#written === written) this.#writtenAt = -Infinity
    })
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
