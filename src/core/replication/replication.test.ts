// Four minds of replication in a circle: receipts, gaps, recovery, what goes for good.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { MemoryDisk, MemoryStorage } from '../../adapters/storage/memory.ts'
import { Circle, four, names, subject, type Server } from '../../../test/replication-circle.ts'
import { peerSilentMs } from '../model/limits.ts'
import { isOrigin, originOf, type Origin, type ReplicaId } from '../model/ids.ts'
import { mergeStored, sealUpdate } from '../model/snapshot.ts'
import {
  PeerMessageSchema,
  ServerState,
  UpdateSchema,
  type PeerMessage,
  type Update,
} from '../model/wire.ts'
import { isHeartbeat, type ReplicationOutput } from './messages.ts'
import { Replication } from './replication.ts'

test('four empty servers agree that the set is new, and serve', () => {
  const { servers } = four()
  for (const server of servers) {
    const last = server.events.findLast((event) => event.type === 'servers')
    assert.equal(last?.isServing, true)
    assert.deepEqual(
      last.servers.map(({ state }) => state),
      Array(4).fill(ServerState.LIVE),
    )
  }
})

test('an append is stored on every disk, and its receipt names them', () => {
  const { circle, servers } = four()
  const [a, b, c, d] = servers as [Server, Server, Server, Server]
  circle.append(a, 1, 'x')
  const [mark] = a.marks()
  for (const replica of ['b', 'c', 'd']) assert.equal(a.covered(replica), mark)
  for (const server of [b, c, d]) {
    assert.deepEqual([...server.storage.reader.vector().values()], [1])
    assert.equal(server.events.filter(({ type }) => type === 'changed').length, 1)
  }
})

test('a server that comes back with less than it had is in no receipt for more', () => {
  const { circle, servers } = four()
  const a = servers[0]!
  circle.append(a, 1, 'x')
  const [mark] = a.marks()
  circle.kill('d' as ReplicaId)
  assert.equal(a.covered('d'), mark, 'as far as anybody knows its disk is there')
  circle.disks.delete('d' as ReplicaId)
  circle.stuck.add('d' as ReplicaId)
  circle.start('d' as ReplicaId)
  circle.pass(2000)
  assert.equal(a.covered('d'), 0, 'it said that it has nothing')
  circle.stuck.clear()
  circle.kill('d' as ReplicaId)
  circle.start('d' as ReplicaId)
  circle.pass(2000)
  assert.equal(a.covered('d'), mark)
})

test('1 nothing is told before it is stored', () => {
  const { circle, servers } = four()
  for (const name of names) circle.stuck.add(name)
  circle.append(servers[0]!, 1, 'x')
  circle.pass(2000)
  assert.deepEqual(servers[0]!.marks(), [])
  for (const server of servers.slice(1)) {
    assert.equal(server.events.filter(({ type }) => type === 'changed').length, 0)
  }
})

test('a server whose disk hangs is heard of for as long as it takes in what others write', () => {
  const { circle, servers } = four()
  const [a, b] = servers as [Server, Server]
  circle.hanging.add(a.id)
  for (let tag = 1; tag <= 100; tag++) {
    circle.append(b, tag, `x${tag}`)
    circle.pass(50)
  }
  for (const { mind } of servers.slice(1)) {
    assert.equal(mind.servers(circle.now)[0]!.state, ServerState.BEHIND)
  }
})

test('a server that comes while disks hang is turned away by nobody, and met when they flush', () => {
  const { circle, servers } = four()
  const [, b, c, d] = servers as [Server, Server, Server, Server]
  circle.kill(servers[0]!.id)
  circle.pass(500)
  circle.hanging.add(servers[0]!.id)
  circle.hanging.add(c.id)
  const a = circle.start(servers[0]!.id)
  circle.pass(6 * peerSilentMs)
  circle.flush()
  circle.pass(1000)
  for (const { mind, log } of [a, b, c, d]) {
    const states = mind.servers(circle.now).map(({ state }) => state)
    assert.deepEqual(states, Array(4).fill(ServerState.LIVE))
    assert.deepEqual(mind.warnings(circle.now), [])
    assert.deepEqual(
      log.filter((line) => line.includes('turn')),
      [],
    )
  }
})

