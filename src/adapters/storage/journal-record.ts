// The records of a journal: each holds the rows of one batch, and is whole or worth nothing.
//
//   length · checksum · number · bytes of columns · bytes of records │ columns │ records │ names
//     u32       u32       f64           u32                u32           as in UpdateRows     JSON, with what else is told
//
// Little-endian. The length counts what follows it, the checksum (CRC-32) is over what follows that.

import { checksum } from '../../core/model/checksum.ts'
import type { Seqs, UpdateRows } from './sqlite-messages.ts'

const lengthBytes = 4
const checkedFrom = 8
const headBytes = 24

/** Checksums of what only looks like a record are worked out over so many times a file at most. */
const looksMax = 8

/** Rows, and the place of their batch among all of this life. */
export interface JournalRecord {
  number: number
  rows: UpdateRows
  /** What was taken in before and is in no journal: without it this is worth nothing. */
  after: Seqs
  /** How far what is in the other file reached when this one was begun; said by the first in it. */
  before: Seqs
  /** All up to this number was stored when this was written; 0: nothing of this life. */
  stored: number
}

/** Bytes behind the last record of the rows are left out. */
export function encodeRecord({ number, rows, ...told }: JournalRecord): Uint8Array<ArrayBuffer> {
  const { columns, records, ...names } = rows
  const columnBytes = Buffer.from(columns.buffer, columns.byteOffset, columns.byteLength)
  const used = records.subarray(0, columns.at(-1) ?? 0)
  const named = Buffer.from(JSON.stringify({ ...names, ...told }))
  const bytes = new Uint8Array(headBytes + columnBytes.length + used.length + named.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length - lengthBytes, true)
  view.setFloat64(8, number, true)
  view.setUint32(16, columnBytes.length, true)
  view.setUint32(20, used.length, true)
  bytes.set(columnBytes, headBytes)
  bytes.set(used, headBytes + columnBytes.length)
  bytes.set(named, headBytes + columnBytes.length + used.length)
  view.setUint32(4, checksum(bytes.subarray(checkedFrom)), true)
  return bytes
}

/**
 * The records from the beginning of a file for as long as each is whole and has the number after the
 * one before: what comes then was never said to be stored, or is left of an earlier use of the file.
 */
export function* recordsIn(bytes: Uint8Array): Generator<JournalRecord> {
  let next: number | undefined
  for (let at = 0; ;) {
    const record = recordAt(bytes, at)
    if (!record || (next !== undefined && record.number !== next)) return
    const { end, ...whole } = record
    next = record.number + 1
    at = end
    yield whole
  }
}

/**
 * Up to which number all was stored once, as the whole records in a file tell, wherever they begin; 0:
 * none tells. Good for a word only: somebody's text may hold bytes like those of a record.
 */
export function storedIn(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let stored = 0
  let toCheckBytes = looksMax * bytes.length
  for (let at = 0; at + headBytes <= bytes.length && toCheckBytes > 0;) {
    const number = view.getFloat64(at + 8, true)
    const end = at + lengthBytes + view.getUint32(at, true)
    // Hardly any other bytes are a number: few checksums are worked out for nothing.
    const isLike = number >= 1 && Number.isSafeInteger(number) && end <= bytes.length
    if (isLike) toCheckBytes -= end - at
    const record = isLike ? madeAt(bytes, at) : undefined
    if (record) stored = Math.max(stored, record.stored)
    at = record?.end ?? at + 1
  }
  return stored
}

function madeAt(bytes: Uint8Array, at: number): (JournalRecord & { end: number }) | undefined {
  try {
    return recordAt(bytes, at)
  } catch {
    // Like a record down to its checksum, and none.
    return undefined
  }
}

function recordAt(bytes: Uint8Array, at: number): (JournalRecord & { end: number }) | undefined {
  if (bytes.length - at < headBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at)
  const end = lengthBytes + view.getUint32(0, true)
  if (end < headBytes || end > view.byteLength) return undefined
  // A copy, also of a Buffer: the numbers in it are read from its first byte on.
  const record = new Uint8Array(bytes.subarray(at, at + end))
  if (checksum(record.subarray(checkedFrom)) !== view.getUint32(4, true)) return undefined
  const columnsEnd = headBytes + view.getUint32(16, true)
  const recordsEnd = columnsEnd + view.getUint32(20, true)
  const named = JSON.parse(Buffer.from(record.subarray(recordsEnd)).toString()) as Named
  // Before this was kept, nothing told.
  const { after, before = [], stored = 0, ...names } = named
  const columns = new Uint32Array(record.buffer.slice(headBytes, columnsEnd))
  const records = record.slice(columnsEnd, recordsEnd)
  const number = view.getFloat64(8, true)
  const told = { after, before, stored }
  return { number, rows: { columns, records, ...names }, ...told, end: at + end }
}

type Named = Omit<UpdateRows, 'columns' | 'records'> &
  Pick<JournalRecord, 'after'> &
  Partial<Pick<JournalRecord, 'before' | 'stored'>>
