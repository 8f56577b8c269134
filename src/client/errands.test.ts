// What was asked of the folder: kept on the device, also when it could not write at first.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDevice } from '../adapters/storage/local-memory.ts'
import { Errands } from './errands.ts'
import { Files } from './files.ts'
import { Keepsake } from './keepsake.ts'

function asked(id: string) {
  const value = { $typeName: 'fourfold.v1.Delete' as const, entry: 'E' }
  return { operation: { id, operation: { case: 'delete' as const, value } }, hasEffect: false }
}

async function errandsOn(device: MemoryDevice) {
  const keepsake = new Keepsake(device.open(), new Uint8Array(16), () => {})
  await keepsake.begin()
  let keptCount = 0
  const errands = new Errands({
    keepsake,
    files: new Files({ isOfAll: true }),
    changed: () => {},
    kept: () => keptCount++,
  })
  const kept = async () => {
    const next = new Keepsake(device.open(), new Uint8Array(16).fill(1), () => {})
    return (await next.begin()).operations.map(({ id }) => id)
  }
  return { errands, kept, told: () => keptCount }
}

test('what the device could not keep is kept when it can again, though nothing more is asked', async (t) => {
  const device = new MemoryDevice()
  const { errands, kept, told } = await errandsOn(device)
  let at = 0
  t.mock.method(performance, 'now', () => at)
  device.failure = 'the disk is full'
  errands.look([asked('O')])
  await errands.written
  assert.ok(!errands.isKept('O'))
  device.failure = undefined
  at = 4999
  errands.look([asked('O')])
  await errands.written
  assert.ok(!errands.isKept('O'))
  at = 5000
  errands.look([asked('O')])
  await errands.written
  assert.ok(errands.isKept('O'))
  assert.deepEqual(await kept(), ['O'])
  assert.equal(told(), 1)
})

test('what is done is not asked for again, though the device could not forget it at once', async (t) => {
  const device = new MemoryDevice()
  const { errands, kept } = await errandsOn(device)
  let at = 0
  t.mock.method(performance, 'now', () => at)
  errands.look([asked('O')])
  await errands.written
  device.failure = 'the disk is full'
  errands.look([])
  await errands.written
  device.failure = undefined
  at = 5000
  errands.look([])
  await errands.written
  assert.deepEqual(await kept(), [])
})
