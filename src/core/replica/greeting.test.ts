// How people come in: welcome, names, standbys, and what may be said on a channel how often.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { Desk, here, origin, there, two, Writer } from '../../../test/replica-desk.ts'
import { sessionOf, type Origin } from '../model/ids.ts'
import { helloBurstMax, hellosPerSecondMax, presenceLifeMs } from '../model/limits.ts'
import { CaretSchema, Code, EphemeralSchema, PresenceSchema, ServerState } from '../model/wire.ts'

/** Another server says that a session with this key is there as "ana". */
function claimedThere(desk: Desk, key: Uint8Array, counter: number): void {
  const value = { session: sessionOf(key), name: 'ana', counter, isHere: true }
  const topic = { case: 'presence' as const, value: create(PresenceSchema, value) }
  const ephemeral = create(EphemeralSchema, { topic })
  desk.input({ type: 'event', event: { type: 'ephemeral', from: there, ephemeral } })
}

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
  const warm = new Writer(desk, 4, 'eve', { isStandby: true })
  assert.equal(desk.last(4, 'welcome')?.name, '')
  const eve = new Writer(desk, 5, 'eve')
  assert.equal(desk.last(eve.channel, 'welcome')?.name, 'eve')
  warm.hello('eve')
  assert.equal(desk.last(4, 'refused')?.code, Code.TAKEN)
})

test('whoever was here first elsewhere keeps the name, unless both are one person', () => {
  const key = new Uint8Array(16).fill(9)
  const hello = { $typeName: 'fourfold.v1.Hello' as const, key, name: 'ana', protocol: 1 }
  const rest = { isStandby: false, token: '', showsDirectories: false, agent: 'test' }
  for (const [first, isOne] of [
    [new Uint8Array(16).fill(8), true],
    [new Uint8Array(16).fill(7), false],
  ] as const) {
    const desk = new Desk()
    desk.input({ type: 'opened', channel: 1, address: '' })
    const earlierKeys = [new Uint8Array(16).fill(8)]
    const device = new Uint8Array()
    desk.say(1, { case: 'hello', value: { ...hello, ...rest, earlierKeys, device } })
    claimedThere(desk, first, 0)
    assert.equal(desk.last(1, 'renamed')?.name, isOne ? undefined : 'ana~2')
  }
})

test('one person may have several pages under one name, and nobody else has it', () => {
  const desk = new Desk()
  const device = new Uint8Array(16).fill(200)
  const pages = [1, 2].map((channel) => new Writer(desk, channel, 'ana', { device }))
  for (const { channel } of pages) assert.equal(desk.last(channel, 'welcome')?.name, 'ana')
  const others = { 3: new Uint8Array(16).fill(201), 4: new Uint8Array() }
  for (const [channel, other] of Object.entries(others)) {
    new Writer(desk, Number(channel), 'ana', { device: other })
    assert.equal(desk.last(Number(channel), 'refused')?.code, Code.TAKEN)
  }
  desk.input({ type: 'closed', channel: 1 })
  new Writer(desk, 5, 'ana')
  assert.equal(desk.last(5, 'refused')?.code, Code.TAKEN, 'one page is still here')
  desk.input({ type: 'closed', channel: 2 })
  new Writer(desk, 6, 'ana')
  assert.equal(desk.last(6, 'welcome')?.name, 'ana')
})

test('13 the secret of a device has 16 bytes, or there is none', () => {
  const desk = new Desk()
  new Writer(desk, 1, 'ana', { device: new Uint8Array(15) })
  assert.equal(desk.last(1, 'refused')?.code, Code.INVALID)
})

test('a person goes on under the name that is known from a server that died', () => {
  const desk = new Desk()
  const twin = new Writer(desk, 1, 'ana')
  claimedThere(desk, new Uint8Array(16).fill(2), 9)
  const ana = new Writer(desk, 2, 'ana')
  assert.equal(desk.last(ana.channel, 'welcome')?.name, 'ana')
  assert.equal(desk.last(twin.channel, 'renamed'), undefined)
})

