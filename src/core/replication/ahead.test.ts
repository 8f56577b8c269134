// What came by a transfer that broke off, and of which nobody has the logs any more.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { create, toBinary } from '@bufbuild/protobuf'
import { MemoryDisk, MemoryStorage } from '../../adapters/storage/memory.ts'
import { originOf, subjectId, type ReplicaId, type SubjectId } from '../model/ids.ts'
import { mergeStored, sealUpdate, storedVersions } from '../model/snapshot.ts'
import { UpdateSchema, VersionSchema, type Snapshot } from '../model/wire.ts'
import { Circle, names, subject, type Server } from '../../../test/replication-circle.ts'

const lost = originOf('a' as ReplicaId, new Uint8Array(10).fill(1))
const life = originOf('a' as ReplicaId, new Uint8Array(10).fill(2))

/** A set of which only b has what three updates said of each of these in a log that burnt. */
function fourAfterFire(subjects: SubjectId[] = [subject]): { circle: Circle; servers: Server[] } {
  const circle = new Circle()
  for (const name of names) {
    const disk = new MemoryDisk()
    disk.isComplete = true
    disk.life = life
    circle.disks.set(name, disk)
  }
  const storage = new MemoryStorage(circle.disks.get(names[1]!)!)
  storage.commit({ updates: [], snapshots: subjects.map(pieceOf) })
  return { circle, servers: names.map((name) => circle.start(name)) }
}

/** One that was not changed by operations. */
const written = subjectId(new Uint8Array(16).fill(200))
const operationsOf = (of: SubjectId) => (of === written ? [] : [`${of} one`, `${of} two`])

function pieceOf(of: SubjectId): Snapshot {
  const body = {
    case: 'version' as const,
    value: toBinary(VersionSchema, create(VersionSchema, { id: 'x' })),
  }
  const update = sealUpdate(create(UpdateSchema, { origin: lost, seq: 3, subject: of, body }))
  const piece = mergeStored({ snapshots: [], updates: [update] }, new Map([[lost, 3]]), of)
  piece.operations = operationsOf(of).map((id) => ({
    $typeName: 'fourfold.v1.DoneOperation',
    id,
    at: 0,
    digest: 'asked',
  }))
  return piece
}

const versionsOf = ({ storage }: Server, of = subject) =>
  storedVersions(storage.reader.load(of)).map(({ id }) => id)

test('what came by a transfer that broke off goes to all when nobody has its logs', () => {
  const { circle, servers } = fourAfterFire([subject, written])
  circle.pass(3000)
  for (const each of [subject, written]) {
    assert.deepEqual(
      servers.map((server) => versionsOf(server, each)),
      [['x'], ['x'], ['x'], ['x']],
    )
  }
  const digests = servers.map(({ storage }) => {
    return operationsOf(subject).map((id) => storage.reader.operation(id)?.digest)
  })
  assert.deepEqual(digests, Array(4).fill(['asked', 'asked']), 'with what it is the effect of')
  assert.equal(
    servers.some(({ storage }) => storage.reader.vector().has(lost)),
    false,
  )
})

test('until then who has all other logs is no holder of it, and after that again', () => {
  const { circle, servers } = fourAfterFire()
  const b = servers[1]!
  circle.pass(500)
  circle.append(b, 1, 'y')
  assert.equal(b.covered('c'), 0)
  circle.pass(3000)
  assert.ok(b.covered('c') >= b.marks()[0]!)
})

test('with nobody there it is not said again: who comes next may have its logs', () => {
  const { circle, servers } = fourAfterFire()
  for (const name of names) if (name !== 'b') circle.kill(name)
  circle.pass(3000)
  assert.deepEqual(servers[1]!.storage.reader.vector(), new Map())
})

test('of more than is said in one turn all is said, and nothing twice', () => {
  // More than twice as many as are looked up at once.
  const subjects = Array.from({ length: 150 }, (_, index) =>
    subjectId(new Uint8Array(16).fill(index + 1)),
  )
  const { circle, servers } = fourAfterFire(subjects)
  circle.pass(4000)
  for (const server of servers) {
    for (const of of subjects) assert.deepEqual(versionsOf(server, of), ['x'])
    const own = [...server.storage.reader.vector()].filter(([origin]) => origin.startsWith('b'))
    // Two operations of each, so two updates.
    assert.deepEqual(
      own.map(([, seq]) => seq),
      [2 * subjects.length],
    )
  }
})
