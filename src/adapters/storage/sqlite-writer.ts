// Everything that changes a store's SQLite file. One instance per file, in the writer's thread.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Origin, SubjectId } from '../../core/model/ids.ts'
import { operationLifeMs } from '../../core/model/limits.ts'
import { isSound, readSnapshot, readUpdate, type StoredRecord } from './record.ts'
import {
  columnsPerUpdate,
  type BatchEnd,
  type Counts,
  type PieceRow,
  type Seqs,
  type UpdateRows,
} from './sqlite-messages.ts'
import { recordOf, type RecordRow } from './sqlite-subject.ts'

/** Rows of one INSERT: the cost of calling SQLite is shared, and it stays a short statement. */
const rowsPerInsert = 16

/** Updates not yet filed: a load looks through all of them, in about a millisecond. */
const unfiledMax = 4096

/** A commit this long after the last filing files what there is. */
export const fileAfterMs = 250

/** Rows deleted in one transaction: a keystroke waits no longer than for about 5 ms. */
const removedPerSlice = 500

/** Pages given back to the file system in one transaction. */
const vacuumedPerSlice = 256

/** Free pages that the file keeps for what comes. */
const freePagesKept = 1024

/** Subjects whose row numbers are remembered; then it starts anew. About 100 bytes each. */
const knownSubjectsMax = 20_000

interface KnownSubject {
  subject: number
  isEntry: boolean
}

export class StoreWriter {
  readonly #db: DatabaseSync
  readonly #now: () => number
  readonly #sql: Statements
  readonly #origins = new Map<Origin, number>()
  readonly #subjects = new Map<SubjectId, KnownSubject>()
  #isInBatch = false
  #unfiled = 0
  #filedAt = 0

  constructor(db: DatabaseSync, now: () => number) {
    this.#db = db
    this.#now = now
    this.#sql = prepareAll(db)
    for (const { origin, id } of db.prepare('SELECT origin, id FROM origins').all()) {
      this.#origins.set(id as Origin, origin as number)
    }
    // A crash may have left some.
    this.file()
  }

  /** Whether rows of a batch are inserted and its end has not come. */
  get isInBatch(): boolean {
    return this.#isInBatch
  }

  /** Whether some updates are not filed. */
  get hasUnfiled(): boolean {
    return this.#unfiled > 0
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
    for (const { id, subject, at } of rows.operations) {
      this.#sql.operation.run(id, this.#subject(subject, false), at)
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
    const loose = this.#countLoose(end.recount)
    this.#end()
    return { floor, loose }
  }

  /** Puts a merged piece in the place of those it was made from, if there is one; forgets rows. */
  install(
    subject: SubjectId,
    merged: { piece?: PieceRow; old: number[]; upTo: Seqs },
  ): { floor: Seqs; loose: Counts } {
    this.#begin()
    this.#fileNow()
    const key = this.#subject(subject, false)
    if (merged.piece) {
      for (const old of merged.old) this.#removePiece(key, old)
      this.#addPiece(merged.piece)
    }
    const floor: Seqs = []
    for (const [origin, seq] of merged.upTo) {
      const log = this.#origin(origin)
      const row = this.#sql.highestCovered.get(key, log, seq, key, log)
      const highest = row?.seq
      if (typeof highest !== 'number') continue
      floor.push([origin, highest])
      this.#sql.addRemoval.run(key, log, highest)
    }
    this.#raiseFloor(floor)
    const loose = this.#countLoose([subject])
    this.#end()
    return { floor, loose }
  }

  /** Files all updates that are not, in a transaction of its own. */
  file(): void {
    this.#begin()
    this.#fileNow()
    this.#end()
  }

  /** Deletes some rows that are only waiting for it; false: there are none. */
  removeSome(): boolean {
    const next = this.#sql.nextRemoval.get()
    if (!next) return false
    const { subject, origin, seq } = next as { subject: number; origin: number; seq: number }
    this.#begin()
    const { last, count } = this.#sql.removalSlice.get(subject, origin, seq, removedPerSlice) as {
      last: number | null
      count: number
    }
    if (last !== null) {
      this.#sql.removeUpdates.run(origin, subject, origin, last)
      this.#sql.removeFiled.run(subject, origin, last)
    }
    if (count < removedPerSlice) this.#sql.endRemoval.run(subject, origin)
    this.#end()
    return true
  }

