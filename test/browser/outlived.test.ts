// All four servers lose their disks while a page is open, and are filled again from a mirror.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fourfold } from '../mirror/mirrors.ts'
import { readFile } from '../siege/whole-files.ts'
import { until } from '../until.ts'
import { Stage } from './stage.ts'

let stage: Stage
let folder: string
before(async () => {
  stage = await Stage.start()
  folder = mkdtempSync(join(tmpdir(), 'fourfold-outlived-'))
})
after(async () => {
  await stage.end()
  rmSync(folder, { recursive: true })
})

test('a page tells that the servers were emptied, shows each text once, and offers what it had', async () => {
  const { fleet } = stage
  // A server whose disk is empty answers nobody before all are there.
  stage.expect(/^Failed to load resource: the server responded with a status of 503 /)
  const servers = fleet.addresses.join(',')
  const ana = await stage.join('Ana', 'a')
  await ana.create('plan.md')
  await ana.type('the plan')
  await ana.create('launch.md')
  await ana.type('to the moon')
  await ana.chip('Saved · 4/4').waitFor()
  const mirrored = await fourfold(['mirror', folder, '--once'], servers)
  assert.equal(mirrored.code, 0, mirrored.err)
  await ana.type(' and back')
  await ana.chip('Saved · 4/4').waitFor()

  await fleet.wipe()
  const bar = ana.page.getByRole('alert').filter({ hasText: 'The servers were emptied' })
  await bar.getByText('2 texts are only on this device').waitFor()
  assert.equal(await ana.editor.count(), 0, 'the servers have no such file')

  const reseeded = await fourfold(['reseed', folder], servers)
  assert.deepEqual([reseeded.code, reseeded.err], [0, ''])
  await bar.getByText('launch.md is only on this device').waitFor()
  await ana.isAt('launch.md')
  assert.equal(await ana.editor.innerText(), 'to the moon')
  await ana.open('plan.md')
  assert.equal(await ana.editor.innerText(), 'the plan')
  await ana.type('!')
  const [address] = fleet.addresses as [string]
  const isSaved = async () => (await readFile(address, 'plan.md')).includes('!')
  await until(isSaved, () => readFile(address, 'plan.md'))

  await bar.getByRole('button', { name: 'Decide…' }).click()
  const dialog = ana.page.getByRole('dialog', { name: 'Only on this device' })
  await dialog.getByText('to the moon and back').waitFor()
  await dialog.getByRole('button', { name: 'Put in “Kept by this device”' }).click()
  await bar.waitFor({ state: 'detached' })
  const put = await readFile(address, 'Kept by this device/launch.md')
  assert.equal(put, 'to the moon and back')
  assert.equal(await readFile(address, 'launch.md'), 'to the moon')
  await stage.clear()
})
