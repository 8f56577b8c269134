// The fields of an entry merge to one result, whatever the order.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, equals } from '@bufbuild/protobuf'
import { copyEntry, entryCounter, mergeEntry, newer } from './entry.ts'
import { permutations, stamp } from './testing/entries.ts'
import { EntrySchema, Kind, type Entry } from './wire.ts'

const id = 'AAAAAAAAAAAAAAAAAAAAAA'

test('the larger counter is newer; among equals the larger origin', () => {
  assert.equal(newer(stamp(2), stamp(1)), true)
  assert.equal(newer(stamp(1), stamp(2)), false)
  assert.equal(newer(stamp(1, 'b'), stamp(1, 'a')), true)
  assert.equal(newer(stamp(1), stamp(1)), false)
  assert.equal(newer(stamp(1), undefined), true)
  assert.equal(newer(undefined, stamp(1)), false)
  assert.equal(newer(undefined, undefined), false)
})

const changes: Entry[] = [
  create(EntrySchema, {
    id,
    kind: Kind.TEXT,
    created: stamp(1),
    name: { value: 'plan', stamp: stamp(1) },
    createdBy: 'ada',
    createdAt: 11,
  }),
  // The same operation, carried out by another server as well.
  create(EntrySchema, {
    id,
    kind: Kind.TEXT,
    created: stamp(3, 'b'),
    name: { value: 'plan', stamp: stamp(1, 'b') },
    createdBy: 'ada',
    createdAt: 12,
  }),
  create(EntrySchema, { id, name: { value: 'map', stamp: stamp(4) } }),
  create(EntrySchema, { id, deleted: { value: true, stamp: stamp(5) }, deletedBy: 'bob' }),
  create(EntrySchema, { id, deleted: { value: false, stamp: stamp(6) }, deletedBy: 'cy' }),
  create(EntrySchema, { id, deleted: { value: true, stamp: stamp(5, 'b') }, deletedBy: 'di' }),
]

test('all orders and repetitions of changes give one entry', () => {
  const expected = create(EntrySchema, {
    id,
    kind: Kind.TEXT,
    created: stamp(1),
    name: { value: 'map', stamp: stamp(4) },
    deleted: { value: false, stamp: stamp(6) },
    createdBy: 'ada',
    createdAt: 11,
    deletedBy: 'cy',
  })
  for (const order of permutations(changes)) {
    const entry = copyEntry(order[0]!)
    for (const change of [...order, ...order]) mergeEntry(entry, change)
    assert.ok(equals(EntrySchema, entry, expected))
  }
})

test('a merge says whether it changed anything and leaves the change alone', () => {
  const entry = copyEntry(changes[0]!)
  const before = copyEntry(changes[2]!)
  assert.equal(mergeEntry(entry, changes[2]!), true)
  assert.equal(mergeEntry(entry, changes[2]!), false)
  assert.equal(mergeEntry(entry, changes[0]!), false)
  assert.ok(equals(EntrySchema, changes[2]!, before))
})

test('the counter of an entry is the highest in its stamps', () => {
  assert.equal(entryCounter(create(EntrySchema, { id })), 0)
  assert.equal(entryCounter(changes[4]!), 6)
})
