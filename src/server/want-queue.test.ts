// The order in which bytes are fetched.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WantQueue } from './want-queue.ts'

function drained(queue: WantQueue<{ rank: number; name: string }>): string {
  let names = ''
  for (let want = queue.take(); want; want = queue.take()) names += want.name
  return names
}

test('what ranks highest comes first, of equals the one that came first', () => {
  const queue = new WantQueue<{ rank: number; name: string }>()
  for (const name of 'hdbfaceg') queue.put({ rank: -name.charCodeAt(0), name })
  queue.put({ rank: -'a'.charCodeAt(0), name: 'A' })
  assert.equal(queue.size, 9)
  assert.equal(drained(queue), 'aAbcdefgh')
  assert.equal(queue.size, 0)
})

test('one that was put in again has its new place alone, and one that was removed has none', () => {
  const queue = new WantQueue<{ rank: number; name: string }>()
  const [a, b, c] = ['a', 'b', 'c'].map((name, index) => ({ rank: 10 - index, name }))
  for (const want of [a!, b!, c!]) queue.put(want)
  c!.rank = Infinity
  queue.put(c!)
  queue.remove(a!)
  assert.equal(queue.size, 2)
  assert.equal(drained(queue), 'cb')
})
