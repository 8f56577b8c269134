// What is damaged on every server that has it keeps nothing else back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { four, names, subject, type Circle, type Server } from '../../../test/replication-circle.ts'
import { Random } from '../../../sim/random.ts'
import type { ReplicaId } from '../model/ids.ts'
import { storedVersions } from '../model/snapshot.ts'
import { covers } from '../model/version-vector.ts'

const [a, b, c, d] = names as [ReplicaId, ReplicaId, ReplicaId, ReplicaId]
/** More than it takes to ask everybody in vain. */
const longMs = 120_000

/** `a` took three edits of which only these others heard, and stands still. */
function apart(hearers: ReplicaId[]): Circle {
  const { circle } = four()
  const deaf = names.filter((name) => name !== a && !hearers.includes(name))
  for (const name of deaf) circle.kill(name)
  for (const [index, text] of ['x', 'y', 'z'].entries()) {
    circle.append(circle.living.get(a)!, index, text)
  }
  for (const name of [a, ...hearers]) circle.kill(name)
  return circle
}

/** One bit of what a disk has of one edit, or of them all in one piece, turns over. */
function damaged(circle: Circle, isMerged: boolean, at = a, before = 1): void {
  const disk = circle.disks.get(at)!
  if (isMerged) {
    const { storage } = circle.start(at)
    storage.compactNow(subject, storage.reader.vector())
    circle.kill(at)
  }
  const log = [...disk.logs.values()].find((each) => each.size === 3)
  const rows = [...(log?.values() ?? [])].slice(0, before)
  const bytes = rows.reduce((sum, { record }) => sum + record.bytes.length, 0)
  assert.ok(disk.flip(subject, 200 + 8 * bytes))
}

const versionsOf = ({ storage }: Server) =>
  storedVersions(storage.reader.load(subject))
    .map(({ name }) => name)
    .sort()
    .join(' ')

function areEqual(servers: Server[]): boolean {
  const [first, ...others] = servers.map(({ storage }) => storage.reader.vector())
  return others.every((other) => covers(first!, other) && covers(other, first!))
}

const gaveUp = ({ log }: Server) => log.filter((text) => text.includes('goes on without')).length

for (const isMerged of [false, true]) {
  const what = isMerged ? 'piece' : 'record'
  test(`5 a ${what} that is damaged where alone it was is given up, and its log goes on`, () => {
    const circle = apart([])
    damaged(circle, isMerged)
    const servers = names.map((name) => circle.start(name))
    const [first, ...others] = servers as [Server, ...Server[]]
    circle.append(first, 7, 'later')
    circle.pass(longMs)
    for (const server of servers) {
      assert.equal(versionsOf(server), isMerged ? 'later' : 'later x z')
    }
    assert.ok(areEqual(servers))
    // Receipts name all again.
    const [mark] = first.marks()
    for (const { id } of others) assert.ok(first.covered(id) >= mark!)
    assert.equal(gaveUp(first), 1)
    assert.equal(first.events.filter(({ type }) => type === 'lost').length, 1)
    assert.equal(circle.disks.get(a)!.quarantine.length, 1)
    // It is as any other from then on.
    circle.append(others[0]!, 8, 'last')
    assert.ok(areEqual(servers))
  })
}

test('14 what is damaged is not given up while somebody is away who may have it', () => {
  for (const isMerged of [false, true]) {
    const circle = apart([d])
    damaged(circle, isMerged)
    const three = [a, b, c].map((name) => circle.start(name))
    circle.pass(longMs)
    assert.equal(gaveUp(three[0]!), 0)
    const waits = three[0]!.log.filter((text) => text.includes('it waits for all'))
    assert.equal(waits.length, 1)
    const servers = [...three, circle.start(d)]
    circle.pass(40_000)
    for (const server of servers) assert.equal(versionsOf(server), 'x y z')
    assert.ok(areEqual(servers))
    assert.equal(gaveUp(three[0]!), 0)
  }
})

