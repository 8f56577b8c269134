// Reads all that a store holds of one subject, in one glance, however much is written meanwhile.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Origin, SubjectId } from '../../core/model/ids.ts'
import { CorruptError, type SoundSubject, type StoredSubject } from '../../core/ports.ts'
import { raise } from '../../core/model/version-vector.ts'
import type { Snapshot } from '../../core/model/wire.ts'
import { coversOf } from './batch.ts'
import {
  comparePlaces,
  ifSound,
  readSnapshot,
  readUpdate,
  type Place,
  type StoredRecord,
} from './record.ts'

/** Columns of a query that ends in `checksum, record`. */
export interface RecordRow {
  checksum: number
  record: Uint8Array
}

interface UpdateRow extends RecordRow {
  origin: Origin
  seq: number
}

interface PieceRow extends RecordRow {
  piece: number
}

/** How far a piece is noted to stand for a log. */
export interface CoverRow {
  piece: number
  origin: Origin
  seq: number
}

interface Rows {
  pieces: PieceRow[]
  covers: CoverRow[]
  updates: UpdateRow[]
}

const noRows = (): Rows => ({ pieces: [], covers: [], updates: [] })

/** The number of its row. */
interface InSubject {
  subject: number
}

interface NamedRow extends InSubject {
  id: SubjectId
  is_entry: number
}

interface SubjectFound {
  id: SubjectId
  /** As is noted. */
  isEntry: boolean
}

/** Of the loose updates only the meant ones. Throws CorruptError. */
export type ReadRows = (isMeant: (place: Place) => boolean) => SubjectRows

/** Subjects looked up at once, and what they may hold in all: of long texts it is one at a time. */
const subjectsAtOnce = 200
const bytesAtOnce = 16 * 1024 * 1024

/** What is stored, and the numbers of the rows that the snapshots came from. */
export interface SubjectRows extends StoredSubject {
  pieces: number[]
}

