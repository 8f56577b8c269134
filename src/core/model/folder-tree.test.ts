// Directories: where entries lie, whatever the changes say and in whatever order they come.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectedTree } from '../../../sim/folder-model.ts'
import { Random } from '../../../sim/random.ts'
import { Folder, type Scope } from './folder.ts'
import { fileKey } from './names.ts'
import { deleted, folderOf, made, moved, renamed, type Made } from './testing/entries.ts'
import { Kind, type Entry } from './wire.ts'

const file = (id: string, counter: number, options: Made = {}) =>
  made(id, counter, { kind: Kind.TEXT, ...options })

const top: Scope = { directory: '', isRecursive: false, inTrash: false }
const whole: Scope = { ...top, isRecursive: true }

const pathsOf = (folder: Folder, scope: Scope) =>
  [...folder.list(scope)].map(({ id }) => folder.pathOf(id))

test('entries are found and listed by their paths', () => {
  const folder = folderOf(
    made('S', 1, { name: 'specs' }),
    made('D', 2, { name: 'Drafts', parent: 'S' }),
    file('L', 3, { name: 'launch.md', parent: 'S' }),
    file('O', 4, { name: 'old.md', parent: 'D' }),
    file('N', 5, { name: 'notes.md' }),
  )
  assert.deepEqual(pathsOf(folder, top), ['notes.md', 'specs'])
  assert.deepEqual(pathsOf(folder, whole), [
    'notes.md',
    'specs',
    'specs/Drafts',
    'specs/Drafts/old.md',
    'specs/launch.md',
  ])
  assert.deepEqual(pathsOf(folder, { ...top, directory: 'S' }), ['specs/Drafts', 'specs/launch.md'])
  assert.deepEqual(pathsOf(folder, { ...whole, directory: 'D' }), ['specs/Drafts/old.md'])
  assert.deepEqual(pathsOf(folder, { ...top, directory: 'L' }), [])
  assert.equal(folder.find('specs/launch.md')?.id, 'L')
  assert.equal(folder.find('SPECS/drafts/OLD.MD')?.id, 'O')
  for (const wrong of [
    'launch.md',
    '/specs',
    'specs/',
    'specs//launch.md',
    'notes.md/x',
    '',
    '/',
  ]) {
    assert.equal(folder.find(wrong), undefined, wrong)
  }
  assert.equal(folder.depthOf('O'), 3)
  assert.equal(folder.isWithin('O', 'S'), true)
  assert.equal(folder.isWithin('S', 'S'), true)
  assert.equal(folder.isWithin('S', 'O'), false)
  assert.equal(folder.isWithin('N', ''), true)
  assert.deepEqual(folder.reachBelow('S'), { names: 2, bytes: '/Drafts/old.md'.length })
})

test('names are numbered in each directory by itself', () => {
  const folder = folderOf(
    made('A', 1),
    made('B', 2),
    file('X', 3, { name: 'plan.md', parent: 'A' }),
    file('Y', 4, { name: 'plan.md', parent: 'B' }),
    file('Z', 5, { name: 'Plan.md', parent: 'B' }),
    made('W', 6, { name: 'a' }),
    file('V', 7, { name: 'plan.md', parent: 'W' }),
  )
  assert.equal(folder.pathOf('X'), 'A/plan.md')
  assert.equal(folder.pathOf('Y'), 'B/plan.md')
  assert.equal(folder.pathOf('Z'), 'B/Plan (2).md')
  assert.equal(folder.pathOf('V'), 'a (2)/plan.md')
  assert.equal(folder.find('A (2)/plan.md')?.id, 'V')
  folder.apply(moved('Y', 8, 'A'))
  assert.equal(folder.pathOf('Y'), 'A/plan (2).md')
  assert.equal(folder.pathOf('Z'), 'B/Plan.md')
})

