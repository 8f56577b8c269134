// Screen names: unique among connected servers, settled after a partition, freed by leaving.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import type { DeviceId, Origin, ReplicaId, SessionId } from '../model/ids.ts'
import { presenceLifeMs } from '../model/limits.ts'
import { PresenceSchema } from '../model/wire.ts'
import { People } from './people.ts'

const a = 'a' as ReplicaId
const b = 'b' as ReplicaId
const session = (name: string) => name.padEnd(16, '_') as SessionId
const one = session('one')
const two = session('two')
const laptop = 'laptop' as DeviceId

function presence(said: MessageInitShape<typeof PresenceSchema>) {
  return create(PresenceSchema, said)
}

test('a name, or one too like it, is held by one session', () => {
  const people = new People(a)
  people.claim(one, 'Ana')
  assert.equal(people.holder('ana', [])?.session, one)
  assert.equal(people.holder('Аna', [])?.session, one, 'a Cyrillic A looks the same')
  assert.equal(people.holder('ana', [one]), undefined)
  people.leave(one)
  assert.equal(people.holder('ana', []), undefined)
})

test('after a partition the older claim keeps the name, on both sides', () => {
  const here = new People(a)
  const there = new People(b)
  const mine = here.claim(one, 'ana')
  const theirs = there.claim(two, 'ana')
  assert.deepEqual(
    [...here.heard(b, theirs), ...there.heard(a, mine)],
    [two],
    'equal counters: the larger session id gives way, on its own server',
  )
  assert.equal(there.freeName('ana'), 'ana~2')
  there.claim(two, 'ana~2')
  assert.equal(there.freeName('ana~2'), 'ana~3')
})

test('sessions of one device have one name, wherever they are', () => {
  const here = new People(a)
  const there = new People(b)
  const first = here.claim(one, 'ana', laptop)
  assert.equal(here.holder('ana', [], laptop), undefined)
  assert.equal(here.holder('ana', [], 'phone' as DeviceId)?.session, one)
  assert.deepEqual(there.heard(a, first), [])
  assert.equal(there.holder('ana', [], laptop), undefined)
  assert.deepEqual(here.heard(b, there.claim(two, 'ana', laptop)), [])
})

test('after a partition all sessions of a device keep the name, or all give way', () => {
  const here = new People(a)
  const there = new People(b)
  const [three, four] = [session('three'), session('four')]
  const theirs = there.claim(four, 'ana')
  here.claim(session('zoe'), 'zoe')
  const mine = [one, two].map((each) => here.claim(each, 'ana', laptop))
  assert.deepEqual(here.heard(b, theirs), [one, two])
  assert.deepEqual(
    mine.flatMap((each) => there.heard(a, each)),
    [],
  )
  assert.equal(here.freeName('ana', laptop), 'ana~2')
  here.claim(one, 'ana~2', laptop)
  assert.equal(here.freeName('ana', laptop), 'ana~2')
  assert.equal(here.freeName('ana'), 'ana~3')
  // Of equal counters, too, and though one session began later.
  const last = new People(a)
  last.claim(three, 'bea', laptop)
  last.claim(session('eve'), 'eve')
  last.claim(one, 'bea', laptop)
  const who = ['a', 'z'].map((letter) => presence({ session: letter, name: 'bea', counter: 1 }))
  assert.deepEqual(
    who.map((said) => last.heard(b, { ...said, isHere: true }).toSorted()),
    [[one, three].toSorted(), []],
  )
})

test('13 after a claim that counts as far as can be there is a next one', () => {
  const people = new People(b)
  people.heard(a, presence({ session: one, name: 'ana', counter: 2 ** 32 - 1, isHere: true }))
  const claimed = people.claim(two, 'ben')
  assert.doesNotThrow(() => toBinary(PresenceSchema, claimed))
  assert.equal(claimed.counter, 1)
})

test('a session that moved to this server is not sent away by its old one', () => {
  const people = new People(b)
  people.heard(a, presence({ session: one, name: 'ana', counter: 1, isHere: true }))
  people.claim(one, 'ana')
  people.heard(a, presence({ session: one, name: 'ana', counter: 1, isHere: false }))
  assert.equal(people.holder('ana', [])?.session, one)
})

