// The checkers, each fed by hand with a history that breaks it and one that does not.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { create } from '@bufbuild/protobuf'
import { EntrySchema, Kind } from '../src/core/model/wire.ts'
import { Bits } from './bits.ts'
import { Checkers, type CheckerId, type Place, type Violation } from './checkers.ts'
import { Journal, type Token } from './journal.ts'
import { tokenText, wordsOf } from './token.ts'

const document = 'd'
const diskOfA: Place = { kind: 'disk', name: 'a' }
const diskOfB: Place = { kind: 'disk', name: 'b' }
const screen: Place = { kind: 'screen', name: 'ada' }

function set(canReach = true) {
  const journal = new Journal()
  const violations: Violation[] = []
  let now = 0
  const checkers = new Checkers({
    journal,
    now: () => now,
    report: (violation) => violations.push(violation),
    canReach: () => canReach,
  })
  const type = (person: string, options: { seen?: Token[]; follows?: Token } = {}) => {
    const seen = new Bits()
    for (const { index } of options.seen ?? []) seen.add(index)
    const label = person[0]!
    const { follows } = options
    return journal.typed({ at: now++, person, label, document, seen, follows })
  }
  const read = (place: Place, ...tokens: Token[]) =>
    checkers.read(place, document, tokens.map(({ name }) => tokenText(name)).join(''))
  /** The checkers that fired since the last call. */
  const fired = (): CheckerId[] => violations.splice(0).map(({ checker }) => checker)
  return { journal, checkers, type, read, fired, tick: () => now++ }
}

test('C1 an acknowledged token that is not on the disk of its receipt is lost', () => {
  const { journal, checkers, type, read, fired } = set()
  const token = type('ada')
  read(diskOfA)
  checkers.checkReceipts('a', () => true)
  assert.deepEqual(fired(), [])
  journal.told(1, token, 'a')
  checkers.checkReceipts('a', () => true)
  assert.deepEqual(fired(), ['C1'])
  checkers.checkReceipts('b', () => true)
  assert.deepEqual(fired(), [])
  read(diskOfA, token)
  checkers.checkReceipts('a', () => true)
  assert.deepEqual(fired(), [])
})

test('C1 what a server says to be on a disk that it knows is there, unless somebody deleted it', () => {
  const { journal, checkers, type, fired } = set()
  const token = type('ada')
  checkers.checkTold('b', 'a', token, tokenText(token.name))
  assert.deepEqual(fired(), [])
  checkers.checkTold('b', 'a', token, '')
  assert.deepEqual(fired(), ['C1'])
  journal.deleted(1, 'bob', token)
  checkers.checkTold('b', 'a', token, '')
  assert.deepEqual(fired(), [])
})

test('C1 a token that vanishes from a disk is lost, even when nobody acknowledged it', () => {
  const { type, read, fired } = set()
  const token = type('ada')
  read(diskOfA, token)
  read(diskOfA)
  assert.deepEqual(fired(), ['C1'])
})

test('C1 what only a destroyed disk held may be gone in the end', () => {
  const { journal, checkers, type, fired } = set()
  const [onA, onBoth, later] = [type('ada'), type('ada'), type('ada')] as const
  journal.told(1, onA, 'a')
  journal.told(1, onBoth, 'a')
  journal.told(1, onBoth, 'b')
  journal.destroyed(2, 'a')
  checkers.checkReceipts('a', () => true)
  assert.deepEqual(fired(), [])
  checkers.checkEnd(document, tokenText(onBoth.name))
  assert.deepEqual(fired(), [])
  checkers.checkEnd(document, '')
  assert.deepEqual(fired(), ['C1'])
  // Typed after the loss: its receipt counts.
  Object.assign(later, { invokedAt: 3 })
  journal.told(4, later, 'a')
  checkers.checkEnd(document, tokenText(onBoth.name))
  assert.deepEqual(fired(), ['C1'])
})

test('C1 a flipped byte in one document excuses no other', () => {
  const { journal, checkers, type, fired } = set()
  journal.told(1, type('ada'), 'a')
  journal.destroyed(2, 'a', 'another document')
  checkers.checkReceipts('a', () => true)
  assert.deepEqual(fired(), ['C1'])
  journal.destroyed(2, 'a', document)
  checkers.checkReceipts('a', () => true)
  assert.deepEqual(fired(), [])
})

test('C1 a server that serves has what all servers acknowledged', () => {
  const { journal, checkers, type, read, fired } = set()
  const [onAll, onA] = [type('ada'), type('ada')] as const
  for (const server of ['a', 'b']) journal.told(1, onAll, server)
  journal.told(1, onA, 'a')
  journal.destroyed(2, 'b')
  checkers.checkServing('b', ['a', 'b'], () => true)
  assert.deepEqual(fired(), ['C1'])
  checkers.checkServing('b', ['a', 'b'], () => false)
  assert.deepEqual(fired(), [])
  read(diskOfB, onAll)
  checkers.checkServing('b', ['a', 'b'], () => true)
  assert.deepEqual(fired(), [])
})

