// What a SQLite store takes in is shown at once, and is there after any end of the process.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Origin } from '../../core/model/ids.ts'
import type { Update } from '../../core/model/wire.ts'
import type { Batch, Storage, StorageReader } from '../../core/ports.ts'
import { Random } from '../../../sim/random.ts'
import { Journal, journalFiles } from './journal.ts'
import { MemoryDisk, MemoryStorage } from './memory.ts'
import { openSqliteStorage } from './sqlite.ts'
import { storeFile } from './sqlite-directory.ts'
import { packUpdates } from './sqlite-messages.ts'
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
} from './testing/author.ts'
import { newDirectory, victim, withStore, world } from './testing/store-folder.ts'

const tree = 'DDDDDDDDDDDDDDDDDDDDDA' as typeof note
const subjects = [note, plan, tree]

/** Everything that a reader says. */
function told(reader: StorageReader, from: number) {
  const floorOf = (origin: Origin) => reader.floor().get(origin) ?? 0
  return {
    vector: reader.vector(),
    floor: reader.floor(),
    isComplete: reader.isComplete(),
    loose: subjects.map((id) => reader.loose(id)),
    loaded: subjects.map((id) => reader.load(id)),
    logs: [a, b].map((origin) => log(reader, origin, floorOf(origin))),
    beyond: reader.beyond(new Map([[a, from]]), '', 9),
    beyondOne: reader.beyond(new Map([[b, from]]), note, 1),
    entries: [reader.entries('', 9), reader.entries(note, 1)],
    each: [...reader.eachEntry()]
      .map(({ subject, read }) => ({ subject, stored: read() }))
      .sort((one, other) => (one.subject < other.subject ? -1 : 1)),
    operations: Array.from({ length: 6 }, (_, id) => reader.operation(`operation ${id}`)),
    operationsOf: subjects.map((id) => reader.operationsOf(id, 3).map((each) => each.id)),
  }
}

/** All of a log, however few are given at once. */
function log(reader: StorageReader, origin: Origin, floor: number): Update[] {
  const updates: Update[] = []
  for (let next: Update[] = []; ; updates.push(...next)) {
    next = reader.after(origin, updates.at(-1)?.seq ?? floor, 3000)
    if (next.length === 0) return updates
  }
}

async function taken(storage: Storage, batch: Batch): Promise<void> {
  await (storage.take(batch) ?? storage.write(batch))
}