export class SubjectReader {
  readonly #db: DatabaseSync
  readonly #begin: StatementSync
  readonly #end: StatementSync
  readonly #pieces: StatementSync
  readonly #covers: StatementSync
  readonly #updates: StatementSync
  readonly #allUpdates: StatementSync
  readonly #some: Record<'subjects' | 'pieces' | 'covers' | 'filed' | 'unfiled', StatementSync>

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#begin = db.prepare('BEGIN')
    this.#end = db.prepare('COMMIT')
    this.#pieces = db.prepare(subjectQueries.pieces)
    this.#covers = db.prepare(subjectQueries.covers)
    this.#updates = db.prepare(subjectQueries.updates)
    this.#allUpdates = db.prepare(subjectQueries.allUpdates)
    this.#some = {
      subjects: db.prepare(subjectQueries.someSubjects),
      pieces: db.prepare(subjectQueries.somePieces),
      covers: db.prepare(subjectQueries.someCovers),
      filed: db.prepare(subjectQueries.someFiled),
      unfiled: db.prepare(subjectQueries.someUnfiled),
    }
  }

  /** Of its loose updates only the meant ones. Throws CorruptError. */
  read(subject: SubjectId, isMeant: (place: Place) => boolean): SubjectRows {
    const rows = this.#atOnce((): Rows => ({
      pieces: this.#pieces.all(subject) as unknown as PieceRow[],
      covers: this.#covers.all(subject) as unknown as CoverRow[],
      updates: this.#updates.all(subject) as unknown as UpdateRow[],
    }))
    return decoded(subject, rows, isMeant)
  }

  /** What can be read of it, and how far the rest stood for. */
  readSound(subject: SubjectId, isMeant: (place: Place) => boolean): SoundSubject {
    return this.#atOnce(() => {
      const found: SoundSubject = { snapshots: [], updates: [], lost: new Map() }
      // Of what is left here a piece is lost.
      const noted = Map.groupBy(
        this.#covers.all(subject) as unknown as CoverRow[],
        ({ piece }) => piece,
      )
      for (const row of this.#pieces.all(subject) as unknown as PieceRow[]) {
        const snapshot = ifSound(() => readSnapshot(recordOf(row), subject))
        if (!snapshot) continue
        found.snapshots.push(snapshot)
        noted.delete(row.piece)
      }
      for (const rows of noted.values()) {
        raise(
          found.lost,
          rows.map(({ origin, seq }): [Origin, number] => [origin, seq]),
        )
      }
      for (const row of this.#allUpdates.all(subject) as unknown as UpdateRow[]) {
        const place = { origin: row.origin, seq: row.seq, subject }
        if (!isMeant(place)) continue
        const update = ifSound(() => readUpdate(recordOf(row), place))
        if (update) found.updates.push(update)
        else raise(found.lost, [[row.origin, row.seq]])
      }
      return found
    })
  }

  /**
   * All of some subjects, in the order in which they were made, after the one in this row: so what
   * is read lies together on the disk. Returns the last row; 0: there are no more.
   */
  readSome(after: number, found: (subject: SubjectFound, read: ReadRows) => void): number {
    const subjects = new Map<number, SubjectFound & { rows: Rows }>()
    this.#atOnce(() => {
      for (const row of this.#some.subjects.all(after, subjectsAtOnce) as unknown as NamedRow[]) {
        subjects.set(row.subject, { id: row.id, isEntry: row.is_entry === 1, rows: noRows() })
      }
      this.#gather(this.#some.pieces, subjects, (row: PieceRow, { pieces }) => pieces.push(row))
      this.#gather(this.#some.filed, subjects, (row: UpdateRow, { updates }) => updates.push(row))
      const bounds = ends(subjects)
      for (const row of this.#some.covers.all(...bounds) as unknown as (CoverRow & InSubject)[]) {
        subjects.get(row.subject)?.rows.covers.push(row)
      }
      for (const row of this.#some.unfiled.all(...bounds) as unknown as (UpdateRow & InSubject)[]) {
        subjects.get(row.subject)?.rows.updates.push(row)
      }
    })
    for (const { rows, ...subject } of subjects.values()) {
      found(subject, (isMeant) => decoded(subject.id, rows, isMeant))
    }
    return [...subjects.keys()].at(-1) ?? 0
  }

  /** Gives subjects their rows, which come in the order of these; subjects past the bound are left out. */
  #gather<Row extends RecordRow>(
    query: StatementSync,
    subjects: Map<number, { rows: Rows }>,
    put: (row: Row, rows: Rows) => void,
  ): void {
    const [first, last] = ends(subjects)
    let bytes = 0
    for (const each of query.iterate(first, last)) {
      const row = each as unknown as Row & InSubject
      bytes += row.record.length
      if (bytes > bytesAtOnce && row.subject > first) {
        for (const subject of [...subjects.keys()]) {
          if (subject >= row.subject) subjects.delete(subject)
        }
        return
      }
      const subject = subjects.get(row.subject)
      if (subject) put(row, subject.rows)
    }
  }

  // Between two queries a compaction may move updates into a piece: one transaction sees one state.
  #atOnce<Result>(read: () => Result): Result {
    this.#begin.run()
    try {
      return read()
    } finally {
      // A failed read has ended it.
      if (this.#db.isTransaction) this.#end.run()
    }
  }
}

/** The first and the last number; of none a range in which nothing is. */
function ends(subjects: ReadonlyMap<number, unknown>): [number, number] {
  const numbers = [...subjects.keys()]
  return [numbers[0] ?? 1, numbers.at(-1) ?? 0]
}

