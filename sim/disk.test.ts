// The simulated disk: durable after the flush, whole or not at all after a crash, and every way in
// which it may be destroyed.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import type { Origin, SubjectId } from '../src/core/model/ids.ts'
import { mergeStored, sealUpdate, textRoot } from '../src/core/model/snapshot.ts'
import { UpdateSchema } from '../src/core/model/wire.ts'
import { CorruptError, type Batch } from '../src/core/ports.ts'
import { SimulatedDisk } from './disk.ts'
import { Random } from './random.ts'
import { Timeline } from './timeline.ts'

const subject = 'AAAAAAAAAAAAAAAAAAAAAA' as SubjectId
const origin = 'a.AAAAAAAAAAAAA' as Origin

/** A disk, and the batches of somebody who writes "1", "2", "3"… one after another. */
function set(options: { seed?: number; isHasty?: boolean; takes?: boolean } = {}) {
  const timeline = new Timeline()
  const committed: string[] = []
  const random = new Random(options.seed ?? 1)
  const isHasty = options.isHasty ?? false
  const disk = new SimulatedDisk({
    timeline,
    random,
    flushMs: 10,
    archived: () => {},
    kept: () => {},
    committed: () => committed.push(textOf(disk.doc(subject))),
    isHasty,
    takes: options.takes ?? false,
  })
  const writer = new Y.Doc()
  let seq = 0
  const batch = (): Batch => {
    const before = Y.encodeStateVector(writer)
    writer.getText(textRoot).insert(seq, String(++seq))
    const value = Y.encodeStateAsUpdate(writer, before)
    const update = create(UpdateSchema, { origin, seq, subject, body: { case: 'text', value } })
    return { updates: [sealUpdate(update)], snapshots: [] }
  }
  return { timeline, disk, committed, batch }
}

function textOf(doc: Y.Doc | undefined): string {
  return doc ? doc.getText(textRoot).toString() : 'damaged'
}

test('what is written is durable, visible and told after the flush', () => {
  const { timeline, disk, committed, batch } = set()
  const reader = disk.open()
  let isTold = false
  disk.write(batch(), () => (isTold = true))
  assert.equal(reader.vector().size, 0)
  assert.equal(textOf(disk.doc(subject)), '')
  timeline.run(1000)
  assert.ok(isTold)
  assert.deepEqual([...reader.vector()], [[origin, 1]])
  assert.deepEqual(committed, ['1'])
  assert.equal(textOf(disk.loaded(subject)), '1')
})

test('a crash leaves what was under way whole or not at all, and tells nobody', () => {
  const left = new Set<string>()
  for (let seed = 1; seed <= 20; seed++) {
    const { timeline, disk, batch } = set({ seed })
    disk.open()
    let isTold = false
    disk.write(batch(), () => (isTold = true))
    disk.crash()
    left.add(textOf(disk.doc(subject)))
    assert.equal(textOf(disk.loaded(subject)), textOf(disk.doc(subject)))
    timeline.run(1000)
    assert.ok(!isTold)
  }
  assert.deepEqual([...left].sort(), ['', '1'])
})

test('a hasty disk tells before it flushes, and a crash shows it', () => {
  const left = new Set<string>()
  for (let seed = 1; seed <= 40; seed++) {
    const { timeline, disk, batch } = set({ seed, isHasty: true })
    const reader = disk.open()
    let told = 0
    for (let count = 0; count < 3; count++) disk.write(batch(), () => told++)
    timeline.run(1)
    assert.equal(told, 3)
    assert.deepEqual([...reader.vector()], [[origin, 3]])
    disk.crash()
    left.add(textOf(disk.doc(subject)))
    const seq = disk.open().vector().get(origin) ?? 0
    assert.equal(seq, textOf(disk.doc(subject)).length)
  }
  assert.deepEqual([...left].sort(), ['', '1', '12', '123'])
})

