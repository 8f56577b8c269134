// Whole subjects go to a server whose disk was lost, as fast as it stores them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { MemoryDisk, MemoryStorage } from '../../adapters/storage/memory.ts'
import { Circle, type Server } from '../../../test/replication-circle.ts'
import { originOf, subjectId, type ReplicaId } from '../model/ids.ts'
import { pieceBytesMax } from '../model/limits.ts'
import { mergeStored, sealUpdate, textRoot } from '../model/snapshot.ts'
import { PeerMessageSchema, UpdateSchema, type Snapshot } from '../model/wire.ts'

const [a, b, c, d] = ['a', 'b', 'c', 'd'] as [ReplicaId, ReplicaId, ReplicaId, ReplicaId]
const log = originOf(a, new Uint8Array(10).fill(9))
const subjectBytes = 200_000
const subjectCount = 50

/** A set of some megabytes that lies in no log any more. */
function pieces(): Snapshot[] {
  return Array.from({ length: subjectCount }, (_, index) => {
    const subject = subjectId(new Uint8Array(16).fill(index + 1))
    const doc = new Y.Doc()
    doc.getText(textRoot).insert(0, String(index % 10).repeat(subjectBytes))
    const body = { case: 'text' as const, value: Y.encodeStateAsUpdate(doc) }
    const update = sealUpdate(create(UpdateSchema, { origin: log, seq: index + 1, subject, body }))
    const covers = new Map([[log, index + 1]])
    return mergeStored({ snapshots: [], updates: [update] }, covers, subject)
  })
}

/** Three servers that hold it, and a fourth with an empty disk. */
function threeAndOne(circle = new Circle()): { circle: Circle; empty: Server } {
  const snapshots = pieces()
  for (const id of [a, b, d]) {
    const disk = new MemoryDisk()
    const advance = new Map([[log, subjectCount]])
    new MemoryStorage(disk).commit({ updates: [], snapshots, advance, isComplete: true, life: log })
    circle.disks.set(id, disk)
  }
  for (const id of [a, b, d]) circle.start(id)
  circle.pass(2000)
  return { circle, empty: circle.start(c) }
}

function receivedBytes({ heard }: Server): number {
  return heard.reduce(
    (sum, { message: { message } }) =>
      message.case === 'snapshot' ? sum + message.value.text.length : sum,
    0,
  )
}

test('12 a server that stores nothing is not sent more and more of the set', () => {
  const { circle, empty } = threeAndOne()
  circle.stuck.add(c)
  circle.pass(60_000)
  // From each of three, asked in turns.
  assert.ok(receivedBytes(empty) > 0)
  assert.ok(
    receivedBytes(empty) <= 3 * (2 * pieceBytesMax + subjectBytes),
    `${receivedBytes(empty)}`,
  )
})

const versions: [who: string, early: ReplicaId[]][] = [
  ['', []],
  [' by one that knows of no count', [a, b, d]],
  [', as one that tells no count', [c]],
]

for (const [who, early] of versions) {
  test(`a server that stores is filled${who}, each subject sent once`, () => {
    const circle = new Circle()
    for (const id of early) circle.early.add(id)
    const { empty } = threeAndOne(circle)
    circle.pass(5000)
    assert.equal(empty.storage.reader.vector().get(log), subjectCount)
    assert.equal(empty.storage.reader.isComplete(), true)
    assert.ok(receivedBytes(empty) < (subjectCount + 1) * subjectBytes)
    // When all of them were told, what they stand for is, too.
    const news = empty.events.filter(({ type }) => type === 'replaced' || type === 'advanced')
    assert.deepEqual(news.at(-1), { type: 'advanced', upTo: new Map([[log, subjectCount]]) })
    assert.equal(
      news.findIndex(({ type }) => type === 'advanced'),
      subjectCount,
    )
  })
}

test('12 who wants all subjects at once, again and again, is sent what it can store', () => {
  const { circle, empty } = threeAndOne()
  circle.pass(5000)
  assert.equal(empty.storage.reader.isComplete(), true)
  const before = receivedBytes(empty)
  const [asked] = [...empty.channels.values()]
  const { server, channel } = asked!
  const wants = pieces().map(({ subject }) =>
    create(PeerMessageSchema, { message: { case: 'want', value: { subject } } }),
  )
  circle.stuck.add(c)
  // All in one turn.
  for (const message of [...wants, ...wants, ...wants]) {
    const outputs = server.mind.step(circle.now, { type: 'received', channel, message })
    assert.deepEqual(outputs, [])
  }
  circle.input(server, { type: 'tick' })
  circle.pass(2000)
  const sent = receivedBytes(empty) - before
  assert.ok(sent > 0 && sent <= pieceBytesMax + 2 * subjectBytes, `${sent}`)
})

test('a server that wants all subjects gets them, as it stores them', () => {
  const { circle, empty } = threeAndOne()
  circle.pass(5000)
  const before = receivedBytes(empty)
  const [asked] = [...empty.channels.values()]
  for (const { subject } of pieces()) {
    const message = create(PeerMessageSchema, { message: { case: 'want', value: { subject } } })
    circle.input(asked!.server, { type: 'received', channel: asked!.channel, message })
  }
  circle.pass(5000)
  assert.ok(receivedBytes(empty) - before > subjectCount * subjectBytes)
})

test('a server whose disk takes its time is filled by whom it asked first', () => {
  const { circle, empty } = threeAndOne()
  // Longer than one is waited for that says nothing.
  circle.flushMs.set(c, 3000)
  circle.pass(60_000)
  assert.equal(empty.storage.reader.vector().get(log), subjectCount)
  assert.ok(receivedBytes(empty) < (subjectCount + 1) * subjectBytes)
})

test('a server that is asked again and again goes on with the transfer that it has begun', () => {
  const { circle, empty } = threeAndOne()
  circle.flushMs.set(c, 200)
  const gossip = create(PeerMessageSchema, { message: { case: 'gossip', value: { vector: {} } } })
  const isFilled = () => empty.storage.reader.vector().get(log) === subjectCount
  for (let count = 0; count < 200 && !isFilled(); count++) {
    for (const { server, channel } of empty.channels.values()) {
      circle.input(server, { type: 'received', channel, message: gossip })
    }
    circle.pass(50)
  }
  assert.ok(isFilled())
})