test('a server that is silent for a moment is down, and the channel to it is there', () => {
  const { circle, servers } = four()
  const [a] = servers as [Server]
  for (let passed = 0; passed < peerSilentMs / 2; passed += 50) {
    circle.now += 50
    circle.input(a, { type: 'tick' })
  }
  const [, b] = a.mind.servers(circle.now)
  assert.equal(b!.state, ServerState.DOWN)
  assert.notEqual(b!.channel, undefined)
})

test('a server that was silent and had not gone is waited for longer for a minute, and no other', () => {
  const { circle, servers } = four()
  const [a, b] = servers as [Server, Server]
  /** Whether the channel to b outlives that nothing comes for so long. */
  const outlives = (silentMs: number) => {
    const view = () => a.mind.servers(circle.now)[1]!
    const { channel } = view()
    for (let passed = 0; passed < silentMs; passed += 50) {
      circle.now += 50
      circle.input(a, { type: 'tick' })
    }
    const isThere = view().channel === channel
    circle.pass(5000)
    assert.equal(view().state, ServerState.LIVE)
    return isThere
  }
  assert.equal(outlives(1.5 * peerSilentMs), false)
  assert.equal(outlives(1.5 * peerSilentMs), true)
  assert.equal(outlives(2.5 * peerSilentMs), false)
  assert.equal(outlives(3.5 * peerSilentMs), true)
  circle.pass(60_000)
  assert.equal(outlives(1.5 * peerSilentMs), false)
  circle.kill(b.id)
  circle.pass(1000)
  circle.start(b.id)
  circle.pass(5000)
  assert.equal(outlives(1.5 * peerSilentMs), false)
})

test('a server lives for as long as some of a long message comes from it', () => {
  const { circle, servers } = four()
  const [a, b] = servers as [Server, Server]
  const [channel] = [...a.channels].find(([, { server }]) => server === b)!
  for (let passed = 0; passed < 2 * peerSilentMs; passed += 50) {
    circle.now += 50
    circle.input(a, { type: 'progressed', channel })
    circle.input(a, { type: 'tick' })
  }
  const states = a.mind.servers(circle.now).map(({ id, state }) => [id, state])
  assert.deepEqual(states.slice(1, 3), [
    ['b', ServerState.LIVE],
    ['c', ServerState.DOWN],
  ])
})

test('that a piece is stored is a sign of life: no other one asks one as before for the next', () => {
  const circle = new Circle()
  circle.early.add('b' as ReplicaId)
  const servers = names.map((name) => circle.start(name))
  circle.pass(500)
  const [a, b] = servers as [Server, Server]
  const value = mergeStored(a.storage.reader.load(subject), new Map(), subject)
  const message = create(PeerMessageSchema, { message: { case: 'snapshot', value } })
  const [channel] = [...a.channels].find(([, { server }]) => server === b)!
  const hear = () => circle.input(a, { type: 'received', channel, message })
  hear()
  b.heard.length = 0
  for (let piece = 1; piece <= 20; piece++) {
    circle.pass(200)
    hear()
  }
  const signs = b.heard.filter(({ from, message }) => from === a && isHeartbeat(message))
  assert.equal(signs.length, 20)
})

test('a server that was away gets what it missed, also from an origin that is dead', () => {
  const { circle, servers } = four()
  circle.kill('d' as ReplicaId)
  for (let tag = 1; tag <= 5; tag++) circle.append(servers[0]!, tag, `x${tag}`)
  circle.kill('a' as ReplicaId)
  const d = circle.start('d' as ReplicaId)
  circle.pass(2000)
  assert.deepEqual([...d.storage.reader.vector().values()], [5])
})

