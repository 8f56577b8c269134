// Receipts of one channel: cumulative, told once, bounded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReplicaId } from '../model/ids.ts'
import { Tickets } from './tickets.ts'

const a = 'a' as ReplicaId
const b = 'b' as ReplicaId

const told = (tickets: Tickets, covered: [ReplicaId, number][]) =>
  tickets.holdings(new Map(covered)).map(({ server, ticket }) => `${server}${ticket}`)

test('a server holds the tickets whose marks it covers', () => {
  const tickets = new Tickets()
  tickets.add(1, 10)
  tickets.add(2, 11)
  tickets.add(3, 12)
  assert.deepEqual(
    told(tickets, [
      [a, 12],
      [b, 10],
    ]),
    ['a3', 'b1'],
  )
  assert.deepEqual(
    told(tickets, [
      [a, 12],
      [b, 11],
    ]),
    ['b2'],
  )
  assert.ok(tickets.areHeldBy(a))
  assert.ok(!tickets.areHeldBy(b))
  assert.deepEqual(
    told(tickets, [
      [a, 12],
      [b, 12],
    ]),
    ['b3'],
  )
  assert.ok(tickets.areHeldBy(b))
})

test('what was told is not told again', () => {
  const tickets = new Tickets()
  tickets.add(1, 10)
  assert.deepEqual(
    told(tickets, [
      [a, 10],
      [b, 0],
    ]),
    ['a1'],
  )
  assert.deepEqual(
    told(tickets, [
      [a, 10],
      [b, 0],
    ]),
    [],
  )
})

test('12 while a server is away, tickets are forgotten between those that are told apart', () => {
  const tickets = new Tickets()
  for (let ticket = 1; ticket <= 10_000; ticket++) tickets.add(ticket, ticket)
  const apart: string[] = []
  for (let covered = 1; covered <= 10_000; covered++) {
    apart.push(...told(tickets, [[b, covered]]))
  }
  assert.ok(apart.length > 500 && apart.length <= 1024, `${apart.length} of 10,000`)
  assert.equal(apart.at(-1), 'b10000')
})

test('what is left of them is never told too early', () => {
  const tickets = new Tickets()
  for (let ticket = 1; ticket <= 10_000; ticket++) tickets.add(ticket, 100 + ticket)
  for (const covered of [150, 5_000, 9_999, 10_099, 10_100]) {
    const [last] = told(tickets, [
      [b, covered],
      [a, 0],
    ])
    const ticket = Number(last?.slice(1) ?? 0)
    assert.ok(ticket <= covered - 100, `${ticket} at ${covered}`)
  }
  assert.deepEqual(
    told(tickets, [
      [a, 10_100],
      [b, 10_100],
    ]),
    ['a10000'],
  )
})
