// A device that knew one life of a set meets another: two servers of one name stand for the two lives.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MemoryDevice } from '../src/adapters/storage/local-memory.ts'
import {
  connect,
  PuttingBack,
  FourfoldError,
  type Client,
  type KeptText,
  type LocalStorage,
  type Outlived,
} from '../src/client/index.ts'
import { startLone } from './lone-server.ts'
import { until } from './until.ts'
import { written } from './written.ts'

function person(
  t: TestContext,
  address: string,
  storage: LocalStorage,
  rest: { after?: Outlived; name?: string } = {},
): Client {
  const options = { servers: [address], name: 'Ada', agent: 'test', storage }
  const client = connect({ ...options, ...rest })
  t.after(() => client.close())
  return client
}

const kept = (client: Client) => client.keptTexts.map(({ path, text }) => `${path}: ${text}`).sort()

test('what a device has of another life is offered, put back or forgotten, and never merged', async (t) => {
  const [before, now] = [await startLone(t), await startLone(t)]
  const device = new MemoryDevice()
  const first = person(t, before.address, device.open())
  await first.joined()
  const ids = [await written(first, 'a.md', 'one'), await written(first, 'b.md', 'two')]
  first.close()
  await before.stop()

  const second = person(t, now.address, device.open())
  let after: Outlived | undefined
  second.onOutlived((outlived) => (after = outlived))
  await assert.rejects(second.joined(), /The servers were emptied/)
  assert.deepEqual(after?.texts, [], 'the device has it')
  assert.equal(second.connection.name, 'outlived')

  const third = person(t, now.address, device.open(), { after: after! })
  await third.joined()
  await until(
    () => kept(third).length === 2,
    () => `${kept(third).join()}`,
  )
  assert.deepEqual(kept(third), ['a.md: one', 'b.md: two'])
  assert.equal(await third.isKept(ids[0]!), false, 'nothing of it is opened')
  const { keptTexts } = third
  const puttingBack = new PuttingBack(third, 'Kept by this device')
  const [one, two] = keptTexts.toSorted((a, b) => (a.path < b.path ? -1 : 1)) as [
    KeptText,
    KeptText,
  ]
  // The second name will not do: what was put back before is not kept here any more.
  await assert.rejects(puttingBack.put([one, { ...two, path: '../b.md' }]), FourfoldError)
  assert.deepEqual(kept(third), ['b.md: two'], 'what was not put back stays')
  const { id } = await puttingBack.put(third.keptTexts)
  assert.deepEqual(kept(third), [])
  const files = third.files.filter(({ parent }) => parent === id).map(({ path }) => path)
  assert.deepEqual(files.sort(), ['Kept by this device/a.md', 'Kept by this device/b.md'])
  third.close()
  const again = person(t, now.address, device.open(), { name: 'Eve' })
  await again.joined()
  assert.deepEqual(kept(again), [])
  const ended = (await device.open().get('lives')) as { earlier: string[] }
  assert.deepEqual(ended.earlier, [])
})

test('edits made without a server to a file that was deleted for good end here, and are offered', async (t) => {
  const { address } = await startLone(t)
  const device = new MemoryDevice()
  const first = person(t, address, device.open())
  await first.joined()
  const id = await written(first, 'plan.md', 'plan\n')
  const other = await written(first, 'other.md', 'other\n')
  first.close()
  // Nothing listens there, and it knows of no other.
  await device.open().set('addresses', [])
  const alone = person(t, 'http://127.0.0.1:1', device.open())
  for (const each of [id, other]) {
    const document = alone.open(each)
    await document.loaded
    document.text.insert(document.text.length, 'alone\n')
  }
  await until(
    () => alone.save.name === 'local',
    () => alone.save.name,
  )
  alone.close()
  const eve = person(t, address, new MemoryDevice().open(), { name: 'Eve' })
  await eve.joined()
  await eve.remove(id)
  await eve.erase(id)

  const back = person(t, address, device.open())
  await back.joined()
  // As a page does that shows it.
  const open = back.open(id)
  await until(
    () => kept(back).length === 1,
    () => `${kept(back).join()} ${back.save.name}`,
  )
  assert.deepEqual(back.keptTexts, [{ id, path: 'plan.md', text: 'plan\nalone\n', why: 'erased' }])
  await assert.rejects(open.stored(), { code: 'not-found' })
  assert.deepEqual(open.receipt().servers, [])
  open.close()
  await until(
    () => back.save.name === 'saved',
    () => back.save.name,
  )
  const theirs = eve.open(other)
  await until(
    () => theirs.text.toString() === 'other\nalone\n',
    () => theirs.text.toString(),
  )
  back.close()
  const later = person(t, address, device.open(), { name: 'Ada again' })
  await until(
    () => kept(later).length === 1,
    () => kept(later).join(),
  )
  await later.forgetKept(later.keptTexts)
  assert.deepEqual(await device.open().get('erased'), [])
})
