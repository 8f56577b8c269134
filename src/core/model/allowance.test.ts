// The budget of what may be sent: kept to by clients, kept up by servers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Allowance } from './allowance.ts'

test('a burst is there at once, the rest as time passes', () => {
  const allowance = new Allowance(0, 10, 5)
  for (let count = 0; count < 5; count++) {
    assert.equal(allowance.readyAt(0, 1), 0)
    allowance.take(0, 1)
  }
  assert.equal(allowance.readyAt(0, 1), 100)
  assert.equal(allowance.readyAt(50, 1), 100)
  assert.equal(allowance.readyAt(100, 1), 100)
})

test('what is saved up is never more than a burst, whatever the clock does', () => {
  const allowance = new Allowance(1000, 10, 5)
  allowance.take(1_000_000, 5)
  assert.equal(allowance.readyAt(1_000_000, 5), 1_000_500)
  assert.equal(allowance.readyAt(900_000, 1), 900_100)
})

test('more than a burst never comes', () => {
  assert.equal(new Allowance(0, 10, 5).readyAt(0, 6), Infinity)
})

test('what is taken beyond it is refused, and costs nothing', () => {
  const allowance = new Allowance(0, 50, 500)
  const taken = (now: number) => {
    let count = 0
    while (allowance.take(now, 1)) count++
    return count
  }
  assert.equal(taken(0), 500)
  assert.equal(taken(0), 0)
  assert.equal(taken(1000), 50)
  assert.equal(taken(1_000_000), 500)
})

test('what is spent beyond what is there comes before anything else is taken', () => {
  const allowance = new Allowance(0, 10, 5)
  allowance.spend(0, 7)
  assert.equal(allowance.readyAt(0, 1), 300)
  assert.ok(!allowance.take(299, 1))
  assert.ok(allowance.take(300, 1))
})
