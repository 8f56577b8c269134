// A disk and a store in memory, for the simulator and for tests: what a crash leaves is explicit.

import { assert } from '../../core/model/errors.ts'
import type { Origin, SubjectId } from '../../core/model/ids.ts'
import { operationLifeMs } from '../../core/model/limits.ts'
import type { Snapshot, Update } from '../../core/model/wire.ts'
import { covers, raise, type VersionVector } from '../../core/model/version-vector.ts'
import type { Batch, EntryFound, Storage, StorageReader, StoredSubject } from '../../core/ports.ts'
import { coversOf, progressOf, subjectOf } from './batch.ts'
import {
  comparePlaces,
  isSound,
  merged,
  purged,
  readSnapshot,
  readUpdate,
  recordSnapshot,
  recordUpdate,
  type Place,
  type StoredRecord,
} from './record.ts'
import { StorageError } from './storage-error.ts'

/** An update on the disk. Replaced, never changed, so that clones can share it. */
interface Row extends Place {
  record: StoredRecord
}

/** A piece on the disk, with what it covers, which counts even when its record is damaged. */
interface Piece {
  record: StoredRecord
  covers: VersionVector
}

/** What lies there of one subject. */
interface Shelf {
  isEntry: boolean
  pieces: Piece[]
  /** Its updates in the logs, also those that a piece covers and compaction has not removed. */
  places: Place[]
  /** How many of them no piece covers. */
  loose: number
}

/**
 * The durable bytes of one server. Survives a crash: make a `MemoryStorage` on it again. The newest
 * storage owns it; what an older one still has under way never arrives.
 */
export class MemoryDisk {
  isComplete = false
  life = ''
  readonly vector: VersionVector = new Map()
  readonly floor: VersionVector = new Map()
  readonly logs = new Map<Origin, Map<number, Row>>()
  readonly shelves = new Map<SubjectId, Shelf>()
  readonly operations = new Map<string, { subject: SubjectId; at: number }>()
  /** Records that were damaged and have been replaced from a peer. */
  readonly quarantine: { subject: SubjectId; record: StoredRecord }[] = []
  owner: MemoryStorage | undefined

  /** Another disk with the same bytes: a backup. */
  clone(): MemoryDisk {
    const copy = new MemoryDisk()
    copy.isComplete = this.isComplete
    copy.life = this.life
    raise(copy.vector, this.vector)
    raise(copy.floor, this.floor)
    for (const [origin, log] of this.logs) copy.logs.set(origin, new Map(log))
    for (const [subject, shelf] of this.shelves) {
      const { pieces, places } = shelf
      copy.shelves.set(subject, { ...shelf, pieces: [...pieces], places: [...places] })
    }
    for (const [id, operation] of this.operations) copy.operations.set(id, operation)
    copy.quarantine.push(...this.quarantine)
    return copy
  }

  /**
   * Turns over one bit of what a load of this subject reads: bit number `bit` of its pieces and
   * loose updates joined, modulo their length. False when nothing is stored.
   */
  flip(subject: SubjectId, bit = 0): boolean {
    const shelf = this.shelves.get(subject)
    if (!shelf) return false
    const rows = shelf.places.filter((place) => !isCovered(shelf, place)).map((at) => this.row(at))
    const parts = [...shelf.pieces, ...rows]
    let left = bit % (8 * parts.reduce((sum, { record }) => sum + record.bytes.length, 0))
    for (const part of parts) {
      const bits = 8 * part.record.bytes.length
      if (left >= bits) {
        left -= bits
        continue
      }
      const bytes = part.record.bytes.slice()
      bytes[left >> 3]! ^= 1 << (left & 7)
      const damaged = { ...part, record: { bytes, checksum: part.record.checksum } }
      if ('seq' in damaged) this.logs.get(damaged.origin)!.set(damaged.seq, damaged)
      else shelf.pieces[shelf.pieces.indexOf(part as Piece)] = damaged
      return true
    }
    return false
  }

  row({ origin, seq }: Pick<Place, 'origin' | 'seq'>): Row {
    return this.logs.get(origin)!.get(seq)!
  }
}

export interface MemoryOptions {
  /**
   * Called by every `write` and `compact`; what was asked becomes durable when its promise resolves,
   * and never when it rejects. Without it: at once.
   */
  flush?: () => Promise<void>
  /** The clock by which operations are forgotten. Without it none is. */
  now?: () => number
}

/** The storage port on a `MemoryDisk`. A simulator calls `commit` and `compactNow` instead. */
export class MemoryStorage implements Storage {
  readonly reader: StorageReader
  readonly #disk: MemoryDisk
  readonly #flush: () => Promise<void>
  #isWriting = false
  #stopped: Error | undefined

