// Deleting for good: who wins, in whatever order it is heard of, and when nothing can bring it back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { expectedTree } from '../../../sim/folder-model.ts'
import { Random } from '../../../sim/random.ts'
import type { Folder } from './folder.ts'
import { isPurgedEverywhere, purgeOf, tombstoneOf } from './purge.ts'
import { deleted, folderOf, made, moved } from './testing/entries.ts'
import { EntrySchema, Kind, type Entry } from './wire.ts'

/** What a server that holds these makes of deleting `root` for good. */
function purges(changes: Entry[], root: string): Entry[] {
  const folder = folderOf(...changes)
  const within = (id: string): Entry[] =>
    folder.childrenOf(id).flatMap((child) => [...within(child), folder.get(child)!])
  const entry = folder.get(root)!
  return [...within(root), entry].map((each) => purgeOf(each, entry))
}

const shown = (folder: Folder) => [...folder.all()].map(({ id }) => folder.pathOf(id)).sort()

const tree = [
  made('D', 1),
  made('E', 2, { parent: 'D' }),
  made('F', 3, { parent: 'E', kind: Kind.TEXT }),
  made('G', 4),
]
const trashed = [...tree, deleted('D', 5)]

test('a directory goes for good with all that was seen in it', () => {
  const folder = folderOf(...trashed, ...purges(trashed, 'D'))
  assert.deepEqual(shown(folder), ['G'])
  assert.equal(folder.find('D', { inTrash: true }), undefined)
  assert.equal(folder.size, 1)
  assert.deepEqual([...folder.takeHidden().keys()].sort(), ['D', 'E', 'F'])
})

test('who restores it without knowing wins, in any order; who moves something out keeps that', () => {
  const purge = purges(trashed, 'D')
  const others: [Entry[], string[]][] = [
    [[deleted('D', 6, false, 'b')], ['D', 'D/E', 'D/E/F', 'G']],
    [[moved('F', 6, 'G', 'b')], ['G', 'G/F']],
    [[moved('E', 6, 'G', 'b')], ['G', 'G/E', 'G/E/F']],
    // Made in it meanwhile: nobody asked for that to go.
    [[made('N', 6, { parent: 'E', kind: Kind.TEXT })], ['G', 'N']],
  ]
  for (const [other, paths] of others) {
    const folders = [
      folderOf(...trashed, ...purge, ...other),
      folderOf(...trashed, ...other, ...purge),
      folderOf(...[...trashed, ...purge, ...other].reverse()),
    ]
    for (const folder of folders) assert.deepEqual(shown(folder), paths)
  }
})

test('of two purges the one that saw a move takes along all that is in what was moved', () => {
  const seen = [...trashed, made('H', 5, { parent: 'D' }), moved('E', 6, 'H', 'b')]
  const [blind, sighted] = [purges(trashed, 'D'), purges(seen, 'D')]
  const orders = [
    [...trashed, ...blind, ...seen.slice(trashed.length), ...sighted],
    [...seen, ...sighted, ...blind],
    [...seen, ...blind, ...sighted],
    [...seen, ...blind, ...sighted.toReversed()],
  ]
  for (const changes of orders) assert.deepEqual(shown(folderOf(...changes)), ['G'])
})

test('what came back with its directory, and is in the trash by itself, goes for good when asked', () => {
  const seen = [...tree, deleted('F', 5), deleted('D', 6)]
  // Somebody restores D without knowing that it was deleted for good, and with it F.
  const left = [...seen, ...purges(seen, 'D'), deleted('D', 7, false, 'b')]
  assert.deepEqual(folderOf(...left).find('F', { inTrash: true })?.id, 'F')
  const changes = [...left, ...purges(left, 'F')]
  for (const order of [changes, changes.toReversed()]) {
    assert.deepEqual(shown(folderOf(...order)), ['D', 'D/E', 'G'])
  }
})

test('five thousand entries of one directory go for good within seconds', () => {
  const files = Array.from({ length: 5000 }, (_, index) =>
    made(`F${index}`, 2, { parent: 'D', kind: Kind.TEXT }),
  )
  const many = [made('D', 1), ...files, deleted('D', 5)]
  const marks = purges(many, 'D')
  const left = marks.map((each) => tombstoneOf(each))
  const before = process.cpuUsage().user
  // As a server that was there, one that hears of the directory first, and one that has the rest of it.
  const folders = [
    folderOf(...many, ...marks),
    folderOf(...marks.toReversed(), ...many),
    folderOf(...left.toReversed()),
  ]
  for (const folder of folders) assert.deepEqual(shown(folder), [])
  assert.ok(process.cpuUsage().user - before < 10e6)
})

test('in every order the folder is what the rules say', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(`purge ${seed}`)
    const ids = ['D', 'E', 'F', 'G', 'H']
    const changes = [...tree, made('H', 5, { parent: 'D', kind: Kind.TEXT })]
    for (let count = 0; count < 12; count++) {
      const id = random.pick(ids)
      const counter = random.between(6, 20)
      const origin = `o${count}`
      const roll = random.below(5)
      const part = random.shuffled(changes).slice(0, random.between(3, changes.length))
      const folder = folderOf(...tree, ...part)
      if (roll === 0) changes.push(moved(id, counter, random.pick(['', 'D', 'E', 'G']), origin))
      else if (roll === 1) changes.push(deleted(id, counter, false, origin))
      else if (roll === 2 || !folder.get(id)?.deleted?.value) {
        changes.push(deleted(id, counter, true, origin))
      } else changes.push(...purges([...tree, ...part], id))
    }
    const expected = [...expectedTree(changes).keys()].sort()
    for (let order = 0; order < 3; order++) {
      const folder = folderOf(...random.shuffled(changes))
      assert.deepEqual([...folder.all()].map(({ id }) => id).sort(), expected, `seed ${seed}`)
    }
  }
})

test('text goes only when all that made it so is known everywhere; then nothing brings it back', () => {
  const marks = purges(trashed, 'D')
  const folder = folderOf(...trashed, ...marks)
  const known = (id: string) => folder.known(id)
  const isSafe = (id: string) => isPurgedEverywhere(folder.known(id)!, known)
  const confirm = (id: string) => {
    const mark = marks.find((each) => each.id === id)!.purged!
    folder.apply(create(EntrySchema, { id, purged: { ...mark, isKnown: true } }))
  }
  for (const id of ['F', 'E']) confirm(id)
  assert.equal(isSafe('F'), false, 'the directory may still be restored')
  confirm('D')
  assert.deepEqual(['D', 'E', 'F'].map(isSafe), [true, true, true])
  folder.strip(tombstoneOf(folder.known('F')!))
  assert.equal(folder.known('F')!.name, undefined)
  // An old backup comes back with all of it.
  for (const change of trashed) folder.apply(change)
  folder.apply(deleted('F', 9, false))
  assert.deepEqual(shown(folder), ['G'])
})
