// The list of files that a page shows: always what the rules say, and cheap to keep.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { expectedTree } from '../../sim/folder-model.ts'
import { Random } from '../../sim/random.ts'
import { made as madeBy, stamp } from '../core/model/testing/entries.ts'
import { EntrySchema, Extent, Kind, type Entry } from '../core/model/wire.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import { Files } from './files.ts'
import { waitingOf } from './foreseen.ts'

/** An entry whose maker has its name. */
const made = (id: string, counter: number, parent = '', kind: Kind = Kind.DIRECTORY) =>
  madeBy(id, counter, { parent, kind, origin: id })

/** What a person sees of where a file lies. */
function placed({ path, parent, isDeleted }: { path: string; parent: string; isDeleted: boolean }) {
  return { path, parent, isDeleted }
}

/** Some change of one of these. */
function change(random: Random, ids: string[], count: number): Entry {
  const [id, counter, origin] = [random.pick(ids), random.between(2, 30), `c${count}`]
  const value = random.pick(['plan', 'Plan', 'plan (2)', 'map'])
  switch (random.below(4)) {
    case 0:
      return create(EntrySchema, { id, name: { value, stamp: stamp(counter, origin) } })
    case 1: {
      const deleted = { value: random.chance(0.5), stamp: stamp(counter, origin) }
      return create(EntrySchema, { id, deleted, deletedBy: origin })
    }
    default: {
      const parent = { value: random.pick(['', ...ids]), stamp: stamp(counter, origin) }
      return create(EntrySchema, { id, parent })
    }
  }
}

test('after every change the list is what the rules say, and others in it are the same objects', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = new Random(seed)
    const ids = Array.from({ length: 8 }, (_, index) => `E${index}`)
    const kinds = [Kind.DIRECTORY, Kind.DIRECTORY, Kind.TEXT]
    const changes = ids.map((id, index) => made(id, index + 1, '', random.pick(kinds)))
    for (let count = 0; count < 40; count++) changes.push(change(random, ids, count))
    const files = new Files()
    const known: Entry[] = []
    let before = files.list
    for (const each of random.shuffled(changes)) {
      known.push(each)
      files.apply({ entries: [each] })
      // Sometimes several changes come between two looks.
      if (random.chance(0.4)) continue
      const { list } = files
      const shown = new Map(list.map(({ id, ...where }) => [id, placed(where)]))
      const expected = new Map([...expectedTree(known)].map(([id, where]) => [id, placed(where)]))
      assert.deepEqual(shown, expected, `seed ${seed} after ${known.length}`)
      for (const file of before) {
        const now = list.find(({ id }) => id === file.id)!
        assert.deepEqual(files.get(file.id), now)
        if (JSON.stringify(now) === JSON.stringify(file)) continue
        assert.notEqual(now, file)
      }
      assert.equal(files.list, list)
      before = list
    }
  }
})

test('of 100,000 files the one that changed is made anew, the others stay', () => {
  const files = new Files()
  const directories = Array.from({ length: 100 }, (_, index) => made(`D${index}`, index + 1))
  const texts = Array.from({ length: 100_000 }, (_, index) =>
    made(`T${index}`, index + 1000, `D${index % 100}`, Kind.TEXT),
  )
  files.apply({ entries: [...directories, ...texts], isComplete: true })
  const before = files.list
  assert.equal(before.length, 100_100)
  const started = process.cpuUsage()
  for (let count = 0; count < 50; count++) {
    const name = { value: `new ${count}`, stamp: stamp(1, 'b') }
    files.apply({ entries: [create(EntrySchema, { id: `T${count}`, name })] })
    assert.equal(files.list.filter((file, index) => file !== before[index]).length, count + 1)
  }
  const { user, system } = process.cpuUsage(started)
  // Making all of them anew each time takes twenty seconds.
  assert.ok(user + system < 3_000_000, `${user + system} µs`)
})

test('a file tells the bytes it holds, and that two of them are at odds', () => {
  const files = new Files()
  files.apply({ entries: [made('E0', 1, '', Kind.TEXT)], isComplete: true })
  assert.equal(files.list[0]!.bytes, undefined)
  const content = (hash: string, base: string, counter: number) =>
    create(EntrySchema, {
      id: 'E0',
      contents: [{ hash, base, size: 3, author: 'ada', at: 1, stamp: stamp(counter) }],
    })
  files.apply({ entries: [content('x', '', 2)] })
  assert.equal(files.list[0]!.kind, 'binary')
  assert.deepEqual(files.list[0]!.bytes, { hash: 'x', size: 3, hasConflict: false })
  files.apply({ entries: [content('y', 'x', 3), content('z', 'x', 4)] })
  assert.deepEqual(files.list[0]!.bytes, { hash: 'z', size: 3, hasConflict: true })
  files.apply({ entries: [content('', 'z', 5)] })
  assert.deepEqual([files.list[0]!.kind, files.list[0]!.bytes], ['text', undefined])
})