test('a disk that takes shows at once what is durable after the flush', () => {
  const { timeline, disk, committed, batch } = set({ takes: true })
  const reader = disk.open()
  const told: string[] = []
  disk.afterFlush(() => told.push('before'))
  assert.ok(disk.write(batch(), () => told.push('done')))
  disk.afterFlush(() => told.push('1'))
  assert.ok(disk.write(batch(), () => told.push('done')))
  disk.afterFlush(() => told.push('12'))
  assert.deepEqual(told, ['before'])
  assert.deepEqual([...reader.vector()], [[origin, 2]])
  assert.equal(textOf(disk.doc(subject)), '')
  timeline.run(1000)
  assert.deepEqual(told, ['before', '1', '12'])
  assert.deepEqual(committed, ['1', '12'])
  assert.equal(textOf(disk.doc(subject)), '12')
})

test('what says more than updates is not taken, and waited for', () => {
  const { timeline, disk, batch } = set({ takes: true })
  const reader = disk.open()
  let isTold = false
  assert.ok(!disk.write({ ...batch(), isComplete: true }, () => (isTold = true)))
  assert.equal(reader.vector().size, 0)
  timeline.run(1000)
  assert.ok(isTold)
  assert.deepEqual([...reader.vector()], [[origin, 1]])
})

test('a crash leaves of what was taken the first batches, each whole, and tells nobody', () => {
  const left = new Set<string>()
  for (let seed = 1; seed <= 40; seed++) {
    const { timeline, disk, batch } = set({ seed, takes: true })
    disk.open()
    let told = 0
    for (let count = 0; count < 3; count++) {
      disk.write(batch(), () => told++)
      disk.afterFlush(() => told++)
    }
    disk.crash()
    const text = textOf(disk.doc(subject))
    left.add(text)
    const reader = disk.open()
    assert.equal(reader.vector().get(origin) ?? 0, text.length)
    assert.equal(textOf(disk.loaded(subject)), text)
    timeline.run(1000)
    assert.equal(told, 0)
  }
  assert.deepEqual([...left].sort(), ['', '1', '12', '123'])
})

test('a lost disk is empty, a rolled back one as old as its backup', () => {
  const { timeline, disk, batch } = set()
  disk.open()
  disk.write(batch(), () => {})
  timeline.run(1000)
  const backup = disk.backup()
  disk.write(batch(), () => {})
  timeline.run(2000)
  assert.equal(textOf(disk.doc(subject)), '12')
  disk.crash()
  disk.rollBack(backup)
  assert.equal(textOf(disk.doc(subject)), '1')
  assert.deepEqual([...disk.open().vector()], [[origin, 1]])
  disk.crash()
  disk.wipe()
  assert.equal(textOf(disk.doc(subject)), '')
  assert.equal(disk.open().vector().size, 0)
})

test('a backup made during a transfer is ahead of its vector, too', () => {
  const { timeline, disk, batch } = set()
  disk.open()
  const { updates } = batch()
  const piece = mergeStored({ snapshots: [], updates }, new Map([[origin, 1]]), subject)
  disk.write({ updates: [], snapshots: [piece] }, () => {})
  timeline.run(1000)
  assert.ok(disk.isAhead)
  const backup = disk.backup()
  disk.crash()
  disk.wipe()
  assert.ok(!disk.isAhead)
  disk.rollBack(backup)
  assert.ok(disk.isAhead)
})

test('a flipped bit makes a subject unreadable until it is received again', () => {
  const { timeline, disk, batch } = set()
  const reader = disk.open()
  const first = batch()
  disk.write(first, () => {})
  timeline.run(1000)
  assert.ok(disk.flip(subject, 77))
  assert.throws(() => reader.load(subject), CorruptError)
  assert.equal(disk.doc(subject), undefined)
  assert.ok(!disk.flip('BBBBBBBBBBBBBBBBBBBBBA' as SubjectId, 1))
})
