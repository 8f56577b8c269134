// Every statement with which a store's file is read, but for whole subjects.

import type { DatabaseSync, StatementSync } from 'node:sqlite'

export type QueryName = keyof typeof queries
export type Queries = Record<QueryName, StatementSync>

export function prepareQueries(db: DatabaseSync): Queries {
  const prepared = Object.entries(queries).map(([name, sql]) => [name, db.prepare(sql)])
  return Object.fromEntries(prepared)
}

/** By name. Those of the first group look through the store, once, when it is opened. */
export const queries = {
  complete: "SELECT value FROM meta WHERE key = 'complete'",
  life: "SELECT value FROM meta WHERE key = 'life'",
  vector: 'SELECT id, seq AS value FROM origins WHERE seq > 0',
  floor: 'SELECT id, floor AS value FROM origins WHERE floor > 0',
  covered: `
    SELECT id, value FROM (
      SELECT id, (SELECT max(seq) FROM covers WHERE covers.origin = origins.origin) AS value
      FROM origins
    ) WHERE value > 0
  `,
  loose: `
    SELECT subjects.id, counted.value FROM (
      SELECT subject, count(*) AS value FROM places
      WHERE NOT EXISTS (
        SELECT 1 FROM covers
        WHERE covers.subject = places.subject
          AND covers.origin = places.origin AND +covers.seq >= places.seq
      )
      GROUP BY subject
    ) AS counted JOIN subjects ON subjects.subject = counted.subject
  `,
  // The length of a record stands in its row: none is read for it.
  mergedBytes: `
    SELECT coalesce(sum(length(record)), 0) AS bytes FROM pieces
    WHERE subject = (SELECT subject FROM subjects WHERE id = ?)
  `,
  log: `
    SELECT updates.seq, updates.checksum, updates.record, subjects.id AS subject
    FROM updates JOIN subjects USING (subject)
    WHERE origin = (SELECT origin FROM origins WHERE id = ?) AND seq > ? AND seq <= ?
    ORDER BY seq
  `,
  logs: 'SELECT origin, id, seq FROM origins',
  countBeyond: `
    SELECT count(*) AS count FROM (
      SELECT 1 FROM updates WHERE origin = ? AND seq > ?
      UNION ALL
      SELECT 1 FROM covers WHERE origin = ? AND seq > ?
      LIMIT ?
    )
  `,
  beyond: `
    SELECT id FROM (
      SELECT subject FROM updates WHERE origin = ? AND seq > ?
      UNION
      SELECT subject FROM covers WHERE origin = ? AND seq > ?
    ) JOIN subjects USING (subject)
  `,
  unfiled: `
    SELECT subjects.id, updates.origin, updates.seq
    FROM origins CROSS JOIN updates
      ON updates.origin = origins.origin AND updates.seq > origins.filed
      JOIN subjects ON subjects.subject = updates.subject
    WHERE origins.filed < origins.seq
  `,
  subjects: 'SELECT id, subject FROM subjects WHERE id > ? ORDER BY id',
  reach: `
    SELECT origin, seq FROM covers WHERE subject = ?
    UNION ALL
    SELECT origin, max(seq) FROM filed WHERE subject = ? GROUP BY origin
  `,
  entries: 'SELECT id FROM subjects WHERE is_entry AND id > ? ORDER BY id LIMIT ?',
  newest: 'SELECT coalesce(max(at), 0) AS at FROM operations',
  operation: `
    SELECT subjects.id, digest FROM operations JOIN subjects USING (subject)
    WHERE operations.id = ? AND at >= ?
  `,
  operationsOf: `
    SELECT id, at, digest FROM operations
    WHERE subject = (SELECT subject FROM subjects WHERE subjects.id = ?) AND at >= ?
    ORDER BY at DESC LIMIT ?
  `,
}
