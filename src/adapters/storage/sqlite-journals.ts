// What an earlier life took in and did not commit: from its journals into the SQLite file.

import type { DatabaseSync } from 'node:sqlite'
import type { Origin } from '../../core/model/ids.ts'
import { covers, raise, type VersionVector } from '../../core/model/version-vector.ts'
import { readJournals } from './journal.ts'
import { openWriting } from './sqlite-directory.ts'
import { columnsPerUpdate, endOfUpdates, type UpdateRows } from './sqlite-messages.ts'
import { StoreWriter } from './sqlite-writer.ts'

/** Files what the journals of a directory hold beyond its store, in one commit. */
export function fileJournals(directory: string): void {
  const records = readJournals(directory)
  if (records.length === 0) return
  const db = openWriting(directory)
  try {
    const heads = headsOf(db)
    const writer = new StoreWriter(db, Date.now)
    for (const { rows, after } of records) {
      // What would follow a hole, and all after that, was told to nobody: it waited for what is not here.
      const next = covers(heads, new Map(after)) && beyond(rows, heads)
      if (!next) break
      writer.insert(next.rows)
      raise(heads, next.heads)
    }
    writer.commit({ ...endOfUpdates, vector: [...heads] })
  } finally {
    db.close()
  }
}

function headsOf(db: DatabaseSync): VersionVector {
  const rows = db.prepare('SELECT id, seq FROM origins').all()
  return new Map(rows.map(({ id, seq }) => [id as Origin, seq as number]))
}

/** The rows that the logs go on with, and the heads then. None when they would leave a hole. */
function beyond(
  rows: UpdateRows,
  before: VersionVector,
): { rows: UpdateRows; heads: VersionVector } | undefined {
  const heads: VersionVector = new Map(before)
  const columns: number[] = []
  const records: Uint8Array[] = []
  let length = 0
  let start = 0
  for (let column = 0; column < rows.columns.length; column += columnsPerUpdate) {
    const [place, seq, subject, checksum, end] = rows.columns.subarray(column) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ]
    const origin = rows.origins[place]!
    const head = heads.get(origin) ?? 0
    if (seq > head + 1) return undefined
    if (seq > head) {
      heads.set(origin, seq)
      length += end - start
      columns.push(place, seq, subject, checksum, length)
      records.push(rows.records.subarray(start, end))
    }
    start = end
  }
  const next = { columns: Uint32Array.from(columns), records: Buffer.concat(records) }
  return { rows: { ...rows, ...next }, heads }
}
