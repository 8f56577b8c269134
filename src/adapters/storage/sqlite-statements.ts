// Every statement with which a store's file is changed.

import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Rows of one INSERT: the cost of calling SQLite is shared, and it stays a short statement. */
export const rowsPerInsert = 16

export type Writes = Record<keyof typeof writes, StatementSync>

export function prepareWrites(db: DatabaseSync): Writes {
  const prepared = Object.entries(writes).map(([name, sql]) => [name, db.prepare(sql)])
  return Object.fromEntries(prepared)
}

const insert = 'INSERT INTO updates (origin, seq, subject, checksum, record) VALUES '
const row = '(?, ?, ?, ?, ?)'

/**
 * By name. No statistics are ever made, so that plans never change. A "+" or CROSS JOIN keeps
 * SQLite from an index, or an order, that would look through far more than the subject in question.
 */
export const writes = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',

  insertOne: insert + row,
  insertMany: insert + Array.from({ length: rowsPerInsert }, () => row).join(', '),
  operation: `
    INSERT INTO operations (id, subject, at, digest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
  `,
  addOrigin: 'INSERT INTO origins (id) VALUES (?)',
  subject: 'SELECT subject, is_entry FROM subjects WHERE id = ?',
  addSubject: 'INSERT INTO subjects (id) VALUES (?)',
  makeEntry: 'UPDATE subjects SET is_entry = 1 WHERE subject = ?',
  raiseVector: 'UPDATE origins SET seq = max(seq, ?) WHERE origin = ?',
  raiseFloor: 'UPDATE origins SET floor = max(floor, ?) WHERE origin = ?',
  complete: "INSERT INTO meta (key, value) VALUES ('complete', 1) ON CONFLICT DO NOTHING",
  life: "INSERT OR REPLACE INTO meta (key, value) VALUES ('life', ?)",

  // In the order of the target, so that its pages are written once each.
  file: `
    INSERT INTO filed (subject, origin, seq)
    SELECT updates.subject, updates.origin, updates.seq
    FROM origins CROSS JOIN updates
      ON updates.origin = origins.origin AND updates.seq > origins.filed
    WHERE origins.filed < origins.seq
    ORDER BY 1, 2, 3
  `,
  filed: 'UPDATE origins SET filed = seq WHERE filed < seq',

  addPiece: 'INSERT INTO pieces (subject, checksum, record) VALUES (?, ?, ?)',
  addCover: 'INSERT INTO covers (subject, origin, piece, seq) VALUES (?, ?, ?, ?)',
  removePiece: 'DELETE FROM pieces WHERE piece = ?',
  removeCovers: 'DELETE FROM covers WHERE subject = ? AND piece = ?',
  countLoose: `
    SELECT count(*) AS loose FROM places WHERE subject = ? AND NOT EXISTS (
      SELECT 1 FROM covers
      WHERE covers.subject = places.subject
        AND covers.origin = places.origin AND +covers.seq >= places.seq
    )
  `,

  // Only what a piece covers may go: the rest is nowhere else.
  coveredRows: `
    SELECT count(*) AS count, min(seq) AS first, max(seq) AS last FROM filed
    WHERE subject = ? AND origin = ? AND seq <= min(?, (
      SELECT max(+seq) FROM covers WHERE subject = ? AND origin = ?
    ))
  `,
  addRemoval: `
    INSERT INTO removals (subject, origin, seq) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)
  `,
  removals: `
    SELECT subject, origin, seq, min(seq, coalesce((
      SELECT max(+covers.seq) FROM covers
      WHERE covers.subject = removals.subject AND covers.origin = removals.origin
    ), 0)) AS reach
    FROM removals
  `,
  filedUpTo: `
    SELECT seq FROM filed WHERE subject = ? AND origin = ? AND seq <= ? ORDER BY seq LIMIT ?
  `,
  removeFiled: 'DELETE FROM filed WHERE subject = ? AND origin = ? AND seq <= ?',
  endRemoval: 'DELETE FROM removals WHERE subject = ? AND origin = ? AND seq = ?',
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
  lostPieces: `
    SELECT DISTINCT piece FROM covers
    WHERE subject = ? AND piece NOT IN (SELECT piece FROM pieces WHERE subject = ?)
  `,
  coveredUpdates: `
    SELECT updates.seq, updates.checksum, updates.record
    FROM filed CROSS JOIN updates USING (origin, seq)
    WHERE filed.subject = ? AND filed.origin = ? AND filed.seq <= ?
  `,
  removeUpdate: 'DELETE FROM updates WHERE origin = ? AND seq = ?',
  removePlace: 'DELETE FROM filed WHERE subject = ? AND origin = ? AND seq = ?',
  forgetDamaged: 'DELETE FROM quarantine WHERE subject = ?',
  setAside: `
    INSERT INTO quarantine (at, subject, origin, seq, checksum, record) VALUES (?, ?, ?, ?, ?, ?)
  `,
}