  /** Forgets some operations that are too old; false: there are none. */
  forgetSome(): boolean {
    const { changes } = this.#sql.forget.run(this.#now() - operationLifeMs, removedPerSlice)
    return changes === removedPerSlice
  }

  /** Gives some free pages back to the file system; false: it keeps what there is. */
  shrinkSome(): boolean {
    const free = Number(this.#sql.freePages.get()?.freelist_count)
    const pages = Number(this.#sql.pages.get()?.page_count)
    if (free <= Math.max(freePagesKept, pages / 4)) return false
    this.#db.exec(`PRAGMA incremental_vacuum(${vacuumedPerSlice})`)
    return true
  }

  close(): void {
    this.#db.close()
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

  #addPiece({ subject: id, isEntry, covers, record }: PieceRow): void {
    const subject = this.#subject(id, isEntry)
    const { lastInsertRowid } = this.#sql.addPiece.run(subject, record.checksum, record.bytes)
    for (const [origin, seq] of covers) {
      this.#sql.addCover.run(subject, this.#origin(origin), lastInsertRowid, seq)
    }
  }

  #removePiece(subject: number, piece: number): void {
    this.#sql.removePiece.run(piece)
    this.#sql.removeCovers.run(subject, piece)
  }

  #raiseFloor(floor: Seqs): void {
    for (const [origin, seq] of floor) this.#sql.raiseFloor.run(seq, this.#origin(origin))
  }

