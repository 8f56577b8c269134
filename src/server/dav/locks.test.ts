// Locks by themselves: they end in time, are bounded, and only whoever has one may change.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { davLockMsMax, davLocksMax, davLockUsualMs } from '../../core/model/limits.ts'
import { Locks, type LockRequest } from './locks.ts'
import { Refusal } from './refusal.ts'

const wish: LockRequest = {
  path: 'a/b.md',
  isExclusive: true,
  isDeep: true,
  owner: '',
  author: 'ada',
  timeoutMs: undefined,
}
const change = { path: 'a/b.md', isMembership: false, isDeep: false }

function locksAt(): { locks: Locks; clock: { now: number } } {
  const clock = { now: 1000 }
  let count = 0
  return {
    locks: new Locks(
      () => clock.now,
      () => `token ${++count}`,
    ),
    clock,
  }
}

const isRefused = (status: number) => (error: unknown) =>
  error instanceof Refusal && error.status === status

test('a lock ends when nobody renews it, and no later than the bound', () => {
  const { locks, clock } = locksAt()
  const stranger = { author: 'bob', tokens: [] }
  const lock = locks.take(wish)
  clock.now += davLockUsualMs - 1
  assert.throws(() => locks.check(change, stranger), isRefused(423))
  locks.renew(lock, Infinity)
  clock.now += davLockMsMax - 1
  assert.throws(() => locks.check(change, stranger), isRefused(423))
  clock.now += 1
  locks.check(change, stranger)
  assert.equal(locks.find(lock.token, lock.path), undefined)
})

test('a lock counts for every spelling of its path, and for its person alone', () => {
  const { locks } = locksAt()
  const { token } = locks.take({ ...wish, path: 'Straße/käse.md' })
  const spelled = { ...change, path: 'STRASSE/KÄSE.md'.normalize('NFD') }
  assert.throws(() => locks.check(spelled, { author: 'ada', tokens: [] }), isRefused(423))
  assert.throws(() => locks.check(spelled, { author: 'bob', tokens: [token] }), isRefused(423))
  locks.check(spelled, { author: 'ada', tokens: [token] })
  // What only begins like it is something else.
  locks.check({ ...change, path: 'Straße/käse.md.old' }, { author: 'bob', tokens: [] })
})

test('there is a bound to how many there are, and room again when they end', () => {
  const { locks, clock } = locksAt()
  for (let count = 0; count < davLocksMax; count++) locks.take({ ...wish, path: `${count}` })
  assert.throws(() => locks.take({ ...wish, path: 'one more' }), isRefused(503))
  clock.now += davLockUsualMs
  locks.take({ ...wish, path: 'one more' })
})
