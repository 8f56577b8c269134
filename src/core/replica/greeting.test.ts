// How people come in: welcome, names, standbys, and what may be said on a channel how often.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Desk, here, origin, there, two, Writer } from '../../../test/replica-desk.ts'
import { helloBurstMax, hellosPerSecondMax } from '../model/limits.ts'
import { Code, ServerState } from '../model/wire.ts'

test('a person is welcomed with the servers, and listed the files', () => {
  const { desk } = two()
  assert.equal(desk.last(1, 'welcome')?.name, 'ana')
  const carl = new Writer(desk, 3, 'carl')
  assert.equal(desk.last(carl.channel, 'entries')?.entries[0]?.name?.value, 'plan.md')
  assert.equal(desk.last(carl.channel, 'entries')?.isComplete, true)
})

test('everybody here is told the name of the life, also when somebody who came just before knows it', () => {
  const { desk } = two()
  desk.storage.commit({ updates: [], snapshots: [], life: origin })
  new Writer(desk, 3, 'carl')
  assert.equal(desk.last(3, 'welcome')?.servers?.life, origin)
  const servers = [here, there].map((id) => ({
    id,
    address: `http://${id}`,
    lag: 0,
    heardAt: 0,
    state: ServerState.LIVE,
  }))
  desk.input({ type: 'event', event: { type: 'servers', servers, isServing: true } })
  assert.equal(desk.last(1, 'servers')?.life, origin)
})

test('a screen name in use is refused; a standby claims none; its promotion does', () => {
  const { desk } = two()
  const twin = new Writer(desk, 3, 'Ana')
  assert.equal(desk.last(twin.channel, 'refused')?.code, Code.TAKEN)
  const warm = new Writer(desk, 4, 'eve', true)
  assert.equal(desk.last(4, 'welcome')?.name, '')
  const eve = new Writer(desk, 5, 'eve')
  assert.equal(desk.last(eve.channel, 'welcome')?.name, 'eve')
  warm.hello('eve')
  assert.equal(desk.last(4, 'refused')?.code, Code.TAKEN)
})

test('who is here may take another name, and hears of no entry twice', () => {
  const { desk, ana } = two()
  const listings = () => desk.messages(1).filter((message) => message.case === 'entries').length
  const before = listings()
  ana.hello('anna')
  assert.equal(desk.last(1, 'welcome')?.name, 'anna')
  assert.equal(listings(), before)
  const other = new Writer(desk, 3, 'ana')
  assert.equal(desk.last(other.channel, 'welcome')?.name, 'ana', 'the old name is free')
})

test('13 a second Hello on a channel with another key ends it', () => {
  for (const key of [new Uint8Array(16).fill(99), new Uint8Array(), new Uint8Array(17).fill(1)]) {
    const { desk, ana } = two()
    Object.assign(ana, { key })
    ana.hello('ana')
    assert.equal(desk.last(1, 'refused')?.code, Code.INVALID)
    assert.ok(desk.hungUp.has(1))
    assert.equal(desk.hungUp.has(2), false)
  }
})

test('12 a channel may say hello five times at once, and then once a second', () => {
  const desk = new Desk()
  const ana = new Writer(desk, 1, 'ana')
  for (let count = 1; count < helloBurstMax; count++) ana.hello('ana')
  desk.now += 1000 / hellosPerSecondMax
  ana.hello('ana')
  assert.equal(desk.last(1, 'refused'), undefined)
  ana.hello('ana')
  assert.equal(desk.last(1, 'refused')?.text, 'You say hello too often; wait a moment.')
  assert.ok(desk.hungUp.has(1))
})

test('another revision of the language is named', () => {
  const desk = new Desk()
  new Writer(desk, 1, 'ana').hello('ana', false, 2)
  const fresh = new Writer(desk, 2, 'ben')
  desk.input({ type: 'closed', channel: fresh.channel })
  desk.input({ type: 'opened', channel: 3, address: '' })
  Object.assign(fresh, { channel: 3 })
  fresh.hello('ben', false, 2)
  assert.match(desk.last(3, 'refused')!.text, /^This server is older than your client: /)
})

test('who is at a server that serves no more is sent elsewhere, and hears nothing after that', () => {
  const desk = new Desk()
  const ana = new Writer(desk, 1, 'ana')
  const before = desk.messages(ana.channel).length
  desk.input({ type: 'event', event: { type: 'servers', servers: [], isServing: false } })
  const [refused, ...others] = desk.messages(ana.channel).slice(before)
  assert.equal(refused?.case, 'refused')
  assert.deepEqual(others, [])
  assert.ok(desk.hungUp.has(ana.channel))
  desk.input({ type: 'closed', channel: ana.channel })
  new Writer(desk, 2, 'ben')
  assert.ok(desk.hungUp.has(2), 'nor is anybody let in')
})
