// What every storage must do when it merges the updates of a subject, as tests.

import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { storedEntry } from '../../../core/model/snapshot.ts'
import {
  a,
  Author,
  b,
  batchOf,
  everything,
  note,
  pieceOf,
  plan,
  seqs,
  textOf,
  unknown,
} from './author.ts'
import type { Check } from './contract.ts'

export function compactionContract(check: Check): void {
  check('compaction merges what is old enough and raises the floor', async (disk) => {
    const storage = await disk.open()
    const [ada, bob] = [new Author(a), new Author(b)]
    await storage.write(batchOf({ updates: [...ada.type(note, 5), ...ada.type(plan, 1)] }))
    await storage.write(batchOf({ updates: [...ada.type(note, 4), ...bob.type(note, 3)] }))
    const before = textOf(storage, note)
    await storage.compact(
      note,
      new Map([
        [a, 8],
        [b, 1],
      ]),
    )
    const { reader } = storage
    const { snapshots, updates } = reader.load(note)
    assert.deepEqual(
      snapshots.map(({ covers }) => covers?.seen),
      [{ [a]: 8, [b]: 1 }],
    )
    assert.equal(seqs(updates), 'a9 a10 b2 b3')
    assert.equal(reader.loose(note), 4)
    assert.equal(textOf(storage, note), before)
    assert.deepEqual(
      reader.floor(),
      new Map([
        [a, 8],
        [b, 1],
      ]),
    )
    assert.deepEqual(
      reader.vector(),
      new Map([
        [a, 10],
        [b, 3],
      ]),
    )
    assert.equal(seqs(reader.after(a, 8, everything)), 'a9 a10')
    assert.equal(seqs(reader.after(b, 1, everything)), 'b2 b3')
    assert.equal(seqs(reader.load(plan).updates), 'a6')
  })

  check('compaction covers no log that the subject is not in', async (disk) => {
    const storage = await disk.open()
    await storage.write(batchOf({ updates: new Author(a).type(note, 2) }))
    await storage.write(batchOf({ updates: new Author(b).type(plan, 9) }))
    await storage.compact(note, storage.reader.vector())
    assert.deepEqual(storage.reader.beyond(new Map([[a, 2]]), '', 10), [plan])
    assert.deepEqual(storage.reader.beyond(new Map([[b, 9]]), '', 10), [note])
  })

  check(
    'compaction of nothing, of an unknown subject, and twice, changes nothing',
    async (disk) => {
      const storage = await disk.open()
      await storage.write(batchOf({ updates: new Author(a).type(note, 3) }))
      await storage.compact(unknown, new Map([[a, 3]]))
      await storage.compact(note, new Map())
      assert.equal(storage.reader.loose(note), 3)
      assert.equal(storage.reader.floor().size, 0)
      await storage.compact(note, new Map([[a, 3]]))
      const once = storage.reader.load(note)
      await storage.compact(note, new Map([[a, 3]]))
      assert.deepEqual(storage.reader.load(note), once)
      assert.equal(textOf(storage, note), 'abc')
    },
  )

  check(
    'compaction makes one of several pieces, and keeps newer updates in the log',
    async (disk) => {
      const storage = await disk.open()
      const [ada, bob] = [new Author(a), new Author(b)]
      const updates = ada.type(note, 6)
      await storage.write(batchOf({ updates: updates.slice(0, 4) }))
      await storage.write(batchOf({ snapshots: [pieceOf(updates), pieceOf(bob.type(note, 2))] }))
      const before = textOf(storage, note)
      // The piece covers all six, but only two may leave the log: a peer still needs the others.
      await storage.compact(note, new Map([[a, 2]]))
      const { reader } = storage
      assert.deepEqual(
        reader.load(note).snapshots.map(({ covers }) => covers?.seen),
        [{ [a]: 6, [b]: 2 }],
      )
      assert.equal(textOf(storage, note), before)
      assert.equal(reader.floor().get(a), 2)
      assert.equal(seqs(reader.after(a, 2, everything)), 'a3 a4')
      await storage.compact(note, new Map([[a, 6]]))
      assert.equal(reader.floor().get(a), 4)
      assert.equal(textOf(storage, note), before)
    },
  )

  check('entries and versions survive compaction', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    await storage.write(batchOf({ updates: [ada.name(note), ...ada.type(note, 2)] }))
    await storage.compact(note, new Map([[a, 3]]))
    assert.equal(storedEntry(storage.reader.load(note))?.createdBy, 'ada')
    assert.deepEqual(storage.reader.entries('', 10), [note])
  })

  check('of what is deleted for good a purge leaves the tombstone alone', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    await storage.write(batchOf({ updates: [ada.name(note), ...ada.type(note, 3)] }))
    await storage.compact(note, new Map([[a, 2]]))
    await storage.write(batchOf({ updates: [ada.purge(note), ...ada.type(plan, 1)] }))
    await storage.purge(note, new Map([[a, 5]]))
    const { reader } = storage
    const { snapshots, updates } = reader.load(note)
    assert.deepEqual(updates, [])
    assert.equal(snapshots.length, 1)
    assert.equal(snapshots[0]!.text.length, 0)
    assert.deepEqual(snapshots[0]!.covers?.seen, { [a]: 5 })
    const entry = storedEntry(reader.load(note))
    assert.equal(entry?.purged?.isDone, true)
    assert.equal(entry.createdBy, '')
    assert.deepEqual(reader.entries('', 10), [note])
    assert.equal(reader.floor().get(a), 5)
    assert.equal(textOf(storage, plan), 'f')
    // A second time changes nothing.
    await storage.purge(note, new Map([[a, 6]]))
    assert.deepEqual(reader.load(note).snapshots, snapshots)
  })

  check(
    'what is appended while a subject is merged is neither lost nor merged twice',
    async (disk) => {
      const storage = await disk.open()
      const [ada, bob] = [new Author(a), new Author(b)]
      await storage.write(batchOf({ updates: ada.type(note, 700) }))
      let isMerging = true
      const merging = storage.compact(note, new Map([[a, 650]])).then(() => (isMerging = false))
      let written = 700
      while (isMerging || written < 720) {
        await storage.write(batchOf({ updates: [...ada.type(note), ...bob.type(plan)] }))
        written++
        assert.equal(textOf(storage, note).length, written)
      }
      await merging
      const { reader } = storage
      assert.equal(reader.loose(note), written - 650)
      assert.equal(reader.load(note).updates.length, written - 650)
      assert.equal(reader.load(note).snapshots.length, 1)
      assert.equal(reader.floor().get(a), 650)
      assert.equal(reader.after(a, 650, everything).length, written - 650)
      const text = textOf(storage, note)
      assert.equal(textOf(await disk.open(), note), text)
    },
  )

  check('a log that loses updates gives a beginning without a hole, or a floor', async (disk) => {
    const storage = await disk.open()
    await storage.write(batchOf({ updates: new Author(a).type(note, 1500) }))
    let isMerging = true
    const merging = storage.compact(note, new Map([[a, 1400]])).then(() => (isMerging = false))
    while (isMerging) {
      const found = storage.reader.after(a, 100, everything)
      found.forEach(({ seq }, index) => assert.equal(seq, 101 + index))
      if (found.length === 0) assert.ok(storage.reader.floor().get(a)! > 100)
      await setImmediate()
    }
    await merging
    assert.equal(storage.reader.floor().get(a), 1400)
  })
}
