// Stored subjects are read and merged without loss, and flipped bits are seen.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, equals, toBinary } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import {
  hasText,
  mergeStored,
  sealUpdate,
  storedEntry,
  storedText,
  storedVersions,
  textRoot,
  verifySnapshot,
  verifyUpdate,
} from './snapshot.ts'
import {
  EntrySchema,
  Kind,
  SnapshotSchema,
  UpdateSchema,
  VersionSchema,
  type Update,
} from './wire.ts'
import type { Origin } from './ids.ts'
import type { StoredSubject } from '../ports.ts'

const subject = 'AAAAAAAAAAAAAAAAAAAAAA'
const a = 'a.0000000000000' as Origin
const b = 'b.0000000000000' as Origin

function update(origin: Origin, seq: number, body: Update['body']): Update {
  return sealUpdate(create(UpdateSchema, { origin, seq, subject, body }))
}

/** Types into a document and gives the updates that this makes. */
function typed(doc: Y.Doc, type: (text: Y.Text) => void): Uint8Array[] {
  const made: Uint8Array[] = []
  const keep = (bytes: Uint8Array) => void made.push(bytes)
  doc.on('update', keep)
  type(doc.getText(textRoot))
  doc.off('update', keep)
  return made
}

const textOf = (stored: StoredSubject) => storedText(stored).getText(textRoot).toString()

test('pieces and loose updates of a text merge into one snapshot that reads the same', () => {
  const doc = new Y.Doc()
  const early = typed(doc, (text) => {
    text.insert(0, 'hello')
    text.insert(5, ' world')
  })
  const late = typed(doc, (text) => {
    text.delete(0, 5)
    text.insert(0, 'goodbye 👋')
  })
  const piece = mergeStored(
    { snapshots: [], updates: early.map((value, i) => update(a, i + 1, { case: 'text', value })) },
    new Map([[a, 2]]),
    subject,
  )
  const stored: StoredSubject = {
    snapshots: [piece],
    updates: late.map((value, i) => update(b, i + 1, { case: 'text', value })),
  }
  const merged = mergeStored(stored, new Map([[b, 2]]), subject)
  assert.equal(textOf({ snapshots: [merged], updates: [] }), 'goodbye 👋 world')
  assert.equal(textOf(stored), 'goodbye 👋 world')
  assert.deepEqual(merged.covers!.seen, { [a]: 2, [b]: 2 })
  assert.equal(merged.entry.length, 0)
  assert.equal(merged.versions.length, 0)
  assert.ok(verifySnapshot(merged))
})

test('updates may come in any order, and what waits for its causes is kept', () => {
  const doc = new Y.Doc()
  const [first, second, third] = typed(doc, (text) => {
    text.insert(0, 'a')
    text.insert(1, 'b')
    text.delete(0, 1)
  })
  const late = mergeStored(
    {
      snapshots: [],
      updates: [
        update(a, 1, { case: 'text', value: third! }),
        update(a, 2, { case: 'text', value: second! }),
      ],
    },
    new Map([[a, 2]]),
    subject,
  )
  assert.equal(textOf({ snapshots: [late], updates: [] }), '')
  const rest = [update(b, 1, { case: 'text', value: first! })]
  assert.equal(textOf({ snapshots: [late], updates: rest }), 'b')
})

test('deleted text leaves the snapshot', () => {
  const doc = new Y.Doc()
  const updates = typed(doc, (text) => {
    text.insert(0, 'x'.repeat(10_000))
    text.delete(0, 10_000)
  }).map((value, i) => update(a, i + 1, { case: 'text', value }))
  assert.ok(mergeStored({ snapshots: [], updates }, new Map(), subject).text.length < 50)
})

test('an empty text is a text; no text is none', () => {
  const nothing: StoredSubject = { snapshots: [], updates: [] }
  assert.equal(hasText(nothing), false)
  assert.equal(mergeStored(nothing, new Map(), subject).text.length, 0)
  const value = Y.encodeStateAsUpdate(new Y.Doc())
  const stored = { snapshots: [], updates: [update(a, 1, { case: 'text', value })] }
  assert.equal(hasText(stored), true)
  const merged = mergeStored(stored, new Map(), subject)
  assert.equal(hasText({ snapshots: [merged], updates: [] }), true)
})

