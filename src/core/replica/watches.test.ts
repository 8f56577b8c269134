// Watchers that change servers: told what lies beyond what they know, and nothing else.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshId, LoneReplica } from '../../../test/lone-replica.ts'
import { liveMs } from '../model/limits.ts'
import { mergeStored } from '../model/snapshot.ts'
import { covers, raise, type VersionVector } from '../model/version-vector.ts'
import type { Answer } from './messages.ts'

type Watched = Extract<Answer, { type: 'watched' }>

const watched = (answers: Answer[]) =>
  answers.filter((answer): answer is Watched => answer.type === 'watched')

const told = (answers: Answer[]) =>
  watched(answers).map(({ event, file }) => (file ? `${event} ${file.path}` : event))

/** What a watcher knows that was told all this. */
function known(answers: Answer[], before: VersionVector = new Map()): VersionVector {
  const vector = new Map(before)
  for (const { seen } of watched(answers)) if (seen) raise(vector, seen)
  return vector
}

const three = () => ({ a: new LoneReplica('a'), b: new LoneReplica('b'), c: new LoneReplica('c') })

const change = (replica: LoneReplica, type: 'delete' | 'restore' | 'erase', file: string) =>
  replica.call({ type, file, operation: freshId() })

test('changes are told in the order of the log, each with the updates it stands for', () => {
  const a = new LoneReplica('a')
  a.save('one.md', '1')
  const call = a.begin({ type: 'watch', file: '' })
  const first = a.take(call)
  assert.deepEqual(told(first), ['present one.md', 'ready'])
  assert.deepEqual(known(first), a.storage.reader.vector())
  a.save('two.md', '2')
  a.save('one.md', '1 changed')
  a.call({ type: 'rename', file: 'two.md', name: 'three.md', operation: freshId() })
  change(a, 'delete', 'one.md')
  const later = a.take(call)
  // What is new comes with its text.
  assert.deepEqual(told(later), [
    'created two.md',
    'changed one.md',
    'renamed three.md',
    'deleted one.md',
  ])
  const seqs = watched(later).map(({ seen }) => seen!.get(a.origin)!)
  assert.deepEqual(
    seqs,
    [...seqs].sort((x, y) => x - y),
  )
  assert.deepEqual(known(later, known(first)), a.storage.reader.vector())
})

test('who watches a file hears that a directory above it goes, comes back and moves', () => {
  const a = new LoneReplica('a')
  const specs = freshId()
  const make = (path: string, operation = freshId()) =>
    a.call({ type: 'makeDirectory', path, hasParents: false, operation })
  make('specs', specs)
  make('specs/old')
  make('later')
  a.save('specs/old/one.md', '1')
  const call = a.begin({ type: 'watch', file: 'specs/old/one.md' })
  assert.deepEqual(told(a.take(call)), ['present specs/old/one.md', 'ready'])
  change(a, 'delete', 'specs')
  assert.deepEqual(told(a.take(call)), ['deleted specs/old/one.md'])
  change(a, 'restore', specs)
  a.call({ type: 'move', file: 'specs', path: 'later/specs', operation: freshId() })
  assert.deepEqual(told(a.take(call)), ['created specs/old/one.md', 'moved later/specs/old/one.md'])
})

test('who knows everything is told nothing by another server', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.save('one.md', '1')
  b.heard(a.updates())
  const seen = known(a.call({ type: 'watch', file: '' }))
  const since = { type: 'watch', file: '', since: seen } as const
  assert.deepEqual(told(b.call(since)), ['ready'])
  assert.deepEqual(told(a.call(since)), ['ready'])
})

test('what was missed is told once: new, changed, moved, gone, and not what was known', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  for (const name of ['same.md', 'edited.md', 'gone.md', 'named.md']) a.save(name, name)
  b.heard(a.updates())
  const seen = known(b.call({ type: 'watch', file: '' }))
  const before = a.updates().length
  a.save('edited.md', 'edited')
  a.save('new.md', 'new')
  a.call({ type: 'rename', file: 'named.md', name: 'other.md', operation: freshId() })
  change(a, 'delete', 'gone.md')
  b.heard(a.updates(before))
  const answers = b.call({ type: 'watch', file: '', since: seen })
  assert.deepEqual(told(answers).sort(), [
    'changed edited.md',
    'changed new.md',
    'present edited.md',
    'present gone.md',
    'present new.md',
    'present other.md',
    'present same.md',
    'ready',
  ])
  const gone = watched(answers).find(({ file }) => file?.path === 'gone.md')
  assert.equal(gone?.file?.isDeleted, true)
  assert.deepEqual(known(answers, seen), b.storage.reader.vector())
})

