// The plan of a mirror: small cases by hand, each a sentence.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acts, type Case } from './testing/plan-case.ts'

const cases: [name: string, given: Case, expected: string[]][] = [
  ['nothing on either side: nothing to do', {}, []],
  [
    'equal on both sides: nothing to do',
    { disk: { a: '1' }, folder: { A: ['a', '1'] }, common: { A: ['a', '1'] } },
    [],
  ],
  ['a file that is new on the disk is made in the folder', { disk: { a: '1' } }, ['create a']],
  [
    'a new tree is made from above',
    { disk: { 'd/e/f': '1', 'd/e': null, d: null } },
    ['create-directory d', 'create-directory d/e', 'create d/e/f'],
  ],
  [
    'a tree of the folder is made from above',
    { folder: { F: ['d/f', '1'], D: ['d', null] } },
    ['make-directory D d', 'write F d/f'],
  ],
  ['a file that is still being written waits', { disk: { '~a': '1' } }, []],
  [
    'a first joining: equal namesakes are one',
    { disk: { a: '1', d: null }, folder: { A: ['a', '1'], D: ['d', null] } },
    ['adopt A a', 'adopt D d'],
  ],
  [
    'a first joining: namesakes are read before they are compared',
    { disk: { a: '1' }, folder: { A: ['a', undefined] } },
    ['read A'],
  ],
  [
    'a first joining: different namesakes are both kept',
    { disk: { 'a.md': '1' }, folder: { A: ['a.md', '2'] } },
    ['put-aside a.md a (here).md'],
  ],
  [
    'a directory and a file of one name are both kept',
    { disk: { a: '1' }, folder: { A: ['a', null] } },
    ['put-aside a a (here)'],
  ],
  [
    'who changed it alone is followed: the disk',
    { disk: { a: '2' }, folder: { A: ['a', '1'] }, common: { A: ['a', '1'] } },
    ['save A a'],
  ],
  [
    'who changed it alone is followed: the folder',
    { disk: { a: '1' }, folder: { A: ['a', '2'] }, common: { A: ['a', '1'] } },
    ['write A a 1'],
  ],
  [
    'what both changed is merged by a save',
    { disk: { a: '2' }, folder: { A: ['a', '3'] }, common: { A: ['a', '1'] } },
    ['save A a'],
  ],
  [
    'the same change on both sides is common',
    { disk: { a: '2' }, folder: { A: ['a', '2'] }, common: { A: ['a', '1'] } },
    ['adopt A a'],
  ],
  [
    'a directory that moved while it was looked for, and was seen at two places, is one',
    {
      disk: { 'a/d': null, 'b/d': null, 'b/d/f': '1', a: null, b: null },
      folder: { A: ['a', null], B: ['b', null], D: ['a/d', null] },
      common: { A: ['a', null], B: ['b', null], D: ['a/d', null] },
      identity: { 'b/d': 'D' },
    },
    [],
  ],
  [
    'a file that went into a new directory of its name makes room for it',
    {
      disk: { d: null, 'd/b': '1' },
      folder: { A: ['d', '1'] },
      common: { A: ['d', '1'] },
      identity: { d: 'new', 'd/b': 'A' },
    },
    ['move-entry A d (here)', 'place A d (here) d/b'],
  ],
  [
    'the same with a directory that is shared already',
    {
      disk: { d: null, 'd/b': '1' },
      folder: { A: ['d', '1'], D: ['e', null] },
      common: { A: ['d', '1'], D: ['e', null] },
      identity: { d: 'D', 'd/b': 'A' },
    },
    ['move-entry A d (here)', 'place A d (here) d/b'],
  ],
  [
    'what went below itself by way of a new directory, in the folder’s view, comes back',
    {
      disk: { a: null, 'a/new': null, 'a/new/b': null },
      folder: { A: ['b/a', null], B: ['b', null] },
      common: { A: ['a', null], B: ['b', null] },
      identity: { a: 'A', 'a/new/b': 'B' },
    },
    ['move B a/new/b b'],
  ],
  ['bytes that are new on the disk are made in the folder', { disk: { a: '#1' } }, ['create a']],
  ['bytes of the folder are written', { folder: { A: ['a', '#1'] } }, ['write A a']],
  [
    'bytes: who changed them alone is followed',
    {
      disk: { a: '#2', b: '#1' },
      folder: { A: ['a', '#1'], B: ['b', '#2'] },
      common: { A: ['a', '#1'], B: ['b', '#1'] },
    },
    ['save A a', 'write B b #1'],
  ],
  [
    'bytes that both changed are saved: the folder keeps both',
    { disk: { a: '#2' }, folder: { A: ['a', '#3'] }, common: { A: ['a', '#1'] } },
    ['save A a'],
  ],
  [
    'a text that becomes bytes, or bytes that become a text, stay the same file',
    {
      disk: { a: '#2', b: '2' },
      folder: { A: ['a', '1'], B: ['b', '#1'] },
      common: { A: ['a', '1'], B: ['b', '#1'] },
    },
    ['save A a', 'save B b'],
  ],
  [
    'before bytes come in the place of a text it is read whether others changed that',
    { disk: { a: '#2' }, folder: { A: ['a', undefined] }, common: { A: ['a', '1'] } },
    ['read A'],
  ],
  [
    'a text and bytes that were made at once become two files',
    {
      disk: { a: '#2', b: '2', c: '2' },
      folder: { A: ['a', '3'], B: ['b', '#3'], C: ['c', '3'] },
      common: { A: ['a', '1'], B: ['b', '1'], C: ['c', '#1'] },
    },
    ['forget A', 'forget B', 'forget C'],
  ],
  [
    'a first joining: different bytes of one name are both kept',
    { disk: { 'a.png': '#1' }, folder: { A: ['a.png', '#2'] } },
    ['put-aside a.png a (here).png'],
  ],
  [
    "what was parked and is nobody's any more comes back to where people see it",
    { disk: { '.fourfold/parked/A a.md': '1' } },
    ['put-aside .fourfold/parked/A a.md a (here).md'],
  ],
  [
    'a change that is not finished waits, and so does what others wrote',
    { disk: { '~a': '2' }, folder: { A: ['a', '3'] }, common: { A: ['a', '1'] } },
    [],
  ],
  [
    'a file written by rename is the same file',
    {
      disk: { a: '1' },
      identity: { a: 'other' },
      folder: { A: ['a', '1'] },
      common: { A: ['a', '1'] },
    },
    ['place A a a'],
  ],
  [
    'deleted on the disk, unchanged in the folder: deleted in the folder',
    {
      disk: { b: '2' },
      folder: { A: ['a', '1'], B: ['b', '2'] },
      common: { A: ['a', '1'], B: ['b', '2'] },
    },
    ['delete-entry A a'],
  ],
  [
    'nothing is deleted before it stayed away for a while',
    { folder: { A: ['a', '1'] }, common: { A: ['a', '1'] }, isQuiet: false },
    [],
  ],
  [
    'deleted on the disk, changed in the folder: it comes back',
    { folder: { A: ['a', '2'] }, common: { A: ['a', '1'] } },
    ['forget A'],
  ],
  [
    'G15 an entry that is not listed and has no tombstone is left alone',
    { disk: { a: '1' }, common: { A: ['a', '1'] } },
    [],
  ],
  [
    'an entry seen in the trash is removed from the disk',
    { disk: { a: '1', b: '1' }, gone: ['A'], common: { A: ['a', '1'], B: ['b', '1'] } },
    ['remove A a'],
  ],
  [
    'a file that somebody worked on outlives its deletion by somebody else',
    { disk: { a: '2' }, gone: ['A'], common: { A: ['a', '1'] } },
    ['forget A'],
  ],
  ['deleted on both sides is forgotten', { gone: ['A'], common: { A: ['a', '1'] } }, ['forget A']],
  [
    'a directory deleted on the disk goes as one',
    {
      disk: { b: '1', c: '1', e: '1' },
      folder: {
        D: ['d', null],
        F: ['d/f', '1'],
        B: ['b', '1'],
        C: ['c', '1'],
        E: ['e', '1'],
      },
      common: {
        D: ['d', null],
        F: ['d/f', '1'],
        B: ['b', '1'],
        C: ['c', '1'],
        E: ['e', '1'],
      },
    },
    ['delete-entry D d'],
  ],
  [
    'a directory deleted on the disk comes back for what others put into it',
    {
      disk: { b: '1', c: '1' },
      folder: { D: ['d', null], F: ['d/f', '1'], G: ['d/g', '2'], B: ['b', '1'], C: ['c', '1'] },
      common: { D: ['d', null], F: ['d/f', '1'], B: ['b', '1'], C: ['c', '1'] },
    },
    ['forget D', 'delete-entry F d/f'],
  ],
  [
    'a directory whose files were moved out before it was deleted waits for these moves',
    {
      disk: { e: null, 'e/f': '1' },
      identity: { 'e/f': 'F' },
      folder: { D: ['d', null], F: ['d/f', '1'], E: ['e', null] },
      common: { D: ['d', null], F: ['d/f', '1'], E: ['e', null] },
    },
    ['move-entry F e/f'],
  ],
  [
    'a directory deleted in the folder goes from the inside out',
    {
      disk: { d: null, 'd/f': '1' },
      gone: ['D', 'F'],
      common: { D: ['d', null], F: ['d/f', '1'] },
      acceptsDeletes: true,
    },
    ['remove F d/f'],
  ],
  [
    'a directory deleted in the folder stays for what is new in it',
    { disk: { d: null, 'd/new': '1' }, gone: ['D'], common: { D: ['d', null] } },
    ['forget D'],
  ],
  [
    'a directory deleted in the folder stays for what is skipped in it',
    { disk: { d: null, '!d/picture': null }, gone: ['D'], common: { D: ['d', null] } },
    [],
  ],
  [
    'moved on the disk: moved in the folder',
    {
      disk: { b: '1' },
      identity: { b: 'A' },
      folder: { A: ['a', '1'] },
      common: { A: ['a', '1'] },
    },
    ['move-entry A b'],
  ],
  [
    'moved by copy and delete: the same file by its text',
    {
      disk: { d: null, 'd/a': '1' },
      folder: { A: ['a', '1'], D: ['d', null] },
      common: { A: ['a', '1'], D: ['d', null] },
    },
    ['place A a d/a', 'move-entry A d/a'],
  ],
  [
    'a directory moved on the disk is one move',
    {
      disk: { e: null, 'e/f': '1' },
      identity: { e: 'D', 'e/f': 'F' },
      folder: { D: ['d', null], F: ['d/f', '1'] },
      common: { D: ['d', null], F: ['d/f', '1'] },
    },
    ['move-entry D e'],
  ],
  [
    'what moved along with its directory has its place',
    {
      disk: { e: null, 'e/f': '1' },
      identity: { e: 'D', 'e/f': 'F' },
      folder: { D: ['e', null], F: ['e/f', '1'] },
      common: { D: ['d', null], F: ['d/f', '1'] },
    },
    ['place D e e'],
  ],
  [
    'what was moved out of a directory that moved, too, waits for the place of that one',
    {
      disk: { e: null, 'e/f': '1', g: '2' },
      identity: { e: 'D', 'e/f': 'F', g: 'G' },
      folder: { D: ['e', null], F: ['e/f', '1'], G: ['e/g', '2'] },
      common: { D: ['d', null], F: ['d/f', '1'], G: ['d/g', '2'] },
    },
    ['place D e e'],
  ],
  [
    'and is moved in the folder then',
    {
      disk: { e: null, 'e/f': '1', g: '2' },
      identity: { e: 'D', 'e/f': 'F', g: 'G' },
      folder: { D: ['e', null], F: ['e/f', '1'], G: ['e/g', '2'] },
      common: { D: ['e', null], F: ['e/f', '1'], G: ['e/g', '2'] },
    },
    ['move-entry G g'],
  ],
  [
    'moved and changed on the disk: first the one, then the other',
    {
      disk: { b: '2' },
      identity: { b: 'A' },
      folder: { A: ['a', '1'] },
      common: { A: ['a', '1'] },
    },
    ['move-entry A b'],
  ],
  [
    'moved in the folder: moved on the disk',
    { disk: { a: '1' }, folder: { A: ['b', '1'] }, common: { A: ['a', '1'] } },
    ['move A a b'],
  ],
  [
    'moved on both sides: to where the folder has it',
    {
      disk: { b: '1' },
      identity: { b: 'A' },
      folder: { A: ['c', '1'] },
      common: { A: ['a', '1'] },
    },
    ['move A b c'],
  ],
  [
    'moved in the folder to where something new is: that is put aside',
    { disk: { a: '1', b: '2' }, folder: { A: ['b', '1'] }, common: { A: ['a', '1'] } },
    ['put-aside b b (here)'],
  ],
  [
    'two that changed places in the folder: one is parked first',
    {
      disk: { a: '1', b: '2' },
      folder: { A: ['b', '1'], B: ['a', '2'] },
      common: { A: ['a', '1'], B: ['b', '2'] },
    },
    ['move A a .fourfold/parked/A a', 'move B b .fourfold/parked/B b'],
  ],
  [
    'what is parked goes to its place',
    {
      disk: { '.fourfold/parked/A': '1', a: '2' },
      folder: { A: ['b', '1'], B: ['a', '2'] },
      common: { A: ['.fourfold/parked/A', '1'], B: ['a', '2'] },
    },
    ['move A .fourfold/parked/A b'],
  ],
  [
    'a move that ended between its two steps is finished',
    {
      disk: { a: '1', b: '1' },
      identity: { b: 'A' },
      folder: { A: ['b', '1'] },
      common: { A: ['a', '1'] },
    },
    ['move A a b'],
  ],
  [
    'a directory of the folder that turns inside out',
    {
      disk: { a: null, 'a/b': null },
      folder: { A: ['b/a', null], B: ['b', null] },
      common: { A: ['a', null], B: ['a/b', null] },
    },
    ['move B a/b b'],
  ],
  [
    'a new directory of the folder waits for the old one to leave its name',
    {
      disk: { a: null },
      folder: { Y: ['b', null], X: ['a', null], F: ['a/f', '1'] },
      common: { Y: ['a', null] },
    },
    ['move Y a b'],
  ],
  [
    'what was deleted goes first where its place is taken by the directory that others put it into',
    {
      disk: { d: null },
      identity: { d: 'D' },
      folder: { D: ['d', null], A: ['d/a', '1'] },
      common: { D: ['c', null], A: ['d', '1'] },
    },
    ['delete-entry A d/a'],
  ],
  [
    'a text whose place on disk something else has taken is left alone',
    { disk: { '!a': null }, folder: { A: ['a', '2'] }, common: { A: ['a', '1'] } },
    [],
  ],
  [
    'what is below something skipped is left alone',
    {
      disk: { '!d': null },
      folder: { D: ['d', null], F: ['d/f', '1'] },
      common: { D: ['d', null], F: ['d/f', '1'] },
    },
    [],
  ],
  [
    'a file replaced by a directory: first the file goes',
    {
      disk: { a: null, 'a/f': '1', b: '1', c: '1' },
      identity: { a: 'new' },
      folder: { A: ['a', '0'], B: ['b', '1'], C: ['c', '1'] },
      common: { A: ['a', '0'], B: ['b', '1'], C: ['c', '1'] },
    },
    ['delete-entry A a'],
  ],
  [
    'what is ignored in the folder is not written',
    { folder: { A: ['a', '1'] }, ignored: ['a'] },
    [],
  ],
  [
    'what came to be ignored is forgotten, and deleted nowhere',
    { folder: { A: ['a', '1'] }, common: { A: ['a', '1'] }, ignored: ['a'] },
    ['forget A'],
  ],
  [
    'what waits is not touched',
    {
      disk: { a: '2', b: '1' },
      folder: { A: ['a', '1'] },
      common: { A: ['a', '1'] },
      waiting: ['A', 'b'],
    },
    [],
  ],
  [
    'what moved, and what moved into its place, are moved in the folder',
    {
      disk: { b: '1', c: '2', d: '3' },
      folder: { A: ['a', '1'], B: ['b', '2'], C: ['c', '3'] },
      common: { A: ['a', '1'], B: ['b', '2'], C: ['c', '3'] },
      identity: { b: 'A', c: 'B', d: 'C' },
    },
    ['move-entry C d', 'move-entry B c', 'move-entry A b'],
  ],
  [
    'what changed places with another is what lies in its place',
    {
      disk: { a: '2', b: '1' },
      folder: { A: ['a', '1'], B: ['b', '2'] },
      common: { A: ['a', '1'], B: ['b', '2'] },
      identity: { a: 'B', b: 'A' },
    },
    ['place A a a of another', 'save A a', 'place B b b of another', 'save B b'],
  ],
  [
    'directories that change places on the disk: one steps aside in the folder for the other',
    {
      disk: { a: null, 'a/g': '2', b: null, 'b/f': '1', 'b/new': '3' },
      folder: { A: ['a', null], F: ['a/f', '1'], B: ['b', null], G: ['b/g', '2'] },
      common: { A: ['a', null], F: ['a/f', '1'], B: ['b', null], G: ['b/g', '2'] },
      identity: { a: 'B', 'a/g': 'G', b: 'A', 'b/f': 'F' },
    },
    ['move-entry A a (here)', 'place A a (here) b', 'move-entry B a', 'move-entry A b'],
  ],
  [
    'what lies in one that has yet to change places is nobody’s namesake',
    {
      disk: { a: null, 'a/o': '6', b: null, 'b/new': '3', 'b/old': '4' },
      folder: {
        ...{ A: ['a', null], B: ['b', null] },
        ...{ N: ['b/new', '5'], O: ['b/old', '6'] },
      },
      common: { A: ['a', null], B: ['b', null], O: ['b/o', '6'] },
      identity: { a: 'B', 'a/o': 'O', b: 'A' },
      waiting: ['A', 'B'],
    },
    [],
  ],
  [
    'of two that changed places one leaves its common path first',
    {
      disk: { a: null, 'a/g': '2', b: null, 'b/f': '1' },
      folder: { A: ['b', null], F: ['b/f', '1'], B: ['a', null], G: ['a/g', '2'] },
      common: { A: ['a (here)', null], F: ['a (here)/f', '1'], B: ['b', null], G: ['b/g', '2'] },
      identity: { a: 'B', 'a/g': 'G', b: 'A', 'b/f': 'F' },
    },
    ['place B a a', 'place B a a'],
  ],
  [
    'of three directories that change places in a ring one steps aside',
    {
      disk: { a: null, b: null, c: null },
      folder: { A: ['a', null], B: ['b', null], C: ['c', null] },
      common: { A: ['a', null], B: ['b', null], C: ['c', null] },
      identity: { a: 'C', b: 'A', c: 'B' },
    },
    [
      ...['move-entry A a (here)', 'place A a (here) b'],
      ...['move-entry C a', 'move-entry B c', 'move-entry A b'],
    ],
  ],
  [
    'what would come below itself by way of others that wait as well comes back',
    {
      disk: { q: null, 'q/h': null, 'q/h/b': null, 'q/j': null },
      folder: { B: ['b', null], H: ['j/h', null], J: ['j', null], Q: ['b/q', null] },
      common: { B: ['b', null], H: ['q/h', null], J: ['j', null], Q: ['q', null] },
      identity: { 'q/h/b': 'B', 'q/j': 'J' },
    },
    ['move B q/h/b b', 'move J q/j j'],
  ],
  [
    'what was changed here, and moved out of the mirrored part by others, is saved where it is',
    {
      disk: { d: null, 'd/f': '2' },
      common: { D: ['d', null], F: ['d/f', '1'] },
      gone: ['D', 'F'],
      elsewhere: ['F'],
    },
    ['save F d/f'],
  ],
  [
    'a ring of a file, the directory into which it went, and the one that has its place',
    {
      disk: { a: null, 'a/f': '1', b: null },
      folder: { A: ['c/a', null], C: ['c', null], F: ['b', '1'] },
      common: { A: ['a', null], C: ['c', null], F: ['b', '1'] },
      identity: { 'a/f': 'F', b: 'C' },
    },
    ['move-entry F b (here)', 'place F b (here) a/f'],
  ],
  [
    'a directory and a file that change places',
    {
      disk: { a: '1', b: null, 'b/g': '2' },
      folder: { A: ['a', null], G: ['a/g', '2'], F: ['b', '1'] },
      common: { A: ['a', null], G: ['a/g', '2'], F: ['b', '1'] },
      identity: { a: 'F', b: 'A', 'b/g': 'G' },
    },
    ['move-entry F b (here)', 'place F b (here) a', 'move-entry A b', 'move-entry F a'],
  ],
  [
    'directories that changed places on both sides: one leaves its common path first',
    {
      disk: { a: null, 'a/g': '2', b: null, 'b/f': '1' },
      folder: { A: ['b', null], F: ['b/f', '1'], B: ['a', null], G: ['a/g', '2'] },
      common: { A: ['a', null], F: ['a/f', '1'], B: ['b', null], G: ['b/g', '2'] },
      identity: { a: 'B', 'a/g': 'G', b: 'A', 'b/f': 'F' },
    },
    ['place B .fourfold/parked/B b a'],
  ],
  [
    'a directory that moved into the one that takes its place',
    {
      disk: { a: null, 'a/b': null, 'a/b/f': '1' },
      folder: { A: ['a', null], F: ['a/f', '1'], B: ['b', null] },
      common: { A: ['a', null], F: ['a/f', '1'], B: ['b', null] },
      identity: { a: 'B', 'a/b': 'A', 'a/b/f': 'F' },
    },
    ['move-entry A a (here)', 'place A a (here) a/b'],
  ],
  [
    'a directory that moved, and a new one in its place, in which something has the old name',
    {
      disk: { a: null, 'a/f': '1', b: null, 'b/f': '1' },
      folder: { A: ['a', null], F: ['a/f', '1'] },
      common: { A: ['a', null], F: ['a/f', '1'] },
      identity: { a: 'new', 'a/f': 'copy', b: 'A', 'b/f': 'F' },
    },
    ['move-entry A b'],
  ],
  [
    'a directory that was removed and made again is the same',
    {
      disk: { a: null, 'a/f': '1' },
      folder: { A: ['a', null], F: ['a/f', '1'] },
      common: { A: ['a', null], F: ['a/f', '1'] },
      identity: { a: 'new', 'a/f': 'new f' },
    },
    ['place A a a', 'place F a/f a/f'],
  ],
  [
    'a directory that was removed, and another in its place, which keeps what is in it',
    {
      disk: { a: null, 'a/f': '2' },
      folder: { A: ['a', null], F: ['a/f', '1'], B: ['b', null], G: ['b/f', '2'] },
      common: { A: ['a', null], F: ['a/f', '1'], B: ['b', null], G: ['b/f', '2'] },
      identity: { a: 'B', 'a/f': 'G' },
      acceptsDeletes: true,
    },
    ['delete-entry A a'],
  ],
  [
    'what was put over another is the other, changed',
    {
      disk: { b: '1' },
      folder: { A: ['a', '1'], B: ['b', '2'], C: ['c', '3'] },
      common: { A: ['a', '1'], B: ['b', '2'], C: ['c', '3'] },
      identity: { b: 'A' },
      acceptsDeletes: true,
    },
    ['place B b b', 'save B b', 'delete-entry C c', 'delete-entry A a'],
  ],
  [
    'files that are turned over, the last one over another, and a new first one: each where it was',
    {
      disk: { a: 'new', 'a.1': '1', 'a.2': '2' },
      folder: { A: ['a', '1'], B: ['a.1', '2'], C: ['a.2', '3'] },
      common: { A: ['a', '1'], B: ['a.1', '2'], C: ['a.2', '3'] },
      identity: { a: 'fresh', 'a.1': 'A', 'a.2': 'B' },
    },
    [
      ...['place A a a', 'save A a', 'place B a.1 a.1 of another', 'save B a.1'],
      ...['place C a.2 a.2', 'save C a.2'],
    ],
  ],
  [
    'of what vanished here and was just changed by others the text is read first',
    { folder: { A: ['a', '1'] }, common: { A: ['a', '1'] }, stale: ['A'] },
    ['read A'],
  ],
  [
    'the same of what vanished with its directory',
    {
      folder: { D: ['d', null], A: ['d/a', '1'] },
      common: { D: ['d', null], A: ['d/a', '1'] },
      stale: ['A'],
    },
    ['read A'],
  ],
  [
    'what a server was asked to make is not made again where it was moved to',
    { disk: { moved: '1', b: '1' }, identity: { moved: 'A' }, making: ['A'] },
    ['create b'],
  ],
]

for (const [name, given, expected] of cases) {
  test(name, () => assert.deepEqual(acts(given), expected))
}
