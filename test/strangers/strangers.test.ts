// One real server, and strangers who say anything at all to its port: it goes on as if nothing were.
//
//   FOURFOLD_SEED=7 FOURFOLD_ACTS=5000 npm test -- test/strangers/strangers.test.ts

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'

import * as Y from 'yjs'

import { connect } from '../../src/client/index.ts'
import { base64url } from '../../src/core/model/ids.ts'
import { textRoot } from '../../src/core/model/text-update.ts'
import {
  AdminService,
  FolderService,
  ReplicationService,
  SessionService,
} from '../../src/core/model/wire.ts'
import { Health } from '../../src/gen/grpc/health/v1/health_pb.ts'
import { ServerReflection } from '../../src/gen/grpc/reflection/v1/reflection_pb.ts'
import { Random } from '../../sim/random.ts'
import { Fleet } from '../fleet.ts'
import { call } from '../requests.ts'
import { until } from '../until.ts'
import { acts, shares, type ActName, type Target } from './acts.ts'

const seed = process.env['FOURFOLD_SEED'] ?? '1'
const actCount = Number(process.env['FOURFOLD_ACTS'] ?? 2000)

/** So many at once. */
const laneCount = 8
/** What was done last, for whoever looks for what ended the server. */
const toldMax = 24
/** At its most. A server at rest has 150 MB. */
const memoryBytesMax = 768 * 1024 * 1024

const names = Object.entries(shares).flatMap(([name, count]) =>
  Array.from({ length: count }, () => name as ActName),
)

test(`13 ${actCount} things that strangers do end nothing but themselves`, async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'], configuration: { safe: 1 } })
  t.after(() => fleet.end())
  // In its name strangers talk.
  await fleet.kill('a')
  const pid = fleet.pid('b')
  await write(t, fleet, 'before.md')
  const target = await targetOf(fleet)

  const told = new Map<number, string>()
  const tellerOf = (act: number) => (text: string) => {
    told.set(act, `${told.get(act) ?? `${act}:`} ${text}`.slice(0, 1000))
    if (told.size > toldMax) told.delete(told.keys().next().value!)
  }
  const isWell = () => fleet.isRunning('b') && !fleet.said('b').includes('mistake of ours')
  let count = 0
  const lane = async () => {
    while (count < actCount && isWell()) {
      const act = ++count
      // What it does hangs on its number alone, not on what others do beside it.
      const random = new Random(`${seed}/${act}`)
      await acts[random.pick(names)]({ random, target, tell: tellerOf(act) })
    }
  }
  await Promise.all(Array.from({ length: laneCount }, lane))

  const why = () =>
    `What came last:\n${[...told.values()].join('\n')}\n${fleet.said('b')}\nseed ${seed}, act ${count}`
  assert.ok(isWell(), why())
  assert.equal(fleet.pid('b'), pid)
  await until(() => fleet.isWell('b'), why)
  await write(t, fleet, 'after.md')
  const bytes = memoryOf(pid)
  t.diagnostic(`${bytes} bytes of memory at most`)
  assert.ok(bytes < memoryBytesMax, `${bytes} bytes of memory`)

  // What it took of them does not end it the next time either.
  await fleet.kill('b')
  await fleet.start('b')
  await until(() => fleet.isWell('b'), why)
  await write(t, fleet, 'again.md')
  assert.ok(isWell(), why())
})

/** A person makes a file, writes, and is told that it is saved. */
async function write(t: TestContext, fleet: Fleet, name: string): Promise<void> {
  const client = connect({ servers: [fleet.address('b')], name: `Ana of ${name}`, agent: 'test' })
  t.after(() => client.close())
  const { id } = await client.create(name, '')
  const document = client.open(id)
  await document.loaded
  document.text.insert(0, 'written')
  await until(
    () => client.save.name === 'saved',
    () => JSON.stringify(client.save),
  )
  assert.equal((await call(fleet.address('b'), 'ReadFile', { file: id })).body.text, 'written')
  client.close()
}

/** Some files that strangers know of, and bytes that were a text once. */
async function targetOf(fleet: Fleet): Promise<Target> {
  const address = fleet.address('b')
  const id = (number: number) => base64url(new Uint8Array(16).fill(number))
  await call(address, 'MakeDirectory', { path: 'dir', operation: id(1) })
  for (const [index, file] of ['x.md', 'dir/y.md', 'z.md'].entries()) {
    await call(address, 'SaveFile', { file, text: 'some text', operation: id(index + 2) })
  }
  const doc = new Y.Doc()
  doc.clientID = 1
  doc.getText(textRoot).insert(0, 'some text')
  doc.getText(textRoot).delete(2, 3)
  const bytes = [Y.encodeStateAsUpdate(doc), Y.encodeStateVector(doc), new Uint8Array(16)]
  const services = [AdminService, FolderService, SessionService, ReplicationService, Health]
  return {
    port: Number(new URL(fleet.address('b')).port),
    peer: { id: 'a', set: 'test' },
    rpcs: [...services, ServerReflection].flatMap(({ methods }) => methods),
    known: { ids: [1, 2, 3, 4].map(id), bytes },
  }
}

function memoryOf(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
  return Number(kilobytes) * 1024
}