test('a server that is behind tells later what was told before, and the watcher sees that', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.save('one.md', '1')
  b.heard(a.updates())
  const call = a.begin({ type: 'watch', file: '' })
  const before = a.updates().length
  a.save('one.md', 'told by a')
  a.save('two.md', 'told by a')
  const seen = known(a.take(call))
  // a dies before b has it.
  const other = b.begin({ type: 'watch', file: '', since: seen })
  assert.deepEqual(told(b.take(other)), ['ready'])
  b.heard(a.updates(before))
  const late = watched(b.take(other))
  const changes = ['changed one.md', 'created two.md']
  assert.deepEqual(told(late), [...changes, 'present one.md', 'present two.md', 'ready'])
  for (const each of late.slice(0, 2)) assert.ok(each.seen!.size > 0 && covers(seen, each.seen!))
})

test('a server that has caught up tells all that is there once more, in the trash or not', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.save('one.md', '1')
  a.save('two.md', '2')
  b.heard(a.updates())
  const before = a.updates().length
  for (const name of ['one.md', 'two.md']) change(a, 'delete', name)
  const seen = known(a.call({ type: 'watch', file: '' }))
  // Restored here, which lies above that deletion: when it comes, nothing changes here.
  for (const type of ['delete', 'restore'] as const) change(b, type, 'one.md')
  const call = b.begin({ type: 'watch', file: '', since: seen })
  b.take(call)
  b.heard(a.updates(before))
  const caughtUp = watched(b.take(call))
  assert.deepEqual(told(caughtUp), ['deleted two.md', 'present one.md', 'present two.md', 'ready'])
  const isDeleted = caughtUp.slice(1, 3).map(({ file }) => file!.isDeleted)
  assert.deepEqual(isDeleted, [false, true])
  assert.deepEqual(known(caughtUp, seen), b.storage.reader.vector())
})

test('what nobody has any more is not waited for: all is told that is there', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.save('one.md', '1')
  b.heard(a.updates())
  change(a, 'delete', 'one.md')
  const seen = known(a.call({ type: 'watch', file: '' }))
  const call = b.begin({ type: 'watch', file: '', since: seen })
  assert.deepEqual(told(b.take(call)), ['ready'])
  b.tick(0)
  b.tick(liveMs - 1)
  assert.deepEqual(b.sought, [], 'whoever told it may be about to say so')
  b.tick(liveMs)
  assert.deepEqual(b.sought, [{ type: 'seek', tag: call, upTo: seen }])
  b.turn({ type: 'event', event: { type: 'absent', tag: call, origins: [a.origin] } })
  const all = watched(b.take(call))
  assert.deepEqual(told(all), ['present one.md', 'ready'])
  assert.deepEqual(known(all), b.storage.reader.vector())
  b.tick(3 * liveMs)
  assert.deepEqual(b.sought, [], 'it is known')
})

test('who left a server that was behind is told all that is there by the next', () => {
  const a = new LoneReplica('a')
  for (const name of ['one.md', 'two.md', 'three.md']) a.save(name, name)
  change(a, 'delete', 'two.md')
  const seen = known(a.call({ type: 'watch', file: '' }))
  a.save('one.md', 'one.md changed')
  const answers = a.call({ type: 'watch', file: '', since: seen, listsAll: true })
  assert.deepEqual(told(answers), [
    'present one.md',
    'changed one.md',
    'present three.md',
    'present two.md',
    'ready',
  ])
})

test('of what is new to a server, and was known in part, it is told that it changed', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.save('one.md', '1')
  a.save('two.md', '2')
  const seen = known(a.call({ type: 'watch', file: '' }))
  a.save('one.md', '1 changed')
  const call = b.begin({ type: 'watch', file: '', since: seen })
  b.heard(a.updates())
  assert.deepEqual(told(b.take(call)), [
    'ready',
    'created one.md',
    'created two.md',
    'present one.md',
    'changed one.md',
    'present two.md',
    'ready',
  ])
})

test('a log that came in whole subjects is caught up with when its transfer ends', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.save('one.md', '1')
  const { reader } = a.storage
  const seen = known(a.call({ type: 'watch', file: '' }))
  const call = b.begin({ type: 'watch', file: '', since: seen })
  const [subject] = reader.entries('', 10)
  const whole = mergeStored(reader.load(subject!), reader.vector(), subject!)
  b.storage.commit({ updates: [], snapshots: [whole] })
  b.turn({ type: 'event', event: { type: 'replaced', subject: subject! } })
  assert.deepEqual(told(b.take(call)), ['ready', 'created one.md'])
  b.turn({ type: 'event', event: { type: 'advanced', upTo: reader.vector() } })
  const caughtUp = b.take(call)
  assert.deepEqual(told(caughtUp), ['present one.md', 'ready'])
  assert.deepEqual(known(caughtUp), seen)
})