test('what is in a directory goes to the trash and comes back with it', () => {
  const folder = folderOf(
    made('S', 1, { name: 'specs' }),
    file('L', 2, { name: 'launch.md', parent: 'S' }),
    file('O', 3, { name: 'old.md', parent: 'S' }),
    deleted('O', 4),
    deleted('S', 5),
  )
  assert.deepEqual(pathsOf(folder, whole), [])
  assert.deepEqual(pathsOf(folder, { ...top, inTrash: true }), ['specs/old.md', 'specs'])
  assert.deepEqual(pathsOf(folder, { ...whole, directory: 'S' }), ['specs/launch.md'])
  assert.equal(folder.trashedWith('L')?.id, 'S')
  assert.equal(folder.isTrashed('L'), true)
  assert.equal(folder.find('L'), undefined)
  assert.equal(folder.find('specs/launch.md'), undefined)
  assert.equal(folder.find('specs/launch.md', { inTrash: true })?.id, 'L')
  assert.equal(folder.find('specs/old.md', { inTrash: true })?.id, 'O')
  assert.equal(folder.find('old.md', { inTrash: true }), undefined)
  folder.apply(deleted('S', 6, false))
  assert.deepEqual(pathsOf(folder, whole), ['specs', 'specs/launch.md'])
  assert.deepEqual(pathsOf(folder, { ...top, inTrash: true }), ['specs/old.md'])
})

test('an entry whose directory is not known, or is a file, is shown at the top', () => {
  const folder = folderOf(
    file('A', 2, { parent: 'D' }),
    moved('D', 3, 'E'),
    file('F', 4, { parent: 'A' }),
  )
  assert.deepEqual(pathsOf(folder, whole), ['A', 'F'])
  const changes = folder.apply(made('D', 1, { name: 'dir' }))
  assert.deepEqual(
    changes.map(({ entry, before }) => [entry.id, before?.name, before?.parent]),
    [
      ['D', undefined, undefined],
      ['A', 'A', ''],
    ],
  )
  assert.deepEqual(pathsOf(folder, whole), ['dir', 'dir/A', 'F'])
})

test('two creations under one id that disagree on what it is: the earlier counts', () => {
  const folder = folderOf(file('D', 5), file('A', 6, { parent: 'D' }))
  assert.deepEqual(pathsOf(folder, whole), ['A', 'D'])
  folder.apply(made('D', 4, { origin: 'b' }))
  assert.deepEqual(pathsOf(folder, whole), ['D', 'D/A'])
  folder.apply(file('D', 3, { origin: 'c' }))
  assert.deepEqual(pathsOf(folder, whole), ['A', 'D'])
})

test('G9 a cycle is broken at the entry that was moved last, and heals when it is moved away', () => {
  const folder = folderOf(
    made('A', 1),
    made('B', 2),
    made('C', 3, { parent: 'B' }),
    file('F', 4, { parent: 'C' }),
    moved('A', 5, 'C', 'a'),
  )
  // On the other side of a partition, at the same counter.
  const changes = folder.apply(moved('B', 5, 'A', 'b'))
  assert.deepEqual(pathsOf(folder, whole), ['B', 'B/C', 'B/C/A', 'B/C/F'])
  assert.deepEqual(
    changes.map(({ entry }) => entry.id),
    ['B'],
  )
  // Stamped again, A is the one that was moved last.
  const others = folder.apply(moved('A', 6, 'C'))
  assert.deepEqual(pathsOf(folder, whole), ['A', 'A/B', 'A/B/C', 'A/B/C/F'])
  assert.deepEqual(others.map(({ entry }) => entry.id).sort(), ['A', 'B'])
  assert.deepEqual(others.find(({ entry }) => entry.id === 'B')?.before?.parent, '')
  folder.apply(moved('C', 7, ''))
  assert.deepEqual(pathsOf(folder, whole), ['C', 'C/A', 'C/A/B', 'C/F'])
})

