// What a plan deletes by itself, and what waits for a person's word.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acts, type Case, many, planOf, words } from './testing/plan-case.ts'

test('an emptied directory deletes nothing without a word', () => {
  const given: Case = {
    folder: { A: ['a', '1'], B: ['b', '1'] },
    common: { A: ['a', '1'], B: ['b', '1'] },
  }
  const held = planOf(given)
  assert.deepEqual(held.acts, [])
  assert.deepEqual(held.held, { onDisk: 0, inFolder: 2 })
  const agreed = acts({ ...given, acceptsDeletes: true })
  assert.deepEqual(agreed, ['delete-entry B b', 'delete-entry A a'])
})

test('a mass deletion by others deletes nothing without a word, and the rest goes on', () => {
  const common = many<[string, string]>(300, (index) => [`I${index}`, [`f${index}`, '1']])
  const disk = many(300, (index) => [`f${index}`, index === 200 ? '2' : '1'])
  const folder = many<[string, string]>(199, (index) => [
    `I${index + 101}`,
    [`f${index + 101}`, '1'],
  ])
  const gone = Array.from({ length: 101 }, (_, index) => `I${index}`)
  const { acts: rest, held } = planOf({ common, disk, folder, gone })
  assert.deepEqual(rest.map(words), ['save I200 f200'])
  assert.deepEqual(held, { onDisk: 101, inFolder: 0 })
  assert.equal(acts({ common, disk, folder, gone: gone.slice(1) }).length, 101)
})

test('what was asked about waits for the word, however little is deleted by then', () => {
  const given: Case = {
    disk: many(9, (index) => [`f${index}`, '1']),
    folder: {
      A: ['a', '1'],
      B: ['b', '1'],
      ...many<[string, string]>(9, (index) => [`I${index}`, [`f${index}`, '1']]),
    },
    common: {
      A: ['a', '1'],
      B: ['b', '1'],
      ...many<[string, string]>(9, (index) => [`I${index}`, [`f${index}`, '1']]),
    },
  }
  const late = { atOnce: 0, lately: 99 }
  const first = planOf({ ...given, late })
  assert.deepEqual([first.acts, first.held], [[], { onDisk: 0, inFolder: 2 }])
  assert.deepEqual(first.asked, new Set(['A', 'B']))
  // Those before are forgotten, and of 11 entries two are few.
  const later = planOf({ ...given, asked: first.asked })
  assert.deepEqual([later.acts, later.held], [[], { onDisk: 0, inFolder: 2 }])
  const without = planOf(given)
  assert.deepEqual(without.acts.map(words), ['delete-entry B b', 'delete-entry A a'])
  assert.equal(without.deletes, 2)
  // Agreed to they go, and count as nothing that is to be asked about.
  const agreed = planOf({ ...given, late, agreed: first.asked })
  assert.deepEqual(agreed.acts, without.acts)
  assert.deepEqual([agreed.deletes, agreed.held], [0, undefined])
})

test('nothing waits for a word about what came back, or was deleted by others as well', () => {
  const common: Case['common'] = { A: ['a', '1'], B: ['b', '1'], C: ['c', '1'], D: ['d', '1'] }
  const asked = ['A', 'B', 'C']
  const folder: Case['folder'] = { B: ['b', '1'], C: ['c', '2'], D: ['d', '1'] }
  const first = planOf({ disk: { b: '1', d: '1' }, folder, common, gone: ['A'], asked })
  // A is deleted on both sides, B was put back, C was changed by others: it comes back.
  assert.deepEqual(first.acts.map(words), ['forget A', 'forget C'])
  assert.equal(first.held, undefined)
  const { A: _, C: __, ...rest } = common
  const second = planOf({ disk: { b: '1', d: '1' }, folder, common: rest, asked: first.asked })
  assert.deepEqual(second.acts.map(words), ['write C c'])
  assert.deepEqual(second.asked, new Set())
  // What cannot be looked at for a moment did not come back.
  const waiting = planOf({ disk: { d: '1' }, folder, common, waiting: asked, asked })
  assert.deepEqual([waiting.held, waiting.asked], [undefined, new Set(asked)])
})

test('a directory that was asked about is put back: what is missing in it waits still', () => {
  const given: Case = {
    disk: many(20, (index) => [`f${index}`, '1']),
    folder: {
      D: ['d', null],
      E: ['d/e', '1'],
      ...many<[string, string]>(20, (index) => [`I${index}`, [`f${index}`, '1']]),
    },
    common: {
      D: ['d', null],
      E: ['d/e', '1'],
      ...many<[string, string]>(20, (index) => [`I${index}`, [`f${index}`, '1']]),
    },
  }
  const { asked } = planOf({ ...given, late: { atOnce: 0, lately: 99 } })
  assert.deepEqual(asked, new Set(['D', 'E']))
  const back = planOf({ ...given, disk: { ...given.disk, d: null }, asked })
  assert.deepEqual([back.acts, back.held], [[], { onDisk: 0, inFolder: 1 }])
})

test('a directory that others deleted is counted with what is in it, before that is removed', () => {
  const inside = ['a', 'b', 'c', 'd']
  const common: Case['common'] = {
    D: ['d', null],
    ...Object.fromEntries(inside.map((name) => [name, [`d/${name}`, '1'] as const])),
    ...many<[string, string]>(4, (index) => [`I${index}`, [`f${index}`, '1']]),
  } as Case['common']
  const disk = Object.fromEntries(Object.values(common!))
  const folder = many<[string, string]>(4, (index) => [`I${index}`, [`f${index}`, '1']])
  const { acts: none, held } = planOf({ common, disk, folder, gone: ['D', ...inside] })
  // Without it they were four of nine, and what was left of them is asked about.
  assert.deepEqual([none, held], [[], { onDisk: 5, inFolder: 0 }])
})

test('what is followed goes without a word, what is missing on the disk does not', () => {
  const common = many<[string, string]>(6, (index) => [`I${index}`, [`f${index}`, '1']])
  const given: Case = {
    common,
    disk: many(4, (index) => [`f${index}`, '1']),
    folder: { I4: ['f4', '1'], I5: ['f5', '1'] },
    gone: ['I0', 'I1', 'I2', 'I3'],
  }
  assert.deepEqual(planOf(given).held, { onDisk: 4, inFolder: 2 })
  const late = { atOnce: 5, lately: 5 }
  const { acts: done, held, deletes } = planOf({ ...given, followed: Object.keys(common), late })
  const removed = ['remove I3 f3', 'remove I2 f2', 'remove I1 f1', 'remove I0 f0']
  assert.deepEqual(done.map(words), removed)
  assert.deepEqual([held, deletes], [{ onDisk: 0, inFolder: 2 }, 0])
})