test('what waits is shown as if it were done, and as servers tell it when it is', () => {
  const files = new Files({ person: () => 'ada' })
  files.apply({ entries: [made('D', 1), made('E', 2, '', Kind.TEXT)], isComplete: true })
  const directory = { $typeName: 'fourfold.v1.MakeDirectory' as const, name: 'ideas', parent: 'D' }
  const file = { $typeName: 'fourfold.v1.Create' as const, name: 'E', text: '', parent: 'N' }
  const rename = { $typeName: 'fourfold.v1.Rename' as const, entry: 'F', name: 'plan.md' }
  const twin = { $typeName: 'fourfold.v1.Create' as const, name: 'E', text: '', parent: '' }
  const gone = { $typeName: 'fourfold.v1.Delete' as const, entry: 'E' }
  const operations: OperationBody[] = [
    { id: 'N', operation: { case: 'makeDirectory', value: directory } },
    { id: 'F', operation: { case: 'create', value: file } },
    { id: 'o', operation: { case: 'rename', value: rename } },
    { id: 'T', operation: { case: 'create', value: twin } },
  ]
  const shown = () => {
    return files.list.map(({ path, isWaiting, isDeleted }) => {
      return `${path}${isWaiting ? ' waits' : ''}${isDeleted ? ' in the trash' : ''}`
    })
  }
  files.wait(operations)
  const all = ['D', 'E', 'D/ideas waits', 'D/ideas/plan.md waits', 'E (2) waits']
  assert.deepEqual(shown(), all)
  assert.deepEqual(
    [...files.entries()].map(({ id }) => id),
    ['D', 'E'],
    'what waits is no news from a server',
  )
  files.wait([...operations, { id: 'p', operation: { case: 'delete', value: gone } }])
  assert.deepEqual(shown().slice(1, 2), ['E waits in the trash'])
  assert.equal(files.get('E')?.deletedBy, 'ada')
  // A server tells of something else of it meanwhile.
  const renamed = { value: 'Euler', stamp: stamp(9) }
  files.apply({
    entries: [create(EntrySchema, { id: 'E', name: renamed }), made('N', 3, 'D')],
  })
  files.wait(operations.slice(1))
  assert.deepEqual(shown(), ['D', 'Euler', 'D/N', 'D/N/plan.md waits', 'E waits'])
  // It is refused: it was never there.
  files.wait([])
  assert.deepEqual(shown(), ['D', 'Euler', 'D/N'])
  assert.equal(files.get('F'), undefined)
})

test('what is gone for good while something of it waits does not come back', () => {
  const files = new Files({ isOfAll: false })
  files.show('', Extent.OPEN)
  const entries = [made('D', 1), made('E', 2)]
  const answer = { entry: '', present: new Set(['D', 'E']) }
  files.apply({ entries, answer })
  const erase = { $typeName: 'fourfold.v1.Erase' as const, entry: 'D' }
  files.wait([{ id: 'o', operation: { case: 'erase', value: erase } }])
  files.apply({ entries: [], gone: ['D'] })
  files.wait([])
  assert.deepEqual(
    files.list.map(({ path }) => path),
    ['E'],
  )
})

test('what a server did not list while something of it waited is not there when that is done', () => {
  const files = new Files({ isOfAll: false })
  files.show('', Extent.OPEN)
  files.apply({ entries: [made('D', 1)], answer: { entry: '', present: new Set(['D']) } })
  const gone = { $typeName: 'fourfold.v1.Delete' as const, entry: 'D' }
  files.wait([{ id: 'o', operation: { case: 'delete', value: gone } }])
  files.apply({ entries: [], answer: { entry: '', present: new Set() } })
  files.wait([])
  assert.deepEqual(files.list, [])
})

const erasing = stamp(9)

/** What deletes a directory for good with these, which lie in it. */
function erased(root: Entry, ...within: Entry[]): Entry[] {
  const purge = ({ id, parent }: Entry) => {
    const purged = { root: root.id, deletion: erasing, place: parent!.stamp! }
    return create(EntrySchema, { id, purged })
  }
  const deleted = { value: true, stamp: erasing }
  return [create(EntrySchema, { id: root.id, deleted }), ...within.map(purge), purge(root)]
}

function move(entry: string, parent: string): OperationBody {
  const value = { $typeName: 'fourfold.v1.Move' as const, entry, parent, name: '' }
  return { id: 'o', operation: { case: 'move', value } }
}

const paths = (files: Files) => files.list.map(({ path }) => path)

