// A long siege leaves out no subset and no order of servers.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Random } from '../../sim/random.ts'
import { ordersOf, planRounds, subsetsOf } from './plan.ts'

const servers = ['a', 'b', 'c', 'd']

test('there are 14 proper subsets and 24 orders of four servers', () => {
  assert.equal(new Set(subsetsOf(servers).map(String)).size, 14)
  assert.equal(new Set(ordersOf(servers).map(String)).size, 24)
})

test('200 rounds hold every subset, every order at every pace, and freeze in a quarter', () => {
  const rounds = planRounds(servers, 200, new Random(1))
  assert.equal(rounds.length, 200)
  const isAtOnce = ({ blows }: (typeof rounds)[number]) => blows.every(({ at }) => at === 0)
  const struck = ({ blows }: (typeof rounds)[number]) => blows.map(({ server }) => server)
  const subsets = new Set(rounds.filter(isAtOnce).map((round) => struck(round).sort().join()))
  for (const subset of subsetsOf(servers)) assert.ok(subsets.has(subset.join()), subset.join())
  for (const order of ordersOf(servers)) {
    for (const gapMs of [0, 1000, 5000]) {
      const isThere = rounds.some(
        (round) =>
          struck(round).join() === order.join() &&
          round.blows.every(({ at }, index) => at === index * gapMs),
      )
      assert.ok(isThere, `${order.join()} ${gapMs}`)
    }
  }
  const frozen = rounds.filter(({ title }) => title.startsWith('freezing'))
  assert.ok(frozen.length >= 42 && frozen.length <= 58, `${frozen.length} rounds freeze`)
})

test('one server is always left in a random walk', () => {
  const random = new Random(2)
  for (const { blows } of planRounds(servers, 400, random)) {
    if (!blows.some(({ type }) => type === 'revive')) continue
    const down = new Set<string>()
    for (const { type, server } of blows) {
      if (type === 'revive') down.delete(server)
      else down.add(server)
      assert.ok(down.size < servers.length)
    }
  }
})

test('the same seed gives the same siege', () => {
  const plan = () => planRounds(servers, 50, new Random(7))
  assert.deepEqual(plan(), plan())
})