test('a store that takes answers as one that writes, whatever comes', async () => {
  const random = new Random('take one')
  const directory = newDirectory()
  const clock = { now: 0 }
  const memory = new MemoryStorage(new MemoryDisk(), { now: () => clock.now })
  const open = () => openSqliteStorage({ ...world, directory }, () => clock.now)
  let storage = await open()
  const long = { is: false }
  const wording = (seq: number) => (long.is ? `<${seq}>`.repeat(3_000) : `<${seq}>`)
  const authors = [new Author(a, wording), new Author(b, wording)]
  const written: Update[] = []
  let stored: Promise<void>[] = []
  let purgedAt: (typeof subjects)[number] | undefined
  const take = async (updates: Update[]) => {
    written.push(...updates)
    await memory.write(batchOf({ updates }))
    const promise = storage.take(batchOf({ updates }))
    if (promise) stored.push(promise)
    else await storage.write(batchOf({ updates }))
  }
  const both = async (act: (store: Storage) => Promise<void>) => {
    for (const store of [memory, storage]) await act(store)
  }
  for (let step = 0; step < 160; step++) {
    clock.now += 10
    const author = random.pick(authors)
    const subject = random.pick(subjects)
    const head = memory.reader.vector().get(author.origin) ?? 0
    const chance = random.next()
    long.is = chance >= 0.5 && chance < 0.54
    if (chance < 0.35 || long.is) await take(author.type(subject, random.between(1, 9)))
    else if (chance < 0.5) {
      // The same operation may come twice, about another subject.
      const id = `operation ${random.below(6)}`
      await take([author.name(subject, id, `digest ${step}`)])
    } else if (chance < 0.56) await take(author.type(subject, 600))
    else if (chance < 0.62) {
      const updates = author.type(subject, 3)
      written.push(...updates)
      await both((store) => store.write(batchOf({ updates })))
    } else if (chance < 0.68) {
      const some = written.filter((each) => each.subject === subject && random.chance(0.9))
      await both((store) => store.write(batchOf({ snapshots: [pieceOf(some, subject)] })))
    } else if (chance < 0.72) {
      author.skip(2)
      const advance = new Map([[author.origin, head + 2]])
      await both((store) => store.write(batchOf({ advance })))
    } else if (chance < 0.8) {
      const vector = memory.reader.vector()
      const upTo = new Map([...vector].map(([origin, seq]) => [origin, random.below(seq + 1)]))
      await memory.compact(subject, upTo)
      const compacted = storage.compact(subject, upTo)
      // Beside it: no part of what it merges.
      for (let beside = random.below(3); beside > 0; beside--) await take(author.type(subject))
      await compacted
    } else if (chance < 0.81 && purgedAt === undefined && step > 110) {
      purgedAt = subject
      await take([author.purge(subject)])
      const upTo = memory.reader.vector()
      await both((store) => store.purge(subject, upTo))
    } else if (chance < 0.86) await Promise.all(stored)
    else if (chance < 0.9) await setTimeout(random.below(10))
    else if (chance < 0.91) await setTimeout(260)
    else if (chance < 0.95) {
      await storage.close()
      await Promise.all(stored)
      stored = []
      storage = await open()
    }
    assert.deepEqual(told(storage.reader, step), told(memory.reader, step), `step ${step}`)
  }
  await Promise.all(stored)
  await storage.close()
  storage = await open()
  assert.deepEqual(told(storage.reader, 5), told(memory.reader, 5))
  await storage.close()
})

/** Opens a store on what a killed life left: what it says of damage, and what it has of a log. */
async function reopened(directory: string): Promise<[string[], string]> {
  const said: string[] = []
  const storage = await openSqliteStorage({ ...world, directory }, Date.now, (text) =>
    said.push(text),
  )
  const found = seqs(log(storage.reader, a, 0))
  await storage.close()
  return [said, found]
}

/** A store that a killed life left with three updates of one log in its journals, flushed like this. */
async function left(flushes: number[], turnAfter = Infinity) {
  const directory = newDirectory()
  await withStore(directory, () => {})
  const journal = new Journal(directory)
  const author = new Author(a)
  const next = () => journal.append(packUpdates(author.type(note), 1), [])
  for (const [index, count] of flushes.entries()) {
    if (index === turnAfter) journal.turn()
    await Promise.all(Array.from({ length: count }, next))
  }
  await journal.close()
  /** Turns a byte of the record that is the first, second, … of one of the two files. */
  const damage = (place: number, of = 0) => {
    const file = journalFiles(directory)[of]!
    const bytes = fs.readFileSync(file)
    let at = 0
    while (place-- > 1) at += 4 + bytes.readUInt32LE(at)
    bytes[at + 30]! ^= 1
    fs.writeFileSync(file, bytes)
  }
  return { directory, damage }
}

/** Leaves in a directory's journals what a life took in that was killed before it committed anything. */
async function journalled(directory: string, batches: [Update[], after?: [Origin, number]][]) {
  const journal = new Journal(directory)
  for (const [updates, after] of batches) {
    await journal.append(packUpdates(updates, 1), after ? [after] : [])
  }
  await journal.close()
}

test('of a damaged record that was stored once an operator hears', async () => {
  for (const [kept, place, found] of [
    [0, 1, ''],
    [1, 2, 'a1'],
  ] as const) {
    const { directory, damage } = await left([1, 1, 1])
    damage(place)
    const words = `the journals in ${directory} are damaged: the first ${kept} of their records are kept`
    const [said, log] = await reopened(directory)
    assert.deepEqual([said.map((text) => text.split(';')[0]), log], [[words], found])
    // Once.
    assert.deepEqual(await reopened(directory), [[], found])
  }
})

