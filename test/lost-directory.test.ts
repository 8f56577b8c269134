// A server whose data directory is removed under it: it notices, ends, and comes back from its peers.

import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { exitCodes } from '../src/cli/command.ts'
import { Fleet } from './fleet.ts'

async function call(address: string, method: string, request: object) {
  const response = await fetch(`${address}/fourfold.v1.FolderService/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
  return (await response.json()) as { text?: string; servers?: string[] }
}

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
  assert.equal(meanwhile.text, 'one\n')
  await fleet.start('a')
  await fleet.well()
  await fleet.kill('b')
  const again = await call(fleet.address('a'), 'ReadFile', { file: 'plan.md' })
  assert.equal(again.text, 'one\n')
})
