// A server whose data directory is removed under it: it notices, ends, and comes back from its peers.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { exitCodes } from '../src/cli/command.ts'
import { Fleet } from './fleet.ts'
import { call } from './requests.ts'
import { until } from './until.ts'

test('G14 a server whose directory is removed ends, and fills itself anew', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  await call(fleet.address('a'), 'SaveFile', { file: 'plan.md', text: 'one\n' })
  await fleet.same()
  // All in it: that the directory itself is gone shows in other ways too.
  const directory = fleet.data('a')
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true })
  await fleet.gone('a')
  const [fallen] = fleet.takeFallen()
  assert.equal(fallen?.id, 'a')
  assert.match(
    fallen.said,
    /cannot save any more, ending: \S+ was removed or replaced while it was in use; start again: /,
  )
  const { code } = await fleet.kill('a')
  assert.equal(code, exitCodes.store)
  const meanwhile = await call(fleet.address('b'), 'ReadFile', { file: 'plan.md' })
  assert.equal(meanwhile.body.text, 'one\n')
  await fleet.start('a')
  await fleet.well()
  await fleet.kill('b')
  const again = await call(fleet.address('a'), 'ReadFile', { file: 'plan.md' })
  assert.equal(again.body.text, 'one\n')
})

test('G14 so does one whose bytes of files are removed', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  const bytes = Buffer.from([0, 1, 2, 3])
  const hash = createHash('sha256').update(bytes).digest('hex')
  const place = (id: string) => join(fleet.data(id), 'blobs', hash.slice(0, 2), hash.slice(2))
  await fetch(`${fleet.address('a')}/dav/film.bin`, { method: 'PUT', body: bytes })
  await until(() => existsSync(place('a')) && existsSync(place('b')), 'both have it')
  rmSync(join(fleet.data('a'), 'blobs'), { recursive: true })
  await fleet.gone('a')
  assert.match(fleet.takeFallen()[0]!.said, /\/blobs was removed or replaced while it was in use/)
  await fleet.start('a')
  await fleet.well()
  await until(() => existsSync(place('a')), 'it comes from the other')
})
