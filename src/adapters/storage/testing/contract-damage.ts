// What every storage must do when records are damaged, as tests.

import assert from 'node:assert/strict'
import { CorruptError } from '../../../core/ports.ts'
import { mergeStored } from '../../../core/model/snapshot.ts'
import { reachOf } from '../batch.ts'
import {
  a,
  Author,
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

export function damageContract(check: Check): void {
  check('a turned bit, wherever it is, is found, and only its subject suffers', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    const updates = [...ada.type(note, 2), ...ada.type(plan, 2)]
    await storage.write(batchOf({ updates }))
    await storage.compact(note, new Map([[a, 1]]))
    // Bits all over a piece and an update; turned back each time.
    for (let bit = 0; bit < 1600; bit += 17) {
      disk.flip(note, bit)
      assert.throws(
        () => storage.reader.load(note),
        (error) => error instanceof CorruptError && error.subject === note,
        `bit ${bit}`,
      )
      assert.equal(storage.reader.load(plan).updates.length, 2)
      disk.flip(note, bit)
    }
    assert.equal(textOf(await disk.open(), note), 'ab')
  })

  check('a damaged update is replaced by a snapshot from a peer, and kept aside', async (disk) => {
    const storage = await disk.open()
    const updates = new Author(a).type(note, 9)
    await storage.write(batchOf({ updates }))
    disk.flip(note, 0)
    assert.throws(() => storage.reader.load(note), CorruptError)
    assert.throws(() => storage.reader.after(a, 0, everything), CorruptError)
    await storage.write(batchOf({ snapshots: [pieceOf(updates)] }))
    assert.equal(textOf(storage, note), 'abcdefghi')
    assert.equal(storage.reader.loose(note), 0)
    // The log has lost one.
    assert.equal(storage.reader.floor().get(a), 1)
    assert.equal(seqs(storage.reader.after(a, 1, everything)), 'a2 a3 a4 a5 a6 a7 a8 a9')
    assert.equal(disk.quarantined(), 1)
    await storage.compact(note, new Map([[a, 9]]))
    assert.equal(textOf(storage, note), 'abcdefghi')
  })

  check('a damaged piece is replaced by one that covers as much, not by less', async (disk) => {
    const storage = await disk.open()
    const updates = new Author(a).type(note, 9)
    await storage.write(batchOf({ updates }))
    await storage.compact(note, new Map([[a, 9]]))
    disk.flip(note, 99)
    await storage.write(batchOf({ snapshots: [pieceOf(updates.slice(0, 8))] }))
    assert.throws(() => storage.reader.load(note), CorruptError)
    await storage.write(batchOf({ snapshots: [pieceOf(updates)] }))
    assert.equal(textOf(storage, note), 'abcdefghi')
    assert.equal(disk.quarantined(), 1)
    assert.equal(textOf(await disk.open(), note), 'abcdefghi')
  })

  check('what is sound can be read, and put in the place of what is not', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    const updates = ada.type(note, 9)
    await storage.write(batchOf({ updates: [...updates, ...ada.type(plan)] }))
    assert.deepEqual(storage.reader.sound(note).lost, new Map())
    assert.deepEqual(storage.reader.sound(unknown), { snapshots: [], updates: [], lost: new Map() })
    disk.flip(note, 0)
    const { lost, ...stored } = storage.reader.sound(note)
    assert.deepEqual([lost, seqs(stored.updates)], [new Map([[a, 1]]), 'a2 a3 a4 a5 a6 a7 a8 a9'])
    const merged = mergeStored(stored, reachOf(stored.updates), note)
    await storage.write(batchOf({ snapshots: [merged] }))
    // All the rest waits for the first letter.
    assert.equal(textOf(storage, note), '')
    assert.equal(disk.quarantined(), 1)
    await storage.write(batchOf({ snapshots: [pieceOf(updates.slice(0, 1))] }))
    assert.equal(textOf(storage, note), 'abcdefghi')
    await storage.compact(note, new Map([[a, 9]]))
    disk.flip(note, 99)
    assert.deepEqual(
      { ...storage.reader.sound(note) },
      { snapshots: [], updates: [], lost: new Map([[a, 9]]) },
    )
    await storage.write(batchOf({ snapshots: [pieceOf(updates)] }))
    assert.deepEqual(storage.reader.sound(note).lost, new Map())
    assert.equal(textOf(await disk.open(), note), 'abcdefghi')
  })

  check('a damaged subject is not merged, and the store goes on', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    await storage.write(batchOf({ updates: ada.type(note, 3) }))
    disk.flip(note, 321)
    await assert.rejects(
      storage.compact(note, new Map([[a, 3]])),
      (error) => error instanceof CorruptError && error.subject === note,
    )
    assert.equal(storage.reader.floor().size, 0)
    await storage.write(batchOf({ updates: ada.type(plan, 3) }))
    await storage.compact(plan, new Map([[a, 6]]))
    assert.equal(textOf(storage, plan).length, 3)
  })
}
