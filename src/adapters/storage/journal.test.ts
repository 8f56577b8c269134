// A journal keeps all that is not committed elsewhere, in two files in turns.

import assert from 'node:assert/strict'
import disk, * as fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { Journal, readJournals } from './journal.ts'
import { packUpdates } from './sqlite-messages.ts'
import { a, Author, note } from './testing/author.ts'
import { newDirectory } from './testing/store-folder.ts'

test('a file is written over only when what it held is committed elsewhere', async () => {
  const directory = newDirectory()
  fs.mkdirSync(directory)
  const author = new Author(a)
  const journal = new Journal(directory)
  const append = () => journal.append(packUpdates(author.type(note), 1), [])
  await Promise.all([append(), append()])
  const before = readJournals(directory).records[0]!.number - 1
  const numbers = () => readJournals(directory).records.map(({ number }) => number - before)
  assert.ok(journal.turn())
  await append()
  assert.deepEqual(numbers(), [1, 2, 3])
  // The first is not retired.
  assert.ok(!journal.turn())
  await append()
  assert.deepEqual(numbers(), [1, 2, 3, 4])
  journal.retire()
  assert.ok(journal.turn())
  await append()
  assert.deepEqual(numbers(), [3, 4, 5])
  const last = append()
  await journal.close()
  await last
  assert.deepEqual(numbers(), [3, 4, 5, 6])
  await assert.rejects(append(), /closed/)
})

test('a disk that does not let it be emptied keeps no journal from closing', async (t) => {
  const directory = newDirectory()
  fs.mkdirSync(directory)
  const journal = new Journal(directory)
  await journal.append(packUpdates(new Author(a).type(note), 1), [])
  t.mock.method(disk, 'ftruncateSync', () => {
    throw new Error('EIO: i/o error, ftruncate')
  })
  syncBuiltinESMExports()
  try {
    await journal.close(true)
  } finally {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  // It is read once more, and nothing else.
  assert.equal(readJournals(directory).records.length, 1)
})

test('no text can be written that is read as the next record: nobody foresees its number', async () => {
  const first = async () => {
    const directory = newDirectory()
    fs.mkdirSync(directory)
    const journal = new Journal(directory)
    await journal.append(packUpdates(new Author(a).type(note), 1), [])
    await journal.close()
    return readJournals(directory)
  }
  const [one, other] = [await first(), await first()]
  assert.notEqual(one.records[0]!.number, other.records[0]!.number)
  // Nothing was stored before the first.
  assert.deepEqual([one.stored, other.stored], [0, 0])
})