test('C1 C3 C4 C5 files', () => {
  const { journal, checkers, fired } = set()
  const view = (id: string, name: string) => ({
    name,
    parent: '',
    path: name,
    isDeleted: false,
    entry: create(EntrySchema, { id, name: { value: name } }),
  })
  const one = view('one', 'one.md')
  const made = { at: 0, person: 'ada', parent: '', kind: Kind.TEXT }
  journal.told(1, journal.created({ ...made, id: 'one', name: 'one.md' }), 'a')
  checkers.checkFiles([one], [])
  assert.deepEqual(fired(), [])
  checkers.checkFiles([], [])
  assert.deepEqual(fired(), ['C1'])
  checkers.checkFiles([], [one])
  assert.deepEqual(fired(), ['C1'])
  checkers.checkFiles([one], [view('two', 'two.md')])
  assert.deepEqual(fired(), ['C5'])
  checkers.checkFiles([view('one', 'other.md')], [])
  assert.deepEqual(fired(), ['C5'])
  journal.renamed(1, 'bob', journal.files.get('one')!, 'other.md')
  checkers.checkFiles([view('one', 'other.md')], [])
  assert.deepEqual(fired(), [])
  journal.told(2, journal.trashed(2, 'ada', journal.files.get('one')!), 'a')
  checkers.checkFiles([], [one])
  assert.deepEqual(fired(), [])
  checkers.checkFiles([one], [])
  assert.deepEqual(fired(), ['C3'])
  checkers.checkFiles([one], [one])
  assert.deepEqual(fired(), ['C4', 'C3'])
  journal.restored(3, 'bob', journal.files.get('one')!)
  checkers.checkFiles([one], [])
  assert.deepEqual(fired(), [])
})

test('C1 C5 C9 where files lie', () => {
  const { journal, checkers, fired } = set()
  const made = { at: 0, person: 'ada', id: 'one', name: 'one.md', kind: Kind.TEXT }
  const view = (parent: string) => {
    const entry = create(EntrySchema, {
      id: 'one',
      name: { value: 'one.md' },
      parent: { value: parent },
    })
    return { entry, name: 'one.md', parent, path: 'one.md', isDeleted: false }
  }
  journal.created({ ...made, parent: 'here' })
  checkers.checkFiles([view('here')], [])
  assert.deepEqual(fired(), [])
  checkers.checkFiles([view('there')], [])
  assert.deepEqual(fired(), ['C5'])
  const move = journal.moved(1, 'bob', journal.files.get('one')!, 'there')
  checkers.checkFiles([view('here')], [])
  assert.deepEqual(fired(), [])
  journal.told(2, move, 'a')
  checkers.checkFiles([view('there')], [])
  assert.deepEqual(fired(), [])
  checkers.checkFiles([view('here')], [])
  assert.deepEqual(fired(), ['C1'])

  const expected = new Map([['one', '"a/one.md"']])
  checkers.checkTree('a screen', new Map(expected), expected)
  assert.deepEqual(fired(), [])
  checkers.checkTree('a screen', new Map([['one', '"one.md"']]), expected)
  checkers.checkTree('a screen', new Map(), expected)
  checkers.checkTree('a screen', expected, new Map())
  assert.deepEqual(fired(), ['C9', 'C9', 'C9'])
})

test('C2 two places that differ diverge', () => {
  const { checkers, fired } = set()
  const reading = (where: string, value: string) => ({ where, value })
  checkers.checkSame('text', [reading('a', '[x]'), reading('b', '[x]')])
  assert.deepEqual(fired(), [])
  checkers.checkSame('text', [reading('a', '[x]'), reading('b', '[x]'), reading('ada', '')])
  assert.deepEqual(fired(), ['C2'])
})

test('C3 a deleted token that comes back is a zombie, unless its deletion was undone', () => {
  const { journal, type, read, fired, checkers } = set()
  const [token, other] = [type('ada'), type('ada')] as const
  read(diskOfA, token)
  const deletion = journal.deleted(5, 'bob', token)
  read(diskOfA, other)
  assert.deepEqual(fired(), [])
  read(diskOfA, token, other)
  assert.deepEqual(fired(), ['C3'])
  journal.told(6, deletion, 'a')
  checkers.checkReceipts('a', () => true)
  assert.deepEqual(fired(), ['C3'])
  checkers.checkEnd(document, tokenText(token.name))
  assert.deepEqual(fired(), ['C3'])
  journal.revived(token)
  read(diskOfA, token, other)
  checkers.checkReceipts('a', () => true)
  checkers.checkEnd(document, tokenText(token.name))
  assert.deepEqual(fired(), [])
})

test('C3 a wiped disk that fills again may show a token before its deletion arrives', () => {
  const { journal, checkers, type, read, fired } = set()
  const token = type('ada')
  read(diskOfA, token)
  journal.deleted(5, 'bob', token)
  read(diskOfA)
  checkers.forget(diskOfA)
  read(diskOfA, token)
  assert.deepEqual(fired(), [])
})

