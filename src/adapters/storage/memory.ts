// A store on a disk in memory, for the simulator and for tests.

import { create } from '@bufbuild/protobuf'
import { assert } from '../../core/model/errors.ts'
import type { Origin, SubjectId } from '../../core/model/ids.ts'
import { operationLifeMs } from '../../core/model/limits.ts'
import {
  DoneOperationSchema,
  type DoneOperation,
  type Snapshot,
  type Update,
} from '../../core/model/wire.ts'
import { covers, raise, type VersionVector } from '../../core/model/version-vector.ts'
import type {
  Batch,
  EntryFound,
  OperationFound,
  SoundSubject,
  Storage,
  StorageReader,
  StoredSubject,
} from '../../core/ports.ts'
import { coversOf, progressOf, subjectOf } from './batch.ts'
import {
  comparePlaces,
  ifSound,
  isSound,
  merged,
  purged,
  readSnapshot,
  readUpdate,
  recordSnapshot,
  recordUpdate,
  type Place,
} from './record.ts'
import { isCovered, type MemoryDisk, type Piece, type Row, type Shelf } from './memory-disk.ts'
import { runningTime } from './running-time.ts'
import { StorageError } from './storage-error.ts'

export { MemoryDisk } from './memory-disk.ts'

export interface MemoryOptions {
  /**
   * Called by every `write` and `compact`; what was asked becomes durable when its promise resolves,
   * and never when it rejects. Without it: at once.
   */
  flush?: () => Promise<void>
  /** How time passes, by which operations are forgotten. Without it none is. */
  now?: () => number
}

/** The storage port on a `MemoryDisk`. A simulator calls `commit` and `compactNow` instead. */
export class MemoryStorage implements Storage {
  readonly reader: StorageReader
  /** Never resolves: it does nothing that nobody waits for. */
  readonly failed = new Promise<Error>(() => {})
  readonly #disk: MemoryDisk
  readonly #flush: () => Promise<void>
  readonly #now: () => number
  #isWriting = false
  #stopped: Error | undefined

  constructor(disk: MemoryDisk, options: MemoryOptions = {}) {
    this.#disk = disk
    this.#flush = options.flush ?? (() => Promise.resolve())
    this.#now = runningTime(disk.newestAt, options.now ?? (() => 0))
    this.reader = new MemoryReader(disk, this.#now)
    disk.owner = this
  }

  /** Never: what is taken in at once is the business of whoever has a disk that takes its time. */
  take(_batch: Batch): Promise<void> | undefined {
    return undefined
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
    const { operation: id, operationDigest: digest } = update
    if (id !== '') this.#keepOperation(place.subject, { id, digest })
  }

  #keepOperation(subject: SubjectId, { id, digest }: Pick<DoneOperation, 'id' | 'digest'>): void {
    const { operations } = this.#disk
    if (operations.has(id)) return
    this.#disk.newestAt = this.#now()
    operations.set(id, { subject, at: this.#disk.newestAt, digest })
  }

  #receive(snapshot: Snapshot): void {
    const subject = subjectOf(snapshot)
    const shelf = this.#shelf(subject)
    const piece = pieceOf(snapshot)
    this.#setAsideDamaged(subject, shelf, piece.covers)
    for (const operation of snapshot.operations) this.#keepOperation(subject, operation)
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

  covered(): VersionVector {
    const covered: VersionVector = new Map()
    for (const { pieces } of this.#disk.shelves.values()) {
      for (const piece of pieces) raise(covered, piece.covers)
    }
    return covered
  }

  load(subject: SubjectId): StoredSubject {
    return read(this.#disk, subject, () => true)
  }

  sound(subject: SubjectId): SoundSubject {
    const { pieces, places } = this.#disk.shelves.get(subject) ?? { pieces: [], places: [] }
    const found: SoundSubject = { snapshots: [], updates: [], lost: new Map() }
    for (const { record, covers: reach } of pieces) {
      const snapshot = ifSound(() => readSnapshot(record, subject))
      if (snapshot) found.snapshots.push(snapshot)
      else raise(found.lost, reach)
    }
    for (const place of places.toSorted(comparePlaces)) {
      const update = ifSound(() => readUpdate(this.#disk.row(place).record, place))
      if (update) found.updates.push(update)
      else raise(found.lost, [[place.origin, place.seq]])
    }
    return found
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

  operation(id: string): OperationFound | undefined {
    const operation = this.#disk.operations.get(id)
    if (!operation || operation.at < this.#since()) return undefined
    const { subject, digest } = operation
    return { subject, digest }
  }

  operationsOf(subject: SubjectId, limit: number): DoneOperation[] {
    return [...this.#disk.operations]
      .filter(([, operation]) => operation.subject === subject && operation.at >= this.#since())
      .sort(([, one], [, other]) => other.at - one.at)
      .slice(0, limit)
      .map(([id, { at, digest }]) => create(DoneOperationSchema, { id, at, digest }))
  }

  #since(): number {
    return this.#now() - operationLifeMs
  }

  loose(subject: SubjectId): number {
    return this.#disk.shelves.get(subject)?.loose ?? 0
  }

  mergedBytes(subject: SubjectId): number {
    const pieces = this.#disk.shelves.get(subject)?.pieces ?? []
    return pieces.reduce((sum, { record }) => sum + record.bytes.length, 0)
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

function countLoose(shelf: Shelf): number {
  return shelf.places.reduce((count, place) => count + (isCovered(shelf, place) ? 0 : 1), 0)
}
