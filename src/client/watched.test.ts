// What a watcher makes of what it is told: each change once, and nothing that was taken for known.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Origin } from '../core/model/ids.ts'
import { Watched, type Heard, type WatchedFile } from './watched.ts'

const at = (seq: number) => new Map([['a.1' as Origin, seq]])

function file(id: string, rest: Partial<WatchedFile> = {}): WatchedFile {
  return { id, name: id, parent: '', isDeleted: false, hash: '', ...rest }
}

/** A watcher that was told these at first, and what it tells of each message. */
function watcher(...present: WatchedFile[]) {
  const watched = new Watched<WatchedFile>()
  const hear = (
    event: Heard<WatchedFile>['event'],
    of?: WatchedFile,
    seen = new Map<Origin, number>(),
  ) => {
    const news = watched.take({ event, file: of, seen, operation: '' })
    return news.map((each) => `${each.event} ${each.file.id}`)
  }
  const again = (seq: number, ...beyond: WatchedFile[]) => {
    watched.begin()
    for (const each of beyond) hear('present', each)
    return hear('ready', undefined, at(seq))
  }
  again(1, ...present)
  return { watched, hear, again }
}

test('where something lies is told also by a server that lacked an update of another', () => {
  const { hear } = watcher(file('x'))
  assert.deepEqual(hear('renamed', file('x', { name: 'plan' }), at(3)), ['renamed x'])
  // The next server takes in the same update, and has another file of that name.
  assert.deepEqual(hear('renamed', file('x', { name: 'plan (2)' }), at(3)), ['renamed x'])
  assert.deepEqual(hear('renamed', file('x', { name: 'plan (2)' }), at(3)), [])
  assert.deepEqual(hear('changed', file('x', { name: 'plan (2)' }), at(3)), [])
})

test('a server that has caught up tells all once more, and what differs is news', () => {
  const { watched, hear, again } = watcher(file('x'), file('y'), file('z'))
  hear('deleted', file('x', { isDeleted: true }), at(2))
  hear('renamed', file('y', { name: 'plan' }), at(3))
  // This one is behind: there nothing happened yet.
  assert.deepEqual(again(1), [])
  assert.equal(watched.listsAll, true, 'should it die before it has caught up')
  const all = [file('x'), file('y', { name: 'plan (2)' }), file('z', { isDeleted: true })]
  for (const each of all) assert.deepEqual(hear('present', each), [])
  assert.deepEqual(hear('ready', undefined, at(4)), ['created x', 'renamed y', 'deleted z'])
  assert.equal(watched.listsAll, false)
  assert.deepEqual(hear('renamed', file('y', { name: 'plan (2)' }), at(5)), [])
})

test('what comes back with its directory may be deleted by itself, and is told so', () => {
  const inside = file('x', { parent: 'd' })
  const { hear, again } = watcher(file('d'), inside)
  assert.deepEqual(hear('deleted', file('d', { isDeleted: true }), at(2)), ['deleted d'])
  // It changed in the trash while nobody told of it: it went with the directory.
  assert.deepEqual(again(3, { ...inside, isDeleted: true }), [])
  assert.deepEqual(hear('created', file('d'), at(4)), ['created d'])
  assert.deepEqual(hear('changed', inside, at(5)), ['changed x'])
  assert.deepEqual(hear('deleted', { ...inside, isDeleted: true }, at(6)), ['deleted x'])
})

test('what was deleted in a directory in the trash is told when it comes back by itself', () => {
  const inside = file('x', { parent: 'd' })
  const { hear } = watcher(file('d'), inside)
  hear('deleted', file('d', { isDeleted: true }), at(2))
  // Nobody is told that it is deleted there.
  hear('created', file('d'), at(4))
  assert.deepEqual(hear('created', inside, at(5)), ['created x'])
})

test('of a directory that went with all that is in it one deletion is told', () => {
  const { again } = watcher(file('d'), file('x', { parent: 'd' }), file('y'))
  const gone = { isDeleted: true }
  const beyond = [file('x', { parent: 'd', ...gone }), file('d', gone), file('y', gone)]
  assert.deepEqual(again(5, ...beyond), ['deleted d', 'deleted y'])
  assert.deepEqual(again(6, ...beyond), [])
})

test('what is gone is not back because a server that is behind tells of a change of it', () => {
  const { hear } = watcher(file('x'))
  assert.deepEqual(hear('deleted', file('x', { isDeleted: true }), at(4)), ['deleted x'])
  assert.deepEqual(hear('changed', file('x'), new Map([['b.1' as Origin, 2]])), ['changed x'])
  assert.deepEqual(hear('deleted', file('x', { isDeleted: true }), at(4)), [])
  assert.deepEqual(hear('created', file('x'), at(5)), ['created x'])
})
