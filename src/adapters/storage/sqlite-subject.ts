// Reads all that a store holds of one subject, in one glance, however much is written meanwhile.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Origin, SubjectId } from '../../core/model/ids.ts'
import type { StoredSubject } from '../../core/ports.ts'
import { comparePlaces, readSnapshot, readUpdate, type Place, type StoredRecord } from './record.ts'

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

/** What is stored, and the numbers of the rows that the snapshots came from. */
export interface SubjectRows extends StoredSubject {
  pieces: number[]
}

export class SubjectReader {
  readonly #db: DatabaseSync
  readonly #begin: StatementSync
  readonly #end: StatementSync
  readonly #pieces: StatementSync
  readonly #updates: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#begin = db.prepare('BEGIN')
    this.#end = db.prepare('COMMIT')
    this.#pieces = db.prepare(subjectQueries.pieces)
    this.#updates = db.prepare(subjectQueries.updates)
  }

  /** Of its loose updates only the meant ones. Throws CorruptError. */
  read(subject: SubjectId, isMeant: (place: Place) => boolean): SubjectRows {
    const { pieces, updates } = this.#rows(subject)
    return {
      pieces: pieces.map(({ piece }) => piece),
      snapshots: pieces.map((row) => readSnapshot(recordOf(row), subject)),
      updates: updates
        .map((row) => ({ row, place: { origin: row.origin, seq: row.seq, subject } }))
        .filter(({ place }) => isMeant(place))
        .sort((one, other) => comparePlaces(one.place, other.place))
        .map(({ row, place }) => readUpdate(recordOf(row), place)),
    }
  }

  // Between two queries a compaction may move updates into a piece: one transaction sees one state.
  #rows(subject: SubjectId): { pieces: PieceRow[]; updates: UpdateRow[] } {
    this.#begin.run()
    try {
      return {
        pieces: this.#pieces.all(subject) as unknown as PieceRow[],
        updates: this.#updates.all(subject) as unknown as UpdateRow[],
      }
    } finally {
      // A failed read has ended it.
      if (this.#db.isTransaction) this.#end.run()
    }
  }
}

export function recordOf({ checksum, record }: RecordRow): StoredRecord {
  return { checksum, bytes: record }
}

export const subjectQueries = {
  pieces: `
    SELECT piece, checksum, record
    FROM pieces JOIN subjects USING (subject)
    WHERE id = ?
    ORDER BY piece
  `,
  updates: `
    SELECT origins.id AS origin, updates.seq, updates.checksum, updates.record
    FROM subjects
      JOIN places ON places.subject = subjects.subject
      JOIN updates ON updates.origin = places.origin AND updates.seq = places.seq
      JOIN origins ON origins.origin = places.origin
    WHERE subjects.id = ? AND NOT EXISTS (
      SELECT 1 FROM covers
      WHERE covers.subject = places.subject
        AND covers.origin = places.origin AND +covers.seq >= places.seq
    )
  `,
}
