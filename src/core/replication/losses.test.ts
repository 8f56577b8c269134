// What is damaged on the only server that has it keeps nothing else back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { four, names, subject, type Circle, type Server } from '../../../test/replication-circle.ts'
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

/** One bit of what a disk has of the second edit, or of them all in one piece, turns over. */
function damaged(circle: Circle, isMerged: boolean): void {
  const disk = circle.disks.get(a)!
  if (isMerged) {
    const { storage } = circle.start(a)
    storage.compactNow(subject, storage.reader.vector())
    circle.kill(a)
  }
  const [first] = [...disk.logs.values()].at(-1)!.values()
  assert.ok(disk.flip(subject, 200 + 8 * (first?.record.bytes.length ?? 0)))
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
