// Who asks much at once waits for himself, not others for him.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rounds } from './rounds.ts'

const [one, two, three] = [{}, {}, {}]
const ana = { network: 'ana', connection: one }
const anaToo = { network: 'ana', connection: two }
const ben = { network: 'ben', connection: three }

function filled(places: [place: typeof ana, items: string][]): Rounds<string> {
  const rounds = new Rounds<string>()
  for (const [place, items] of places) for (const item of items) rounds.add(place, item)
  return rounds
}

test('each network has a turn, and of it each connection, in the order in which they came', () => {
  const rounds = filled([
    [ana, 'abcd'],
    [anaToo, 'xy'],
    [ben, '12'],
  ])
  assert.equal(rounds.size, 8)
  const order = Array.from({ length: 9 }, () => rounds.next())
  assert.deepEqual(order, ['a', '1', 'x', '2', 'b', 'y', 'c', 'd', undefined])
  assert.equal(rounds.size, 0)
})

test('12 who has the most waiting makes room for who has less, with the last of it', () => {
  const rounds = filled([
    [ana, 'ab'],
    [anaToo, 'xyz'],
  ])
  assert.equal(rounds.yields(anaToo), undefined)
  assert.equal(rounds.yields(ana), undefined)
  assert.equal(rounds.yields({ network: 'ana', connection: three }), 'z')
  assert.equal(rounds.yields(ben), 'b')
  assert.equal(rounds.size, 3)
  rounds.add(ben, '1')
  rounds.add(ben, '2')
  assert.equal(rounds.yields(ben), undefined)
  assert.equal(rounds.next(), 'a')
})