test('what goes for good goes when it is asked for again after nobody could bring it back', () => {
  const { circle, servers } = four()
  const a = servers[0]!
  circle.append(a, 1, 'x')
  const ask = () => circle.input(a, { type: 'asked', request: { type: 'purge', subject } })
  const isGone = () => a.events.some(({ type }) => type === 'purged')
  circle.kill('d' as ReplicaId)
  for (let count = 0; count < 5; count++) {
    ask()
    circle.pass(1000)
  }
  assert.equal(isGone(), false, 'one of them may bring it back')
  circle.start('d' as ReplicaId)
  circle.pass(5000)
  ask()
  assert.equal(isGone(), false, 'this request may have been on its way when it was brought back')
  // Whoever heard that it is back does not ask any more.
  circle.pass(65_000)
  ask()
  circle.pass(1000)
  ask()
  assert.equal(isGone(), false)
  ask()
  assert.equal(isGone(), true)
})

test('logs are compacted as far as every server that is there has come, again and again', () => {
  const { circle, servers } = four()
  const [a, b] = servers as [Server, Server]
  const compacted = () => {
    circle.input(a, { type: 'asked', request: { type: 'compact', subject } })
    return [...a.storage.reader.floor().values()][0] ?? 0
  }
  circle.append(a, 1, 'x')
  circle.pass(100)
  assert.equal(compacted(), 1)
  circle.flushMs.set(b.id, 1000)
  circle.append(a, 2, 'y')
  circle.pass(100)
  assert.equal(compacted(), 1)
  circle.pass(2000)
  assert.equal(compacted(), 2)
})

test('nothing goes for good while another holds what has yet to come to this disk', () => {
  const { circle, servers } = four()
  const [a, , c] = servers as [Server, Server, Server]
  circle.append(a, 1, 'x')
  circle.flushMs.set(a.id, 10_000)
  circle.append(c, 2, 'y')
  const ask = () => {
    circle.input(a, { type: 'asked', request: { type: 'purge', subject } })
    circle.pass(1000)
  }
  const isGone = () => a.events.some(({ type }) => type === 'purged')
  for (let count = 0; count < 5; count++) ask()
  assert.equal(isGone(), false, 'that may bring it back')
  circle.pass(10_000)
  for (let count = 0; count < 3; count++) ask()
  assert.equal(isGone(), true)
})

test('a server whose disk was lost is filled by a transfer when logs were compacted', () => {
  const { circle, servers } = four()
  const a = servers[0]!
  for (let tag = 1; tag <= 20; tag++) circle.append(a, tag, `x${tag}`, `operation ${tag}`)
  // Until each has told each.
  circle.pass(100)
  for (const server of servers) {
    circle.input(server, { type: 'asked', request: { type: 'compact', subject } })
    assert.deepEqual([...server.storage.reader.floor().values()], [20])
  }
  circle.kill('c' as ReplicaId)
  circle.disks.delete('c' as ReplicaId)
  const c = circle.start('c' as ReplicaId)
  circle.pass(2000)
  assert.deepEqual(c.storage.reader.vector(), a.storage.reader.vector())
  const before = a.storage.reader.load(subject).snapshots[0]!.versions
  assert.deepEqual(c.storage.reader.load(subject).snapshots[0]!.versions, before)
  assert.equal(
    c.storage.reader.operation('operation 7')?.subject,
    subject,
    'and whose effect it is',
  )
  circle.append(a, 21, 'after')
  assert.deepEqual([...c.storage.reader.vector().values()], [21])
})

test('an empty server serves nothing until it has caught up or all are empty', () => {
  const { circle } = four()
  for (const name of names) circle.kill(name)
  circle.disks.delete('a' as ReplicaId)
  const a = circle.start('a' as ReplicaId)
  circle.pass(5000)
  assert.equal(a.storage.reader.isComplete(), false)
  // Which waits a second for one of its life before it serves and fills others.
  circle.start('b' as ReplicaId)
  circle.pass(3000)
  assert.equal(a.storage.reader.isComplete(), true)
})

