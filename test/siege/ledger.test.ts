// The siege's own account finds what it is there to find.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { tokenText } from '../../sim/token.ts'
import { Ledger } from './ledger.ts'
import type { Event } from './typists.ts'

const document = 'd'
const told = (count: number, ...servers: string[]): Event => {
  return { type: 'told', label: 'a', document, at: 10, count, servers }
}

/** Ana typed three words, one after the other, and Ben deleted the third. */
function ledger(): Ledger {
  const account = new Ledger()
  account.absorb([
    { type: 'deleted', label: 'b', document, at: 4, name: 'a3' },
    { type: 'typed', label: 'a', document, at: 1, name: 'a1' },
    { type: 'typed', label: 'a', document, at: 2, name: 'a2', follows: 'a1' },
    { type: 'typed', label: 'a', document, at: 3, name: 'a3', follows: 'a2' },
  ])
  return account
}

const text = (...names: string[]) => names.map(tokenText).join('')
const found = ({ violations }: Ledger) => violations.map(({ checker }) => checker)

test('C1 an acknowledged word that nobody deleted is on the servers of its receipt', () => {
  const account = ledger()
  account.absorb([told(2, 'x')])
  assert.equal(account.acknowledgedCount, 2)
  account.readServer('x', document, text('a1', 'a2'))
  account.readServer('y', document, '')
  for (const server of ['x', 'y']) account.checkReceipts(server, [document])
  assert.deepEqual(found(account), [])
  account.absorb([told(2, 'x', 'y')])
  account.checkReceipts('y', [document])
  assert.deepEqual(found(account), ['C1', 'C1'])
})

test('C1 only a destroyed disk excuses a loss', () => {
  const account = ledger()
  account.absorb([told(2, 'x', 'y')])
  account.destroyed(20, 'x')
  account.readServer('x', document, '')
  account.checkReceipts('x', [document])
  assert.deepEqual(found(account), [])
  account.readServer('y', document, '')
  account.checkReceipts('y', [document])
  assert.deepEqual(found(account), ['C1', 'C1'])
})

test('C4 C5 C6 doubled, torn, unknown and misplaced words are seen', () => {
  for (const [shown, checker] of [
    [text('a1', 'a2', 'a1'), 'C4'],
    [`${text('a1')}[a`, 'C4'],
    [text('a1', 'a9'), 'C5'],
    [text('a2', 'a1'), 'C6'],
  ] as const) {
    const account = ledger()
    account.readServer('x', document, shown)
    assert.ok(found(account).includes(checker), `${shown} is ${checker}`)
  }
})

test('C1 a word that a server showed does not go by itself', () => {
  const account = ledger()
  account.readServer('x', document, text('a1', 'a2', 'a3'))
  account.readServer('x', document, text('a1'))
  assert.deepEqual(found(account), ['C1'])
})

test('C3 a deleted word does not come back', () => {
  const account = ledger()
  account.readServer('x', document, text('a1', 'a3'))
  account.readServer('x', document, text('a1'))
  account.readServer('x', document, text('a1', 'a3'))
  assert.deepEqual(found(account), ['C3'])
})
