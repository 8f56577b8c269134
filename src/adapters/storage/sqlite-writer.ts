// Everything that changes a store's SQLite file. One instance per file, in the writer's thread.

import type { DatabaseSync } from 'node:sqlite'
import type { Origin, SubjectId } from '../../core/model/ids.ts'
import type { Snapshot } from '../../core/model/wire.ts'
import { coversOf } from './batch.ts'
import { ifSound, isSound, readSnapshot, readUpdate, type StoredRecord } from './record.ts'
import {
  columnsPerUpdate,
  type BatchEnd,
  type Counts,
  type OperationRow,
  type PieceRow,
  type Seqs,
  type UpdateRows,
} from './sqlite-messages.ts'
import { prepareWrites, rowsPerInsert, type Writes } from './sqlite-statements.ts'
import { isNoted, recordOf, type RecordRow } from './sqlite-subject.ts'

/** Updates not yet filed: a load looks through all of them, in about a millisecond. */
const unfiledMax = 8192

/** A commit this long after the last filing files what there is. */
export const fileAfterMs = 1000

/** Rows deleted in one transaction: a keystroke waits no longer than for about 5 ms. */
const removedPerSlice = 500

/**
 * Rows of a subject that others' lie between are not deleted by themselves: each would have its page
 * of some forty rows written again. They wait for those of what is compacted within this, and go
 * together, page by page.
 */
const removeAfterMs = 2000
/** The rows of a subject are this part of those from its first to its last: few lie between. */
const denseFrom = 1 / 8
/** Rows that go together: looked up in about 30 ms. */
const removedTogetherMax = 32_768

/** Pages given back to the file system in one transaction. */
const vacuumedPerSlice = 256

/** Free pages that the file keeps for what comes: half a megabyte, as a long text by itself takes. */
const freePagesKept = 128

/** Subjects whose row numbers are remembered; then it starts anew. About 100 bytes each. */
const knownSubjectsMax = 20_000

interface KnownSubject {
  subject: number
  isEntry: boolean
}

export class StoreWriter {
  readonly #db: DatabaseSync
  readonly #now: () => number
  readonly #sql: Writes
  readonly #origins = new Map<Origin, number>()
  readonly #subjects = new Map<SubjectId, KnownSubject>()
  #isInBatch = false
  #unfiled = 0
  #filedAt = 0
  /** When rows are deleted that wait for it. A crash or an earlier life may have left some. */
  #removeAt = 0
  /** Each deletes some rows. */
  #removals: (() => void)[] = []
  #hasFreePages = true

  constructor(db: DatabaseSync, now: () => number) {
    this.#db = db
    this.#now = now
    this.#sql = prepareWrites(db)
    for (const { origin, id } of db.prepare('SELECT origin, id FROM origins').all()) {
      this.#origins.set(id as Origin, origin as number)
    }
    // A crash may have left some.
    this.#fileAlone()
  }

  /** Whether rows of a batch are inserted and its end has not come. */
  get isInBatch(): boolean {
    return this.#isInBatch
  }

  /** Whether something is to be done when nobody asks for anything: filing, or deleting rows. */
  get hasMore(): boolean {
    return this.#unfiled > 0 || this.#removals.length > 0 || this.#removeAt < Infinity
  }