test('of a text that came whole nothing is told twice by a server that catches up', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.save('one.md', '1')
  b.heard(a.updates())
  a.save('two.md', '2')
  const { reader } = a.storage
  const call = b.begin({
    type: 'watch',
    file: '',
    since: known(a.call({ type: 'watch', file: '' })),
  })
  a.save('one.md', '1 changed')
  const one = reader.entries('', 10).find((id) => b.storage.reader.load(id).updates.length > 0)!
  const whole = mergeStored(reader.load(one), reader.vector(), one)
  b.storage.commit({ updates: [], snapshots: [whole] })
  b.turn({ type: 'event', event: { type: 'replaced', subject: one } })
  assert.deepEqual(told(b.take(call)), ['ready', 'changed one.md'])
  b.turn({ type: 'event', event: { type: 'advanced', upTo: reader.vector() } })
  assert.deepEqual(told(b.take(call)), ['present one.md', 'ready'])
})

test('what a server that is behind tells at first it does not tell when it catches up', () => {
  const { a, b, c } = three()
  a.save('one.md', '1')
  for (const each of [b, c]) each.heard(a.updates())
  const before = c.updates().length
  c.save('two.md', '2')
  const since = known(c.call({ type: 'watch', file: '' }))
  const made = a.updates().length
  a.save('one.md', '1 changed')
  b.heard(a.updates(made))
  const call = b.begin({ type: 'watch', file: '', since })
  assert.deepEqual(told(b.take(call)), ['present one.md', 'changed one.md', 'ready'])
  b.heard(c.updates(before))
  const caughtUp = ['created two.md', 'present one.md', 'present two.md', 'ready']
  assert.deepEqual(told(b.take(call)), caughtUp)
})

test('of a compacted text it is told that it changed, also when only a part lies beyond', () => {
  const a = new LoneReplica('a')
  a.save('one.md', '1')
  a.save('other.md', 'other')
  const seen = known(a.call({ type: 'watch', file: '' }))
  a.save('one.md', '1 and more')
  const { reader } = a.storage
  const one = reader.entries('', 10).find((id) => reader.load(id).updates.length === 3)!
  const merged = mergeStored(reader.load(one), reader.vector(), one)
  a.storage.commit({ updates: [], snapshots: [merged] })
  assert.deepEqual(told(a.call({ type: 'watch', file: '', since: seen })), [
    'present one.md',
    'changed one.md',
    'present other.md',
    'ready',
  ])
})

test('what another server carried out too is told once', () => {
  const a = new LoneReplica('a', () => 0.2)
  const b = new LoneReplica('b', () => 0.8)
  a.save('one.md', '1')
  b.heard(a.updates())
  const call = b.begin({ type: 'watch', file: '' })
  b.take(call)
  const before = a.updates().length
  const made = { file: 'two.md', text: 'two', operation: freshId() }
  const changed = { file: 'one.md', text: '1 changed', operation: freshId() }
  const emptied = { file: 'one.md', text: '1', operation: freshId() }
  for (const each of [made, changed, emptied]) {
    for (const replica of [a, b]) replica.call({ type: 'save', baseVersion: '', ...each })
  }
  assert.deepEqual(told(b.take(call)), ['created two.md', 'changed one.md', 'changed one.md'])
  // One by one: a burst would be one change.
  const seen = known(b.call({ type: 'watch', file: '' }))
  for (const update of a.updates(before)) b.heard([update])
  assert.deepEqual(told(b.take(call)), [])
  const missed = b.call({ type: 'watch', file: '', since: seen })
  assert.deepEqual(told(missed), ['present one.md', 'present two.md', 'ready'])
  a.save('one.md', '1 and news')
  b.heard(a.updates().slice(-1))
  assert.deepEqual(told(b.take(call)), ['changed one.md'])
})

test('who was away while something was deleted for good is told that it is gone', () => {
  const a = new LoneReplica('a')
  a.save('one.md', '1')
  a.save('two.md', '2')
  const seen = known(a.call({ type: 'watch', file: '' }))
  change(a, 'delete', 'one.md')
  change(a, 'erase', 'one.md')
  const answers = a.call({ type: 'watch', file: '', since: seen })
  assert.deepEqual(
    watched(answers).map(({ event, file }) => [event, file?.isDeleted]),
    [
      ['present', true],
      ['present', false],
      ['ready', undefined],
    ],
  )
})

