// What a store notes beside its records is compared with them.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { a, Author, b, batchOf, note, plan, seqs, textOf } from './testing/author.ts'
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
  return { directory, last }
}

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