test('the life of a set has one name while one server of it has its disk', () => {
  const circle = new Circle()
  const lives = () => new Set([...circle.disks.values()].map(({ life }) => life))
  for (const name of names.slice(0, 3)) circle.start(name)
  circle.pass(1000)
  assert.deepEqual([...lives()], [''], 'the fourth is not there: nobody knows what it has')
  circle.start('d' as ReplicaId)
  circle.pass(1000)
  const [life, ...others] = lives()
  assert.ok(life !== undefined && isOrigin(life))
  assert.deepEqual(others, [])
  for (const name of names.slice(0, 3)) {
    circle.kill(name)
    circle.disks.delete(name)
  }
  for (const name of names.slice(0, 3)) circle.start(name)
  circle.pass(1000)
  assert.deepEqual([...lives()], [life], 'three were emptied and heard it from the fourth')
  for (const name of names) circle.kill(name)
  circle.disks.clear()
  for (const name of names) circle.start(name)
  circle.pass(1000)
  const [next, ...rest] = lives()
  assert.ok(next !== undefined && isOrigin(next) && next !== life)
  assert.deepEqual(rest, [])
})

test('a new set serves when the name of its life is on every disk', () => {
  const circle = new Circle()
  circle.stuck.add('a' as ReplicaId)
  for (const name of names) circle.start(name)
  circle.pass(2000)
  const areServing = () => [...circle.disks.values()].map(({ isComplete }) => isComplete)
  assert.deepEqual(areServing(), [false, false, false, false], 'three may burn: a does not know')
  circle.stuck.clear()
  circle.kill('a' as ReplicaId)
  circle.start('a' as ReplicaId)
  circle.pass(1000)
  assert.deepEqual(areServing(), [true, true, true, true])
})

test('the life of a set is told with how the servers are, once it is on the disk', () => {
  const circle = new Circle()
  const [a] = names.map((name) => circle.start(name)) as [Server]
  circle.pass(1000)
  const told = a.events.filter((event) => event.type === 'servers')
  assert.equal(told.find(({ isServing }) => isServing) !== undefined, true)
  const before = a.storage.reader.life()
  circle.kill('a' as ReplicaId)
  assert.equal(circle.start('a' as ReplicaId).storage.reader.life(), before)
})

test('a set that was formed before lives had names gets one when all are there', () => {
  const circle = new Circle()
  for (const name of names) {
    const disk = new MemoryDisk()
    disk.isComplete = true
    circle.disks.set(name, disk)
    circle.start(name)
  }
  circle.pass(1000)
  const lives = new Set([...circle.disks.values()].map(({ life }) => life))
  assert.equal(lives.size, 1)
  assert.ok(isOrigin([...lives][0]!))
})

test('servers that named their life apart, and hold nothing, agree on the smaller name', () => {
  const circle = new Circle()
  names.forEach((name, index) => {
    const disk = new MemoryDisk()
    disk.life = originOf(name, new Uint8Array(10).fill(9 - index))
    circle.disks.set(name, disk)
    circle.start(name)
  })
  circle.pass(1000)
  const lives = new Set([...circle.disks.values()].map(({ life }) => life))
  assert.deepEqual([...lives], [originOf('a' as ReplicaId, new Uint8Array(10).fill(9))])
})

test('of what no disk has any more it is told when all are there, and of nothing else', () => {
  const { circle, servers } = four()
  const [a, b] = servers as [Server, Server]
  circle.append(a, 1, 'x')
  const [own] = a.storage.reader.vector().keys()
  const lost = originOf('d' as ReplicaId, new Uint8Array(10))
  const seek = (upTo: [Origin, number][]) => {
    b.events.length = 0
    circle.input(b, { type: 'asked', request: { type: 'seek', tag: 7, upTo: new Map(upTo) } })
    return b.events.filter(({ type }) => type === 'absent')
  }
  const both: [Origin, number][] = [
    [own!, 1],
    [lost, 3],
  ]
  assert.deepEqual(seek(both), [{ type: 'absent', tag: 7, origins: [lost] }])
  circle.kill('d' as ReplicaId)
  assert.deepEqual(seek(both), [], 'its disk may have it')
  circle.start('d' as ReplicaId)
  circle.pass(2000)
  circle.flushMs.set(b.id, 10_000)
  circle.append(a, 2, 'y')
  const next: [Origin, number][] = [
    [own!, 2],
    [lost, 3],
  ]
  assert.deepEqual(seek(next), [{ type: 'absent', tag: 7, origins: [lost] }], 'that one comes')
})