test('everybody here is told to the others when there is a new channel to one, and only then', () => {
  const { desk, ana, file } = two()
  const told = () =>
    desk.asked.splice(0).flatMap((request) => {
      const topic = request.type === 'send' ? request.ephemeral.topic : undefined
      if (topic?.case === 'caret') return [topic.value.state]
      return topic?.case === 'presence' && topic.value.isHere ? [topic.value.name] : []
    })
  const said = { document: file, writer: ana.doc.clientID, clock: 1, state: '{}' }
  desk.say(1, { case: 'caret', value: create(CaretSchema, said) })
  const heard = (state: ServerState, channel?: number) => {
    const how = { lag: 0, heardAt: 0, state, ...(channel && { channel, origin }) }
    const servers = [
      { id: here, address: 'http://a', lag: 0, heardAt: 0, state: ServerState.LIVE },
      { id: there, address: 'http://b', ...how },
    ]
    desk.input({ type: 'event', event: { type: 'servers', servers, isServing: true } })
  }
  told()
  heard(ServerState.BEHIND, 7)
  assert.deepEqual(told(), ['ana', 'ben', '{}'])
  heard(ServerState.LIVE, 7)
  heard(ServerState.DOWN)
  heard(ServerState.LIVE, 7)
  assert.deepEqual(told(), [])
  heard(ServerState.LIVE, 8)
  assert.deepEqual(told(), ['ana', 'ben', '{}'])
  desk.say(1, { case: 'caret', value: create(CaretSchema, { ...said, clock: 2, state: '' }) })
  told()
  heard(ServerState.LIVE, 9)
  // Where there was no channel when she closed the text, she is still seen in it.
  assert.deepEqual(told(), ['ana', 'ben', ''])
})

test('of lags that change all the time the last is told, too', () => {
  const { desk } = two()
  const heard = (lag: number) => {
    const how = { lag, heardAt: 0, state: ServerState.BEHIND }
    const servers = [{ id: there, address: 'http://b', ...how }]
    desk.input({ type: 'event', event: { type: 'servers', servers, isServing: true } })
  }
  const told = () => desk.last(1, 'servers')?.servers[0]?.lag
  heard(1)
  heard(3)
  assert.equal(told(), 1)
  desk.now += 1000
  desk.input({ type: 'tick' })
  assert.equal(told(), 3)
})

test('who is at a server that is silent for long has the name for as long as there is a channel', () => {
  const desk = new Desk()
  const heard = (state: ServerState, channel?: number) => {
    const how = { lag: 0, heardAt: 0, state, ...(channel && { channel, origin }) }
    const servers = [{ id: there, address: 'http://b', ...how }]
    desk.input({ type: 'event', event: { type: 'servers', servers, isServing: true } })
  }
  const isFree = (channel: number) => {
    const ana = new Writer(desk, channel, 'ana')
    const refused = desk.last(ana.channel, 'refused')
    desk.input({ type: 'closed', channel })
    return refused?.code !== Code.TAKEN
  }
  heard(ServerState.LIVE, 1)
  claimedThere(desk, new Uint8Array(16).fill(9), 0)
  heard(ServerState.DOWN, 1)
  desk.now += presenceLifeMs
  desk.input({ type: 'tick' })
  heard(ServerState.LIVE, 1)
  assert.equal(isFree(1), false)
  heard(ServerState.DOWN)
  desk.now += presenceLifeMs
  desk.input({ type: 'tick' })
  assert.equal(isFree(2), true)
})

test('the caret of somebody whose server died goes with the name, and is not told again', () => {
  const { desk, file } = two()
  const heard = (origin: string, channel: number) => {
    const view = { lag: 0, heardAt: 0, state: ServerState.LIVE, origin: origin as Origin, channel }
    const servers = [{ id: there, address: 'http://b', ...view }]
    desk.input({ type: 'event', event: { type: 'servers', servers, isServing: true } })
    desk.input({ type: 'settle' })
  }
  heard('b.1', 1)
  const key = new Uint8Array(16).fill(9)
  claimedThere(desk, key, 0)
  const value = create(CaretSchema, {
    document: file,
    session: sessionOf(key),
    clock: 7,
    state: '{}',
  })
  const ephemeral = create(EphemeralSchema, { topic: { case: 'caret', value } })
  desk.input({ type: 'event', event: { type: 'ephemeral', from: there, ephemeral } })
  assert.equal(desk.last(1, 'caret')?.state, '{}')
  heard('b.2', 2)
  assert.deepEqual([desk.last(1, 'caret')?.state, desk.last(1, 'caret')?.clock], ['', 8])
  new Writer(desk, 3, 'carl').open(file)
  assert.equal(desk.last(3, 'caret'), undefined)
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
