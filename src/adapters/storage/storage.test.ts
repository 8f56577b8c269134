// The store in memory and the store in SQLite keep the contract and answer alike.

import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { SubjectId } from '../../core/model/ids.ts'
import type { Storage } from '../../core/ports.ts'
import { Random } from '../../../sim/random.ts'
import { a, Author, b, batchOf, note, pieceOf, plan } from './testing/author.ts'
import { storageContract, type DiskUnderTest } from './testing/contract.ts'
import { MemoryDisk, MemoryStorage } from './memory.ts'
import { openSqliteStorage } from './sqlite.ts'
import { storeFile } from './sqlite-directory.ts'
import { newDirectory, world } from './testing/store-folder.ts'

function memoryDisk(): DiskUnderTest {
  const disk = new MemoryDisk()
  const clock = { now: 0 }
  let storage: MemoryStorage | undefined
  const close = async () => storage?.close()
  return {
    clock,
    close,
    async open() {
      await close()
      storage = new MemoryStorage(disk, { now: () => clock.now })
      return storage
    },
    flip: (subject, bit) => assert.ok(disk.flip(subject, bit)),
    quarantined: () => disk.quarantine.length,
  }
}

function sqliteDisk(): DiskUnderTest {
  const directory = newDirectory()
  const clock = { now: 0 }
  let storage: Storage | undefined
  const close = async () => {
    await storage?.close()
    storage = undefined
  }
  return {
    clock,
    close,
    async open() {
      await close()
      storage = await openSqliteStorage({ ...world, directory }, () => clock.now)
      return storage
    },
    flip: (subject, bit) => flip(storeFile(directory), subject, bit),
    quarantined() {
      using db = new DatabaseSync(storeFile(directory), { timeout: 5000 })
      return Number(db.prepare('SELECT count(*) AS count FROM quarantine').get()?.count)
    },
  }
}

/** What `MemoryDisk.flip` does, in a SQLite file. */
function flip(file: string, subject: SubjectId, bit: number): void {
  using db = new DatabaseSync(file, { timeout: 5000 })
  const pieces = db.prepare(`
    SELECT piece, record FROM pieces JOIN subjects USING (subject) WHERE id = ? ORDER BY piece
  `)
  const updates = db.prepare(`
    SELECT updates.origin, updates.seq, record
    FROM updates JOIN subjects USING (subject) JOIN origins USING (origin)
    WHERE subjects.id = ? AND NOT EXISTS (
      SELECT 1 FROM covers
      WHERE covers.subject = updates.subject
        AND covers.origin = updates.origin AND covers.seq >= updates.seq
    )
    ORDER BY origins.id, updates.seq
  `)
  const rows = [...pieces.all(subject), ...updates.all(subject)]
  const bits = rows.map(({ record }) => 8 * (record as Uint8Array).length)
  let left = bit % bits.reduce((sum, count) => sum + count, 0)
  const index = bits.findIndex((count) => left < count || ((left -= count), false))
  const { piece, origin, seq, record } = rows[index]!
  const bytes = record as Uint8Array
  bytes[left >> 3]! ^= 1 << (left & 7)
  const put =
    piece === undefined
      ? 'updates SET record = ? WHERE origin = ? AND seq = ?'
      : 'pieces SET record = ? WHERE piece = ?'
  const key = piece === undefined ? [origin!, seq!] : [piece]
  assert.equal(db.prepare(`UPDATE ${put}`).run(bytes, ...key).changes, 1)
}

storageContract('memory', memoryDisk)
storageContract('sqlite', sqliteDisk)

test('the two stores answer alike, whatever comes', async (t) => {
  const random = new Random('two stores')
  const disks = [memoryDisk(), sqliteDisk()]
  t.after(() => Promise.all(disks.map((disk) => disk.close())))
  let stores = await Promise.all(disks.map((disk) => disk.open()))
  const authors = [new Author(a), new Author(b)]
  const subjects = [note, plan]
  const written = []
  for (let step = 0; step < 150; step++) {
    const author = random.pick(authors)
    const subject = random.pick(subjects)
    const chance = random.next()
    if (chance < 0.6) {
      const updates = author.type(subject, random.between(1, 20))
      written.push(...updates)
      const batch = batchOf({ updates })
      for (const store of stores) await store.write(batch)
    } else if (chance < 0.7) {
      const some = written.filter((update) => update.subject === subject && random.chance(0.8))
      const batch = batchOf({ snapshots: [pieceOf(some, subject)] })
      for (const store of stores) await store.write(batch)
    } else if (chance < 0.8) {
      const missed = random.between(1, 5)
      author.skip(missed)
      const head = stores[0]!.reader.vector().get(author.origin) ?? 0
      const batch = batchOf({ advance: new Map([[author.origin, head + missed]]) })
      for (const store of stores) await store.write(batch)
    } else if (chance < 0.95) {
      const vector = stores[0]!.reader.vector()
      const upTo = new Map([...vector].map(([origin, seq]) => [origin, random.below(seq + 1)]))
      for (const store of stores) await store.compact(subject, upTo)
    } else {
      stores = await Promise.all(disks.map((disk) => disk.open()))
    }
    const [memory, sqlite] = stores.map(({ reader }) => ({
      vector: reader.vector(),
      floor: reader.floor(),
      loose: subjects.map((id) => reader.loose(id)),
      loaded: subjects.map((id) => reader.load(id)),
      logs: [a, b].map((origin) => reader.after(origin, reader.floor().get(origin) ?? 0, 5000)),
      beyond: reader.beyond(new Map([[a, 2 * step]]), '', 9),
    }))
    assert.deepEqual(sqlite, memory, `step ${step}`)
  }
})
