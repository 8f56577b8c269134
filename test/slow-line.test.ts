// Two servers with a slow line between them: what is long takes its time, and gets there.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test, type TestContext } from 'node:test'

import { Fleet } from './fleet.ts'
import { Relay } from './relay.ts'

/** 512 KiB a second: what many homes send. A text of some MiB takes longer than silence may. */
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
  const answer = await fetch(`${fleet.address(id)}/fourfold.v1.FolderService/SaveFile`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ file, text }),
  })
  assert.equal(answer.status, 200, await answer.text())
}

const long = (words: string) => words.repeat(Math.ceil((3 * 1024 * 1024) / words.length))

test('a long text gets to another server over a slow line', async (t) => {
  const fleet = await start(t)
  await save(fleet, 'a', 'long.md', long('a long text '))
  assert.equal(await fleet.same(), 1)
})

test('an empty disk is filled over a slow line', async (t) => {
  const fleet = await start(t)
  for (const number of [1, 2]) await save(fleet, 'a', `${number}.md`, long(`text ${number} `))
  await fleet.same()
  await fleet.kill('b')
  rmSync(fleet.data('b'), { recursive: true })
  await fleet.start('b')
  await fleet.well()
  assert.equal(await fleet.same(), 2)
})