test('who changes the server has the name there when the old one finds that it left', () => {
  const people = new People(b)
  people.claim(one, 'ana')
  people.heard(a, presence({ session: one, name: 'ana', counter: 1, isHere: true }))
  assert.ok(people.isAt(one, b))
  assert.ok(people.leave(one))
  assert.ok(people.isAt(one, a))
  assert.ok(people.holder('ana', []))
  people.heard(a, presence({ session: one, name: 'ana', counter: 1, isHere: false }))
  assert.equal(people.holder('ana', []), undefined)
})

test('what a server believes of a session that has left it takes the name from nobody', () => {
  const people = new People(b)
  const c = 'c' as ReplicaId
  const ana = { session: one, name: 'ana', counter: 1 }
  for (const from of [a, c, a]) people.heard(from, presence({ ...ana, isHere: true }))
  people.heard(a, presence({ ...ana, isHere: false }))
  assert.ok(people.isAt(one, c))
  assert.ok(people.holder('ana', []))
  people.heard(c, presence({ ...ana, isHere: false }))
  assert.equal(people.holder('ana', []), undefined)
})

test('a session has its name as long as its server is not forgotten, and no other name', () => {
  const people = new People(b)
  people.claim(two, 'ana')
  people.heard(a, presence({ session: one, name: 'Ana', counter: 0, isHere: true }))
  assert.ok(people.has(one, 'ana'))
  assert.ok(!people.has(one, 'ben'))
  assert.ok(!people.has(session('three'), 'ana'))
  people.silent(1000, a, true)
  people.tick(1000 + presenceLifeMs)
  assert.ok(!people.has(one, 'ana'))
})

test('the people of a silent server are forgotten after a while, not at once', () => {
  const people = new People(b)
  people.heard(a, presence({ session: one, name: 'ana', counter: 1, isHere: true }))
  people.silent(1000, a, true)
  people.tick(1000 + presenceLifeMs - 1)
  assert.ok(people.holder('ana', []))
  people.tick(1000 + presenceLifeMs)
  assert.equal(people.holder('ana', []), undefined)
})

test('a server that crashed and is back at once has lost the people it had', () => {
  const people = new People(b)
  const first = { id: a, origin: 'a.first________' as Origin, channel: 1 }
  people.met(0, first)
  people.heard(a, new People(a).claim(one, 'ana'))
  people.met(0, first)
  assert.equal(people.holder('ana', [])?.session, one)
  people.met(0, { id: a, origin: 'a.second_______' as Origin, channel: 2 })
  assert.equal(people.holder('ana', []), undefined)
})

test('who left while there was no channel to the server is forgotten a while after there is one', () => {
  const people = new People(b)
  const there = new People(a)
  const met = { id: a, origin: 'a.first________' as Origin }
  assert.ok(people.met(0, { ...met, channel: 1 }))
  for (const [who, name] of [
    [one, 'ana'],
    [two, 'ben'],
  ] as const) {
    people.heard(a, there.claim(who, name))
  }
  there.leave(one)
  assert.ok(people.met(1000, { ...met, channel: 2 }))
  assert.ok(!people.met(2000, { ...met, channel: 2 }))
  for (const said of there.here()) people.heard(a, said)
  people.tick(1000 + presenceLifeMs - 1)
  assert.ok(people.holder('ana', []))
  people.tick(1000 + presenceLifeMs)
  assert.equal(people.holder('ana', []), undefined)
  assert.equal(people.holder('ben', [])?.session, two)
})

test('who is at another server since, or here, is not forgotten with the one before', () => {
  const c = 'c' as ReplicaId
  for (const there of [c, b]) {
    const people = new People(b)
    const met = { id: a, origin: 'a.first________' as Origin }
    people.met(0, { ...met, channel: 1 })
    people.heard(a, new People(a).claim(one, 'ana'))
    people.met(1000, { ...met, channel: 2 })
    if (there === b) people.claim(one, 'ana')
    else people.heard(c, new People(c).claim(one, 'ana'))
    people.tick(1000 + presenceLifeMs)
    assert.equal(people.holder('ana', [])?.session, one)
  }
})
