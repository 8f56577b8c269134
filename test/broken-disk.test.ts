// A server whose disk hangs or fails ends all the same, within a bound, and says why.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { exitCodes } from '../src/cli/command.ts'
import { Fleet } from './fleet.ts'
import { root } from './tool.ts'
import { until } from './until.ts'

const plan = { file: 'plan.md', text: 'one\n' }

/** Two servers. The disk of `a` breaks as `broken-writes.ts` says. */
async function start(t: TestContext): Promise<Fleet> {
  const fleet = await Fleet.start({
    ids: ['a', 'b'],
    nodeFlags: ['--import', join(root, 'test/broken-writes.ts')],
    within: (id, each) => ['env', `BROKEN_DISK=${id === 'a' ? placeIn(each) : ''}`],
  })
  t.after(() => fleet.end())
  return fleet
}

const placeIn = (fleet: Fleet) => join(fleet.directory, 'broken')

/** They, when `a` hangs at its disk with an edit that nobody was told to be stored. */
async function hanging(t: TestContext): Promise<Fleet> {
  const fleet = await start(t)
  execFileSync('mkfifo', [placeIn(fleet)])
  const address = fleet.address('a')
  // It has no answer before the end of the server.
  call(address, 'FolderService/SaveFile', plan).catch(() => {})
  const hangs = async () => (await call(address, 'AdminService/GetStatus', {})).status === 503
  await until(hangs, 'its disk hangs')
  return fleet
}

function call(address: string, method: string, request: object): Promise<Response> {
  return fetch(`${address}/fourfold.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
}

async function healthOf(fleet: Fleet, id: string): Promise<string> {
  const answer = await fetch(`${fleet.address(id)}/healthz`)
  return ((await answer.json()) as { status: string }).status
}

test('a server that is told to end while its disk hangs ends by itself, and says so', async (t) => {
  const fleet = await hanging(t)
  const { code } = await fleet.stop('a')
  assert.match(fleet.said('a'), /error a: the disk of \S+ hangs: ended without it; all that /)
  assert.equal(code, exitCodes.store)
})

test('told twice it ends at once, whatever hangs', async (t) => {
  const fleet = await hanging(t)
  const ended = fleet.stop('a')
  // The first signal is heard when no request is taken any more.
  await until(async () => (await healthOf(fleet, 'a')) === 'stopping', 'it is ending')
  process.kill(fleet.pid('a'), 'SIGTERM')
  assert.equal((await ended).code, exitCodes.failed)
})

test('G14 a server that can no longer save ends, though a write hangs', async (t) => {
  const fleet = await hanging(t)
  rmSync(join(fleet.data('a'), 'store.sqlite'))
  await fleet.gone('a')
  const [fallen] = fleet.takeFallen()
  assert.match(fallen!.said, /cannot save any more, ending: /)
  assert.equal((await fleet.kill('a')).code, exitCodes.store)
})

test('G14 a server whose file is damaged under it says what to do, and ends', async (t) => {
  const fleet = await start(t)
  const once = { ...plan, operation: Buffer.alloc(16).toString('base64url') }
  // What was written before lies in the file, and not in its log.
  await fleet.stop('a')
  await fleet.start('a')
  await fleet.well()
  const file = join(fleet.data('a'), 'store.sqlite')
  const bytes = readFileSync(file)
  writeFileSync(file, bytes.fill(255, 4096), { flag: 'r+' })
  // Whether it was done before is read.
  await call(fleet.address('a'), 'FolderService/SaveFile', once).catch(() => {})
  await fleet.gone('a')
  const [fallen] = fleet.takeFallen()
  assert.match(
    fallen!.said,
    /error a: cannot save any more, ending: .* move the directory away and/,
  )
  assert.equal((await fleet.kill('a')).code, exitCodes.store)
  assert.ok(existsSync(join(fleet.data('a'), 'suspect')))
})

test('G14 after a failed write a server tells nothing of what it could not store', async (t) => {
  const fleet = await start(t)
  writeFileSync(placeIn(fleet), '')
  const address = fleet.address('a')
  const saving = call(address, 'FolderService/SaveFile', plan)
  let isOver = false
  void fleet.gone('a').then(() => (isOver = true))
  while (!isOver) {
    const answer = await call(address, 'AdminService/GetStatus', {}).catch(() => undefined)
    const status = answer?.ok ? ((await answer.json()) as { entries?: number }) : {}
    assert.equal(status.entries ?? 0, 0)
  }
  assert.equal((await saving).status, 503)
})