test('directories that were held for what is gone for good are let go with it', () => {
  const files = new Files({ isOfAll: false })
  files.show('', Extent.OPEN)
  files.show('f', Extent.ALONE)
  const entries = [made('D', 1), made('E', 2, 'D'), made('f', 3, 'E', Kind.TEXT)]
  files.apply({ entries, answer: { entry: 'f', present: new Set(['D', 'E', 'f']) } })
  files.apply({ entries: [entries[0]!], answer: { entry: '', present: new Set(['D']) } })
  assert.deepEqual(paths(files), ['D', 'D/E', 'D/E/f'])
  files.apply({ entries: [], gone: ['f'] })
  assert.deepEqual(paths(files), ['D'])
})

test('what lies at the top because its directory is gone for good is there', () => {
  const files = new Files({ isOfAll: false })
  files.show('', Extent.OPEN)
  files.apply({ entries: [made('D', 1)], answer: { entry: '', present: new Set(['D']) } })
  files.apply({ entries: [made('E', 2, 'D')], directory: '', gone: ['D'] })
  assert.deepEqual(paths(files), ['E'])
})

test('what was deleted for good with what waited of it is there again when it is restored', () => {
  const files = new Files()
  const [directory, file] = [made('D', 1), made('f', 2, 'D', Kind.TEXT)]
  files.apply({ entries: [directory, file], isComplete: true })
  files.apply({ entries: erased(directory, file) })
  assert.deepEqual(paths(files), [])
  assert.ok(files.isTold('f'), 'what was made is not waited for again')
  files.wait([move('f', '')])
  assert.deepEqual(paths(files), [], 'nothing comes of it')
  const erase = { $typeName: 'fourfold.v1.Erase' as const, entry: 'D' }
  files.wait([{ id: 'o', operation: { case: 'erase', value: erase } }])
  files.wait([])
  assert.deepEqual(paths(files), [])
  const deleted = { value: false, stamp: stamp(10) }
  files.apply({ entries: [create(EntrySchema, { id: 'D', deleted })] })
  assert.deepEqual(paths(files).toSorted(), ['D', 'D/f'])
})

test('what was to be moved into a directory that is gone for good is where servers have it', () => {
  const files = new Files({ isOfAll: false })
  files.show('', Extent.OPEN)
  const entries = [made('D', 1), made('f', 2, '', Kind.TEXT)]
  files.apply({ entries, answer: { entry: '', present: new Set(['D', 'f']) } })
  files.wait([move('f', 'D')])
  files.apply({ entries: [], gone: ['D'] })
  files.wait([])
  assert.deepEqual(paths(files), ['f'])
})

test('what was to be moved out of a directory that is gone for good is not seen when it is refused', () => {
  const files = new Files({ isOfAll: false })
  files.show('', Extent.OPEN)
  files.show('D', Extent.OPEN)
  const [directory, file] = [made('D', 1), made('f', 2, 'D', Kind.TEXT)]
  files.apply({ entries: [directory], answer: { entry: '', present: new Set(['D']) } })
  files.apply({ entries: [directory, file], answer: { entry: 'D', present: new Set(['D', 'f']) } })
  files.wait([move('f', '')])
  assert.deepEqual(paths(files).toSorted(), ['D', 'f'])
  files.apply({ entries: [], answer: { entry: 'D', present: new Set() }, gone: ['D'] })
  files.wait([])
  assert.deepEqual(paths(files), [])
})

test('what was not listed, and is told again while it is to be moved, is there after that', () => {
  const files = new Files({ isOfAll: false })
  files.show('', Extent.OPEN)
  const entries = [made('D', 1), made('f', 2, '', Kind.TEXT)]
  files.apply({ entries, answer: { entry: '', present: new Set(['D', 'f']) } })
  files.wait([move('f', 'D')])
  files.apply({ entries: [], answer: { entry: '', present: new Set(['D']) } })
  files.apply({ entries: [entries[1]!], directory: '' })
  files.wait([])
  assert.deepEqual(paths(files).toSorted(), ['D', 'f'])
})

test('what was made and is gone for good before it was told does not take with it what lay in it', () => {
  const files = new Files({ isOfAll: false })
  files.show('', Extent.OPEN)
  files.apply({ entries: [], answer: { entry: '', present: new Set() } })
  const makes = (id: string, parent: string): OperationBody => {
    const value = { $typeName: 'fourfold.v1.MakeDirectory' as const, name: id, parent }
    return { id, operation: { case: 'makeDirectory', value } }
  }
  const asked = [makes('D', ''), makes('E', 'D')].map((operation) => ({
    operation,
    hasEffect: true,
  }))
  const wait = () => files.wait(waitingOf(asked, (id) => files.isTold(id)))
  wait()
  assert.deepEqual(paths(files), ['D', 'D/E'])
  files.apply({ entries: [made('E', 2, 'D')], gone: ['D'] })
  wait()
  assert.deepEqual(paths(files), ['E'])
  files.wait([])
  assert.deepEqual(paths(files), ['E'])
})
