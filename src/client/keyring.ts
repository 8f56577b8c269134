// The keys of this device's sessions: whoever has one may bring the edits that were made with it.
//
// Each session stands in the record with the documents in which it has edits that may not be safe. A
// later session says these keys to the servers and brings the edits; then the record goes.

import { earlierKeysMax } from '../core/model/limits.ts'
import { sessionOf, type SessionId } from '../core/model/ids.ts'

/** A living session renews its record this often, and looks whether others' can go. */
export const beatMs = 15_000
/** A record not renewed for this long is that of a session that is over, or asleep. */
const overAfterMs = 180_000

/** One session's record. */
interface Kept {
  key: Uint8Array
  documents: string[]
  /** When it was renewed last, by this device's clock. */
  at: number
}

type Records = { [session: string]: Kept }

/** Changes the record of all sessions of this device in one piece; resolves when that is kept. */
export type ChangeRecords = (alter: (value: unknown) => unknown) => Promise<void>

export class Keyring {
  readonly #key: Uint8Array
  readonly #session: SessionId
  readonly #change: ChangeRecords
  /** Documents in which this session has edits that may not be safe. */
  #documents = new Set<string>()
  #written: Promise<void> = Promise.resolve()
  #writtenAt = -Infinity
  /** Sessions whose keys were returned. */
  readonly #known = new Set<string>()
  /** Sessions of before, with the documents whose edits are still to be brought. */
  readonly #earlier = new Map<string, { at: number; key: Uint8Array; documents: Set<string> }>()

  constructor(key: Uint8Array, change: ChangeRecords) {
    this.#key = key
    this.#session = sessionOf(key)
    this.#change = change
  }

  /** Reads the keys of earlier sessions; the newest first. */
  async begin(): Promise<Uint8Array[]> {
    let records: Records = {}
    await this.#change((value) => (records = recordsOf(value)))
    for (const [session, { at, key, documents }] of newestFirst(records)) {
      this.#known.add(session)
      this.#earlier.set(session, { at, key, documents: new Set(documents) })
    }
    return [...this.#earlier.values()].map(({ key }) => key)
  }

  /**
   * Keys that were not returned before, of sessions that began after this one and may have unsafe edits
   * in this document. Whoever brings all of it needs them; the next session sees to their records.
   */
  async others(document: string): Promise<Uint8Array[]> {
    let records: Records = {}
    await this.#change((value) => (records = recordsOf(value)))
    const others = newestFirst(records).filter(([session, { documents }]) => {
      return session !== this.#session && !this.#known.has(session) && documents.includes(document)
    })
    for (const [session] of others) this.#known.add(session)
    return others.map(([, { key }]) => key)
  }

  /** Documents with edits of earlier sessions. */
  get unsettled(): string[] {
    return [...new Set([...this.#earlier.values()].flatMap(({ documents }) => [...documents]))]
  }

  /** All that this device had of a document is safe. */
  settled(document: string): void {
    for (const { documents } of this.#earlier.values()) documents.delete(document)
  }

  /** Resolves when this session's key is kept for this document: before its first edit is. */
  claim(now: number, document: string): Promise<void> {
    // After a long sleep the record may have been taken for that of a session that is over.
    const isFresh = now < this.#writtenAt + overAfterMs / 3
    if (!this.#documents.has(document) || !isFresh) {
      this.#documents.add(document)
      this.#write(now)
    }
    return this.#written
  }

  /** To be called every `beatMs`, and at the end. `isUnsafe`: whether edits may still be lost. */
  beat(now: number, isUnsafe: (document: string) => boolean): Promise<void> {
    const before = this.#documents.size
    this.#documents = new Set([...this.#documents].filter(isUnsafe))
    if (before > 0) this.#write(now)
    const over = [...this.#earlier].filter(
      ([, { documents, at }]) => documents.size === 0 && now >= at + overAfterMs,
    )
    if (over.length > 0) void this.#forget(over.map(([session, { at }]) => ({ session, at })))
    for (const [session] of over) this.#earlier.delete(session)
    return this.#written
  }

  #write(now: number): void {
    const documents = [...this.#documents]
    this.#writtenAt = now
    this.#written = this.#change((value) => {
      const { [this.#session]: _, ...others } = recordsOf(value)
      if (documents.length === 0) return others
      const own: Kept = { key: this.#key, documents, at: now }
      return Object.fromEntries(newestFirst({ ...others, [this.#session]: own }))
    })
  }

  /** Unless somebody is alive after all. */
  #forget(sessions: { session: string; at: number }[]): Promise<void> {
    return this.#change((value) => {
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

function recordsOf(value: unknown): Records {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value as Records).filter(([, kept]) => isKept(kept)))
}

// The storage is this device's own, but another version of the program may have written there.
function isKept(value: unknown): value is Kept {
  if (typeof value !== 'object' || value === null) return false
  const { key, documents, at } = value as Partial<Kept>
  return key instanceof Uint8Array && Array.isArray(documents) && typeof at === 'number'
}
