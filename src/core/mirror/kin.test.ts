// Files that are renamed and written anew between two looks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMadeFrom } from './kin.ts'
import { acts, type Case } from './testing/plan-case.ts'

const text = (topic: string, last = '') =>
  `${[1, 2, 3, 4].map((part) => `part ${part} of ${topic}\n`).join('')}${last}`
const plan = text('the plan')
const more = text('the plan', 'and more\n')

/** A file that vanished, others that turned up. */
function renamed(disk: { [path: string]: string }, given: Case = {}): string[] {
  const identity = Object.fromEntries(Object.keys(disk).map((path) => [path, `new ${path}`]))
  const known = { A: ['d/a', plan], D: ['d', null] } as { [id: string]: [string, string | null] }
  const there = { disk: { d: null, ...disk }, identity, common: known, folder: known }
  return acts({ ...there, ...given })
}

test('what was renamed and written anew is the same file, and its change is a change', () => {
  assert.deepEqual(renamed({ 'd/b': more }), ['place A d/a d/b', 'move-entry A d/b'])
  assert.deepEqual(renamed({ a: more }), ['place A d/a a', 'move-entry A a'])
  const [before, after] = [text('the plan', 'of others\n'), more]
  const moved = {
    disk: { d: null, 'd/b': after },
    identity: { 'd/b': 'A' },
    folder: { A: ['d/b', before], D: ['d', null] },
    common: { A: ['d/b', plan], D: ['d', null] },
  } satisfies Case
  assert.deepEqual(acts(moved), ['save A d/b'])
})

test('what is not plainly made from one that vanished is new', () => {
  const isNew = (path: string) => [`create ${path}`, 'delete-entry A d/a']
  assert.deepEqual(renamed({ 'd/b': text('something else') }), isNew('d/b'))
  // Another name, and another directory.
  assert.deepEqual(renamed({ b: more }), isNew('b'))
  // Of two that are like it none is more likely.
  const two = renamed({ 'd/b': more, 'd/c': text('the plan', 'or this\n') })
  assert.deepEqual(two, ['create d/b', 'create d/c', 'delete-entry A d/a'])
  // A server is asked to make it already.
  const making = renamed({ 'd/b': more }, { making: ['new d/b'] })
  assert.deepEqual(making, ['delete-entry A d/a'])
})

test('until it is believed that a file is gone nothing takes its place', () => {
  assert.deepEqual(renamed({ 'd/b': more }, { isQuiet: false }), [])
})

test('a text is made from another if it has most of it, and that is not little', () => {
  assert.equal(isMadeFrom(more, plan), true)
  assert.equal(isMadeFrom(plan.replace('part 2', 'part two'), plan), true)
  assert.equal(isMadeFrom(plan.split('\n').slice(0, 2).join('\n'), plan), false)
  assert.equal(isMadeFrom('a title\nb', 'a title\n'), false)
  assert.equal(isMadeFrom('', ''), false)
  assert.equal(isMadeFrom(`${'same line\n'.repeat(50)}x`, `${'same line\n'.repeat(50)}y`), false)
})
