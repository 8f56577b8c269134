// A client that shows directories, against real servers: it is told of what it shows, and of nothing else.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connect, type Client } from '../src/client/index.ts'
import type { ReplicaId } from '../src/core/model/ids.ts'
import { fillStore, freshId, type Planted } from './filled-store.ts'
import { Fleet } from './fleet.ts'
import { untilShown } from './until.ts'

const files = 20_000
const large = freshId()

const planted: Planted[] = [
  { id: large, name: 'large', parent: '' },
  { id: freshId(), name: 'readme.md', parent: '', text: 'hello' },
  ...Array.from({ length: files }, (_, count) => {
    return { id: freshId(), name: `file ${count}.md`, parent: large, text: '' }
  }),
]

let fleet: Fleet
const clients: Client[] = []
before(async () => {
  fleet = await Fleet.create({ ids: ['a', 'b'] })
  for (const id of fleet.ids) {
    const owner = { directory: fleet.data(id), set: 'test', replica: id as ReplicaId }
    await fillStore(owner, planted)
  }
  await fleet.startAll()
  await fleet.well()
})
after(async () => {
  for (const client of clients) client.close()
  await fleet.end()
})

function join(name: string, folder: 'whole' | 'shown'): Client {
  const client = connect({ servers: fleet.addresses, name, agent: 'test', folder })
  clients.push(client)
  return client
}

const namesIn = (client: Client) => client.files.map(({ path }) => path).toSorted()

test('20,000 files in a closed directory are told to nobody who does not open it', async () => {
  const ada = join('ada', 'shown')
  const end = ada.show('', 'open')
  await untilShown(ada, () => ada.isWhole(''))
  assert.deepEqual(namesIn(ada), ['large', 'readme.md'])

  // Nor what happens in there.
  const ben = join('ben', 'whole')
  await untilShown(ben, () => ben.filesAreCurrent)
  assert.equal(ben.files.length, files + 2)
  const hidden = await ben.create('hidden.md', '', large)
  const seen = await ben.create('seen.md', '')
  await untilShown(ada, () => ada.files.some(({ id }) => id === seen.id))
  assert.deepEqual(namesIn(ada), ['large', 'readme.md', 'seen.md'])

  // Opened it is there, and gone when it is closed.
  const close = ada.show(large, 'open')
  await untilShown(ada, () => ada.isWhole(large))
  assert.equal(ada.files.length, files + 4)
  await ben.move(hidden.id, '')
  await untilShown(ada, () => ada.files.some(({ path }) => path === 'hidden.md'))
  close()
  assert.deepEqual(namesIn(ada), ['hidden.md', 'large', 'readme.md', 'seen.md'])
  end()
  assert.deepEqual(ada.files, [])
})

test('what is made, opened and looked up where nobody looks is told to who did that', async () => {
  const ada = join('ada 2', 'shown')
  const made = await ada.create('mine.md', 'text', large)
  assert.equal(made.path, 'large/mine.md')
  await untilShown(ada, () => ada.files.length === 0)

  const open = ada.open(made.id)
  await open.loaded
  await untilShown(ada, () => ada.files.length > 0)
  assert.deepEqual(namesIn(ada), ['large', 'large/mine.md'])
  await ada.rename(made.id, 'ours.md')
  await untilShown(ada, () => namesIn(ada).includes('large/ours.md'))
  open.close()
  await untilShown(ada, () => ada.files.length === 0)

  assert.equal((await ada.look(made.id))?.path, 'large/ours.md')
  assert.equal(await ada.look(freshId()), undefined)
})

test('a directory goes on being shown when its server is killed', async () => {
  const ada = join('ada 3', 'shown')
  const ben = join('ben 3', 'whole')
  ada.show('', 'open')
  await untilShown(ada, () => ada.isWhole('') && ada.connection.name === 'online')
  await untilShown(ben, () => ben.filesAreCurrent)
  const server = ada.connection.name === 'online' ? ada.connection.server : ''
  await fleet.kill(server)
  const late = await ben.create('after the end of it.md', '')
  await untilShown(ada, () => ada.files.some(({ id }) => id === late.id))
  await fleet.start(server)
  await fleet.well()
})