test('2 a log has no holes: a gap is refused and asked for', () => {
  const { circle, servers } = four()
  const [a, b] = servers as [Server, Server]
  circle.append(a, 1, 'x')
  const [origin] = a.storage.reader.vector().keys()
  const channel = [...b.channels].find(([, end]) => end.server === a)![0]
  const body = { case: 'version' as const, value: new TextEncoder().encode('z') }
  const update = sealUpdate(create(UpdateSchema, { origin: origin!, seq: 3, subject, body }))
  circle.input(b, {
    type: 'received',
    channel,
    message: {
      $typeName: 'fourfold.v1.PeerMessage',
      message: { case: 'updates', value: { $typeName: 'fourfold.v1.Updates', updates: [update] } },
    },
  })
  assert.equal(b.storage.reader.vector().get(origin!), 1)
  const asked = a.heard.filter(({ from, message }) => {
    return from === b && message.message.case === 'gossip'
  })
  assert.equal(asked.length, 1)
})

test('2 a malformed update ends its channel, and those before it are stored', () => {
  const { circle, servers } = four()
  const [a, b] = servers as [Server, Server]
  circle.append(a, 1, 'x')
  const [origin] = a.storage.reader.vector().keys()
  const body = { case: 'version' as const, value: new Uint8Array() }
  const [second, third, fourth] = [2, 3, 4].map((seq) =>
    sealUpdate(create(UpdateSchema, { origin: origin!, seq, subject, body })),
  )
  third!.checksum ^= 1
  const receive = (from: Server, ...updates: Update[]) =>
    circle.input(b, {
      type: 'received',
      channel: [...b.channels].find(([, end]) => end.server === from)![0],
      message: {
        $typeName: 'fourfold.v1.PeerMessage',
        message: { case: 'updates', value: { $typeName: 'fourfold.v1.Updates', updates } },
      },
    })
  receive(a, second!, third!)
  assert.match(b.log.join(), /a sent a malformed update/)
  assert.equal(b.storage.reader.vector().get(origin!), 2)
  // The log goes on from another peer, without a hole.
  third!.checksum ^= 1
  receive(servers[2]!, third!, fourth!)
  assert.equal(b.storage.reader.vector().get(origin!), 4)
})

test('a server of another set is turned away', () => {
  const circle = new Circle()
  circle.start('a' as ReplicaId)
  const b = circle.start('b' as ReplicaId)
  const stranger = new Replication({
    now: 0,
    replica: 'b' as ReplicaId,
    set: 'another',
    origin: originOf('b' as ReplicaId, new Uint8Array(10)),
    reader: new MemoryStorage(new MemoryDisk()).reader,
    servers: names.map((id) => ({ id, address: '' })),
    isFirst: false,
  })
  Object.assign(b, { mind: stranger })
  circle.pass(60_000)
  const said = circle.living.get('a' as ReplicaId)!.log
  assert.match(said.join(), /belongs to the set "another"/)
  // Not each time it knocks.
  assert.ok(said.length < 5, said.join('\n'))
})

test('why a server cannot be reached is told once, and again when it was here', () => {
  const { circle, servers } = four()
  const told = () => servers[0]!.log.filter((line) => line.startsWith('d '))
  const d = 'd' as ReplicaId
  circle.kill(d)
  circle.pass(5000)
  const outage = ['d is gone', 'd cannot be reached: it is down']
  assert.deepEqual(told(), ['d is here', ...outage])
  circle.start(d)
  circle.pass(1000)
  circle.kill(d)
  circle.pass(5000)
  assert.deepEqual(told(), ['d is here', ...outage, 'd is here', ...outage])
})

test('5 servers with equal vectors and different digests say so', () => {
  const { circle, servers } = four()
  const [a, b] = servers as [Server, Server]
  circle.append(a, 1, 'x')
  const compare = (server: Server, digest: string, heard: number) =>
    circle.input(server, { type: 'asked', request: { type: 'compare', digest, heard } })
  compare(a, 'one', 1)
  compare(b, 'two', 0)
  assert.doesNotMatch(b.log.join(), /differs/, 'an update is on its way: no statement')
  compare(b, 'two', 1)
  assert.match(b.log.join(), /differs from a/)
  assert.match(a.log.join(), /differs from b/)
  circle.stuck.add(b.id)
  circle.append(a, 2, 'y')
  compare(a, 'three', 2)
  compare(b, 'four', 1)
  assert.doesNotMatch(`${a.log.join()}${b.log.join()}`, /three|four/, 'of other updates: none')
})

