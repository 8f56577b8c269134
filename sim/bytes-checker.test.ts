// The checker of bytes, fed by hand with files that break the promise and with some that do not.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { checkBytes, checkContents, type HeldBytes, type NamedBytes } from './bytes-checker.ts'
import { Journal, type PutBytes } from './journal.ts'
import { hashOf } from './shelf.ts'

const document = 'd'

function set() {
  const journal = new Journal()
  let now = 0
  const kinds: string[] = []
  const bad = (checker: string) => void kinds.push(checker)
  /** Bytes that a said to hold. */
  const put = (bytes: Uint8Array): PutBytes => {
    const by = { person: 'ada', author: 'ada', document }
    const name = { hash: hashOf(bytes), size: bytes.length }
    const made = journal.put({ ...by, ...name, at: now++ })
    journal.told(now++, made, 'a')
    return made
  }
  const listed = (...contents: NamedBytes[]): string[] => {
    checkContents({ journal, bad }, document, contents)
    return kinds.splice(0)
  }
  const held = (each: Omit<HeldBytes, 'server'>): string[] => {
    checkBytes({ bad }, { ...each, server: 'a' })
    return kinds.splice(0)
  }
  return { journal, put, listed, held, tick: () => now++ }
}

const some = Buffer.from('some')
const more = Buffer.from('more')

test('C1 both of two that were put into a file at the same time are listed', () => {
  const { journal, put, listed, tick } = set()
  const [one, other] = [put(some), put(more)]
  assert.deepEqual(listed(one, other), [])
  assert.deepEqual(listed(other), ['C1'])
  journal.destroyed(tick(), 'a')
  assert.deepEqual(listed(other), [])
})

test('C5 a file holds what somebody put there, as that person', () => {
  const { put, listed } = set()
  const one = put(some)
  assert.deepEqual(listed(one, { ...one, hash: hashOf(more) }), ['C5'])
  assert.deepEqual(listed({ ...one, author: 'bob' }), ['C5'])
  assert.deepEqual(listed({ ...one, size: 5 }), ['C5'])
})

test('C18 what an entry names is on a disk, whole and right', () => {
  const { put, held } = set()
  const one = { ...put(some), areLost: false }
  assert.deepEqual(held({ ...one, bytes: some }), [])
  assert.deepEqual(held({ ...one, bytes: more }), ['C18'])
  assert.deepEqual(held({ ...one, bytes: some.subarray(1) }), ['C18'])
  assert.deepEqual(held({ ...one, bytes: undefined }), ['C18'])
})

test('C18 bytes may be missing that are lost', () => {
  const { put, held } = set()
  const one = put(some)
  assert.deepEqual(held({ ...one, bytes: undefined, areLost: true }), [])
  assert.deepEqual(held({ ...one, bytes: more, areLost: true }), ['C18'])
})
