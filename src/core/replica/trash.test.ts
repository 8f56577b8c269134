// What is deleted: when it goes for good, and that it goes again when it comes back after that.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { MemoryDisk } from '../../adapters/storage/memory.ts'
import { Desk, freshId, here, there, Writer } from '../../../test/replica-desk.ts'
import type { Origin, SubjectId } from '../model/ids.ts'
import { isTombstone, purgedStored, sealUpdate } from '../model/snapshot.ts'
import { EntrySchema, Kind, ServerState, UpdateSchema, type Update } from '../model/wire.ts'

const other = 'b.0123456789abc'
const stamp = (counter: number) => ({ counter, origin: other })

/** A server that has a file which is deleted for good, and knows that all know it. */
class Burial {
  readonly disk = new MemoryDisk()
  readonly desk = new Desk(this.disk)
  readonly file: SubjectId
  #seq = 0

  constructor() {
    const ana = new Writer(this.desk, 1, 'ana')
    this.file = ana.create('plan.md', 'hello ') as SubjectId
    this.desk.store()
    const { stamp: place } = this.desk.last(1, 'entries')!.entries[0]!.parent!
    const purged = { root: this.file, deletion: stamp(50), isKnown: true, ...(place && { place }) }
    this.hear({ deleted: { value: true, stamp: stamp(50) }, purged })
  }

  /** Another server tells of a change. */
  hear(entry: MessageInitShape<typeof EntrySchema>, desk = this.desk): void {
    const value = toBinary(EntrySchema, create(EntrySchema, { id: this.file, ...entry }))
    this.hearBody({ case: 'entry', value }, desk)
  }

  hearBody(body: Update['body'], desk = this.desk): void {
    const told = { origin: other, seq: ++this.#seq, subject: this.file, body }
    const update = sealUpdate(create(UpdateSchema, told))
    desk.storage.commit({ updates: [update], snapshots: [] })
    desk.input({ type: 'event', event: { type: 'changed', update } })
  }

  /** Whether it is asked, at the next look, that all but the tombstone goes. */
  isToGo(desk = this.desk): boolean {
    const before = desk.asked.length
    desk.now += 100_000
    desk.input({ type: 'tick' })
    return desk.asked.slice(before).some(({ type }) => type === 'purge')
  }

  /** What this server told the log of it, and nobody had asked for. */
  tombstones(desk = this.desk): number {
    return desk.asked.filter((request) => {
      if (request.type !== 'append' || request.update.body.case !== 'entry') return false
      return fromBinary(EntrySchema, request.update.body.value).purged?.isDone === true
    }).length
  }

  remove(desk = this.desk): void {
    desk.storage.compactNow(this.file, desk.storage.reader.vector(), true)
    desk.input({ type: 'event', event: { type: 'purged', subject: this.file } })
  }

  isBare(desk = this.desk): boolean {
    return isTombstone(desk.storage.reader.load(this.file))
  }
}

const restored = { deleted: { value: false, stamp: stamp(60) } }

test('what a server removed goes again when it comes back, and the log says so once', () => {
  const burial = new Burial()
  const { desk } = burial
  assert.ok(burial.isToGo())
  burial.remove()
  assert.ok(burial.isBare())
  assert.ok(!burial.isToGo())
  assert.equal(burial.tombstones(), 0)
  // By one that was put back to before, and knows nothing of all that.
  burial.hear(restored)
  burial.hear({ name: { value: 'again.md', stamp: stamp(61) } })
  assert.equal(burial.tombstones(), 1)
  desk.store()
  assert.ok(burial.isToGo())
  burial.remove()
  assert.ok(burial.isBare())
  assert.ok(!burial.isToGo())
  burial.hear({ name: { value: 'thrice.md', stamp: stamp(62) } })
  assert.equal(burial.tombstones(), 2)
})

test('text that comes for what was removed goes again, too', () => {
  const burial = new Burial()
  burial.remove()
  burial.hearBody({ case: 'text', value: Uint8Array.of(0, 0) })
  burial.desk.store()
  assert.equal(burial.tombstones(), 1)
  assert.ok(burial.isToGo())
  burial.remove()
  assert.ok(burial.isBare())
})

test('a server that heard from the log that nothing is left removes it, and repeats nothing', () => {
  const burial = new Burial()
  burial.hear(restored)
  assert.ok(!burial.isToGo())
  burial.hear({ purged: { root: burial.file, deletion: stamp(50), isKnown: true, isDone: true } })
  assert.equal(burial.tombstones(), 0)
  assert.ok(burial.isToGo())
  burial.remove()
  assert.ok(burial.isBare())
  assert.ok(!burial.isToGo())
})

test('a server that got a tombstone whole, over what it holds, says so in the log', () => {
  const burial = new Burial()
  const { file, desk } = burial
  const { reader } = desk.storage
  const tombstone = purgedStored(reader.load(file), reader.vector(), file)!
  burial.hear(restored)
  desk.storage.commit({ updates: [], snapshots: [tombstone] })
  desk.input({ type: 'event', event: { type: 'replaced', subject: file } })
  desk.store()
  assert.equal(burial.tombstones(), 1)
  assert.ok(burial.isToGo())
})

test('what lies beneath a tombstone when a server starts goes, and the log says so', () => {
  const burial = new Burial()
  burial.remove()
  const started = new Desk(burial.disk, 'a.1123456789abc' as Origin)
  assert.equal(burial.tombstones(started), 0)
  assert.ok(!burial.isToGo(started))
  // It ends before what it says of this is on its disk.
  burial.hear(restored, started)
  const again = new Desk(burial.disk, 'a.2123456789abc' as Origin)
  again.store()
  assert.equal(burial.tombstones(again), 1)
  assert.ok(burial.isToGo(again))
  burial.remove(again)
  assert.ok(!burial.isToGo(again))
})

test('what came while a purge was under way is not taken for gone', () => {
  const burial = new Burial()
  burial.remove()
  burial.hear(restored)
  burial.desk.store()
  // Of a compaction that read the disk before.
  burial.desk.input({ type: 'event', event: { type: 'purged', subject: burial.file } })
  assert.ok(burial.isToGo())
})

test('what goes with its directory, or comes back with it, is in the digest as it is (5)', () => {
  const [one, quiet] = [new Desk(), new Desk()]
  const [directory, file] = [freshId(), freshId()]
  let seq = 0
  const hear = (entry: MessageInitShape<typeof EntrySchema>) => {
    const whole = create(EntrySchema, entry)
    const body = { case: 'entry' as const, value: toBinary(EntrySchema, whole) }
    const told = { origin: other, seq: ++seq, subject: whole.id, body }
    const update = sealUpdate(create(UpdateSchema, told))
    for (const desk of [one, quiet]) {
      desk.storage.commit({ updates: [update], snapshots: [] })
      desk.input({ type: 'event', event: { type: 'changed', update } })
    }
    return one.replica.digest()
  }
  const made = (name: string, parent: string) => ({
    created: stamp(1),
    name: { value: name, stamp: stamp(1) },
    parent: { value: parent, stamp: stamp(1) },
    deleted: { value: false, stamp: stamp(1) },
  })
  const purged = { root: directory, deletion: stamp(2), place: stamp(1) }
  hear({ id: directory, kind: Kind.DIRECTORY, ...made('specs', '') })
  const digest = hear({ id: file, kind: Kind.TEXT, ...made('plan.md', directory) })
  hear({ id: file, purged })
  hear({ id: directory, deleted: { value: true, stamp: stamp(2) }, purged })
  assert.equal(one.replica.digest(), new Desk().replica.digest())
  hear({ id: directory, deleted: { value: false, stamp: stamp(3) } })
  assert.equal(one.replica.digest(), quiet.replica.digest())
  assert.notEqual(one.replica.digest(), digest)
})

/** A server with a file in the trash, where a step of its age takes a second and three are its time. */
class Bin {
  readonly desk = new Desk(undefined, undefined, {
    trash: { stepMs: 1000, steps: 3, lookMs: 100 },
  })
  readonly file: string

