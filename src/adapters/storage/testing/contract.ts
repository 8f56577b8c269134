// What every storage must do, as tests: run on each adapter.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import type { Origin, SubjectId } from '../../../core/model/ids.ts'
import { operationLifeMs } from '../../../core/model/limits.ts'
import { sealUpdate } from '../../../core/model/snapshot.ts'
import { DoneOperationSchema, UpdateSchema, type Update } from '../../../core/model/wire.ts'
import type { VersionVector } from '../../../core/model/version-vector.ts'
import type { Storage } from '../../../core/ports.ts'
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
import { compactionContract } from './contract-compaction.ts'
import { damageContract } from './contract-damage.ts'

/** Registers one test about a disk that is empty at first. */
export type Check = (sentence: string, run: (disk: DiskUnderTest) => Promise<void>) => void

/** One disk, used by one storage after the other. */
export interface DiskUnderTest {
  /** Closes the storage that was open and opens one. */
  open(): Promise<Storage>
  /** The clock of the storage; the tests set it. */
  clock: { now: number }
  /** Turns one bit of what a load of the subject reads. */
  flip(subject: SubjectId, bit: number): void
  /** How many damaged records are kept for people. */
  quarantined(): number
  /** Closes the storage that is open. */
  close(): Promise<void>
}

const brokenLog = /broken invariant: 2: a log has no holes/

