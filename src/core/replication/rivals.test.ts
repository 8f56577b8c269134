// Disks of two lives of one set: nothing is joined, and one life is served.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import type { MemoryDisk } from '../../adapters/storage/memory.ts'
import { four, names, type Circle, type Server } from '../../../test/replication-circle.ts'
import type { ReplicaId } from '../model/ids.ts'
import { PeerMessageSchema } from '../model/wire.ts'
import { Rivals, type Standing } from './rivals.ts'
import { Voice } from './voice.ts'

const [a, b, c, d] = names as [ReplicaId, ReplicaId, ReplicaId, ReplicaId]

const isServing = ({ events }: Server) =>
  events.findLast((event) => event.type === 'servers')?.isServing ?? false
const everServed = ({ events }: Server) =>
  events.some((event) => event.type === 'servers' && event.isServing)
const logsOf = (disk: MemoryDisk) => [...disk.vector.keys()].sort()

/** A set in its second life, in which something was written, and the disks of its first. */
function reborn(): { circle: Circle; old: Map<ReplicaId, MemoryDisk> } {
  const { circle, servers } = four()
  circle.append(servers[0]!, 1, 'old')
  circle.pass(500)
  const old = new Map([...circle.disks].map(([name, disk]) => [name, disk.clone()]))
  for (const name of names) circle.kill(name)
  circle.disks.clear()
  const [first] = names.map((name) => circle.start(name)) as [Server]
  circle.pass(1000)
  circle.append(first, 1, 'new')
  circle.pass(500)
  for (const name of names) assert.equal(logsOf(circle.disks.get(name)!).length, 1)
  return { circle, old }
}

/** Starts a server on a disk of before. */
function startOld({ circle, old }: ReturnType<typeof reborn>, name: ReplicaId): Server {
  if (circle.living.has(name)) circle.kill(name)
  circle.disks.set(name, old.get(name)!)
  return circle.start(name)
}

test('a disk of another life serves nobody, and nothing of it is joined with the set', () => {
  const set = reborn()
  const { circle, old } = set
  const life = circle.disks.get(a)!.life
  const before = logsOf(old.get(d)!)
  const server = startOld(set, d)
  circle.pass(10_000)
  assert.equal(everServed(server), false)
  assert.deepEqual(logsOf(circle.disks.get(d)!), before)
  for (const name of [a, b, c]) {
    assert.equal(circle.disks.get(name)!.life, life)
    assert.equal(logsOf(circle.disks.get(name)!).length, 1)
    assert.equal(isServing(circle.living.get(name)!), true)
  }
  const errors = server.log.filter((line) => line.includes('serves nobody: move its directory'))
  assert.equal(errors.length, 1, 'it says once what to do')
  // Which is done.
  circle.kill(d)
  circle.disks.delete(d)
  const filled = circle.start(d)
  circle.pass(1000)
  assert.equal(isServing(filled), true)
  assert.deepEqual(logsOf(circle.disks.get(d)!), logsOf(circle.disks.get(a)!))
})

test('a server that takes another life while it is here is hung up on', () => {
  const { circle, servers } = four()
  const [first, , , other] = servers as [Server, Server, Server, Server]
  circle.append(first, 1, 'x')
  const [channel] = [...first.channels].find(([, { server }]) => server === other)!
  const message = (life: string) =>
    create(PeerMessageSchema, { message: { case: 'have', value: { life } } })
  const says = (life: string) =>
    circle.input(first, { type: 'received', channel, message: message(life) })
  says(circle.disks.get(a)!.life)
  assert.equal(first.channels.has(channel), true)
  says('z.0123456789abc')
  assert.equal(first.channels.has(channel), false)
})

test('the last server that is left of a set serves on beside a disk of another life', () => {
  const set = reborn()
  const { circle } = set
  for (const name of [b, c, d]) circle.kill(name)
  const server = startOld(set, d)
  circle.pass(5000)
  assert.equal(everServed(server), false)
  assert.equal(isServing(circle.living.get(a)!), true)
  // Nor does it when nobody is left.
  circle.kill(a)
  circle.pass(60_000)
  assert.equal(everServed(server), false)
})

