// A device that lost the keys of its earlier sessions: what they wrote and did not send can be sent by
// nobody, and is told and kept.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MemoryDevice } from '../src/adapters/storage/local-memory.ts'
import { connect, type Client, type LocalStorage } from '../src/client/index.ts'
import { sessionOf } from '../src/core/model/ids.ts'
import { earlierKeysMax } from '../src/core/model/limits.ts'
import { startLone } from './lone-server.ts'
import { until } from './until.ts'
import { written } from './written.ts'

function person(t: TestContext, address: string, device: MemoryDevice, name = 'Ada'): Client {
  const client = connect({ servers: [address], name, agent: 'test', storage: device.open() })
  t.after(() => client.close())
  return client
}

const kept = (client: Client) => client.keptTexts.map(({ path, text, why }) => [path, text, why])

/** Somebody writes without a server, and goes. */
async function writeAlone(t: TestContext, device: MemoryDevice, id: string): Promise<void> {
  const storage = device.open()
  const before = await storage.load(id)
  const alone = person(t, 'http://127.0.0.1:1', device)
  const document = alone.open(id)
  await document.loaded
  document.text.insert(document.text.length, ' alone')
  await until(
    async () => (await storage.load(id)).updates.length > before.updates.length,
    'it is kept',
  )
  alone.close()
}

/** Two files, and a device with words in one of them that no server has. */
async function lost(t: TestContext, lose: (storage: LocalStorage) => Promise<void>) {
  const { address } = await startLone(t)
  const device = new MemoryDevice()
  const first = person(t, address, device)
  const id = await written(first, 'plan.md', 'plan')
  const other = await written(first, 'other.md', 'other')
  first.close()
  // Nothing listens there, and it knows of no other.
  await device.open().set('addresses', [])
  await writeAlone(t, device, id)
  await lose(device.open())
  return { address, device, id, other }
}

test('unsent words whose key is lost are kept as a text, and their file goes on', async (t) => {
  const { address, device, id, other } = await lost(t, (storage) => storage.set('keys', undefined))
  const back = person(t, address, device)
  await until(
    () => back.keptTexts.length > 0,
    () => JSON.stringify(back.save),
  )
  assert.deepEqual(kept(back), [['plan.md', 'plan alone', 'unsent']])
  await until(async () => !(await back.isKept(id)), 'its copy is let go of')
  assert.ok(await back.isKept(other), 'what servers have stays')
  const document = back.open(id)
  await document.loaded
  document.text.insert(document.text.length, ', on')
  await document.stored()
  assert.equal(document.text.toString(), 'plan, on')
  await back.forgetKept(back.keptTexts)
  back.close()
  const later = person(t, address, device, 'Ada again')
  await later.joined()
  await until(() => later.save.name === 'saved' && later.save.of === 1, 'nothing is looked for')
  assert.deepEqual(kept(later), [])
})

test('so it is with a damaged record, and a file that is open; its copy goes with its program', async (t) => {
  const { address, device, id } = await lost(t, (storage) =>
    storage.set('keys', { session: { key: 'no bytes' } }),
  )
  const back = person(t, address, device)
  const document = back.open(id)
  await until(
    () => back.keptTexts.length > 0,
    () => JSON.stringify(back.save),
  )
  assert.deepEqual(kept(back), [['plan.md', 'plan alone', 'unsent']])
  assert.equal(document.text.toString(), 'plan alone')
  // Nobody takes this either: it comes to stand in what is kept.
  document.text.insert(document.text.length, ', on')
  await back.forgetKept(back.keptTexts)
  back.close()
  const later = person(t, address, device, 'Ada again')
  const again = later.open(id)
  await again.loaded
  assert.equal(again.text.toString(), 'plan')
  await until(
    () => later.keptTexts.length > 0,
    () => JSON.stringify(later.save),
  )
  assert.deepEqual(kept(later), [['plan.md', 'plan alone, on', 'unsent']])
  again.text.insert(again.text.length, '!')
  await again.stored()
})

test('so it is with the oldest of more sessions than a server hears keys of', async (t) => {
  const others = Array.from({ length: earlierKeysMax }, (_, index) => {
    const key = new Uint8Array(16).fill(1 + index)
    return [sessionOf(key), { key, documents: [], at: Date.now() + 60_000 }]
  })
  const { address, device, other } = await lost(t, (storage) =>
    storage.change('keys', (value) => Object.assign(Object.fromEntries(others.slice(1)), value)),
  )
  await writeAlone(t, device, other)
  const back = person(t, address, device)
  await until(
    () => back.keptTexts.length > 0,
    () => JSON.stringify(back.save),
  )
  assert.deepEqual(kept(back), [['plan.md', 'plan alone', 'unsent']])
  const sent = person(t, address, new MemoryDevice(), 'Eve').open(other)
  await until(
    () => sent.text.toString() === 'other alone',
    () => sent.text.toString(),
  )
})