/** Registers the tests for one adapter. `makeDisk` gives an empty disk. */
export function storageContract(
  name: string,
  makeDisk: () => Promise<DiskUnderTest> | DiskUnderTest,
): void {
  const check: Check = (sentence, run) => {
    void test(`${name}: ${sentence}`, async () => {
      const disk = await makeDisk()
      try {
        await run(disk)
      } finally {
        await disk.close()
      }
    })
  }

  compactionContract(check)
  damageContract(check)

  check('an empty disk holds nothing and is not complete', async (disk) => {
    const { reader } = await disk.open()
    assert.equal(reader.isComplete(), false)
    assert.equal(reader.vector().size, 0)
    assert.equal(reader.floor().size, 0)
    assert.deepEqual(reader.load(note), { snapshots: [], updates: [] })
    assert.deepEqual(reader.after(a, 0, everything), [])
    assert.deepEqual(reader.beyond(new Map(), '', 10), [])
    assert.deepEqual(reader.entries('', 10), [])
    assert.deepEqual([...reader.eachEntry()], [])
    assert.equal(reader.operation('x'), undefined)
    assert.equal(reader.loose(note), 0)
  })

  check('what was written is there, field by field', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    const updates = [...ada.type(note, 3), ada.name(plan, 'operation', '0123456789abcdef')]
    await storage.write(batchOf({ updates }))
    assert.deepEqual(storage.reader.vector(), new Map([[a, 4]]))
    assert.deepEqual(storage.reader.load(note).updates, updates.slice(0, 3))
    assert.deepEqual(storage.reader.load(plan).updates, updates.slice(3))
    assert.deepEqual(storage.reader.after(a, 0, everything), updates)
    assert.equal(storage.reader.loose(note), 3)
    assert.equal(textOf(storage, note), 'abc')
  })

  check('a subject is loaded in the order of origins and seqs', async (disk) => {
    const storage = await disk.open()
    const [ada, bob] = [new Author(a), new Author(b)]
    await storage.write(batchOf({ updates: bob.type(note, 2) }))
    await storage.write(batchOf({ updates: [...ada.type(note, 11), ...bob.type(note, 1)] }))
    const loaded = seqs(storage.reader.load(note).updates)
    assert.equal(loaded, 'a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11 b1 b2 b3')
  })

  check('a log is read after a seq, up to a size, at least one update', async (disk) => {
    const storage = await disk.open()
    await storage.write(batchOf({ updates: new Author(a).type(note, 20) }))
    const { reader } = storage
    assert.equal(seqs(reader.after(a, 18, everything)), 'a19 a20')
    assert.equal(seqs(reader.after(a, 5, 0)), 'a6')
    assert.deepEqual(reader.after(a, 20, everything), [])
    assert.deepEqual(reader.after(b, 0, everything), [])
    const some = reader.after(a, 0, 300)
    assert.ok(some.length > 1 && some.length < 20, `${some.length} updates in 300 bytes`)
    assert.equal(some.at(-1)!.seq, some.length)
  })

  check('a batch that leaves a hole in a log is refused whole', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    const [one, two, three, four] = ada.type(note, 4)
    await storage.write(batchOf({ updates: [one!] }))
    const bob = new Author(b).type(plan)
    const snapshots = [pieceOf(bob, plan)]
    const hole = batchOf({ updates: [...bob, two!, four!], snapshots, isComplete: true })
    await assert.rejects(storage.write(hole), brokenLog)
    await assert.rejects(storage.write(batchOf({ updates: [one!] })), brokenLog)
    await assert.rejects(storage.write(batchOf({ updates: [three!] })), brokenLog)
    const { reader } = await disk.open()
    assert.deepEqual(reader.vector(), new Map([[a, 1]]))
    assert.deepEqual(reader.load(plan), { snapshots: [], updates: [] })
    assert.equal(reader.isComplete(), false)
    assert.equal(seqs(reader.load(note).updates), 'a1')
  })

  check('a received snapshot is kept beside what is there', async (disk) => {
    const storage = await disk.open()
    const [ada, bob] = [new Author(a), new Author(b)]
    const own = ada.type(note, 3)
    const foreign = pieceOf(bob.type(note, 2))
    await storage.write(batchOf({ updates: own }))
    await storage.write(batchOf({ snapshots: [foreign] }))
    assert.deepEqual(storage.reader.load(note), { snapshots: [foreign], updates: own })
    assert.equal(storage.reader.loose(note), 3)
    const another = pieceOf(bob.type(note, 1))
    await storage.write(batchOf({ snapshots: [another] }))
    assert.deepEqual(storage.reader.load(note).snapshots, [foreign, another])
    assert.deepEqual(storage.reader.vector(), new Map([[a, 3]]))
  })

  check('how far received snapshots reach is known, also beyond the vector', async (disk) => {
    const storage = await disk.open()
    assert.equal(storage.reader.covered().size, 0)
    const [ada, bob] = [new Author(a), new Author(b)]
    await storage.write(batchOf({ updates: ada.type(note, 3) }))
    const snapshots = [pieceOf(bob.type(note, 2)), pieceOf(bob.type(plan, 4), plan)]
    await storage.write(batchOf({ snapshots }))
    assert.equal(storage.reader.covered().get(b), 6)
    const { reader } = await disk.open()
    assert.equal(reader.covered().get(b), 6)
    assert.deepEqual(reader.vector(), new Map([[a, 3]]))
  })

  check('an update that a piece covers is not loose, and stays in its log', async (disk) => {
    const storage = await disk.open()
    const updates = new Author(a).type(note, 6)
    await storage.write(batchOf({ updates: updates.slice(0, 3) }))
    await storage.write(batchOf({ snapshots: [pieceOf(updates.slice(0, 5))] }))
    assert.equal(storage.reader.loose(note), 0)
    // Two come after the piece that covers them, one is beyond it.
    await storage.write(batchOf({ updates: updates.slice(3) }))
    assert.equal(storage.reader.loose(note), 1)
    assert.equal(seqs(storage.reader.load(note).updates), 'a6')
    assert.equal(seqs(storage.reader.after(a, 0, everything)), 'a1 a2 a3 a4 a5 a6')
    assert.equal(textOf(storage, note), 'abcdef')
  })

  check('the end of a transfer raises the vector and the floor', async (disk) => {
    const storage = await disk.open()
    const [ada, bob] = [new Author(a), new Author(b)]
    await storage.write(batchOf({ updates: ada.type(note, 3) }))
    const advance: VersionVector = new Map([
      [a, 2],
      [b, 40],
    ])
    await storage.write(batchOf({ snapshots: [pieceOf(bob.type(note, 40))], advance }))
    const { reader } = storage
    assert.deepEqual(
      reader.vector(),
      new Map([
        [a, 3],
        [b, 40],
      ]),
    )
    assert.deepEqual(reader.floor(), new Map([[b, 40]]))
    await storage.write(batchOf({ updates: bob.type(note, 1) }))
    assert.equal(seqs(reader.after(b, 40, everything)), 'b41')
    // Updates go before the advance of the same batch.
    const updates = ada.type(note, 1)
    await storage.write(batchOf({ updates, advance: new Map([[a, 9]]) }))
    assert.equal(reader.vector().get(a), 9)
    assert.equal(reader.floor().get(a), 9)
    await assert.rejects(storage.write(batchOf({ updates: ada.type(note, 1) })), brokenLog)
  })

  check('a store that was filled once stays so', async (disk) => {
    const storage = await disk.open()
    await storage.write(batchOf({ isComplete: true }))
    assert.equal(storage.reader.isComplete(), true)
    await storage.write(batchOf({ isComplete: false }))
    const { reader } = await disk.open()
    assert.equal(reader.isComplete(), true)
  })

  check('the name of the life of the set is kept, and the later one counts', async (disk) => {
    const storage = await disk.open()
    assert.equal(storage.reader.life(), '')
    await storage.write(batchOf({ life: 'b.0123456789abc' }))
    await storage.write(batchOf({}))
    assert.equal(storage.reader.life(), 'b.0123456789abc')
    await storage.write(batchOf({ life: 'a.0123456789abc' }))
    const { reader } = await disk.open()
    assert.equal(reader.life(), 'a.0123456789abc')
  })

  check('subjects beyond a vector come by id, page by page', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    const bob = new Author(b)
    const ids = Array.from({ length: 30 }, (_, index) => idOf(index))
    await storage.write(batchOf({ updates: ids.flatMap((id) => ada.type(id)) }))
    const { reader } = storage
    const beyond = (vector: VersionVector) => pages((after) => reader.beyond(vector, after, 7))
    assert.deepEqual(beyond(new Map()), ids)
    assert.deepEqual(beyond(new Map([[a, 20]])), ids.slice(20))
    assert.deepEqual(beyond(reader.vector()), [])
    // A piece counts, even beyond the vector, and so does an update that compaction took.
    const piece = pieceOf(bob.type(ids[3]!, 5), ids[3])
    await storage.write(batchOf({ snapshots: [piece] }))
    await storage.compact(ids[25]!, new Map([[a, 30]]))
    assert.deepEqual(beyond(new Map([[a, 20]])), [ids[3], ...ids.slice(20)])
    assert.deepEqual(beyond(new Map([[a, 30]])), [ids[3]])
    assert.deepEqual(
      beyond(
        new Map([
          [a, 30],
          [b, 5],
        ]),
      ),
      [],
    )
  })

  check('beyond answers alike when very many updates are beyond', async (disk) => {
    const storage = await disk.open()
    const [ada, bob] = [new Author(a), new Author(b)]
    const ids = Array.from({ length: 40 }, (_, index) => idOf(index))
    for (let round = 0; round < 3; round++) {
      await storage.write(batchOf({ updates: ids.flatMap((id) => ada.type(id, 200)) }))
    }
    const { reader } = storage
    const beyond = (vector: VersionVector) => pages((after) => reader.beyond(vector, after, 7))
    assert.deepEqual(beyond(new Map()), ids)
    await storage.write(batchOf({ updates: bob.type(unknown) }))
    assert.deepEqual(beyond(new Map()), [...ids, unknown].sort())
    assert.deepEqual(beyond(new Map([[b, 1]])), ids)
    assert.deepEqual(beyond(new Map([[a, 24_000]])), [unknown])
    await storage.compact(ids[0]!, new Map([[a, 24_000]]))
    assert.deepEqual(beyond(new Map()), [...ids, unknown].sort())
    assert.deepEqual(beyond(new Map([[a, 23_800]])), [unknown, ids[39]])
  })

  check('entries come by id, page by page; a document alone is none', async (disk) => {
    const storage = await disk.open()
    const [ada, bob] = [new Author(a), new Author(b)]
    const ids = Array.from({ length: 10 }, (_, index) => idOf(index))
    const [received, ...named] = ids
    await storage.write(batchOf({ updates: [...ada.type(unknown), ...ada.type(ids[4]!)] }))
    await storage.write(batchOf({ updates: named.toReversed().map((id) => ada.name(id)) }))
    await storage.write(batchOf({ snapshots: [pieceOf([bob.name(received!)], received)] }))
    const { reader } = await disk.open()
    assert.deepEqual(
      pages((after) => reader.entries(after, 3)),
      ids,
    )
    assert.deepEqual(reader.entries(ids[9]!, 3), [])
  })

  check(
    'each entry comes with what a load of it gives, merged, received or loose',
    async (disk) => {
      const storage = await disk.open()
      const [ada, bob] = [new Author(a), new Author(b)]
      const ids = Array.from({ length: 250 }, (_, index) => idOf(index))
      const [received, merged, both] = ids as [SubjectId, SubjectId, SubjectId]
      await storage.write(batchOf({ updates: [...ada.type(unknown, 2), ...ada.type(plan, 2)] }))
      await storage.write(batchOf({ updates: ids.map((id) => ada.name(id)) }))
      await storage.write(batchOf({ updates: [merged, both].flatMap((id) => ada.type(id, 3)) }))
      for (const id of [merged, both]) await storage.compact(id, storage.reader.vector())
      await storage.write(batchOf({ snapshots: [pieceOf([bob.name(received)], received)] }))
      await storage.write(batchOf({ updates: [...ada.type(both, 2), ...ada.type(ids[7]!, 1)] }))
      // More than is to be in memory at once.
      const eve = new Author('c.0000000000000' as Origin, () => 'x'.repeat(5 * 1024 * 1024))
      const long = ids.slice(20, 30)
      for (const id of long) await storage.write(batchOf({ updates: eve.type(id) }))
      for (const id of long.slice(3, 8)) await storage.compact(id, storage.reader.vector())
      const isSame = ({ reader }: Storage) => {
        const found = [...reader.eachEntry()].map(({ subject, read }) => ({ subject, ...read() }))
        const sorted = found.sort((one, other) => (one.subject < other.subject ? -1 : 1))
        const loaded = ids.toSorted().map((subject) => ({ subject, ...reader.load(subject) }))
        assert.deepEqual(sorted, loaded)
      }
      isSame(storage)
      isSame(await disk.open())
    },
  )

  check('an operation is known for 30 days; its first subject counts', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    disk.clock.now = 1
    await storage.write(batchOf({ updates: [ada.name(note, 'one')] }))
    disk.clock.now = 2
    await storage.write(batchOf({ updates: [ada.name(plan, 'two')] }))
    await storage.write(batchOf({ updates: [ada.name(plan, 'one')] }))
    assert.equal(storage.reader.operation('one')?.subject, note)
    assert.equal(storage.reader.operation('two')?.subject, plan)
    assert.equal(storage.reader.operation('three'), undefined)
    disk.clock.now = operationLifeMs + 2
    assert.equal(storage.reader.operation('one'), undefined)
    assert.equal(storage.reader.operation('two')?.subject, plan)
    assert.deepEqual(storage.reader.operationsOf(note, 9), [])
  })

  check('the clock of who carried out an operation decides nothing', async (disk) => {
    const storage = await disk.open()
    const [ada, bob] = [new Author(a), new Author(b)]
    disk.clock.now = 3 * operationLifeMs
    const late = { ...ada.name(note, 'late'), at: operationLifeMs }
    const early = { ...ada.name(note, 'early'), at: 9 * operationLifeMs }
    const operations = [create(DoneOperationSchema, { id: 'other', at: operationLifeMs })]
    const piece = { ...pieceOf([bob.name(note)]), operations }
    await storage.write(batchOf({ updates: [late, early], snapshots: [piece] }))
    const known = () => ['late', 'early', 'other'].filter((id) => storage.reader.operation(id))
    assert.deepEqual(known(), ['late', 'early', 'other'])
    assert.equal(storage.reader.operationsOf(note, 9).length, 3)
    disk.clock.now += operationLifeMs + 1
    assert.deepEqual(known(), [])
  })

  check('only time in which a store is open makes operations older', async (disk) => {
    const ada = new Author(a)
    const knows = async (id: string) => (await disk.open()).reader.operation(id) !== undefined
    const storage = await disk.open()
    disk.clock.now = 9
    await storage.write(batchOf({ updates: [ada.name(note, 'one')] }))
    await disk.close()
    // The clock is set forward by far, and back: while nothing runs nothing is forgotten.
    disk.clock.now = 9 * operationLifeMs
    assert.ok(await knows('one'))
    const set = await disk.open()
    disk.clock.now += operationLifeMs - 1
    await set.write(batchOf({ updates: [ada.name(note, 'two')] }))
    assert.ok(set.reader.operation('one'))
    await disk.close()
    disk.clock.now = -9 * operationLifeMs
    assert.ok(await knows('one'))
    assert.ok(await knows('two'))
    const last = await disk.open()
    disk.clock.now += 2
    assert.equal(last.reader.operation('one'), undefined)
    assert.ok(last.reader.operation('two'))
    disk.clock.now += operationLifeMs
    assert.equal(last.reader.operation('two'), undefined)
  })

  check('operations come with a piece, and go with it to the next server', async (disk) => {
    const storage = await disk.open()
    const [ada, bob] = [new Author(a), new Author(b)]
    const done = (id: string, at: number, digest: string) =>
      create(DoneOperationSchema, { id, at, digest })
    disk.clock.now = 1
    await storage.write(batchOf({ updates: [ada.name(note, 'one', '1'), ada.name(plan, 'else')] }))
    disk.clock.now = 7
    const piece = pieceOf([bob.name(note)])
    const operations = [done('two', 3, '2'), done('one', 8, 'not the first')]
    const write = storage.write(batchOf({ snapshots: [{ ...piece, operations }] }))
    // What is under way has no effect yet in what is loaded.
    assert.deepEqual(storage.reader.operationsOf(note, 9), [done('one', 1, '1')])
    await write
    const look = ({ reader }: Storage) => {
      assert.deepEqual(reader.operation('two'), { subject: note, digest: '2' })
      assert.deepEqual(reader.operation('one'), { subject: note, digest: '1' })
      assert.deepEqual(reader.operationsOf(note, 9), [done('two', 7, '2'), done('one', 1, '1')])
      assert.deepEqual(reader.operationsOf(note, 1), [done('two', 7, '2')])
    }
    look(storage)
    await storage.compact(note, new Map([[a, 1]]))
    look(storage)
    const again = await disk.open()
    look(again)
    const [kept] = again.reader.load(note).snapshots
    assert.deepEqual(kept?.operations, [], 'beside the pieces')
  })

  check('opened again it answers the same', async (disk) => {
    const storage = await disk.open()
    const [ada, bob] = [new Author(a), new Author(b)]
    const own = [ada.name(note, 'made'), ...ada.type(note, 8), ...ada.type(plan, 2)]
    const later = bob.type(plan, 9)
    await storage.write(batchOf({ updates: own, isComplete: true }))
    await storage.compact(note, new Map([[a, 6]]))
    await storage.write(batchOf({ snapshots: [pieceOf(later.slice(0, 5), plan)] }))
    await storage.write(batchOf({ updates: later.slice(0, 7), advance: new Map([[b, 8]]) }))
    const read = ({ reader }: Storage) => ({
      isComplete: reader.isComplete(),
      vector: reader.vector(),
      floor: reader.floor(),
      subjects: [note, plan].map((id) => ({
        loose: reader.loose(id),
        mergedBytes: reader.mergedBytes(id),
        ...reader.load(id),
      })),
      logs: [reader.after(a, 6, everything), reader.after(b, 8, everything)],
      beyond: [new Map(), new Map([[a, 11]])].map((vector) => reader.beyond(vector, '', 9)),
      entries: reader.entries('', 9),
      operation: reader.operation('made'),
      operations: reader.operationsOf(note, 9),
    })
    const before = read(storage)
    assert.deepEqual(read(await disk.open()), before)
    const again = await disk.open()
    assert.deepEqual(read(again), before)
    await again.write(batchOf({ updates: ada.type(note, 1) }))
    assert.equal(again.reader.vector().get(a), 12)
  })

  check('a large piece and a large update come back whole', async (disk) => {
    const storage = await disk.open()
    const large = (origin: Origin, length: number) => {
      const doc = new Y.Doc()
      doc.getText('text').insert(0, 'ab✓😀\n'.repeat(length / 6))
      const body: Update['body'] = { case: 'text', value: Y.encodeStateAsUpdate(doc) }
      return sealUpdate(create(UpdateSchema, { origin, seq: 1, subject: note, body }))
    }
    const [update, other] = [large(a, 900_000), large(b, 6_000_000)]
    const piece = pieceOf([other])
    await storage.write(batchOf({ updates: [update], snapshots: [piece] }))
    assert.deepEqual(storage.reader.load(note), { snapshots: [piece], updates: [update] })
    await storage.compact(note, new Map([[a, 1]]))
    assert.equal(textOf(storage, note).length, 6_900_000)
  })

  check('only one write is under way at a time', async (disk) => {
    const storage = await disk.open()
    const ada = new Author(a)
    const first = storage.write(batchOf({ updates: ada.type(note) }))
    await assert.rejects(storage.write(batchOf({ updates: ada.type(note) })), /broken invariant/)
    await first
    assert.equal(storage.reader.vector().get(a), 1)
  })

  check('a closed store takes nothing more', async (disk) => {
    const storage = await disk.open()
    await storage.write(batchOf({ updates: new Author(a).type(note) }))
    await disk.close()
    const closed = { code: 'closed' }
    await assert.rejects(storage.write(batchOf({ updates: new Author(b).type(note) })), closed)
    await assert.rejects(storage.compact(note, new Map([[a, 1]])), closed)
    const { reader } = await disk.open()
    assert.deepEqual(reader.vector(), new Map([[a, 1]]))
  })
}

function idOf(index: number): SubjectId {
  return `D${String(index).padStart(20, '0')}A` as SubjectId
}

function pages(page: (after: SubjectId | '') => SubjectId[]): SubjectId[] {
  const all: SubjectId[] = []
  for (let next = page(''); next.length > 0; next = page(all.at(-1)!)) all.push(...next)
  return all
}