test('what is deleted for good elsewhere goes once where it was restored, with all that is in it', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.call({ type: 'makeDirectory', path: 'd', hasParents: false, operation: freshId() })
  a.save('d/one.md', '1')
  b.heard(a.updates())
  const before = a.updates().length
  // Above what happens at the other server.
  for (const type of ['delete', 'restore', 'delete', 'erase'] as const) change(a, type, 'd')
  change(b, 'delete', 'd')
  const call = b.begin({ type: 'watch', file: '' })
  change(b, 'restore', 'd')
  assert.deepEqual(told(b.take(call)), ['ready', 'created d'])
  b.heard(a.updates(before))
  const gone = watched(b.take(call))
  assert.deepEqual(told(gone), ['deleted d'])
  assert.equal(gone[0]?.file?.isDeleted, true)
})

test('what moved and was deleted for good in one turn is told to have gone', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.call({ type: 'makeDirectory', path: 'd', hasParents: false, operation: freshId() })
  a.save('one.md', '1')
  b.heard(a.updates())
  const before = a.updates().length
  a.call({ type: 'move', file: 'one.md', path: 'd/one.md', operation: freshId() })
  change(a, 'delete', 'd')
  change(a, 'erase', 'd')
  const call = b.begin({ type: 'watch', file: '' })
  b.take(call)
  b.heard(a.updates(before))
  assert.deepEqual(
    watched(b.take(call)).map(({ event, file }) => [event, file!.name, file!.isDeleted]),
    [
      ['deleted', 'one.md', true],
      ['deleted', 'd', true],
    ],
  )
})

test('what has another number because of what it missed, a watcher is told, and no text of it', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.save('plan.md', 'a')
  b.save('plan.md', 'b')
  a.heard(b.updates())
  const first = watched(a.call({ type: 'watch', file: '' }))
  const seen = known(first)
  assert.deepEqual(told(first), ['present plan (2).md', 'present plan.md', 'ready'])
  change(a, 'delete', 'plan.md')
  const missed = a.call({ type: 'watch', file: '', since: seen })
  const gone = watched(missed).find(({ file }) => file?.isDeleted)?.file?.entry.id
  const left = first.find(({ file }) => file && file.entry.id !== gone)?.file
  assert.equal(left?.path, 'plan (2).md')
  assert.deepEqual(
    watched(missed).map(({ event, file }) => [event, file?.entry.id, file?.isDeleted]),
    [
      ['present', gone, true],
      ['present', left.entry.id, false],
      ['ready', undefined, undefined],
    ],
  )
  assert.equal(watched(missed)[1]?.file?.path, 'plan.md')
})

test('who missed only typing is told of nothing else', () => {
  const a = new LoneReplica('a')
  a.save('one.md', '1')
  a.save('two.md', '2')
  const seen = known(a.call({ type: 'watch', file: '' }))
  a.save('one.md', '1 changed')
  const missed = a.call({ type: 'watch', file: '', since: seen })
  assert.deepEqual(told(missed), ['present one.md', 'changed one.md', 'ready'])
})

test('what two servers carried out, and come at once, is told once and not left out', () => {
  const { a, b, c } = three()
  a.save('one.md', '1')
  for (const each of [b, c]) each.heard(a.updates())
  const counts = [a, b].map((each) => each.updates().length)
  const saved = { file: 'one.md', text: '1 changed', baseVersion: '', operation: freshId() }
  a.call({ type: 'save', ...saved })
  b.save('two.md', 'in between')
  b.call({ type: 'save', ...saved })
  const call = c.begin({ type: 'watch', file: '' })
  c.take(call)
  c.heard([a, b].flatMap((each, index) => each.updates(counts[index])))
  assert.deepEqual(told(c.take(call)), ['changed one.md', 'created two.md'])
})

test('of each of several operations on a text it is told, at once or later', () => {
  const a = new LoneReplica('a')
  const b = new LoneReplica('b')
  a.save('one.md', '1')
  b.heard(a.updates())
  const since = known(b.call({ type: 'watch', file: '' }))
  const before = a.updates().length
  const operations = [freshId(), freshId()]
  for (const operation of operations) {
    a.call({ type: 'save', file: 'one.md', text: operation, baseVersion: '', operation })
  }
  const call = b.begin({ type: 'watch', file: '' })
  b.take(call)
  b.heard(a.updates(before))
  for (const answers of [b.take(call), b.call({ type: 'watch', file: '', since })]) {
    const changes = watched(answers).filter(({ event }) => event === 'changed')
    assert.deepEqual(
      changes.map(({ operation }) => operation),
      operations,
    )
  }
})