test('G9 a directory in itself, and two cycles at once', () => {
  const folder = folderOf(made('A', 1), moved('A', 2, 'A'))
  assert.deepEqual(pathsOf(folder, whole), ['A'])
  folder.apply(file('F', 3, { parent: 'A' }))
  assert.deepEqual(pathsOf(folder, whole), ['A', 'A/F'])
  for (const change of [made('B', 4), made('C', 5, { parent: 'B' }), moved('B', 6, 'C')]) {
    folder.apply(change)
  }
  assert.deepEqual(pathsOf(folder, whole), ['A', 'A/F', 'B', 'B/C'])
  // The entry of one cycle moves into the other.
  folder.apply(moved('A', 7, 'C'))
  assert.deepEqual(pathsOf(folder, whole), ['B', 'B/C', 'B/C/A', 'B/C/A/F'])
})

/** Few entries that lie in each other, moved often; every field stamped once. */
function history(random: Random, names = ['ä', 'Ä', 'ä (2)', 'b', 'b (2)']): Entry[] {
  const ids = Array.from({ length: random.between(3, 12) }, (_, index) => `E${index}`)
  const parents = [...ids, ...ids, '', 'nowhere']
  const kinds = [Kind.DIRECTORY, Kind.DIRECTORY, Kind.DIRECTORY, Kind.TEXT]
  const changes = ids.flatMap((id, index) => {
    const name = `${random.pick(names)}${names.length === 1 ? id : ''}`
    const options = { name, parent: random.pick(parents), origin: `o${index}` }
    const first = made(id, random.between(1, 6), { ...options, kind: random.pick(kinds) })
    // Some are created twice, and by a liar as something else.
    if (random.chance(0.9)) return first
    const origin = `p${index}`
    const again = { ...options, origin, kind: random.pick(kinds) }
    return [first, made(id, random.between(1, 6), again)]
  })
  for (let count = 0; count < random.between(5, 50); count++) {
    const [id, counter, origin] = [random.pick(ids), random.between(2, 30), `c${count}`]
    const kind = random.next()
    if (kind < 0.6) changes.push(moved(id, counter, random.pick(parents), origin))
    else if (kind < 0.8 && names.length > 1)
      changes.push(renamed(id, counter, random.pick(names), origin))
    else changes.push(deleted(id, counter, random.chance(0.5), origin))
  }
  return changes
}

/** All that can be asked about a folder, against what it must be; and each by its path. */
function check(folder: Folder, changes: Entry[], why: string): void {
  const expected = expectedTree(changes)
  const seen = new Map(
    [...folder.all()].map(({ id, kind }) => {
      const { parent, isDeleted } = folder.seen(id)!
      const isInTrashItself = folder.get(id)!.deleted?.value === true
      return [id, { kind, parent, path: folder.pathOf(id), isDeleted, isInTrashItself }]
    }),
  )
  assert.deepEqual(seen, new Map(expected), why)
  const present = [...expected].filter(([, { isDeleted }]) => !isDeleted)
  const listed = [...folder.list(whole)].map(({ id }) => id)
  assert.deepEqual(listed.toSorted(), present.map(([id]) => id).sort(), why)
  assert.equal(new Set(present.map(([, { path }]) => fileKey(path))).size, present.length, why)
  for (const [id, { path }] of present) assert.equal(folder.find(path)?.id, id, why)
  for (const { id } of folder.all()) {
    const below = [...folder.list({ ...whole, directory: id })]
    const own = folder.pathOf(id)
    const rests = below.map((each) => folder.pathOf(each.id).slice(own.length))
    assert.deepEqual(folder.reachBelow(id), {
      names: Math.max(0, ...rests.map((rest) => rest.split('/').length - 1)),
      bytes: Math.max(0, ...rests.map((rest) => Buffer.byteLength(rest))),
    })
  }
  const trashed = [...folder.list({ ...top, inTrash: true })].map(({ id }) => id)
  const inTrash = [...folder.all()].filter(({ deleted }) => deleted?.value).map(({ id }) => id)
  assert.deepEqual(trashed.sort(), inTrash.sort(), why)
}