test('of a damaged record with which the other journal goes on, too', async () => {
  const { directory, damage } = await left([1, 1, 1], 2)
  damage(2)
  const [said, found] = await reopened(directory)
  assert.match(said.join('\n'), /are damaged: the first 1 of/)
  assert.equal(found, 'a1')
})

test('what followed a damaged record is not filed, though its own log has no hole', async () => {
  // Of the first record of a journal, too: then it is as if that journal were not there.
  for (const [place, found] of [
    [2, 'a1'],
    [1, ''],
  ] as const) {
    const { directory, damage } = await left([1, 1])
    // Journals that an earlier life left are written over.
    const journal = new Journal(directory)
    const [ada, bob] = [new Author(a), new Author(b)]
    for (const updates of [ada.type(note), ada.type(note)]) {
      await journal.append(packUpdates(updates, 1), [])
    }
    journal.turn()
    await journal.append(packUpdates(bob.type(plan), 1), [])
    await journal.append(packUpdates(bob.type(plan), 1), [])
    await journal.close()
    damage(place)
    const [said] = await reopened(directory)
    assert.match(said.join('\n'), /are damaged/)
    await withStore(directory, ({ reader }) => {
      assert.deepEqual([seqs(log(reader, a, 0)), seqs(log(reader, b, 0))], [found, ''])
    })
  }
})

test('what a kill or a power cut leaves of the last flush is no news', async () => {
  const whole = await left([1, 1, 1])
  assert.deepEqual(await reopened(whole.directory), [[], 'a1 a2 a3'])
  const last = await left([1, 1, 1])
  last.damage(3)
  assert.deepEqual(await reopened(last.directory), [[], 'a1 a2'])
  // Sectors of one flush reach a disk in any order.
  // The first flush begins at once; the other two gather meanwhile.
  const together = await left([3])
  together.damage(2)
  assert.deepEqual(await reopened(together.directory), [[], 'a1'])
})

test('a journal that was damaged when all of it was in the store keeps nothing back', async () => {
  const { directory, damage } = await left([1, 1, 1], 2)
  damage(2)
  // As if the first journal had been committed before the kill.
  const journals = journalFiles(directory).map((file) => fs.readFileSync(file))
  for (const file of journalFiles(directory)) fs.truncateSync(file)
  await withStore(directory, (storage) => {
    return storage.write(batchOf({ updates: new Author(a).type(note, 2) }))
  })
  journals.forEach((bytes, index) => fs.writeFileSync(journalFiles(directory)[index]!, bytes))
  assert.deepEqual(await reopened(directory), [[], 'a1 a2 a3'])
})

test('what follows a hole in a journal is not filed, nor part of a batch', async () => {
  const directory = newDirectory()
  const [ada, bob] = [new Author(a), new Author(b)]
  await withStore(directory, (storage) => storage.write(batchOf({ updates: ada.type(note, 2) })))
  const [fourth, later] = [ada.type(note), bob.type(plan, 2)]
  const [first, second] = [later.slice(0, 1), later.slice(1)]
  bob.skip(1)
  await journalled(directory, [
    [[...fourth, ...first]],
    [[...ada.type(note), ...bob.type(plan)]],
    [second],
  ])
  await withStore(directory, ({ reader }) => {
    assert.deepEqual(
      reader.vector(),
      new Map([
        [a, 3],
        [b, 1],
      ]),
    )
    assert.equal(seqs(log(reader, a, 0)), 'a1 a2 a3')
    assert.equal(seqs(log(reader, b, 0)), 'b1')
  })
})

test('what came after a batch that is in no journal is filed only with that', async () => {
  const directory = newDirectory()
  const [ada, bob] = [new Author(a), new Author(b)]
  await withStore(directory, (storage) => storage.write(batchOf({ updates: ada.type(note, 2) })))
  await journalled(directory, [
    [bob.type(plan), [a, 2]],
    [bob.type(plan), [a, 3]],
    [bob.type(plan)],
  ])
  await withStore(directory, ({ reader }) => {
    assert.deepEqual(
      reader.vector(),
      new Map([
        [a, 2],
        [b, 1],
      ]),
    )
  })
})

