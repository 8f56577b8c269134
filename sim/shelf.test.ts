// The shelf of bytes: whole or not there, and what of it has to be there.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { hashOf, Shelf } from './shelf.ts'

const some = Buffer.from('some bytes')
const hash = hashOf(some)

function filled(at = 0): Shelf {
  const shelf = new Shelf()
  shelf.add(hash, some.subarray(0, 4))
  shelf.add(hash, some.subarray(4))
  assert.equal(shelf.finish(at, hash), true)
  return shelf
}

test('bytes are there when all of them came, and not when others did', () => {
  const shelf = filled()
  assert.deepEqual(shelf.read(hash), some)
  const other = hashOf(Buffer.from('other bytes'))
  shelf.add(other, some)
  assert.equal(shelf.finish(0, other), false)
  assert.equal(shelf.has(other), false)
  assert.equal(shelf.received(other), 0)
})

test('bytes are owed until their server removes them, or their disk burns', () => {
  const shelf = filled()
  const backup = shelf.backup()
  assert.equal(shelf.owes(hash), true)
  assert.deepEqual(
    shelf.sweep(1, () => true),
    [],
  )
  assert.equal(shelf.owes(hash), true)
  assert.deepEqual(
    shelf.sweep(1, () => false),
    [hash],
  )
  assert.equal(shelf.owes(hash), false)
  shelf.rollBack(backup)
  assert.equal(shelf.owes(hash), true)
  shelf.rollBack(new Map())
  assert.equal(shelf.owes(hash), false)
})

test('bytes that lost a piece are owed still', () => {
  const shelf = filled()
  shelf.loseLast(hash)
  assert.notDeepEqual(shelf.read(hash), some)
  assert.equal(shelf.owes(hash), true)
})

test('what an entry is about to name is not swept like what came long ago', () => {
  const shelf = filled(0)
  assert.equal(shelf.claim(10, hash), true)
  assert.deepEqual(
    shelf.sweep(5, () => false),
    [],
  )
  assert.equal(shelf.claim(10, hashOf(Buffer.from('not here'))), false)
})
