// A folder is the same whatever the order of changes, and shows no name twice.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, equals } from '@bufbuild/protobuf'
import { Random } from '../../../sim/random.ts'
import { Folder, type Scope } from './folder.ts'
import { fileKey } from './names.ts'
import { counterMax } from './stamps.ts'
import { deleted, folderOf, moved, renamed, stamp } from './testing/entries.ts'
import { EntrySchema, Kind, type Entry } from './wire.ts'

function created(
  id: string,
  counter: number,
  name: string,
  origin = 'a',
  kind: Kind = Kind.TEXT,
): Entry {
  return create(EntrySchema, {
    id,
    kind,
    created: stamp(counter, origin),
    name: { value: name, stamp: stamp(counter, origin) },
    createdBy: 'ana',
  })
}

const directory = (id: string, counter: number, name = id) =>
  created(id, counter, name, 'a', Kind.DIRECTORY)

const top = { directory: '', isRecursive: false, inTrash: false }

/** The one that changed, or nothing. */
const told = (folder: Folder, change: Entry) => {
  const [own] = folder.apply(change)
  return own && (own.before ? 'changed' : 'created')
}

const idsOf = (folder: Folder, scope: Scope) => [...folder.list(scope)].map(({ id }) => id)

const namesOf = (folder: Folder) => idsOf(folder, top).map((id) => `${id} ${folder.shownName(id)}`)

test('an entry is created, changed, and told so; what is known is told as nothing', () => {
  const folder = new Folder()
  const entry = created('A', 1, 'plan.md')
  assert.equal(told(folder, entry), 'created')
  assert.equal(told(folder, entry), undefined)
  const before = folder.get('A')!
  assert.equal(told(folder, renamed('A', 2, 'map.md')), 'changed')
  assert.equal(before.name!.value, 'plan.md')
  assert.equal(folder.get('A')!.name!.value, 'map.md')
  assert.equal(told(folder, renamed('A', 1, 'late.md', 'b')), undefined)
  assert.equal(folder.counter, 2)
  assert.equal(folder.size, 1)
})

test('a change that arrives before its entry is kept and not shown', () => {
  const folder = new Folder()
  assert.equal(told(folder, renamed('A', 5, 'map.md')), undefined)
  assert.equal(folder.get('A'), undefined)
  assert.deepEqual([...folder.all()], [])
  assert.equal(folder.find('map.md'), undefined)
  assert.equal(folder.shownName('A'), undefined)
  assert.equal(folder.counter, 5)
  assert.equal(told(folder, created('A', 1, 'plan.md')), 'created')
  assert.equal(folder.shownName('A'), 'map.md')
})

test('of entries with one name the one created first keeps it', () => {
  const folder = folderOf(
    created('C', 3, 'Plan.md'),
    created('A', 2, 'plan.md', 'b'),
    created('B', 2, 'PLAN.md', 'a'),
    created('D', 9, 'pla\u006e.md'),
  )
  const expected = ['A plan (2).md', 'C Plan (3).md', 'D plan (4).md', 'B PLAN.md']
  assert.deepEqual(namesOf(folder), expected)
})

test("a number that is somebody's own name is left out", () => {
  const folder = folderOf(
    created('A', 1, 'plan.md'),
    created('B', 2, 'plan.md'),
    created('C', 3, 'PLAN (2).md'),
    created('D', 4, 'plan.md'),
  )
  assert.equal(folder.shownName('B'), 'plan (3).md')
  assert.equal(folder.shownName('D'), 'plan (4).md')
  folder.apply(renamed('C', 5, 'other.md'))
  assert.equal(folder.shownName('B'), 'plan (2).md')
  assert.equal(folder.shownName('D'), 'plan (3).md')
  folder.apply(deleted('A', 6))
  assert.equal(folder.shownName('B'), 'plan.md')
  assert.equal(folder.shownName('A'), 'plan.md')
})

test('numbers stand before the extension; a leading dot begins none', () => {
  const cases = [
    ['a.tar.gz', 'a.tar (2).gz'],
    ['.bashrc', '.bashrc (2)'],
    ['README', 'README (2)'],
    ['x (2)', 'x (2) (2)'],
  ]
  for (const [name, second] of cases) {
    const folder = folderOf(created('A', 1, name!), created('B', 2, name!))
    assert.equal(folder.shownName('B'), second)
    assert.equal(folder.find(second!)!.id, 'B')
  }
})

test('names clash within one directory only', () => {
  const folder = folderOf(directory('A', 1, 'plan'), created('B', 2, 'plan'), moved('B', 3, 'A'))
  assert.equal(folder.shownName('B'), 'plan')
  assert.equal(folder.holder('plan', 'A')!.id, 'B')
  folder.apply(moved('B', 4, ''))
  assert.equal(folder.shownName('B'), 'plan (2)')
})