test('a batch is stored after the longer one before it', async () => {
  await withStore(newDirectory(), async (storage) => {
    const [ada, bob] = [new Author(a, () => 'x'.repeat(2_000_000)), new Author(b)]
    const order: string[] = []
    const long = taken(storage, batchOf({ updates: ada.type(note) })).then(() => order.push('long'))
    const short = taken(storage, batchOf({ updates: bob.type(plan) })).then(() =>
      order.push('short'),
    )
    await Promise.all([long, short])
    assert.deepEqual(order, ['long', 'short'])
  })
})

test('journals beside a file that is made anew are not its own', async () => {
  const directory = newDirectory()
  fs.mkdirSync(directory)
  await journalled(directory, [[new Author(a).type(note, 3)]])
  await withStore(directory, ({ reader }) => assert.equal(reader.vector().size, 0))
})

test('a journal that was removed while it was in use is noticed', async () => {
  for (const index of [0, 1]) {
    const directory = newDirectory()
    const storage = await openSqliteStorage({ ...world, directory })
    await taken(storage, batchOf({ updates: new Author(a).type(note) }))
    await storage.checkPlace()
    fs.rmSync(journalFiles(directory)[index]!)
    await assert.rejects(storage.checkPlace(), /journal-\d was removed or replaced/)
    assert.equal(storage.take(batchOf({ updates: [] })), undefined)
    await storage.close()
  }
})

test('after a clean end no journal is left to be read', async () => {
  const directory = newDirectory()
  await withStore(directory, (storage) => {
    return taken(storage, batchOf({ updates: new Author(a).type(note, 3) }))
  })
  const sizes = journalFiles(directory).map((file) => fs.statSync(file).size)
  assert.deepEqual(sizes, [0, 0])
  await withStore(directory, ({ reader }) => assert.equal(seqs(log(reader, a, 0)), 'a1 a2 a3'))
})

test('a file that does not take what was stored is told of at once, and nothing is lost', async () => {
  const directory = newDirectory()
  const storage = await openSqliteStorage({ ...world, directory })
  const ill = (words: string) => {
    using db = new DatabaseSync(storeFile(directory), { timeout: 5000 })
    db.exec(words)
  }
  ill(`CREATE TRIGGER ill BEFORE INSERT ON updates BEGIN SELECT RAISE(ABORT, 'is ill'); END`)
  await storage.take(batchOf({ updates: new Author(a).type(note, 3) }))
  assert.match((await storage.failed).message, /failed \(is ill\)/)
  await storage.close()
  ill('DROP TRIGGER ill')
  await withStore(directory, ({ reader }) => assert.equal(seqs(log(reader, a, 0)), 'a1 a2 a3'))
})

test('what was taken in and stored before a SIGKILL is there afterwards, once', async () => {
  const random = new Random('kills of who takes')
  const directory = newDirectory()
  const said = new Map<string, number>()
  for (let life = 1; life <= 4; life++) {
    const run = [victim, 'take', directory, String(life)]
    const child = spawn(process.execPath, run, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    let left = random.between(1, 150)
    for await (const line of createInterface(child.stdout)) {
      said.set(String(life), Number(line))
      if (--left === 0) child.kill('SIGKILL')
    }
    assert.equal((await ended)[1], 'SIGKILL')
    // One life in two begins on what the one before left.
    if (life % 2 === 1) continue
    await withStore(directory, (storage) => {
      const text = textOf(storage, note) + textOf(storage, plan)
      const marks = [...text.matchAll(/<\d+\.\d+>/g)].map(([mark]) => mark)
      assert.equal(new Set(marks).size, marks.length, 'nothing twice')
      for (const [name, last] of said) {
        const origin = `a.${name.padStart(13, '0')}` as Origin
        const held = storage.reader.vector().get(origin) ?? 0
        assert.ok(held >= last, `${held} of ${last} of life ${name}`)
        for (let seq = 1; seq <= held; seq++) assert.ok(marks.includes(`<${name}.${seq}>`))
      }
      assert.equal(storage.reader.after('none' as Origin, 0, everything).length, 0)
    })
  }
})