  constructor(disk: MemoryDisk, options: MemoryOptions = {}) {
    this.#disk = disk
    this.#flush = options.flush ?? (() => Promise.resolve())
    this.reader = new MemoryReader(disk, options.now ?? (() => 0))
    disk.owner = this
  }

  async write(batch: Batch): Promise<void> {
    assert(!this.#isWriting, 'one write is under way at a time')
    this.#refuseStopped()
    progressOf(batch, this.#disk.vector)
    this.#isWriting = true
    try {
      await this.#flushed()
      this.commit(batch)
    } finally {
      this.#isWriting = false
    }
  }

  async compact(subject: SubjectId, upTo: VersionVector): Promise<void> {
    this.#refuseStopped()
    await this.#flushed()
    this.compactNow(subject, upTo)
  }

  async purge(subject: SubjectId, upTo: VersionVector): Promise<void> {
    this.#refuseStopped()
    await this.#flushed()
    this.compactNow(subject, upTo, true)
  }

  close(): Promise<void> {
    this.#stopped ??= new StorageError('closed', 'the store is closed')
    return Promise.resolve()
  }

  /** Makes the batch durable, now. */
  commit(batch: Batch): void {
    this.#refuseStopped()
    const disk = this.#disk
    const { vector, floor } = progressOf(batch, disk.vector)
    for (const update of batch.updates) this.#append(update)
    for (const snapshot of batch.snapshots) this.#receive(snapshot)
    raise(disk.vector, vector)
    raise(disk.floor, floor)
    disk.isComplete ||= batch.isComplete ?? false
    disk.life = batch.life ?? disk.life
  }

  /**
   * Merges the pieces and the updates up to `upTo` of a subject, now; of one that is purged only the
   * tombstone stays. Throws CorruptError.
   */
  compactNow(subject: SubjectId, upTo: VersionVector, isPurge = false): void {
    this.#refuseStopped()
    const disk = this.#disk
    const shelf = disk.shelves.get(subject)
    if (!shelf) return
    const isOld = ({ origin, seq }: Place) => seq <= (upTo.get(origin) ?? 0)
    const merge = isPurge ? purged : merged
    const snapshot = merge(read(disk, subject, isOld), subject)
    if (snapshot) shelf.pieces = [pieceOf(snapshot)]
    this.#remove(shelf, (place) => isOld(place) && isCovered(shelf, place))
    shelf.loose = countLoose(shelf)
  }

  #append(update: Update): void {
    const disk = this.#disk
    const place: Place = {
      origin: update.origin as Origin,
      seq: update.seq,
      subject: subjectOf(update),
    }
    const log = disk.logs.get(place.origin) ?? new Map<number, Row>()
    disk.logs.set(place.origin, log)
    log.set(place.seq, { ...place, record: recordUpdate(update) })
    const shelf = this.#shelf(place.subject)
    shelf.places.push(place)
    shelf.isEntry ||= update.body.case === 'entry'
    if (!isCovered(shelf, place)) shelf.loose++
    if (update.operation !== '' && !disk.operations.has(update.operation)) {
      disk.operations.set(update.operation, { subject: place.subject, at: update.at })
    }
  }

  #receive(snapshot: Snapshot): void {
    const shelf = this.#shelf(subjectOf(snapshot))
    const piece = pieceOf(snapshot)
    this.#setAsideDamaged(subjectOf(snapshot), shelf, piece.covers)
    shelf.pieces.push(piece)
    shelf.isEntry ||= snapshot.entry.length > 0
    shelf.loose = countLoose(shelf)
  }

  // What a whole subject from a peer stands for may be damaged here: it is not needed any more.
  #setAsideDamaged(subject: SubjectId, shelf: Shelf, replaced: VersionVector): void {
    const disk = this.#disk
    const isBadPiece = (piece: Piece) =>
      covers(replaced, piece.covers) && !isSound(() => readSnapshot(piece.record, subject))
    const isBadPlace = (place: Place) =>
      place.seq <= (replaced.get(place.origin) ?? 0) &&
      !isSound(() => readUpdate(disk.row(place).record, place))
    const badPieces = shelf.pieces.filter(isBadPiece)
    const badPlaces = new Set(shelf.places.filter(isBadPlace))
    for (const { record } of badPieces) disk.quarantine.push({ subject, record })
    for (const place of badPlaces) {
      disk.quarantine.push({ subject, record: disk.row(place).record })
    }
    shelf.pieces = shelf.pieces.filter((piece) => !badPieces.includes(piece))
    this.#remove(shelf, (place) => badPlaces.has(place))
  }

  #remove(shelf: Shelf, isGone: (place: Place) => boolean): void {
    const disk = this.#disk
    for (const place of shelf.places.filter(isGone)) {
      disk.logs.get(place.origin)!.delete(place.seq)
      raise(disk.floor, [[place.origin, place.seq]])
    }
    shelf.places = shelf.places.filter((place) => !isGone(place))
  }

  #shelf(subject: SubjectId): Shelf {
    let shelf = this.#disk.shelves.get(subject)
    if (!shelf) {
      shelf = { isEntry: false, pieces: [], places: [], loose: 0 }
      this.#disk.shelves.set(subject, shelf)
    }
    return shelf
  }

  async #flushed(): Promise<void> {
    try {
      await this.#flush()
    } catch (error) {
      this.#stopped ??= error instanceof Error ? error : new Error(String(error))
      throw error
    }
    this.#refuseStopped()
  }

  #refuseStopped(): void {
    if (this.#disk.owner !== this) {
      this.#stopped ??= new StorageError('closed', 'another storage owns this disk')
    }
    if (this.#stopped) throw this.#stopped
  }
}