test('G9 the same changes in any order give the tree that the rules say', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed)
    const changes = history(random)
    check(folderOf(...changes), changes, `seed ${seed}`)
    const shuffled = new Folder()
    const before: Entry[] = []
    for (const change of random.shuffled([...changes, ...changes.slice(0, 10)])) {
      before.push(change)
      shuffled.apply(change)
      // Asked in between, so that stale answers would show.
      if (random.chance(0.2)) check(shuffled, before, `seed ${seed} after ${before.length}`)
    }
    check(shuffled, changes, `seed ${seed} shuffled`)
  }
})

test('what a change is told to have done to entries is what can be seen of them', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed)
    const folder = new Folder()
    for (const change of random.shuffled(history(random))) {
      const before = new Map([...folder.all()].map(({ id }) => [id, folder.seen(id)!]))
      const changed = folder.apply(change)
      const all = [...folder.takeRenumbered(), ...changed]
      const told = new Map(all.map((each) => [each.entry.id, each.before]))
      for (const [id, seen] of told) assert.deepEqual(seen, before.get(id), `seed ${seed}`)
      for (const { id } of folder.all()) {
        if (told.has(id)) continue
        const { name, parent } = folder.seen(id)!
        assert.deepEqual([name, parent], [before.get(id)?.name, before.get(id)?.parent])
      }
      for (const { entry } of folder.takeRenumbered()) assert.fail(`${entry.id} is told again`)
    }
  }
})

test('a listing goes on where a page ended, also when that entry is gone', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Random(seed)
    const folder = folderOf(...history(random, seed % 2 === 0 ? ['n'] : undefined))
    const all = [...folder.list(whole)].map(({ id }) => id)
    for (const [index, id] of all.entries()) {
      const rest = [...folder.list(whole, folder.placesOf(id, whole))].map((each) => each.id)
      assert.deepEqual(rest, all.slice(index + 1), `seed ${seed} after ${id}`)
    }
    // With names that clash, others may be named otherwise once one is gone.
    if (all.length === 0 || seed % 2 === 1) continue
    const index = random.below(all.length)
    const id = all[index]!
    const places = folder.placesOf(id, whole)
    const expected = all.slice(index + 1).filter((each) => !folder.isWithin(each, id))
    folder.apply(deleted(id, 99))
    const rest = [...folder.list(whole, places)].map((each) => each.id)
    assert.deepEqual(rest, expected, `seed ${seed} without ${id}`)
  }
})

test('a page of 100,000 entries costs little, also when entries change in between', () => {
  const folder = folderOf(made('D', 1))
  for (let index = 0; index < 100_000; index++) {
    folder.apply(file(`F${index}`, index + 2, { name: `file ${index}.md`, parent: 'D' }))
  }
  const scope = { ...whole, directory: 'D' }
  const page = (after?: ReturnType<Folder['placesOf']>) => {
    const paths: string[] = []
    for (const { id } of folder.list(scope, after)) {
      if (paths.length === 100) break
      paths.push(folder.pathOf(id))
    }
    return paths
  }
  assert.equal(page()[0], 'D/file 0.md')
  const started = process.cpuUsage()
  for (let count = 0; count < 50; count++) {
    folder.apply(renamed(`F${count}`, 1, `a ${String(count).padStart(2, '0')}`, 'b'))
    assert.equal(page()[count], `D/a ${String(count).padStart(2, '0')}`)
    assert.equal(page(folder.placesOf(`F${50_000 + count}`, scope)).length, 100)
  }
  const { user, system } = process.cpuUsage(started)
  // Sorting all of them each time takes ten seconds.
  assert.ok(user + system < 5_000_000, `${user + system} µs`)
  const before = process.cpuUsage()
  for (let count = 0; count < 1000; count++) page()
  const unchanged = process.cpuUsage(before)
  assert.ok(unchanged.user + unchanged.system < 5_000_000, `${unchanged.user} µs`)
})