  /** Begins a transaction when none is open, and inserts. */
  insert(rows: UpdateRows): void {
    this.#begin()
    const origins = rows.origins.map((origin) => this.#origin(origin))
    const entries = new Set(rows.entries)
    const subjects = rows.subjects.map((id) => this.#subject(id, entries.has(id)))
    const { columns, records } = rows
    const values: (number | Uint8Array)[] = []
    const count = columns.length / columnsPerUpdate
    const inMany = count - (count % rowsPerInsert)
    let start = 0
    for (let row = 0; row < count; row++) {
      const column = row * columnsPerUpdate
      const end = columns[column + 4]!
      values.push(
        origins[columns[column]!]!,
        columns[column + 1]!,
        subjects[columns[column + 2]!]!,
        columns[column + 3]!,
        records.subarray(start, end),
      )
      start = end
      if (row >= inMany) this.#sql.insertOne.run(...values)
      else if (values.length < rowsPerInsert * columnsPerUpdate) continue
      else this.#sql.insertMany.run(...values)
      values.length = 0
    }
    for (const operation of rows.operations) {
      this.#addOperation(this.#subject(operation.subject, false), operation)
    }
    this.#unfiled += count
  }

  /** Adds the rest of the batch and commits: on stable storage when it returns. */
  commit(end: BatchEnd): { floor: Seqs; loose: Counts } {
    this.#begin()
    for (const [origin, seq] of end.vector) this.#sql.raiseVector.run(seq, this.#origin(origin))
    const isDue = this.#unfiled >= unfiledMax || this.#now() - this.#filedAt >= fileAfterMs
    // What a piece replaces is looked for among the filed.
    if (isDue || end.pieces.length > 0) this.#fileNow()
    const floor: Seqs = [...end.floor]
    for (const piece of end.pieces) {
      floor.push(...this.#setAsideDamaged(piece))
      this.#addPiece(piece)
    }
    this.#raiseFloor(floor)
    if (end.isComplete) this.#sql.complete.run()
    if (end.life !== undefined) this.#sql.life.run(end.life)
    const loose = this.#countLoose(end.recount)
    this.#end()
    return { floor, loose }
  }

  /** Puts a merged piece in the place of those it was made from, if there is one; forgets rows. */
  install(
    subject: SubjectId,
    merged: { piece?: PieceRow; old: number[]; upTo: Seqs; isPurge: boolean },
  ): { floor: Seqs; loose: Counts } {
    this.#begin()
    this.#fileNow()
    const key = this.#subject(subject, false)
    if (merged.piece) {
      for (const old of merged.old) this.#removePiece(key, old)
      this.#addPiece(merged.piece)
    }
    // What was damaged of it goes, too.
    if (merged.isPurge) this.#sql.forgetDamaged.run(subject)
    const floor: Seqs = []
    for (const [origin, seq] of merged.upTo) {
      const log = this.#origin(origin)
      const covered = this.#sql.coveredRows.get(key, log, seq, key, log) as unknown as Covered
      if (covered.count === 0) continue
      floor.push([origin, covered.last])
      this.#sql.addRemoval.run(key, log, covered.last)
      const waitMs = merged.isPurge || isDense(covered) ? 0 : removeAfterMs
      this.#removeAt = Math.min(this.#removeAt, this.#now() + waitMs)
    }
    this.#raiseFloor(floor)
    const loose = this.#countLoose([subject])
    this.#end()
    return { floor, loose }
  }

  /** Files all updates that are not, in a transaction of its own. */
  file(): void {
    if (this.#unfiled > 0) this.#fileAlone()
  }

  /** Deletes some rows that are only waiting for it; false: there are none, or they wait on. */
  removeSome(): boolean {
    const isDue = this.#removals.length === 0 && this.#now() >= this.#removeAt
    if (isDue) this.#removals = this.#nextRemovals()
    const remove = this.#removals.shift()
    if (!remove) return false
    this.#hasFreePages = true
    this.#begin()
    remove()
    this.#end()
    return true
  }

  /** Forgets some operations from before an instant; false: there are no more. */
  forgetSome(before: number): boolean {
    const { changes } = this.#sql.forget.run(before, removedPerSlice)
    return changes === removedPerSlice
  }

  /** Gives some free pages back to the file system; false: it keeps what there is. */
  shrinkSome(): boolean {
    if (!this.#hasFreePages) return false
    const free = Number(this.#sql.freePages.get()?.freelist_count)
    const pages = Number(this.#sql.pages.get()?.page_count)
    if (free <= Math.max(freePagesKept, pages / 4)) {
      this.#hasFreePages = false
      return false
    }
    this.#db.exec(`PRAGMA incremental_vacuum(${vacuumedPerSlice})`)
    return true
  }

  close(): void {
    this.#db.close()
  }

  /** What deletes rows of some subjects: updates in the order of the logs, then where they are filed. */
  #nextRemovals(): (() => void)[] {
    const places: { origin: number; seq: number }[] = []
    const ends: (() => void)[] = []
    let isAll = true
    for (const removal of this.#sql.removals.iterate() as Iterable<unknown>) {
      if (places.length >= removedTogetherMax) {
        isAll = false
        break
      }
      const { subject, origin, seq, reach } = removal as Removal
      const rows = this.#sql.filedUpTo.all(subject, origin, reach, removedTogetherMax)
      const seqs = rows.map((row) => row.seq as number)
      for (const each of seqs) places.push({ origin, seq: each })
      const isWhole = seqs.length < removedTogetherMax
      isAll &&= isWhole
      ends.push(() => {
        this.#sql.removeFiled.run(subject, origin, seqs.at(-1) ?? 0)
        // Unless more was added to it by now.
        if (isWhole) this.#sql.endRemoval.run(subject, origin, seq)
      })
    }
    if (isAll) this.#removeAt = Infinity
    places.sort((one, other) => one.origin - other.origin || one.seq - other.seq)
    const slices = Array.from(
      { length: Math.ceil(places.length / removedPerSlice) },
      (_, index) => {
        const slice = places.slice(index * removedPerSlice, (index + 1) * removedPerSlice)
        return () => {
          for (const { origin, seq } of slice) this.#sql.removeUpdate.run(origin, seq)
        }
      },
    )
    return [...slices, ...ends]
  }

  #begin(): void {
    if (this.#isInBatch) return
    this.#sql.begin.run()
    this.#isInBatch = true
  }

  #end(): void {
    this.#sql.commit.run()
    this.#isInBatch = false
  }

  #origin(id: Origin): number {
    let origin = this.#origins.get(id)
    if (origin === undefined) {
      origin = Number(this.#sql.addOrigin.run(id).lastInsertRowid)
      this.#origins.set(id, origin)
    }
    return origin
  }

  #subject(id: SubjectId, isEntry: boolean): number {
    let known = this.#subjects.get(id)
    if (!known) {
      if (this.#subjects.size >= knownSubjectsMax) this.#subjects.clear()
      const row = this.#sql.subject.get(id)
      known = row
        ? { subject: row.subject as number, isEntry: row.is_entry === 1 }
        : { subject: Number(this.#sql.addSubject.run(id).lastInsertRowid), isEntry: false }
      this.#subjects.set(id, known)
    }
    if (isEntry && !known.isEntry) {
      this.#sql.makeEntry.run(known.subject)
      known.isEntry = true
    }
    return known.subject
  }

  #addOperation(subject: number, { id, at, digest }: OperationRow): void {
    this.#sql.operation.run(id, subject, at, digest)
  }

  #addPiece({ subject: id, isEntry, covers, record, operations }: PieceRow): void {
    const subject = this.#subject(id, isEntry)
    for (const operation of operations) this.#addOperation(subject, operation)
    const { lastInsertRowid } = this.#sql.addPiece.run(subject, record.checksum, record.bytes)
    this.#addCovers(subject, lastInsertRowid, covers)
  }

  #addCovers(subject: number, piece: number | bigint, covers: Iterable<Seqs[number]>): void {
    for (const [origin, seq] of covers) {
      this.#sql.addCover.run(subject, this.#origin(origin), piece, seq)
    }
  }

  #removePiece(subject: number, piece: number): void {
    this.#sql.removePiece.run(piece)
    this.#sql.removeCovers.run(subject, piece)
  }

  #raiseFloor(floor: Seqs): void {
    for (const [origin, seq] of floor) this.#sql.raiseFloor.run(seq, this.#origin(origin))
  }

  #fileAlone(): void {
    this.#begin()
    this.#fileNow()
    this.#end()
  }

  #fileNow(): void {
    this.#sql.file.run()
    this.#sql.filed.run()
    this.#unfiled = 0
    this.#filedAt = this.#now()
  }