test('an entry is found by its id or its shown name, in or out of the trash', () => {
  const folder = folderOf(
    created('A', 1, 'plan.md'),
    created('B', 2, 'plan.md'),
    created('C', 3, 'old.md'),
    created('D', 4, 'old.md'),
    deleted('D', 5),
    deleted('C', 6),
  )
  assert.equal(folder.find('A')!.id, 'A')
  assert.equal(folder.find('PLAN.md')!.id, 'A')
  assert.equal(folder.find('plan (2).md')!.id, 'B')
  assert.equal(folder.find('plan (3).md'), undefined)
  assert.equal(folder.find('old.md'), undefined)
  assert.equal(folder.find('C'), undefined)
  assert.equal(folder.find('old.md', { inTrash: true })!.id, 'C')
  assert.equal(folder.find('D', { inTrash: true })!.id, 'D')
  assert.equal(folder.find('A', { inTrash: true }), undefined)
  assert.equal(folder.holder('plan (2).md')!.id, 'B')
  assert.equal(folder.holder('free.md'), undefined)
  assert.deepEqual(idsOf(folder, { ...top, inTrash: true }), ['C', 'D'])
})

test('G9 delete and rename together: deleted, under the new name', () => {
  const folder = folderOf(
    created('A', 1, 'plan'),
    deleted('A', 2, true, 'a'),
    renamed('A', 2, 'map', 'b'),
  )
  assert.equal(folder.find('map', { inTrash: true })!.id, 'A')
  assert.equal(folder.find('map'), undefined)
})

test('G9 a restore wins over the deletes its writer had seen, not over a later one', () => {
  const folder = folderOf(
    created('A', 1, 'plan'),
    deleted('A', 3, true, 'b'),
    deleted('A', 4, false),
  )
  assert.equal(folder.find('plan')!.id, 'A')
  folder.apply(deleted('A', 5))
  assert.equal(folder.find('plan'), undefined)
})

/** Some entries of few names, changed often; every field stamped once. */
function history(random: Random): Entry[] {
  const names = ['a.md', 'A.md', 'a (2).md', 'a (3).md', 'b', 'b (2)', 'b (2) (2)']
  const ids = Array.from({ length: 12 }, (_, index) => `E${index}`)
  const changes = ids.map((id, index) =>
    created(id, random.between(1, 6), random.pick(names), `o${index}`),
  )
  for (let count = 0; count < 40; count++) {
    const [id, counter, origin] = [random.pick(ids), random.between(2, 30), `c${count}`]
    const isRename = random.chance(0.6)
    changes.push(
      isRename
        ? renamed(id, counter, random.pick(names), origin)
        : deleted(id, counter, random.chance(0.5), origin),
    )
  }
  return changes
}

test('the same changes in any order give the same folder, and no name is shown twice', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed)
    const changes = history(random)
    const folder = folderOf(...changes)
    const shuffled = new Folder()
    for (const change of random.shuffled([...changes, ...changes.slice(0, 20)])) {
      shuffled.apply(change)
      // Asked in between, so that stale answers would show.
      if (random.chance(0.3)) namesOf(shuffled)
    }
    const names = namesOf(folder)
    assert.deepEqual(namesOf(shuffled), names, `seed ${seed}`)
    assert.equal(shuffled.counter, folder.counter)
    for (const entry of folder.all()) {
      assert.ok(equals(EntrySchema, shuffled.get(entry.id)!, entry))
    }
    const ids = idsOf(folder, top)
    const shown = ids.map((id) => fileKey(folder.shownName(id)!))
    assert.equal(new Set(shown).size, shown.length, `seed ${seed}: ${names.join(', ')}`)
    for (const id of ids) assert.equal(folder.find(folder.shownName(id)!)!.id, id)
  }
})

test('13 a stamp that counts as far as can be outranks others, and leaves them a next one', () => {
  const folder = new Folder()
  folder.apply(created('x', 3, 'plan'))
  folder.apply(renamed('x', 2 ** 32 - 1, 'lie'))
  folder.apply(renamed('y', counterMax / 2 + 1, 'lie'))
  assert.equal(folder.shownName('x'), 'lie')
  assert.equal(folder.counter, 3)
})

test('a change among 100,000 entries costs no more than among few', () => {
  const folder = new Folder()
  for (let index = 0; index < 100_000; index++)
    folder.apply(created(`E${index}`, index, `file ${index}`))
  const started = process.cpuUsage()
  for (let count = 0; count < 2000; count++) {
    folder.apply(renamed(`E${count}`, 200_000 + count, `new ${count}`))
    assert.equal(folder.shownName(`E${count}`), `new ${count}`)
    assert.equal(folder.find(`new ${count}`)!.id, `E${count}`)
  }
  const { user, system } = process.cpuUsage(started)
  // Looking at all of them each time would take minutes.
  assert.ok(user + system < 5_000_000, `${user + system} µs`)
})
