// Two servers with a slow line between them: what is long takes its time, and gets there.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { Fleet } from './fleet.ts'
import { Relay } from './relay.ts'
import { answered } from './requests.ts'

/** 512 KiB a second: what many homes send. A text of 2 MiB takes longer than silence may. */
const bytesPerMs = 512

async function start(t: TestContext): Promise<Fleet> {
  const fleet = await Fleet.create({ ids: ['a', 'b'] })
  const line = await Relay.to(fleet.address('b'), 0, bytesPerMs)
  t.after(async () => {
    line.close()
    await fleet.end()
  })
  // The first of two dials.
  fleet.route('a', { b: line.address })
  await fleet.startAll()
  await fleet.well()
  return fleet
}

async function save(fleet: Fleet, id: string, file: string, text: string): Promise<void> {
  await answered(fleet.address(id), 'SaveFile', { file, text })
}

test('what is long gets to another server over a slow line, and again when its disk was lost', async (t) => {
  const fleet = await start(t)
  const words = 'a long text '
  await save(fleet, 'a', 'long.md', words.repeat((2 * 1024 * 1024) / words.length))
  assert.equal(await fleet.same(), 1)
  await fleet.wipe(['b'])
  assert.equal(await fleet.same(), 1)
})
