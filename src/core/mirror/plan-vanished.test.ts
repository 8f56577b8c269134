// What the plan of a mirror makes of what is no more where it was, on one side or on both.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acts, type Case } from './testing/plan-case.ts'

const cases: [name: string, given: Case, expected: string[]][] = [
  [
    'what was deleted and lies where the mirror does not look is forgotten, and kept while it is there',
    { disk: { '!p': null, '!q': null }, common: { A: ['p/a', '1'], B: ['q/b', '1'] }, gone: ['A'] },
    ['forget A'],
  ],
  [
    'of what vanished a copy is the same file, rather one of its name, and none of several without',
    {
      disk: { x: '1', y: '1', d: null, 'd/b': '2', z: '2' },
      folder: { A: ['a', '1'], B: ['b', '2'], D: ['d', null] },
      common: { A: ['a', '1'], B: ['b', '2'], D: ['d', null] },
    },
    ['place B b d/b', 'move-entry B d/b', 'create x', 'create y', 'create z', 'delete-entry A a'],
  ],
  [
    'a deleted directory stays for what somebody moved into it',
    {
      disk: { d: null, 'd/a': '1' },
      folder: { A: ['a', '1'] },
      common: { D: ['d', null], A: ['a', '1'] },
      identity: { 'd/a': 'A' },
      gone: ['D'],
    },
    ['forget D'],
  ],
  [
    'a vanished directory comes back for what is on its way into it',
    {
      folder: { D: ['d', null], A: ['d/a', '1'] },
      common: { D: ['d', null], A: ['d/a', '1'] },
      waiting: ['A'],
    },
    ['forget D'],
  ],
  [
    'what others may have changed is read before it is left as it is',
    { disk: { a: '1' }, folder: { A: ['a', undefined] }, common: { A: ['a', '1'] } },
    ['read A'],
  ],
]

for (const [name, given, expected] of cases) {
  test(name, () => assert.deepEqual(acts(given), expected))
}
