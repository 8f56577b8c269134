// What an earlier life took in and did not commit: from its journals into the SQLite file.

import type { DatabaseSync } from 'node:sqlite'
import type { Origin } from '../../core/model/ids.ts'
import { covers, raise, type VersionVector } from '../../core/model/version-vector.ts'
import { readJournals } from './journal.ts'
import type { JournalRecord } from './journal-record.ts'
import { openWriting } from './sqlite-directory.ts'
import { columnsPerUpdate, endOfUpdates, type UpdateRows } from './sqlite-messages.ts'
import { queries } from './sqlite-queries.ts'
import { StoreWriter } from './sqlite-writer.ts'

/**
 * Files what the journals of a directory hold beyond its store, in one commit. Returns a sentence for
 * the operator when a record is damaged that was stored once. Damage in the last flush of a life looks
 * like what a kill leaves, and is no news.
 */
export function fileJournals(directory: string): string | undefined {
  const { records, stored } = readJournals(directory)
  const read = records.length > 0 ? filed(directory, records) : { number: 0, count: 0 }
  if (stored <= read.number) return undefined
  return (
    `the journals in ${directory} are damaged: the first ${read.count} of their records are kept; ` +
    'what followed, and is not in the store, is asked of the other servers; check the disk'
  )
}

/** The last record before which none is missing, and how many these are. */
function filed(directory: string, records: JournalRecord[]): { number: number; count: number } {
  const last = { number: 0, count: 0 }
  const db = openWriting(directory)
  try {
    const heads = headsOf(db)
    const newestAt = newestAtOf(db)
    const writer = new StoreWriter(db, Date.now)
    let isFiling = false
    let isWaiting = false
    for (const { number, rows, after, before } of records) {
      // What was committed before it was damaged leaves a gap that is none.
      if (isFiling && number !== last.number + 1) break
      if (!isWaiting && !covers(heads, new Map(before))) break
      // All from here on was told to nobody: it waited for what is not here.
      isWaiting ||= !covers(heads, new Map(after))
      if (!isWaiting) {
        const next = beyond(rows, heads)
        if (!next) break
        // How old they are is not known to the millisecond; an earlier format counted it otherwise.
        const operations = next.rows.operations.map((each) => ({ ...each, at: newestAt }))
        writer.insert({ ...next.rows, operations })
        raise(heads, next.heads)
        isFiling ||= next.rows.columns.length > 0
      }
      last.number = number
      last.count++
    }
    writer.commit({ ...endOfUpdates, vector: [...heads] })
  } finally {
    db.close()
  }
  return last
}

function headsOf(db: DatabaseSync): VersionVector {
  const rows = db.prepare('SELECT id, seq FROM origins').all()
  return new Map(rows.map(({ id, seq }) => [id as Origin, seq as number]))
}

/** When the newest of the operations was stored. */
function newestAtOf(db: DatabaseSync): number {
  return Number(db.prepare(queries.newest).get()?.['at'])
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