/** Throws CorruptError. */
function decoded(
  subject: SubjectId,
  { pieces, covers, updates }: Rows,
  isMeant: (place: Place) => boolean,
): SubjectRows {
  const snapshots = pieces.map((row) => readSnapshot(recordOf(row), subject))
  const noted = Map.groupBy(covers, ({ piece }) => piece)
  const areNoted = pieces.every(({ piece }, index) => {
    const isRight = isNoted(snapshots[index]!, noted.get(piece) ?? [])
    noted.delete(piece)
    return isRight
  })
  // Else updates would be taken to be in a piece that they are not in, or that is not there.
  if (!areNoted || noted.size > 0) {
    throw new CorruptError(subject, `the pieces of ${subject} are not those that are noted`)
  }
  return {
    pieces: pieces.map(({ piece }) => piece),
    snapshots,
    updates: updates
      .map((row) => ({ row, place: { origin: row.origin, seq: row.seq, subject } }))
      .filter(({ place }) => isMeant(place))
      .sort((one, other) => comparePlaces(one.place, other.place))
      .map(({ row, place }) => readUpdate(recordOf(row), place)),
  }
}

/** Whether a piece stands for these, no more and no less. */
export function isNoted(piece: Snapshot, rows: readonly Omit<CoverRow, 'piece'>[]): boolean {
  const covered = coversOf(piece)
  return (
    rows.length === covered.size && rows.every(({ origin, seq }) => covered.get(origin) === seq)
  )
}

export function recordOf({ checksum, record }: RecordRow): StoredRecord {
  return { checksum, bytes: record }
}

const allUpdates = `
  SELECT origins.id AS origin, updates.seq, updates.checksum, updates.record
  FROM subjects
    JOIN places ON places.subject = subjects.subject
    JOIN updates ON updates.origin = places.origin AND updates.seq = places.seq
    JOIN origins ON origins.origin = places.origin
  WHERE subjects.id = ?`

export const subjectQueries = {
  pieces: `
    SELECT piece, checksum, record
    FROM pieces JOIN subjects USING (subject)
    WHERE id = ?
    ORDER BY piece
  `,
  covers: `
    SELECT covers.piece, origins.id AS origin, covers.seq
    FROM subjects JOIN covers USING (subject) JOIN origins USING (origin)
    WHERE subjects.id = ?
  `,
  updates: `
    ${allUpdates} AND NOT EXISTS (
      SELECT 1 FROM covers
      WHERE covers.subject = places.subject
        AND covers.origin = places.origin AND +covers.seq >= places.seq
    )
  `,
  // Those that a piece stands for, too.
  allUpdates,
  // Of the subjects in some rows: what is filed, and what is not yet.
  someSubjects: `
    SELECT subject, id, is_entry FROM subjects WHERE subject > ? ORDER BY subject LIMIT ?
  `,
  somePieces: `
    SELECT subject, piece, checksum, record FROM pieces
    WHERE subject >= ? AND subject <= ? ORDER BY subject, piece
  `,
  someCovers: `
    SELECT covers.subject, covers.piece, origins.id AS origin, covers.seq
    FROM covers CROSS JOIN origins USING (origin)
    WHERE covers.subject >= ? AND covers.subject <= ?
  `,
  someFiled: `
    SELECT filed.subject, origins.id AS origin, updates.seq, updates.checksum, updates.record
    FROM filed
      CROSS JOIN updates ON updates.origin = filed.origin AND updates.seq = filed.seq
      CROSS JOIN origins ON origins.origin = filed.origin
    WHERE filed.subject >= ? AND filed.subject <= ? AND NOT EXISTS (
      SELECT 1 FROM covers
      WHERE covers.subject = filed.subject
        AND covers.origin = filed.origin AND +covers.seq >= filed.seq
    )
    ORDER BY filed.subject
  `,
  someUnfiled: `
    SELECT updates.subject, origins.id AS origin, updates.seq, updates.checksum, updates.record
    FROM origins CROSS JOIN updates
      ON updates.origin = origins.origin AND updates.seq > origins.filed
    WHERE origins.filed < origins.seq
      AND updates.subject >= ? AND updates.subject <= ? AND NOT EXISTS (
        SELECT 1 FROM covers
        WHERE covers.subject = updates.subject
          AND covers.origin = updates.origin AND +covers.seq >= updates.seq
      )
  `,
}
