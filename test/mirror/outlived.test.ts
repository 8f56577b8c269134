// All servers lose their disks while people are there: nothing is said to be saved that is not, nothing
// is doubled when they are filled again, and what only a device has left is offered to its person.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { MemoryDevice } from '../../src/adapters/storage/local-memory.ts'
import { connect, type Client, type Outlived, type LocalStorage } from '../../src/client/index.ts'
import { until } from '../until.ts'
import { four, fourfold, stage, type Mirrored } from './mirrors.ts'

/** A program that makes a new client whenever the servers live another life, as the page does. */
class Person {
  readonly storage: LocalStorage | undefined
  readonly #servers: string[]
  client: Client
  outlived = 0

  constructor(t: TestContext, servers: string[], storage: LocalStorage | undefined) {
    this.#servers = servers
    this.storage = storage
    this.client = this.#connect()
    t.after(() => this.client.close())
  }

  #connect(after?: Outlived): Client {
    const client = connect({
      servers: this.#servers,
      name: 'Ada',
      agent: 'test',
      ...(after && { after }),
      ...(this.storage && { storage: this.storage }),
    })
    client.onOutlived((outlived) => {
      this.outlived++
      this.client = this.#connect(outlived)
    })
    return client
  }

  async write(id: string, text: string): Promise<void> {
    const document = this.client.open(id)
    await document.loaded
    document.text.insert(document.text.length, text)
    await document.stored()
  }

  kept(): { [path: string]: string } {
    return Object.fromEntries(this.client.keptTexts.map(({ path, text }) => [path, text]))
  }

  async read(id: string): Promise<string> {
    const document = this.client.open(id)
    await document.loaded
    const text = document.text.toString()
    document.close()
    return text
  }
}

const keptIs = (person: Person, expected: { [path: string]: string }) =>
  until(
    () => JSON.stringify(person.kept()) === JSON.stringify(expected),
    () => `${JSON.stringify(person.kept())} and not ${JSON.stringify(expected)}`,
  )

for (const [what, device] of [
  ['a device that keeps texts', new MemoryDevice()],
  ['a program that keeps nothing', undefined],
] as const) {
  test(`emptied and filled again, no text is doubled or lost: ${what}`, async (t) => {
    const { fleet, mirrors, servers } = await stage(t, 1, four)
    const [mirror] = mirrors as [Mirrored]
    const ada = new Person(t, fleet.addresses, device?.open())
    await ada.client.joined()
    const directory = await ada.client.makeDirectory('specs')
    const plan = await ada.client.create('plan.md', 'plan\n')
    const launch = await ada.client.create('launch.md', '', directory.id)
    await ada.write(plan.id, 'first\n')
    await ada.write(launch.id, 'first\n')
    const { code, err } = await fourfold(['mirror', mirror.directory, '--once'], servers)
    assert.equal(code, 0, err)
    await ada.write(launch.id, 'after the mirror\n')
    const receipt = ada.client.open(launch.id).receipt()
    assert.equal(receipt.servers.length, 4)
    const before = ada.client

    await fleet.wipe()
    await until(
      () => ada.outlived === 1,
      () => `it is ${ada.client.connection.name}`,
    )
    assert.equal(before.connection.name, 'outlived')
    assert.notEqual(before.save.name, 'saved')
    await keptIs(ada, {
      'plan.md': 'plan\nfirst\n',
      'specs/launch.md': 'first\nafter the mirror\n',
    })
    assert.deepEqual(ada.client.files, [])

    const reseeded = await fourfold(['reseed', mirror.directory], servers)
    assert.deepEqual([reseeded.code, reseeded.err], [0, ''])
    // What is there word for word needs no word.
    await keptIs(ada, { 'specs/launch.md': 'first\nafter the mirror\n' })
    assert.equal(await ada.read(plan.id), 'plan\nfirst\n')
    assert.equal(await ada.read(launch.id), 'first\n')
    await ada.write(plan.id, 'saved again\n')
    assert.equal((await fourfold(['cat', 'plan.md'], servers)).out, 'plan\nfirst\nsaved again\n')
    assert.equal(ada.outlived, 1)
    if (device) {
      // Another tab, or the same after a reload, is offered the same.
      const later = new Person(t, fleet.addresses, device.open())
      await keptIs(later, { 'specs/launch.md': 'first\nafter the mirror\n' })
      assert.equal(await later.read(plan.id), 'plan\nfirst\nsaved again\n')
      assert.equal(later.outlived, 0)
      later.client.close()
    }
    await ada.client.forgetKept(ada.client.keptTexts)
    assert.deepEqual(ada.kept(), {})
    if (device) assert.ok((await device.open().documents()).every((id) => id.includes('/')))
  })
}

test('a device that was away meanwhile pushes nothing of before into the new life', async (t) => {
  const { fleet, mirrors, servers } = await stage(t, 1, four)
  const [mirror] = mirrors as [Mirrored]
  const device = new MemoryDevice()
  const ada = new Person(t, fleet.addresses, device.open())
  await ada.client.joined()
  const plan = await ada.client.create('plan.md', 'plan\n')
  await ada.write(plan.id, 'first\n')
  await fourfold(['mirror', mirror.directory, '--once'], servers)
  for (const id of fleet.ids) await fleet.kill(id)
  const document = ada.client.open(plan.id)
  document.text.insert(document.text.length, 'written without a server\n')
  await until(
    () => ada.client.save.name === 'local',
    () => ada.client.save.name,
  )
  ada.client.close()
  for (const id of fleet.ids) await fleet.start(id)
  await fleet.wipe()
  const reseeded = await fourfold(['reseed', mirror.directory], servers)
  assert.deepEqual([reseeded.code, reseeded.err], [0, ''])
  const back = new Person(t, fleet.addresses, device.open())
  await keptIs(back, { 'plan.md': 'plan\nfirst\nwritten without a server\n' })
  assert.equal(await back.read(plan.id), 'plan\nfirst\n')
  assert.equal((await fourfold(['cat', 'plan.md'], servers)).out, 'plan\nfirst\n')
})

test('three servers may be emptied: the life goes on, and nobody is told anything', async (t) => {
  const { fleet } = await stage(t, 0, four)
  const ada = new Person(t, fleet.addresses, undefined)
  await ada.client.joined()
  const plan = await ada.client.create('plan.md', 'plan\n')
  await ada.write(plan.id, 'first\n')
  await fleet.wipe(fleet.ids.slice(0, 3))
  await ada.write(plan.id, 'second\n')
  assert.equal(ada.outlived, 0)
  assert.equal(await ada.read(plan.id), 'plan\nfirst\nsecond\n')
})