test('5 what is damaged on both servers that have it is given up by both, and they are equal', () => {
  for (const isMerged of [false, true]) {
    const circle = apart([b])
    damaged(circle, isMerged)
    damaged(circle, isMerged, b)
    const servers = names.map((name) => circle.start(name))
    circle.append(servers[0]!, 7, 'later')
    circle.append(servers[1]!, 8, 'too')
    circle.pass(longMs)
    for (const server of servers) {
      assert.equal(versionsOf(server), isMerged ? 'later too' : 'later too x z')
    }
    assert.ok(areEqual(servers))
    assert.ok(gaveUp(servers[0]!) + gaveUp(servers[1]!) >= 1)
  }
})

test('14 of what is damaged on two servers in different places nothing is lost', () => {
  for (const [ofA, ofB] of [
    [0, 2],
    [2, 1],
    [1, 0],
  ] as const) {
    const circle = apart([b])
    damaged(circle, false, a, ofA)
    damaged(circle, false, b, ofB)
    const servers = names.map((name) => circle.start(name))
    circle.pass(longMs)
    for (const server of servers) assert.equal(versionsOf(server), 'x y z')
    assert.ok(areEqual(servers))
  }
})

test('14 a piece and a record that are damaged on two servers are put together from both', () => {
  const circle = apart([b])
  damaged(circle, true, a)
  damaged(circle, false, b)
  const servers = names.map((name) => circle.start(name))
  circle.pass(longMs)
  for (const server of servers) assert.equal(versionsOf(server), 'x z')
  assert.ok(areEqual(servers))
})

test('14 three servers on which something is damaged wait for the fourth, which has it', () => {
  const circle = apart([b, c, d])
  for (const name of [a, b, c]) damaged(circle, false, name)
  const three = [a, b, c].map((name) => circle.start(name))
  const want = { type: 'want' as const, subject }
  for (const server of three) circle.input(server, { type: 'asked', request: want })
  circle.pass(longMs)
  for (const server of three) assert.equal(gaveUp(server), 0)
  const servers = [...three, circle.start(d)]
  circle.pass(40_000)
  for (const server of servers) assert.equal(versionsOf(server), 'x y z')
  assert.ok(areEqual(servers))
})

test('5 in a set of one what is damaged is given up at once: nobody else can have it', () => {
  const circle = apart([])
  damaged(circle, false)
  circle.members = [a]
  const server = circle.start(a)
  circle.input(server, { type: 'asked', request: { type: 'want', subject } })
  circle.pass(longMs)
  assert.equal(versionsOf(server), 'x z')
  assert.equal(gaveUp(server), 1)
  circle.append(server, 7, 'later')
  assert.equal(versionsOf(server), 'later x z')
})

test('5 wherever disks are damaged, the servers become equal, and have what was sound on any', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed)
    const circle = apart([b, c, d].filter(() => random.chance(0.5)))
    const sound = new Set<string>()
    for (const name of names) {
      const disk = circle.disks.get(name)!
      const { storage } = circle.start(name)
      circle.kill(name)
      if (random.chance(0.3)) storage.compactNow(subject, storage.reader.vector())
      for (let flips = random.below(4); flips > 0; flips--)
        disk.flip(subject, random.below(2 ** 20))
      for (const version of storedVersions(storage.reader.sound(subject))) sound.add(version.name)
    }
    const servers: Server[] = []
    for (const name of [a, d, b, c]) {
      servers.push(circle.start(name))
      if (random.chance(0.5)) circle.pass(random.below(30_000))
    }
    const want = { type: 'want' as const, subject }
    for (const server of servers) circle.input(server, { type: 'asked', request: want })
    circle.append(servers[random.below(4)]!, 7, 'later')
    circle.pass(longMs)
    for (const server of servers) {
      assert.equal(versionsOf(server), [...sound, 'later'].sort().join(' '), `seed ${seed}`)
    }
    assert.ok(areEqual(servers), `seed ${seed}`)
  }
})