test('a peer that came back without what happened meanwhile is not live before it has it', () => {
  const circle = new Circle()
  const [a] = names.map((name) => circle.start(name)) as [Server]
  circle.pass(500)
  circle.kill('d' as ReplicaId)
  circle.append(a, 1, 'written meanwhile')
  for (const name of names) circle.stuck.add(name)
  circle.start('d' as ReplicaId)
  circle.pass(500)
  const state = () => a.mind.servers(circle.now).find(({ id }) => id === 'd')?.state
  assert.equal(state(), ServerState.BEHIND)
})

test('what is stored between the two hellos of a channel is told, too', () => {
  const circle = new Circle()
  const [a, b] = ['a', 'b'].map((name) => circle.start(name as ReplicaId)) as [Server, Server]
  const haves = () =>
    sent.flatMap(({ message }) => (message.case === 'have' ? [message.value.changed?.seen] : []))
  const sent: PeerMessage[] = []
  const hear = (outputs: ReplicationOutput[]) => {
    for (const output of outputs) if (output.type === 'send') sent.push(output.message)
  }
  // By hand, so that the other hello comes late.
  hear(a.mind.step(0, { type: 'opened', channel: 100 }))
  circle.append(a, 1, 'meanwhile')
  const opened = b.mind.step(0, { type: 'opened', channel: 200 })
  const hello = opened.find((output) => output.type === 'send')
  assert.ok(hello)
  hear(a.mind.step(0, { type: 'received', channel: 100, message: hello.message }))
  assert.deepEqual(
    haves().map((seen) => Object.values(seen ?? {})),
    [[1]],
  )
})

test('what nobody else has is wanted in vain, and nothing is stored for it', () => {
  const { circle, servers } = four()
  const a = servers[0]!
  circle.input(a, { type: 'asked', request: { type: 'want', subject } })
  circle.pass(10_000)
  const wants = () => {
    const heard = servers.slice(1).flatMap((server) => server.heard)
    return heard.filter(({ message }) => message.message.case === 'want')
  }
  assert.ok(wants().length > 3, 'each was asked')
  assert.deepEqual(a.storage.reader.load(subject).snapshots, [])
  circle.pass(110_000)
  assert.ok(wants().length < 30, `less and less: ${wants().length} times`)
})

test('a subject that still does not load is asked of the next peer, at a walk', () => {
  const circle = new Circle()
  const [a] = names.map((name) => circle.start(name)) as [Server]
  circle.pass(500)
  circle.append(a, 1, 'x')
  assert.ok(circle.disks.get(a.id)!.flip(subject))
  const wantedOf = (outputs: ReplicationOutput[]) =>
    outputs.flatMap((output) =>
      output.type === 'send' && output.message.message.case === 'want' ? [output.channel] : [],
    )
  const want = () =>
    wantedOf(a.mind.step(circle.now, { type: 'asked', request: { type: 'want', subject } }))
  const [first, ...more] = want()
  assert.ok(first !== undefined && more.length === 0)
  const channel = first
  const message = create(PeerMessageSchema, {
    message: {
      case: 'snapshot',
      value: mergeStored({ snapshots: [], updates: [] }, new Map(), subject),
    },
  })
  a.mind.step(circle.now, { type: 'received', channel, message })
  circle.input(a, { type: 'tick' })
  // It came, and did not help.
  assert.deepEqual(want(), [])
  const [second] = wantedOf(a.mind.step(circle.now + 2000, { type: 'tick' }))
  assert.ok(second !== undefined && second !== first)
  // What helps ends it.
  const wants = () =>
    [...circle.living.values()].flatMap(({ heard }) =>
      heard.filter(({ message }) => message.message.case === 'want'),
    ).length
  circle.pass(10_000)
  assert.equal(wants(), 1)
  circle.pass(10_000)
  assert.equal(wants(), 1)
})
