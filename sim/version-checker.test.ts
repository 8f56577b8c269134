// The checker of named versions, fed by hand with lists that break the promise and with one that does not.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Bits } from './bits.ts'
import { Journal, type NamedVersion, type Token } from './journal.ts'
import { tokenText } from './token.ts'
import { checkVersions, type ListedVersion } from './version-checker.ts'

const document = 'd'

function set() {
  const journal = new Journal()
  let now = 0
  const type = (person = 'ada') => {
    const typed = { person, label: person[0]!, document, seen: new Bits(), follows: undefined }
    return journal.typed({ ...typed, at: now++ })
  }
  /** A version, acknowledged by a, of a text in which these are in sight. */
  const name = (...tokens: Token[]) => {
    const seen = new Bits()
    for (const { index } of tokens) seen.add(index)
    const by = { person: 'ada', author: 'ada 2', document, seen, since: 0, keepsSince: 0 }
    const version = journal.named({ ...by, at: now++, id: `id ${now}` })
    journal.told(now++, version, 'a')
    return version
  }
  const found = (listed: ListedVersion[], areClocksRight = true): string[] => {
    const kinds: string[] = []
    const bad = (checker: string) => kinds.push(checker)
    checkVersions({ journal, document, listed, areClocksRight, bad })
    return kinds
  }
  return { journal, type, name, found, tick: () => now++ }
}

function listed({ id, name, author }: NamedVersion, ...tokens: Token[]): ListedVersion {
  return { id, name, author, at: 0, text: tokens.map((token) => tokenText(token.name)).join('') }
}

test('C1 an acknowledged version that is not listed is lost, unless its disk is', () => {
  const { journal, type, name, found, tick } = set()
  const token = type()
  const version = name(token)
  assert.deepEqual(found([listed(version, token)]), [])
  assert.deepEqual(found([]), ['C1'])
  journal.destroyed(tick(), 'b')
  assert.deepEqual(found([]), ['C1'])
  journal.destroyed(tick(), 'a')
  assert.deepEqual(found([]), [])
})

test('C4 a version is listed once, and every word of its text stands in it once and whole', () => {
  const { type, name, found } = set()
  const token = type()
  const version = name(token)
  const good = listed(version, token)
  assert.deepEqual(found([good, good]), ['C4'])
  assert.deepEqual(found([good, { ...good, id: 'another' }]), ['C5'])
  assert.deepEqual(found([listed(version, token, token)]), ['C4'])
  assert.deepEqual(found([{ ...good, text: `${good.text}[a` }]), ['C4'])
})

test('C5 a version is listed as its person named it, where it was named', () => {
  const { type, name, found } = set()
  const token = type()
  const good = listed(name(token), token)
  assert.deepEqual(found([{ ...good, name: 'else' }]), ['C5'])
  assert.deepEqual(found([{ ...good, author: 'bob' }]), ['C5'])
  assert.deepEqual(found([{ ...good, text: `${good.text}${tokenText('b7')}` }]), ['C5'])
})

test('C17 what was in sight is in a version, unless somebody deleted it or it burnt', () => {
  const { journal, type, name, found, tick } = set()
  const [one, other] = [type(), type()]
  journal.told(tick(), one, 'b')
  const version = name(one, other)
  assert.deepEqual(found([listed(version, one, other)]), [])
  assert.deepEqual(found([listed(version, other)]), ['C17'])
  journal.destroyed(tick(), 'b')
  assert.deepEqual(found([listed(version, other)]), [])
  journal.deleted(tick(), 'bob', other)
  assert.deepEqual(found([listed(version)]), [])
})

test('C17 what others typed is in a version that was on every server by then', () => {
  const { journal, type, name, found, tick } = set()
  const [one, other] = [type('bob'), type('bob')]
  for (const server of ['a', 'b', 'c', 'd']) journal.told(tick(), one, server)
  journal.told(tick(), other, 'a')
  const version = name(one, other)
  assert.deepEqual(found([listed(version, one)]), [])
  assert.deepEqual(found([listed(version, other)]), ['C17'])
})

test('C17 what its person had deleted is not in a version, unless that was undone', () => {
  const { journal, type, name, found, tick } = set()
  const token = type()
  journal.deleted(tick(), 'ada', token)
  const version = name()
  assert.deepEqual(found([listed(version)]), [])
  assert.deepEqual(found([listed(version, token)]), ['C17'])
  journal.revived(token)
  assert.deepEqual(found([listed(version, token)]), [])
})

test('C17 what is typed when a version is kept is not in it, as far as the clocks are right', () => {
  const { type, name, found } = set()
  const version = name()
  const later = listed(version, type())
  assert.deepEqual(found([later]), ['C17'])
  assert.deepEqual(found([later], false), [])
})
