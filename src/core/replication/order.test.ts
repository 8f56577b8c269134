// The order in which a server stores what peers send: causes first.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { create } from '@bufbuild/protobuf'
import type { Origin } from '../model/ids.ts'
import { raise, type VersionVector } from '../model/version-vector.ts'
import { UpdateSchema, type Update } from '../model/wire.ts'
import { Order } from './order.ts'

const [a, b, c] = ['a.0000000000000', 'b.0000000000000', 'c.0000000000000'] as [
  Origin,
  Origin,
  Origin,
]

const sender = (have: VersionVector) => ({ have, unsettled: new Set(have.keys()) })

/** An order, and a way to give it updates of one log as a peer with some vector sends them. */
function receiver() {
  const heads: VersionVector = new Map()
  const order = new Order(heads)
  const hear = (now: number, has: VersionVector, origin: Origin, ...seqs: number[]) => {
    const need = order.needOf(sender(has))
    raise(heads, [[origin, seqs.at(-1)!]])
    const updates = seqs.map((seq) => create(UpdateSchema, { origin, seq }))
    return names(order.take(now, updates, need))
  }
  return { heads, order, hear }
}

const names = (updates: Update[]) => updates.map(({ origin, seq }) => `${origin[0]}${seq}`)
const vector = (...entries: [Origin, number][]): VersionVector => new Map(entries)

test('G6 what builds on nothing that is missing is stored at once', () => {
  const { order, hear } = receiver()
  assert.deepEqual(hear(0, vector(), a, 1, 2), ['a1', 'a2'])
  assert.deepEqual(hear(0, vector([a, 2]), b, 1), ['b1'])
  assert.ok(order.isEmpty)
})

test('G6 what came before its cause waits for it', () => {
  const { order, hear } = receiver()
  assert.deepEqual(hear(0, vector([a, 2]), b, 1), [])
  assert.deepEqual(hear(1, vector([a, 1]), a, 1), ['a1'])
  assert.ok(!order.isEmpty)
  assert.deepEqual(hear(2, vector([a, 2]), a, 2), ['a2', 'b1'])
  assert.ok(order.isEmpty)
})

test('G6 what builds on several logs waits for all of them', () => {
  const { order, hear } = receiver()
  assert.deepEqual(hear(0, vector([a, 1], [b, 1], [c, 1]), b, 1), [])
  assert.deepEqual(hear(1, vector([a, 1], [c, 1]), a, 1), [])
  assert.deepEqual(hear(2, vector([c, 1]), c, 1), ['c1', 'a1', 'b1'])
  assert.ok(order.isEmpty)
})

test('G6 of an old set only logs that move are looked at', () => {
  const looked: Origin[] = []
  const heads = new (class extends Map<Origin, number> {
    override get(origin: Origin): number | undefined {
      looked.push(origin)
      return super.get(origin)
    }
  })()
  const origins = Array.from({ length: 2000 }, (_, index) => `a.${String(index)}` as Origin)
  for (const origin of origins) heads.set(origin, 7)
  const order = new Order(heads)
  const from = sender(new Map(origins.map((origin) => [origin, 7])))
  assert.deepEqual(order.needOf(from), [])
  looked.length = 0
  const [first, second] = origins as [Origin, Origin]
  for (const [origin, seq] of [
    [first, 8],
    [second, 7],
  ] as [Origin, number][]) {
    from.have.set(origin, seq)
    from.unsettled.add(origin)
  }
  assert.deepEqual(order.needOf(from), [[first, 8]])
  assert.deepEqual(looked, [first, second])
  assert.deepEqual(order.needOf(from), [[first, 8]], 'it is needed until it is here')
  heads.set(first, 8)
  assert.deepEqual(order.needOf(from), [])
  assert.deepEqual([...from.unsettled], [])
})

test('G6 what waits holds back what comes after it in its log', () => {
  const { hear } = receiver()
  assert.deepEqual(hear(0, vector([a, 1]), b, 1), [])
  // Another peer sends the same log on, and lacks nothing itself.
  assert.deepEqual(hear(1, vector(), b, 2), [])
  assert.deepEqual(hear(2, vector(), c, 1), ['c1'])
  assert.deepEqual(hear(3, vector(), a, 1), ['a1', 'b1', 'b2'])
})

test('G6 what builds on a log that waited once waits for that no more', () => {
  const { order, hear } = receiver()
  assert.deepEqual(hear(0, vector([a, 1]), b, 1), [])
  assert.deepEqual(hear(1, vector(), a, 1), ['a1', 'b1'])
  assert.deepEqual(hear(2, vector(), b, 2), ['b2'])
  assert.deepEqual(order.needOf(sender(vector([a, 1], [b, 2]))), [])
  assert.deepEqual(order.needOf(sender(vector([b, 3]))), [[b, 3]])
})

test('what waits for each other goes together', () => {
  const { order, hear } = receiver()
  assert.deepEqual(hear(0, vector([b, 1]), a, 1), [])
  assert.deepEqual(hear(1, vector([a, 1]), b, 1), ['a1', 'b1'])
  assert.ok(order.isEmpty)
})

test('a cause that does not come keeps nothing back for more than three seconds', () => {
  const { order, hear } = receiver()
  assert.deepEqual(hear(0, vector([a, 1]), b, 1), [])
  assert.deepEqual(names(order.release(3000)), [])
  assert.deepEqual(names(order.release(3001)), ['b1'])
  assert.ok(order.isEmpty)
})

test('more than half a window does not wait, for the peer waits for us', () => {
  const { order, heads } = receiver()
  const need = order.needOf(sender(vector([a, 1])))
  const body = { case: 'text' as const, value: new Uint8Array(300 * 1024) }
  const take = (seq: number) => {
    raise(heads, [[b, seq]])
    return names(order.take(0, [create(UpdateSchema, { origin: b, seq, body })], need))
  }
  assert.deepEqual(take(1), [])
  assert.deepEqual(take(2), ['b1', 'b2'])
  assert.deepEqual(take(3), [])
})