  #fileNow(): void {
    this.#sql.file.run()
    this.#sql.filed.run()
    this.#unfiled = 0
    this.#filedAt = this.#now()
  }

  #countLoose(subjects: SubjectId[]): Counts {
    return subjects.map((id) => [id, Number(this.#sql.countLoose.get(id)?.loose)])
  }

  // What a whole subject from a peer stands for may be damaged here: it is not needed any more.
  // Returns the floors that rise because a log has lost an update.
  #setAsideDamaged({ subject: id, covers }: PieceRow): Seqs {
    const subject = this.#subject(id, false)
    const floor: Seqs = []
    for (const { piece, ...row } of this.#sql.pieces.all(subject) as unknown as PieceFound[]) {
      const record = recordOf(row)
      if (isSound(() => readSnapshot(record, id))) continue
      const reach = this.#sql.pieceCovers.all(subject, piece) as unknown as OriginSeq[]
      const replaced = new Map(covers)
      if (!reach.every(({ origin, seq }) => seq <= (replaced.get(origin) ?? 0))) continue
      this.#setAside(id, null, null, record)
      this.#removePiece(subject, piece)
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

  #setAside(
    subject: SubjectId,
    origin: Origin | null,
    seq: number | null,
    { bytes, checksum }: StoredRecord,
  ): void {
    this.#sql.setAside.run(this.#now(), subject, origin, seq, checksum, bytes)
  }
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

type Statements = Record<keyof typeof statements, StatementSync>

function prepareAll(db: DatabaseSync): Statements {
  const prepared = Object.entries(statements).map(([name, sql]) => [name, db.prepare(sql)])
  return Object.fromEntries(prepared)
}

const insert = 'INSERT INTO updates (origin, seq, subject, checksum, record) VALUES '
const row = '(?, ?, ?, ?, ?)'

const statements = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',

  insertOne: insert + row,
  insertMany: insert + Array.from({ length: rowsPerInsert }, () => row).join(', '),
  operation: 'INSERT INTO operations (id, subject, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  addOrigin: 'INSERT INTO origins (id) VALUES (?)',
  subject: 'SELECT subject, is_entry FROM subjects WHERE id = ?',
  addSubject: 'INSERT INTO subjects (id) VALUES (?)',
  makeEntry: 'UPDATE subjects SET is_entry = 1 WHERE subject = ?',
  raiseVector: 'UPDATE origins SET seq = max(seq, ?) WHERE origin = ?',
  raiseFloor: 'UPDATE origins SET floor = max(floor, ?) WHERE origin = ?',
  complete: "INSERT INTO meta (key, value) VALUES ('complete', 1) ON CONFLICT DO NOTHING",

  // In the order of the target, so that its pages are written once each.
  file: `
    INSERT INTO filed (subject, origin, seq)
    SELECT updates.subject, updates.origin, updates.seq
    FROM origins JOIN updates ON updates.origin = origins.origin AND updates.seq > origins.filed
    WHERE origins.filed < origins.seq
    ORDER BY 1, 2, 3
  `,
  filed: 'UPDATE origins SET filed = seq WHERE filed < seq',

  addPiece: 'INSERT INTO pieces (subject, checksum, record) VALUES (?, ?, ?)',
  addCover: 'INSERT INTO covers (subject, origin, piece, seq) VALUES (?, ?, ?, ?)',
  removePiece: 'DELETE FROM pieces WHERE piece = ?',
  removeCovers: 'DELETE FROM covers WHERE subject = ? AND piece = ?',
  countLoose: `
    SELECT count(*) AS loose
    FROM subjects JOIN places ON places.subject = subjects.subject
    WHERE subjects.id = ? AND NOT EXISTS (
      SELECT 1 FROM covers
      WHERE covers.subject = places.subject
        AND covers.origin = places.origin AND covers.seq >= places.seq
    )
  `,

  // Only what a piece covers may go: the rest is nowhere else.
  highestCovered: `
    SELECT max(seq) AS seq FROM filed
    WHERE subject = ? AND origin = ? AND seq <= min(?, (
      SELECT max(seq) FROM covers WHERE subject = ? AND origin = ?
    ))
  `,
  addRemoval: `
    INSERT INTO removals (subject, origin, seq) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)
  `,
  nextRemoval: 'SELECT subject, origin, seq FROM removals LIMIT 1',
  removalSlice: `
    SELECT max(seq) AS last, count(*) AS count FROM (
      SELECT seq FROM filed WHERE subject = ? AND origin = ? AND seq <= ? ORDER BY seq LIMIT ?
    )
  `,
  removeUpdates: `
    DELETE FROM updates WHERE origin = ? AND seq IN (
      SELECT seq FROM filed WHERE subject = ? AND origin = ? AND seq <= ?
    )
  `,
  removeFiled: 'DELETE FROM filed WHERE subject = ? AND origin = ? AND seq <= ?',
  endRemoval: 'DELETE FROM removals WHERE subject = ? AND origin = ?',
  forget: `
    DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE at < ? LIMIT ?)
  `,
  freePages: 'PRAGMA freelist_count',
  pages: 'PRAGMA page_count',

  pieces: 'SELECT piece, checksum, record FROM pieces WHERE subject = ?',
  pieceCovers: `
    SELECT origins.id AS origin, covers.seq
    FROM covers JOIN origins USING (origin) WHERE covers.subject = ? AND covers.piece = ?
  `,
  coveredUpdates: `
    SELECT updates.seq, updates.checksum, updates.record
    FROM filed JOIN updates USING (origin, seq)
    WHERE filed.subject = ? AND filed.origin = ? AND filed.seq <= ?
  `,
  removeUpdate: 'DELETE FROM updates WHERE origin = ? AND seq = ?',
  removePlace: 'DELETE FROM filed WHERE subject = ? AND origin = ? AND seq = ?',
  setAside: `
    INSERT INTO quarantine (at, subject, origin, seq, checksum, record) VALUES (?, ?, ?, ?, ?, ?)
  `,
}