test('C4 a token twice, and half a token', () => {
  const { checkers, type, read, fired } = set()
  const token = type('ada')
  read(diskOfA, token, token)
  assert.deepEqual(fired(), ['C4'])
  checkers.read(diskOfB, document, `${tokenText(token.name)}[a`)
  assert.deepEqual(fired(), ['C4'])
  checkers.read(screen, document, `[${tokenText(token.name)}a9]`)
  assert.deepEqual(fired(), ['C4'])
})

test('C5 what nobody typed, and what was typed in another document', () => {
  const { checkers, type, fired } = set()
  const token = type('ada')
  checkers.read(diskOfA, document, tokenText('x7'))
  assert.deepEqual(fired(), ['C5'])
  checkers.read(diskOfA, 'another', tokenText(token.name))
  assert.deepEqual(fired(), ['C5'])
})

test('C6 a run keeps its order', () => {
  const { type, read, fired } = set()
  const first = type('ada')
  const second = type('ada', { follows: first })
  const other = type('bob')
  read(diskOfA, first, other, second)
  read(diskOfB, second)
  assert.deepEqual(fired(), [])
  read(screen, second, first)
  assert.deepEqual(fired(), ['C6'])
})

test('C7 a token without what its writer saw, unless that was deleted', () => {
  const { journal, type, read, fired } = set()
  const cause = type('ada')
  const token = type('bob', { seen: [cause] })
  read(diskOfB, cause)
  read(diskOfA, token)
  assert.deepEqual(fired(), ['C7'])
  journal.deleted(5, 'ada', cause)
  read(diskOfA, token)
  assert.deepEqual(fired(), [])
})

test('C7 a server need not wait for a cause on a machine that it cannot reach', () => {
  const { type, read, fired } = set(false)
  const cause = type('ada')
  const token = type('bob', { seen: [cause] })
  read(diskOfB, cause)
  read(diskOfA, token)
  assert.deepEqual(fired(), [])
  // And what is passed on from there is excused as well.
  read(screen, token)
  assert.deepEqual(fired(), [])
})

test('C7 what was lost when an edit was stored is excused, though its writer brings it again', () => {
  const { journal, checkers, type, read, fired } = set()
  const cause = type('ada')
  const token = type('bob', { seen: [cause] })
  read(diskOfB, cause)
  journal.destroyed(2, 'b')
  checkers.forget(diskOfB)
  read(diskOfA, token)
  assert.deepEqual(fired(), [])
  read(diskOfA, token, cause)
  journal.told(3, cause, 'a')
  read(diskOfB, token)
  assert.deepEqual(fired(), [])
})

test('C7 what a server could not wait for is excused also in what goes for good', () => {
  for (const canReach of [false, true]) {
    const { checkers, type, read, fired } = set(canReach)
    const cause = type('ada')
    const token = type('bob', { seen: [cause] })
    read(diskOfB, cause)
    checkers.readGoing('a', document, tokenText(token.name))
    // The disk may lack it; who is shown it may not, unless its server had to go without.
    assert.deepEqual(fired(), [])
    read(screen, token)
    assert.deepEqual(fired(), canReach ? ['C7'] : [])
  }
})

test('what a screen showed is remembered when it is deleted there', () => {
  const { journal, checkers, type, read } = set()
  const [one, two] = [type('ada'), type('bob')] as const
  read(screen, one, two)
  journal.deleted(5, 'ada', two)
  read(screen, one)
  assert.deepEqual(checkers.shownAt(screen, document).beyond(), [one.index])
  assert.deepEqual(checkers.everShownAt(screen, document).beyond(), [one.index, two.index])
  assert.deepEqual(checkers.everShownAt(diskOfA, document).beyond(), [])
})

test('C8 a screen never shows less', () => {
  const { journal, type, read, fired } = set()
  const [one, two] = [type('ada'), type('bob')] as const
  read(screen, one, two)
  journal.deleted(5, 'bob', two)
  read(screen, one)
  assert.deepEqual(fired(), [])
  read(screen)
  assert.deepEqual(fired(), ['C8'])
})

test('tokens are found among anything', () => {
  const text = `${tokenText('a1')}${tokenText('b10')}[[a2]\nx[c5]\n`
  const { found, rest } = wordsOf(text)
  assert.deepEqual(
    found.map(({ name, start, end }) => [name, text.slice(start, end)]),
    [
      ['a1', '[a1]\n'],
      ['b10', '[b10é😀]\n'],
      ['a2', '[a2]\n'],
    ],
  )
  assert.equal(rest, '[x[c5]\n')
})

test('bits find what others lack', () => {
  const [some, others] = [new Bits(), new Bits()]
  for (const index of [0, 31, 32, 200, 1000]) some.add(index)
  for (const index of [0, 32]) others.add(index)
  assert.deepEqual(some.beyond(others), [31, 200, 1000])
  others.add(31)
  others.add(200)
  others.add(1000)
  assert.equal(some.firstBeyond(others), -1)
  some.remove(1000)
  assert.ok(!some.has(1000) && some.has(200))
})
