// What a file holds merges to one result, and two changes at once are both kept and told.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, equals } from '@bufbuild/protobuf'
import { asideStamp, blobOf, hasConflict, history, isHash, mergeContents } from './contents.ts'
import { copyEntry, entryCounter, mergeEntry } from './entry.ts'
import { contentsMax } from './limits.ts'
import { permutations, stamp } from './testing/entries.ts'
import { ContentSchema, EntrySchema, Kind, type Content, type Entry } from './wire.ts'

const id = 'AAAAAAAAAAAAAAAAAAAAAA'

const content = (hash: string, base: string, counter: number, origin = 'a'): Content =>
  create(ContentSchema, {
    hash,
    base,
    size: hash.length,
    author: origin,
    stamp: stamp(counter, origin),
  })

const change = (...contents: Content[]): Entry => create(EntrySchema, { id, contents })

const made = (kind: Kind): Entry =>
  create(EntrySchema, {
    id,
    kind,
    created: stamp(1),
    name: { value: 'plan', stamp: stamp(0) },
    createdBy: 'ada',
  })

function merged(changes: Entry[]): Entry {
  const [first, ...rest] = changes
  const entry = copyEntry(first!)
  for (const each of rest) mergeEntry(entry, each)
  return entry
}

test('all orders and repetitions give one file: the newest is shown, the others are kept', () => {
  const changes = [
    made(Kind.TEXT),
    change(content('x', '', 2)),
    change(content('y', 'x', 3)),
    change(content('z', 'x', 3, 'b')),
    change(content('', 'z', 4)),
  ]
  const expected = merged(changes)
  assert.equal(expected.kind, Kind.TEXT)
  assert.deepEqual(
    expected.contents.map(({ hash }) => hash),
    ['', 'z', 'y', 'x'],
  )
  for (const order of permutations(changes)) {
    const entry = merged([...order, ...order])
    assert.ok(equals(EntrySchema, entry, expected))
    assert.ok(
      equals(EntrySchema, merged([merged(order.slice(0, 2)), merged(order.slice(2))]), expected),
    )
  }
  assert.equal(entryCounter(expected), 4)
})

test('of more than are kept the same ones are kept in any order', () => {
  const all = Array.from({ length: contentsMax + 10 }, (_, index) =>
    content(`${index}`, '', index + 1),
  )
  const inTurn = all.reduce<Content[]>((kept, each) => mergeContents(kept, [each]), [])
  const backwards = all
    .toReversed()
    .reduce<Content[]>((kept, each) => mergeContents(kept, [each]), [])
  const halves = mergeContents(mergeContents([], all.slice(0, 25)), all.slice(15))
  for (const kept of [inTurn, backwards, halves]) {
    assert.deepEqual(
      kept.map(({ hash }) => Number(hash)),
      Array.from({ length: contentsMax }, (_, index) => contentsMax + 9 - index),
    )
  }
  // What is too old to be kept changes nothing, and is not reported as a change.
  assert.equal(mergeContents(inTurn, [all[0]!]), inTurn)
  assert.equal(mergeEntry(merged([made(Kind.BINARY), change(...inTurn)]), change(all[0]!)), false)
})

test('a file becomes binary by bytes, text again by a content without, a directory never', () => {
  const bytes = change(content('x', '', 2))
  const text = change(content('', 'x', 3))
  assert.equal(merged([made(Kind.TEXT), bytes]).kind, Kind.BINARY)
  assert.equal(blobOf(merged([made(Kind.TEXT), bytes]))?.hash, 'x')
  assert.equal(merged([made(Kind.BINARY), bytes, text]).kind, Kind.TEXT)
  assert.equal(blobOf(merged([made(Kind.BINARY), bytes, text])), undefined)
  assert.equal(merged([made(Kind.DIRECTORY), bytes]).kind, Kind.DIRECTORY)
  assert.equal(blobOf(made(Kind.TEXT)), undefined)
})

test('two changes of one content are a conflict until somebody goes on from the shown one', () => {
  const first = content('x', '', 2)
  const [ada, bob] = [content('y', 'x', 3), content('z', 'x', 3, 'b')]
  assert.equal(hasConflict(made(Kind.TEXT)), false)
  assert.equal(hasConflict(change(first)), false)
  assert.equal(hasConflict(merged([change(first), change(ada)])), false)
  const both = merged([change(first), change(ada), change(bob)])
  assert.deepEqual([both.contents[0]?.hash, hasConflict(both)], ['z', true])
  assert.equal(hasConflict(merged([both, change(content('w', 'z', 4))])), false)
  // The shown one, once more.
  assert.equal(hasConflict(merged([both, change(content('z', 'z', 4))])), false)
  // The other one, chosen while looking at the shown one.
  assert.equal(hasConflict(merged([both, change(content('y', 'z', 4))])), false)
  assert.equal(hasConflict(merged([change(first), change(content('', 'x', 3)), change(bob)])), true)
})

test('one change that two servers carried out is one, and no conflict', () => {
  const twice = merged([
    change(content('x', '', 2)),
    change(content('y', 'x', 3)),
    change(content('y', 'x', 3, 'b')),
  ])
  assert.deepEqual(
    history(twice).map(({ hash }) => hash),
    ['y', 'x'],
  )
  assert.equal(hasConflict(twice), false)
})

test('what is written in a text beneath bytes is a second version, until the bytes are chosen again', () => {
  const aside = (entry: Entry, author: string, origin = 'b') => {
    const stamp = asideStamp(entry, author, origin)!
    return change(create(ContentSchema, { author, stamp, isAside: true }))
  }
  const bytes = merged([made(Kind.TEXT), change(content('x', '', 5))])
  assert.equal(hasConflict(bytes), false)
  const both = merged([bytes, aside(bytes, 'ada')])
  assert.deepEqual([blobOf(both)?.hash, both.kind, hasConflict(both)], ['x', Kind.BINARY, true])
  assert.equal(asideStamp(both, 'ada', 'b'), undefined, 'it is told')
  // Somebody else's, at the same server and at another: all are versions.
  const three = merged([both, aside(both, 'bob'), aside(bytes, 'cleo', 'c')])
  const authors = history(three).map(({ author }) => author)
  assert.deepEqual([authors[0], ...authors.slice(1).sort()], ['a', 'ada', 'bob', 'cleo'])
  // The bytes once more, the text, or both as files of their own: somebody has looked.
  const kept = merged([three, change(content('x', 'x', 6))])
  assert.equal(hasConflict(kept), false)
  assert.equal(hasConflict(merged([three, change(content('', 'x', 6))])), false)
  assert.equal(hasConflict(merged([three, change(content('y', 'x', 6))])), false)
  // And who writes there after that is told of again.
  assert.equal(hasConflict(merged([kept, aside(kept, 'ada')])), true)
  assert.equal(asideStamp(made(Kind.TEXT), 'ada', 'b'), undefined)
  assert.equal(asideStamp(merged([both, change(content('', 'x', 6))]), 'ada', 'b'), undefined)
})

test('only 64 lower-case hex digits name a blob', () => {
  assert.ok(isHash('0'.repeat(64)))
  for (const bad of ['', '0'.repeat(63), 'A'.repeat(64), `../${'0'.repeat(61)}`, 'g'.repeat(64)]) {
    assert.equal(isHash(bad), false, bad)
  }
})
