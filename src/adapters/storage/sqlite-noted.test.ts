// What a store notes beside its records is compared with them, and mended by what a peer sends.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Origin } from '../../core/model/ids.ts'
import { CorruptError } from '../../core/ports.ts'
import { a, Author, b, batchOf, note, pieceOf, plan, seqs, textOf } from './testing/author.ts'
import { changed, newDirectory, withStore } from './testing/store-folder.ts'

/** A closed store: of a note all in one piece but its last letter, and of a plan two letters. */
async function madeStore() {
  const directory = newDirectory()
  const [ada, bob] = [new Author(a), new Author(b)]
  const updates = [...ada.type(note, 3), ...bob.type(note, 2)]
  const last = ada.type(note)
  await withStore(directory, async (storage) => {
    await storage.write(batchOf({ updates: [...updates, ...last, ...bob.type(plan, 2)] }))
    await storage.compact(
      note,
      new Map([
        [a, 3],
        [b, 2],
      ]),
    )
  })
  return { directory, updates, last }
}

const damages = {
  'a piece is gone': 'DELETE FROM pieces',
  'nothing is noted of a piece': 'DELETE FROM covers',
  'a log is not noted of it': 'DELETE FROM covers WHERE origin = 1',
  'it is noted to stand for less': 'UPDATE covers SET seq = 2 WHERE origin = 1',
  'it is noted to stand for more': 'UPDATE covers SET seq = 4 WHERE origin = 1',
  'it is noted to stand for far more': 'UPDATE covers SET seq = 1 << 40 WHERE origin = 1',
  'it is noted to stand for another log':
    "INSERT INTO origins (id) VALUES ('c.0000000000000'); UPDATE covers SET origin = 3 WHERE origin = 1",
  'of a log the name is gone':
    'DELETE FROM origins WHERE origin = 1; DELETE FROM updates WHERE origin = 1; DELETE FROM filed WHERE origin = 1',
}

for (const [what, sql] of Object.entries(damages)) {
  test(`7 a document of which ${what} is not shown without it, and is mended`, async () => {
    const { directory, updates, last } = await madeStore()
    changed(directory, sql)
    await withStore(directory, async (storage) => {
      const { reader } = storage
      const isCorrupt = (error: unknown) => error instanceof CorruptError && error.subject === note
      assert.throws(() => reader.load(note), isCorrupt)
      await assert.rejects(storage.compact(note, reader.vector()), isCorrupt)
      assert.equal(textOf(storage, plan), 'cd')
      // What is there already is not asked for: a piece tells of itself what it stands for.
      const isGone = what === 'a piece is gone'
      const sent = isGone ? updates : updates.slice(0, 1)
      if (isGone) {
        await storage.write(batchOf({ snapshots: [pieceOf(updates.slice(0, 4))] }))
        assert.throws(() => reader.load(note), isCorrupt)
      }
      await storage.write(batchOf({ snapshots: [pieceOf(sent)] }))
      const isLast = what === 'of a log the name is gone' ? [] : last
      assert.equal(seqs(reader.load(note).updates), seqs(isLast))
      assert.equal(textOf(storage, note).length, 5 + isLast.length)
    })
    await withStore(directory, (storage) => {
      assert.equal(textOf(storage, note).length >= 5, true)
      const beyond = (origin: Origin) => storage.reader.beyond(new Map([[origin, 9]]), '', 9)
      assert.deepEqual(beyond(a), [note, plan])
      assert.deepEqual(beyond(b), [note])
    })
  })
}

test('an entry is found at a start also when it is noted to be none', async () => {
  const directory = newDirectory()
  const ada = new Author(a)
  await withStore(directory, async (storage) => {
    await storage.write(batchOf({ updates: [ada.name(note), ada.name(plan), ...ada.type(plan)] }))
    await storage.compact(note, new Map([[a, 1]]))
  })
  changed(directory, 'UPDATE subjects SET is_entry = 0')
  await withStore(directory, ({ reader }) => {
    assert.deepEqual([...reader.eachEntry()].map(({ subject }) => subject).sort(), [note, plan])
  })
})

test('rows that are noted to be removed stay as long as no piece covers them', async () => {
  const { directory, last } = await madeStore()
  changed(directory, 'INSERT INTO removals VALUES (1, 1, 9), (2, 2, 9)')
  for (let life = 0; life < 2; life++) {
    await withStore(directory, async (storage) => {
      await storage.compact(note, new Map())
      assert.equal(seqs(storage.reader.load(note).updates), seqs(last))
      assert.equal(textOf(storage, plan), 'cd')
    })
  }
})