  #countLoose(subjects: SubjectId[]): Counts {
    return subjects.map((id) => {
      return [id, Number(this.#sql.countLoose.get(this.#subject(id, false))?.loose)]
    })
  }

  // What a whole subject from a peer stands for may be damaged here: it is not needed any more.
  // Returns the floors that rise because a log has lost an update.
  #setAsideDamaged({ subject: id, covers }: PieceRow): Seqs {
    const subject = this.#subject(id, false)
    const floor: Seqs = []
    const replaced = new Map(covers)
    const reachOf = (piece: number) => {
      return this.#sql.pieceCovers.all(subject, piece) as unknown as OriginSeq[]
    }
    const isReplaced = (piece: number) => {
      return reachOf(piece).every(({ origin, seq }) => seq <= (replaced.get(origin) ?? 0))
    }
    for (const { piece, ...row } of this.#sql.pieces.all(subject) as unknown as PieceFound[]) {
      const record = recordOf(row)
      const sound = ifSound(() => readSnapshot(record, id))
      if (sound) this.#noteAgain(subject, piece, sound, reachOf(piece))
      else if (isReplaced(piece)) {
        this.#setAside(id, null, null, record)
        this.#removePiece(subject, piece)
      }
    }
    for (const { piece } of this.#sql.lostPieces.all(subject, subject)) {
      if (isReplaced(piece as number)) this.#sql.removeCovers.run(subject, piece!)
    }
    for (const [origin, upTo] of covers) {
      const log = this.#origin(origin)
      const rows = this.#sql.coveredUpdates.all(subject, log, upTo) as unknown as UpdateFound[]
      for (const { seq, ...row } of rows) {
        const record = recordOf(row)
        if (isSound(() => readUpdate(record, { origin, seq, subject: id }))) continue
        this.#setAside(id, origin, seq, record)
        this.#sql.removeUpdate.run(log, seq)
        this.#sql.removePlace.run(subject, log, seq)
        floor.push([origin, seq])
      }
    }
    return floor
  }

  /** A piece says itself what it stands for, under its checksum. */
  #noteAgain(subject: number, piece: number, snapshot: Snapshot, noted: OriginSeq[]): void {
    if (isNoted(snapshot, noted)) return
    this.#sql.removeCovers.run(subject, piece)
    this.#addCovers(subject, piece, coversOf(snapshot))
  }

  #setAside(
    subject: SubjectId,
    origin: Origin | null,
    seq: number | null,
    { bytes, checksum }: StoredRecord,
  ): void {
    this.#sql.setAside.run(this.#now(), subject, origin, seq, checksum, bytes)
  }
}

/** Rows to be deleted: up to `reach`, which a piece covers, whatever `seq` says. */
interface Removal {
  subject: number
  origin: number
  seq: number
  reach: number
}

/** Rows of a subject in a log that a piece covers. */
interface Covered {
  count: number
  first: number
  last: number
}

function isDense({ count, first, last }: Covered): boolean {
  return count >= (last - first + 1) * denseFrom
}

interface OriginSeq {
  origin: Origin
  seq: number
}
interface PieceFound extends RecordRow {
  piece: number
}
interface UpdateFound extends RecordRow {
  seq: number
}
