// What a plan leaves out on the disk, and how it is said.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, words } from './testing/plan-case.ts'

test('what the folder cannot have is named with the rule, and left on the disk', () => {
  const { acts: none, skipped } = planOf({
    disk: { 'con.txt': '1', 'a:b': '1', '!p.png': null, 'A.txt': '1' },
    folder: { A: ['a.txt', '1'] },
    common: {},
  })
  assert.deepEqual(none.map(words), ['write A a.txt'])
  assert.deepEqual(skipped.map(({ path }) => path).sort(), ['A.txt', 'a:b', 'con.txt', 'p.png'])
})

test('what is renamed to what the folder cannot have keeps its name there, and that is said', () => {
  const { acts: none, skipped } = planOf({
    disk: { 'con.txt': '1' },
    folder: { A: ['a.txt', '1'] },
    common: { A: ['a.txt', '1'] },
    identity: { 'con.txt': 'A' },
  })
  assert.deepEqual(none, [])
  assert.match(skipped.map(({ why }) => why).join(), /^It stays "a.txt" for the others\. /)
})

test('two new files that differ only in case do not become one', () => {
  const { acts: made, skipped } = planOf({ disk: { 'a.txt': '1', 'A.txt': '2' } })
  assert.deepEqual(made.map(words), ['create A.txt'])
  assert.deepEqual(
    skipped.map(({ path }) => path),
    ['a.txt'],
  )
})

test('a second name of a shared file is skipped', () => {
  const { acts: none, skipped } = planOf({
    disk: { a: '1', b: '1' },
    identity: { b: 'A' },
    folder: { A: ['a', '1'] },
    common: { A: ['a', '1'] },
  })
  assert.deepEqual(none, [])
  assert.deepEqual(
    skipped.map(({ path }) => path),
    ['b'],
  )
})

test('of two names of one new file the first is shared', () => {
  const { acts: made, skipped } = planOf({ disk: { a: '1', b: '1' }, identity: { a: 'x', b: 'x' } })
  assert.deepEqual(made.map(words), ['create a'])
  assert.deepEqual(
    skipped.map(({ path }) => path),
    ['b'],
  )
})

test('what is in the way of the folder and cannot be shared is said to be, and stays', () => {
  const { acts: none, skipped } = planOf({
    disk: { '!a': null, b: '1', '!c': null },
    folder: { A: ['a', '1'], B: ['c', '1'] },
    common: { B: ['b', '1'] },
  })
  assert.deepEqual(none, [])
  const isInTheWay = ({ why }: { why: string }) => why.endsWith('by this name, too.')
  assert.deepEqual(
    skipped.filter(isInTheWay).map(({ path }) => path),
    ['c', 'a'],
  )
})
