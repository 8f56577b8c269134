// A disk of an old life of a set is started again beside the set's new life: real processes.

import assert from 'node:assert/strict'
import { cp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, type Client } from '../src/client/index.ts'
import { Fleet } from './fleet.ts'
import { until } from './until.ts'
import { written } from './written.ts'

const paths = (client: Client) => client.files.map(({ path }) => path).sort()

test('a disk of an old life that comes back is not joined with the set, and serves nobody', async (t) => {
  const fleet = await Fleet.start()
  t.after(() => fleet.end())
  const person = (name: string) => connect({ servers: fleet.addresses, name, agent: 'test' })
  const before = person('Ada')
  t.after(() => before.close())
  await before.joined()
  await written(before, 'old.md', 'of before\n')
  await fleet.same()
  before.close()
  await fleet.stop('d')
  const backup = join(fleet.directory, 'backup')
  await cp(fleet.data('d'), backup, { recursive: true })
  await fleet.start('d')
  await fleet.wipe()

  const now = person('Eve')
  t.after(() => now.close())
  let hasEnded = false
  now.onOutlived(() => (hasEnded = true))
  await now.joined()
  await written(now, 'new.md', 'of now\n')
  await fleet.same()
  await fleet.stop('d')
  await rm(fleet.data('d'), { recursive: true })
  await rename(backup, fleet.data('d'))
  await fleet.start('d')
  await until(
    () => fleet.said('d').includes('serves nobody: move its directory away'),
    () => fleet.said('d'),
  )
  assert.equal(await fleet.isWell('d'), false)
  for (const id of ['a', 'b', 'c']) {
    // The first that it meets is enough for it; the others dial a moment later.
    await until(
      () => fleet.said(id).includes('d holds another life of the set than this server'),
      () => fleet.said(id),
    )
    assert.equal(await fleet.isWell(id), true)
  }
  // Whoever was here goes on, and who comes finds what is of this life.
  await written(now, 'more.md', 'of now, too\n')
  const later = person('Bob')
  t.after(() => later.close())
  await later.joined()
  await until(
    () => paths(later).length === 2,
    () => paths(later).join(),
  )
  assert.deepEqual(paths(later), ['more.md', 'new.md'])
  assert.deepEqual(paths(now), ['more.md', 'new.md'])
  assert.equal(hasEnded, false)

  // What the log said is to be done.
  await fleet.stop('d')
  await rename(fleet.data('d'), join(fleet.directory, 'away'))
  await fleet.start('d')
  await fleet.well()
  assert.equal(await fleet.same(), 2)
})
