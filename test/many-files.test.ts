// Many files changed at once, on real servers of which some die in the middle: all is done, once, and
// what could not be done is told.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { connect, type Client } from '../src/client/index.ts'
import type { ReplicaId } from '../src/core/model/ids.ts'
import { severalMax } from '../src/core/model/limits.ts'
import { FolderService } from '../src/core/model/wire.ts'
import { fillStore, freshId } from './filled-store.ts'
import { Fleet } from './fleet.ts'
import { program } from './tool.ts'
import { until } from './until.ts'

const count = 6 * severalMax

const planted = Array.from({ length: count }, (_, number) => {
  const name = `old ${String(number).padStart(4, '0')}.md`
  return { id: freshId(), name, parent: '', text: `line of ${number}\n`, isInTrash: true }
})
const ids = planted.map(({ id }) => id)
/** Somebody took it out of the trash again. */
const wanted = planted[700]!

async function filled(t: TestContext): Promise<Fleet> {
  const fleet = await Fleet.start({
    prepare: async (fleet) => {
      for (const id of fleet.ids) {
        const owner = { directory: fleet.data(id), set: 'test', replica: id as ReplicaId }
        await fillStore(owner, planted)
      }
    },
  })
  t.after(() => fleet.end())
  return fleet
}

function folderOf(fleet: Fleet, id: string) {
  return createClient(FolderService, createGrpcTransport({ baseUrl: fleet.address(id) }))
}

async function countInTrash(fleet: Fleet, id: string): Promise<number> {
  return (await folderOf(fleet, id).listFiles({ inTrash: true, pageSize: 1 })).count
}

/** All servers, those that died among them, have what is wanted and nothing else. */
async function isEmptied(fleet: Fleet, dead: string[]): Promise<void> {
  await Promise.all(dead.map((id) => fleet.start(id)))
  await fleet.well()
  await fleet.same()
  for (const id of fleet.ids) {
    assert.equal(await countInTrash(fleet, id), 0)
    const { files } = await folderOf(fleet, id).listFiles({})
    assert.deepEqual(
      files.map(({ name }) => name),
      [wanted.name],
    )
  }
}

async function eraseIn(client: Client, parts: string[][], ended: () => Promise<void>) {
  const left = parts.values()
  const undone: string[] = []
  const work = async () => {
    for (const part of left) {
      const refused = await client.changeSeveral(part, { name: 'erase' })
      undone.push(...refused.map(({ id }) => id))
      await ended()
    }
  }
  await Promise.all([work(), work(), work()])
  return undone
}

test('a trash is emptied while two servers die, and what was restored stays and is told', async (t) => {
  const fleet = await filled(t)
  const ana = connect({ servers: fleet.addresses, name: 'Ana', agent: 'test', folder: 'shown' })
  t.after(() => ana.close())
  await ana.joined()
  await ana.restore(wanted.id)
  await until(async () => {
    const counts = await Promise.all(fleet.ids.map((id) => countInTrash(fleet, id)))
    return counts.every((each) => each === count - 1)
  }, 'the restored file on every server')
  const parts = Array.from({ length: count / severalMax }, (_, part) =>
    ids.slice(part * severalMax, (part + 1) * severalMax),
  )
  const dead: string[] = []
  // Others are on their way to it then.
  const undone = await eraseIn(ana, parts, async () => {
    const { connection } = ana
    if (dead.length === 2 || connection.name !== 'online') return
    // It may not know yet that this one is gone.
    if (dead.includes(connection.server)) return
    dead.push(connection.server)
    await fleet.kill(connection.server)
  })
  assert.deepEqual(undone, [wanted.id])
  assert.equal(dead.length, 2)
  await isEmptied(fleet, dead)
})

test('fourfold trash --empty goes on at another server, each file once', async (t) => {
  const fleet = await filled(t)
  await folderOf(fleet, 'a').restoreFile({ file: wanted.id })
  const servers = ['--servers', fleet.addresses.join()]
  const emptied = promisify(execFile)(process.execPath, [program, 'trash', '--empty', ...servers])
  await until(async () => (await countInTrash(fleet, 'b')) < count - 1, 'the first part at b')
  await fleet.kill('a')
  const { stdout, stderr } = await emptied
  assert.match(stdout, new RegExp(`^deleted for good: ${count - 1} entries, `))
  assert.equal(stderr, '')
  await isEmptied(fleet, ['a'])
})
