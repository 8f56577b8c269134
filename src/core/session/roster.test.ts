// Which server a client tries next, and when.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { backOffFirstMs, backOffMaxMs, placesMax } from '../model/limits.ts'
import { ServerSchema, ServerState } from '../model/wire.ts'
import { isAddress, Roster } from './roster.ts'

const nothing = { addresses: new Set<string>(), ids: new Set<string>() }
const four = ['a', 'b', 'c', 'd'].map((id) => `http://${id}`)

const server = (id: string, state: ServerState = ServerState.LIVE, address = `http://${id}`) =>
  create(ServerSchema, { id, address, state })

function key(number: number): Uint8Array {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

/** All addresses in the order of trying. */
function order(roster: Roster): string[] {
  const taken = new Set<string>()
  const result: string[] = []
  for (;;) {
    const next = roster.next(0, { addresses: taken, ids: new Set() })
    if (next === undefined) return result
    taken.add(next)
    result.push(next)
  }
}

test('clients of a dead server spread evenly over the three others', () => {
  const seconds = new Map<string, number>()
  for (let number = 0; number < 3000; number++) {
    const [first, second] = order(new Roster(key(number), four, Math.random))
    if (first === 'http://a') seconds.set(second!, (seconds.get(second!) ?? 0) + 1)
  }
  for (const address of four.slice(1)) {
    const count = seconds.get(address) ?? 0
    assert.ok(count > 190 && count < 310, `${address} gets ${count} of about 750`)
  }
})

test('a client tries servers in the same order for as long as it lives', () => {
  const tried = order(new Roster(key(7), four, Math.random))
  assert.deepEqual(order(new Roster(key(7), four.toReversed(), Math.random)), tried)
})

test('back-off doubles up to its limit, half of it random, and is forgotten', () => {
  for (const [chance, part] of [
    [0, 0.5],
    [0.999999, 1],
  ] as const) {
    const roster = new Roster(key(1), ['http://a'], () => chance)
    let expected = backOffFirstMs
    for (let count = 0; count < 10; count++) {
      roster.failed(1000, 'http://a')
      assert.ok(Math.abs(roster.readyAt(nothing) - 1000 - expected * part) < 1)
      expected = Math.min(backOffMaxMs, expected * 2)
    }
    assert.equal(roster.next(1000, nothing), undefined)
    roster.proved('http://a')
    assert.equal(roster.next(1000, nothing), 'http://a')
    roster.failed(1000, 'http://a')
    roster.forgive()
    assert.equal(roster.next(1000, nothing), 'http://a')
  }
})

test('what servers announce extends and replaces what is known, but seeds stay', () => {
  const roster = new Roster(key(1), ['http://seed'], Math.random)
  roster.announce([server('a'), server('b')])
  assert.deepEqual(roster.addresses.toSorted(), ['http://a', 'http://b', 'http://seed'])
  roster.announce([server('b'), server('c')])
  assert.deepEqual(roster.addresses.toSorted(), ['http://b', 'http://c', 'http://seed'])
})

test('a seed that only names an announced server differently comes last, and never twice', () => {
  const roster = new Roster(key(1), ['http://localhost'], Math.random)
  roster.announce([server('a'), server('b')])
  assert.equal(order(roster).at(-1), 'http://localhost')
  roster.welcomed('http://localhost', 'a')
  const taken = { addresses: new Set(['http://localhost', 'http://b']), ids: new Set(['a', 'b']) }
  assert.equal(roster.next(0, taken), undefined)
})

test('servers that are down, left or behind come after those that are well', () => {
  const roster = new Roster(key(1), four, Math.random)
  roster.announce([
    server('a', ServerState.DOWN),
    server('b', ServerState.BEHIND),
    server('c'),
    server('d'),
  ])
  roster.avoid(0, 'http://c')
  assert.deepEqual(order(roster), ['http://d', 'http://b', 'http://c', 'http://a'])
})

test('a server that comes back may be dialled at once', () => {
  const roster = new Roster(key(1), ['http://a'], Math.random)
  roster.announce([server('a', ServerState.DOWN)])
  for (let count = 0; count < 8; count++) roster.failed(0, 'http://a')
  roster.announce([server('a')])
  assert.equal(roster.next(0, nothing), 'http://a')
})

test('the safe count is never more than there are servers, nor less than one', () => {
  const roster = new Roster(key(1), four, Math.random)
  assert.equal(roster.safeCount, 1)
  roster.announce([server('a'), server('b'), server('c')])
  roster.requireSafe(2)
  assert.equal(roster.safeCount, 2)
  roster.requireSafe(9)
  assert.equal(roster.safeCount, 3)
  roster.requireSafe(0)
  assert.equal(roster.safeCount, 1)
})

test('what is no address is never dialled, and no more than the limit is remembered', () => {
  for (const address of [
    '',
    'a',
    'ftp://a',
    'http://a/b',
    'http://a?b',
    `http://${'a'.repeat(300)}`,
  ]) {
    assert.ok(!isAddress(address), address)
  }
  const roster = new Roster(key(1), [], Math.random)
  assert.equal(roster.announce([server('x', ServerState.LIVE, 'javascript:alert(1)')]), false)
  roster.announce(Array.from({ length: placesMax + 1 }, (_, index) => server(`s${index}`)))
  assert.equal(roster.addresses.length, placesMax)
})