class MemoryReader implements StorageReader {
  readonly #disk: MemoryDisk
  readonly #now: () => number

  constructor(disk: MemoryDisk, now: () => number) {
    this.#disk = disk
    this.#now = now
  }

  isComplete(): boolean {
    return this.#disk.isComplete
  }

  life(): string {
    return this.#disk.life
  }

  vector(): VersionVector {
    return new Map(this.#disk.vector)
  }

  floor(): VersionVector {
    return new Map(this.#disk.floor)
  }

  load(subject: SubjectId): StoredSubject {
    return read(this.#disk, subject, () => true)
  }

  after(origin: Origin, seq: number, bytesMax: number): Update[] {
    const log = this.#disk.logs.get(origin)
    const updates: Update[] = []
    let bytes = 0
    for (let next = log?.get(seq + 1); next; next = log?.get(next.seq + 1)) {
      bytes += next.record.bytes.length
      if (updates.length > 0 && bytes > bytesMax) break
      updates.push(readUpdate(next.record, next))
    }
    return updates
  }

  beyond(vector: VersionVector, after: SubjectId | '', limit: number): SubjectId[] {
    const isBeyond = (origin: Origin, seq: number) => seq > (vector.get(origin) ?? 0)
    return this.#page(after, limit, ({ pieces, places }) => {
      return (
        pieces.some((piece) => !covers(vector, piece.covers)) ||
        places.some(({ origin, seq }) => isBeyond(origin, seq))
      )
    })
  }

  entries(after: SubjectId | '', limit: number): SubjectId[] {
    return this.#page(after, limit, ({ isEntry }) => isEntry)
  }

  *eachEntry(): Generator<EntryFound> {
    for (const [subject, { isEntry }] of [...this.#disk.shelves]) {
      if (isEntry) yield { subject, read: () => this.load(subject) }
    }
  }

  operation(id: string): SubjectId | undefined {
    const operation = this.#disk.operations.get(id)
    return operation && operation.at >= this.#now() - operationLifeMs
      ? operation.subject
      : undefined
  }

  loose(subject: SubjectId): number {
    return this.#disk.shelves.get(subject)?.loose ?? 0
  }

  #page(after: SubjectId | '', limit: number, isMeant: (shelf: Shelf) => boolean): SubjectId[] {
    const ids: SubjectId[] = []
    for (const [id, shelf] of this.#disk.shelves) if (id > after && isMeant(shelf)) ids.push(id)
    return ids.sort().slice(0, limit)
  }
}

/** What lies there of a subject, of its loose updates only the meant ones. Throws CorruptError. */
function read(
  disk: MemoryDisk,
  subject: SubjectId,
  isMeant: (place: Place) => boolean,
): StoredSubject {
  const shelf = disk.shelves.get(subject)
  if (!shelf) return { snapshots: [], updates: [] }
  const places = shelf.places
    .filter((place) => isMeant(place) && !isCovered(shelf, place))
    .sort(comparePlaces)
  return {
    snapshots: shelf.pieces.map(({ record }) => readSnapshot(record, subject)),
    updates: places.map((place) => readUpdate(disk.row(place).record, place)),
  }
}

function pieceOf(snapshot: Snapshot): Piece {
  return { record: recordSnapshot(snapshot), covers: coversOf(snapshot) }
}

function isCovered({ pieces }: Shelf, { origin, seq }: Place): boolean {
  return pieces.some((piece) => seq <= (piece.covers.get(origin) ?? 0))
}

function countLoose(shelf: Shelf): number {
  return shelf.places.reduce((count, place) => count + (isCovered(shelf, place) ? 0 : 1), 0)
}