  constructor() {
    this.file = new Writer(this.desk, 1, 'ana').create('plan.md', 'hello ')
    this.desk.store()
    this.desk.call(1, { type: 'delete', file: this.file, operation: freshId() })
    this.desk.store()
    this.desk.cover()
    this.desk.asked.length = 0
  }

  /** How the other server is, and which of the two is the first of the set. */
  is(state: ServerState, ids = [here, there]): void {
    const servers = ids.map((id) => {
      const isHere = id === here
      const view = { address: `http://${id}`, lag: 0, heardAt: 0 }
      return { id, ...view, state: isHere ? ServerState.LIVE : state }
    })
    this.desk.input({ type: 'event', event: { type: 'servers', servers, isServing: true } })
  }

  /** Looks for so long; the disk stores at once unless it hangs. */
  pass(ms: number, hangs = false): void {
    for (const end = this.desk.now + ms; this.desk.now < end;) {
      this.desk.now += 100
      this.desk.input({ type: 'tick' })
      if (!hangs) this.desk.store()
    }
  }

  /** What it did since the last look at it. */
  done(): string[] {
    return this.desk.asked.splice(0).flatMap((request) => {
      if (request.type === 'purge') return ['removes']
      if (request.type !== 'append' || request.update.body.case !== 'entry') return []
      const { age, purged } = fromBinary(EntrySchema, request.update.body.value)
      if (purged) return [purged.isKnown ? 'all know' : 'purges']
      return age ? [`is ${age.steps} old`] : []
    })
  }
}

test('G12 the time of what is in the trash runs while all servers are there, and goes on counted', () => {
  const bin = new Bin()
  bin.is(ServerState.DOWN)
  bin.pass(5000)
  assert.deepEqual(bin.done(), [])
  bin.is(ServerState.LIVE)
  bin.pass(900)
  bin.is(ServerState.DOWN)
  bin.pass(100)
  bin.is(ServerState.LIVE)
  bin.pass(1000)
  assert.deepEqual(bin.done(), [], 'it begins again when all are there')
  bin.pass(100, true)
  bin.pass(2000, true)
  assert.deepEqual(bin.done(), ['is 1 old'], 'nothing more before that is on the disk')
  bin.desk.store()
  bin.pass(1100)
  assert.deepEqual(bin.done(), ['is 2 old'])
  bin.desk.call(2, { type: 'restore', file: bin.file, operation: freshId() })
  bin.desk.store()
  bin.desk.call(3, { type: 'delete', file: bin.file, operation: freshId() })
  bin.desk.store()
  bin.pass(1100)
  assert.deepEqual(bin.done(), ['is 1 old'], 'of another deletion')
})

test('14 what is purged is removed when all know, which the first server says when all have it', () => {
  const bin = new Bin()
  bin.is(ServerState.LIVE, [there, here])
  bin.pass(3300)
  assert.deepEqual(bin.done(), ['is 1 old', 'is 2 old', 'purges'])
  bin.desk.cover()
  bin.pass(500)
  assert.deepEqual(bin.done(), [], 'another one says it')
  const late = new Bin()
  late.pass(3500)
  assert.deepEqual(late.done(), ['is 1 old', 'is 2 old', 'purges'], 'the other may not have it')
  late.desk.cover()
  late.pass(100)
  assert.deepEqual(late.done(), ['all know'])
  late.pass(100)
  assert.deepEqual(late.done(), ['removes'])
})