test('bytes that are no text are an error, not an empty document', () => {
  const value = new Uint8Array([255, 255, 255])
  const stored = { snapshots: [], updates: [update(a, 1, { case: 'text', value })] }
  assert.throws(() => storedText(stored))
})

test('entries merge by field, over pieces and updates', () => {
  const created = create(EntrySchema, {
    id: subject,
    kind: Kind.TEXT,
    created: { counter: 1, origin: a },
    name: { value: 'plan', stamp: { counter: 1, origin: a } },
  })
  const renamed = create(EntrySchema, {
    id: subject,
    name: { value: 'map', stamp: { counter: 2, origin: b } },
  })
  const late = update(b, 1, { case: 'entry', value: toBinary(EntrySchema, renamed) })
  const early = update(a, 1, { case: 'entry', value: toBinary(EntrySchema, created) })
  const piece = mergeStored({ snapshots: [], updates: [late] }, new Map([[b, 1]]), subject)
  const entry = storedEntry({ snapshots: [piece], updates: [early] })!
  assert.equal(entry.name!.value, 'map')
  assert.equal(entry.kind, Kind.TEXT)
  assert.equal(storedEntry({ snapshots: [], updates: [] }), undefined)
  const merged = mergeStored({ snapshots: [piece], updates: [early] }, new Map([[a, 1]]), subject)
  assert.ok(equals(EntrySchema, storedEntry({ snapshots: [merged], updates: [] })!, entry))
})

test('versions are joined by id, oldest first', () => {
  const version = (id: string, at: number) =>
    create(VersionSchema, { id, at, name: id, text: new Uint8Array([1, 2]) })
  const stored = (...versions: ReturnType<typeof version>[]): StoredSubject => ({
    snapshots: [],
    updates: versions.map((each, i) =>
      update(a, i + 1, { case: 'version', value: toBinary(VersionSchema, each) }),
    ),
  })
  const piece = mergeStored(stored(version('c', 3), version('a', 2)), new Map(), subject)
  const whole: StoredSubject = {
    snapshots: [piece],
    updates: stored(version('b', 1), version('a', 2), version('c', 4)).updates,
  }
  assert.deepEqual(
    storedVersions(whole).map(({ id, at }) => [id, at]),
    [
      ['b', 1],
      ['a', 2],
      ['c', 3],
    ],
  )
})

test('5 of what two servers named in one moment the same counts, whichever was heard of first', () => {
  const texts = [[1], [1, 2], [1, 3], [2]].map((bytes) => new Uint8Array(bytes))
  const updates = texts.map((text, index) => {
    const value = toBinary(VersionSchema, create(VersionSchema, { id: 'v', at: 7, text }))
    return create(UpdateSchema, { seq: index + 1, body: { case: 'version', value } })
  })
  for (let from = 0; from < updates.length; from++) {
    const stored = { snapshots: [], updates: [...updates.slice(from), ...updates.slice(0, from)] }
    for (const each of [stored, { ...stored, updates: stored.updates.toReversed() }]) {
      assert.deepEqual(
        storedVersions(each).map(({ text }) => [...text]),
        [[1, 3]],
      )
    }
  }
})

test('a flipped bit in a body or in any part of a snapshot is seen', () => {
  const whole = update(a, 1, { case: 'text', value: new Uint8Array([0, 0, 7]) })
  assert.ok(verifyUpdate(whole))
  whole.body.value![1]! ^= 4
  assert.equal(verifyUpdate(whole), false)
  assert.equal(verifyUpdate(create(UpdateSchema, { origin: a, seq: 1, subject })), false)

  const entry = toBinary(EntrySchema, create(EntrySchema, { id: subject }))
  for (const part of ['text', 'entry', 'versions'] as const) {
    const doc = new Y.Doc()
    const [value] = typed(doc, (text) => text.insert(0, 'hello'))
    const version = toBinary(VersionSchema, create(VersionSchema, { id: subject, at: 1 }))
    const snapshot = mergeStored(
      {
        snapshots: [],
        updates: [
          update(a, 1, { case: 'text', value: value! }),
          update(a, 2, { case: 'entry', value: entry }),
          update(a, 3, { case: 'version', value: version }),
        ],
      },
      new Map(),
      subject,
    )
    assert.ok(verifySnapshot(snapshot))
    snapshot[part][2]! ^= 1
    assert.equal(verifySnapshot(snapshot), false)
  }
  assert.ok(verifySnapshot(create(SnapshotSchema, { subject })))
})
