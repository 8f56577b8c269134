// Which operations of others are known before this disk has them, and when their effect counts as here.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { MemoryDisk, MemoryStorage } from '../../adapters/storage/memory.ts'
import { four, subject, type Server } from '../../../test/replication-circle.ts'
import type { Origin } from '../model/ids.ts'
import { mergeStored } from '../model/snapshot.ts'
import { DoneOperationSchema, PeerMessageSchema, SnapshotSchema } from '../model/wire.ts'
import { OnTheWay } from './on-the-way.ts'

test('what a peer carried out is known from when it came, though this disk is slow', () => {
  const { circle, servers } = four()
  const [a, b, c] = servers as [Server, Server, Server]
  circle.stuck.add(b.id)
  circle.append(a, 1, 'x', 'operation')
  const found = { subject, digest: '' }
  assert.deepEqual(b.mind.reader.operation('operation'), { ...found, coming: 'soon' })
  assert.deepEqual(c.mind.reader.operation('operation'), found)
  assert.equal(b.mind.reader.operation('another'), undefined)
})

test('what came with a subject is known before this disk has that', () => {
  const { circle, servers } = four()
  const [a, b] = servers as [Server, Server]
  circle.append(a, 1, 'x')
  circle.stuck.add(b.id)
  const origin = 'e.0123456789abc' as Origin
  const updates = a.storage.reader.load(subject).updates
  const whole = mergeStored({ snapshots: [], updates }, new Map([[origin, 1]]), subject)
  whole.operations = [create(DoneOperationSchema, { id: 'operation', at: 1 })]
  const [channel] = [...b.channels].find(([, { server }]) => server === a)!
  const message = create(PeerMessageSchema, { message: { case: 'snapshot', value: whole } })
  circle.input(b, { type: 'received', channel, message })
  assert.equal(b.mind.reader.operation('operation')?.coming, 'later')
})

test('what came with a subject counts when the logs reach as far as that', () => {
  const origin = 'a.0123456789abc' as Origin
  const { reader } = new MemoryStorage(new MemoryDisk())
  const vector = new Map([[origin, 3]])
  const onTheWay = new OnTheWay(reader, vector)
  const coming = (id: string) => onTheWay.reader.operation(id)?.coming
  const whole = (id: string, seq: number) =>
    create(SnapshotSchema, {
      subject,
      covers: { seen: { [origin]: seq } },
      operations: [{ id, at: 1, digest: '' }],
    })
  const [repaired, ahead] = [whole('repaired', 3), whole('ahead', 5)]
  onTheWay.cameWhole(repaired)
  onTheWay.cameWhole(ahead)
  assert.deepEqual([coming('repaired'), coming('ahead')], ['soon', 'later'])
  onTheWay.stored([{ snapshot: repaired }, { snapshot: ahead }])
  assert.deepEqual([coming('repaired'), coming('ahead')], [undefined, 'later'])
  vector.set(origin, 5)
  onTheWay.stored([{ advance: new Map([[origin, 5]]) }])
  assert.equal(coming('ahead'), undefined)
})