test('servers that start after a disk of another life did are the set all the same', () => {
  const set = reborn()
  const { circle } = set
  for (const name of names) circle.kill(name)
  const server = startOld(set, d)
  circle.pass(3000)
  assert.equal(isServing(server), true, 'nobody says that there is another life')
  const first = circle.start(a)
  circle.pass(3000)
  assert.equal(isServing(first), false, 'one against one that serves')
  const second = circle.start(b)
  circle.pass(3000)
  assert.deepEqual([first, second, server].map(isServing), [true, true, false])
})

test('of two lives with as many servers one serves', () => {
  for (const olds of [
    [c, d],
    [a, b],
    [a, d],
  ]) {
    const set = reborn()
    const { circle } = set
    for (const name of names) circle.kill(name)
    for (const name of names) if (!olds.includes(name)) circle.start(name)
    for (const name of olds) startOld(set, name)
    circle.pass(5000)
    const serving = names.filter((name) => isServing(circle.living.get(name)!))
    assert.equal(serving.length, 2)
    assert.equal(new Set(serving.map((name) => circle.disks.get(name)!.life)).size, 1)
    for (const name of names) assert.equal(logsOf(circle.disks.get(name)!).length, 1)
  }
})

test('an empty server is filled from those that serve, and not from another life', () => {
  const set = reborn()
  const { circle } = set
  const life = circle.disks.get(a)!.life
  startOld(set, d)
  circle.pass(2000)
  circle.kill(b)
  circle.disks.delete(b)
  circle.kill(a)
  circle.kill(c)
  const empty = circle.start(b)
  circle.pass(5000)
  assert.equal(circle.disks.get(b)!.life, '', 'the only one here yields')
  circle.start(c)
  circle.start(a)
  circle.pass(4000)
  assert.equal(isServing(empty), true)
  assert.equal(circle.disks.get(b)!.life, life)
  assert.deepEqual(logsOf(circle.disks.get(b)!), logsOf(circle.disks.get(a)!))
})

test('a set that was emptied takes the life of a disk that comes back before anybody is served', () => {
  const { circle, old } = reborn()
  for (const name of names) circle.kill(name)
  circle.disks.clear()
  for (const name of [a, b, c]) circle.start(name)
  circle.pass(5000)
  circle.disks.set(d, old.get(d)!)
  circle.start(d)
  circle.pass(5000)
  for (const name of names) {
    assert.equal(isServing(circle.living.get(name)!), true)
    assert.deepEqual(logsOf(circle.disks.get(name)!), logsOf(old.get(d)!))
  }
})

test('a server that starts serves when one of its life is there, or nobody for a second', () => {
  const { circle } = four()
  for (const name of names) circle.kill(name)
  const first = circle.start(a)
  circle.pass(900)
  assert.equal(isServing(first), false)
  circle.pass(200)
  assert.equal(isServing(first), true)
  const second = circle.start(b)
  circle.pass(500)
  assert.equal(isServing(second), true)
})

test('of any two lives one stands above the other', () => {
  const standings: Standing[] = ['a.1', 'b.1'].flatMap((life) =>
    [1, 2].flatMap((companions) =>
      [true, false].map((serves) => ({ life, companions, isServing: serves })),
    ),
  )
  const yields = (own: Standing, other: Standing) => {
    const rivals = new Rivals({
      now: 0,
      replica: a,
      mayBeAlone: own.isServing,
      isComplete: () => true,
      life: () => own.life,
      voice: new Voice(),
    })
    if (own.companions > 1) rivals.met(0, b, own.life)
    rivals.heard(0, d, other)
    rivals.tick(5000)
    return !rivals.isServing
  }
  for (const one of standings.filter(({ life }) => life === 'a.1')) {
    for (const other of standings.filter(({ life }) => life === 'b.1')) {
      // Who met a companion serves.
      if ([one, other].some((each) => each.companions > 1 && !each.isServing)) continue
      assert.notEqual(yields(one, other), yields(other, one), JSON.stringify([one, other]))
    }
  }
})

test('a server that comes back in another life is no companion any more', () => {
  const options = { now: 0, replica: a, mayBeAlone: false, isComplete: () => true }
  const rivals = new Rivals({ ...options, life: () => 'a.1', voice: new Voice() })
  rivals.met(0, b, 'a.1')
  const other = { life: 'b.1', companions: 1, isServing: true }
  rivals.heard(0, c, other)
  assert.equal(rivals.isServing, true, 'two against one')
  rivals.heard(0, b, { ...other, companions: 2 })
  assert.equal(rivals.standing.companions, 1)
  assert.equal(rivals.isServing, false, 'one against two')
})
