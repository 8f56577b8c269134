// The records of a journal: what is whole is read, and nothing after what is not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checksum } from '../../core/model/checksum.ts'
import { encodeRecord, recordsIn, storedIn, type JournalRecord } from './journal-record.ts'
import { packUpdates, type Seqs } from './sqlite-messages.ts'
import { a, Author, b, note, plan } from './testing/author.ts'

/** Records of one update and more, numbered from `first`. */
function made(first: number, count: number): JournalRecord[] {
  const author = new Author(a)
  return Array.from({ length: count }, (_, index) => {
    const updates = [author.name(note, `operation ${index}`, 'Ł'), ...author.type(plan, index)]
    const rows = packUpdates(updates, index)
    const used = rows.records.slice(0, rows.columns.at(-1))
    const after: Seqs = index === 1 ? [[b, 7]] : []
    return {
      number: first + index,
      rows: { ...rows, records: used },
      after,
      before: [],
      stored: first + index - 1,
    }
  })
}

const written = (records: JournalRecord[]) => Buffer.concat(records.map(encodeRecord))

test('what is written is read', () => {
  const records = made(2 ** 40, 4)
  assert.deepEqual([...recordsIn(written(records))], records)
  assert.deepEqual([...recordsIn(new Uint8Array())], [])
  assert.deepEqual([...recordsIn(new Uint8Array(4096))], [])
})

test('room behind the last record of the rows is left out', () => {
  const rows = packUpdates(new Author(a).type(note, 3), 1)
  const [record] = recordsIn(encodeRecord({ number: 1, rows, after: [], before: [], stored: 0 }))
  assert.ok(rows.records.length > rows.columns.at(-1)!)
  assert.equal(record!.rows.records.length, rows.columns.at(-1))
})

test('a file that is cut gives the records that are whole', () => {
  const records = made(1, 3)
  const ends = records.map((_, index) => written(records.slice(0, index + 1)).length)
  const bytes = written(records)
  for (let end = 0; end <= bytes.length; end++) {
    const whole = ends.filter((each) => each <= end).length
    assert.equal([...recordsIn(bytes.subarray(0, end))].length, whole, `cut at ${end}`)
  }
})

test('whichever bit has turned, what comes before it is read and nothing else', () => {
  const records = made(1, 3)
  const bytes = written(records)
  const ends = records.map((_, index) => written(records.slice(0, index + 1)).length)
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    const whole = ends.filter((end) => end <= bit >> 3).length
    assert.deepEqual([...recordsIn(bytes)], records.slice(0, whole), `bit ${bit}`)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
  }
})

test('whichever bit has turned, a record behind it tells what was stored before it', () => {
  const records = made(1, 3)
  const bytes = written(records)
  const lastFrom = written(records.slice(0, 2)).length
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    assert.equal(storedIn(bytes), bit >> 3 < lastFrom ? 2 : 1, `bit ${bit}`)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
  }
})

test('what looks like a record down to its checksum, and is none, tells nothing', () => {
  for (const named of ['null', '{"stored":']) {
    const bytes = Buffer.alloc(24 + named.length)
    bytes.writeUInt32LE(bytes.length - 4)
    bytes.writeDoubleLE(1, 8)
    bytes.write(named, 24)
    bytes.writeUInt32LE(checksum(bytes.subarray(8)), 4)
    assert.equal(storedIn(bytes), 0, named)
  }
})

test('a text made to look like thousands of records is not looked through for minutes', () => {
  const text = new DataView(new ArrayBuffer(64 * 1024))
  for (let at = 0; at < text.byteLength; at += 16) {
    text.setUint32(at, text.byteLength / 2, true)
    text.setFloat64(at + 8, 2, true)
  }
  const record = written(made(7, 1))
  assert.equal(storedIn(record), 6)
  // It gives up before it comes to the record.
  assert.equal(storedIn(Buffer.concat([new Uint8Array(text.buffer), record])), 0)
})

test('of a file that is written over from its beginning only the newer records are read', () => {
  const older = made(1, 4)
  const file = written(older)
  for (let count = 1; count <= 4; count++) {
    const newer = made(9, count)
    const bytes = written(newer)
    const over = Buffer.concat([bytes, file.subarray(bytes.length)])
    assert.deepEqual([...recordsIn(over)], newer)
  }
})
