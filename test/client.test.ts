// The SDK against real servers: what people write survives servers that die and programs that end.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as Y from 'yjs'
import { webSockets } from '../src/adapters/channel/websocket-client.ts'
import { MemoryDevice } from '../src/adapters/storage/local-memory.ts'
import { SessionClient } from '../src/client/client.ts'
import { connect, FourfoldError, type Client, type LiveDocument } from '../src/client/index.ts'
import type { DialListener, Wire } from '../src/core/ports.ts'
import { Fleet } from './fleet.ts'
import { call } from './requests.ts'
import { patienceMs, until } from './until.ts'

let fleet: Fleet

before(async () => {
  fleet = await Fleet.start()
})

after(async () => {
  await fleet.end()
})

/** A set of one server, for what happens without any. */
async function loneServer(t: TestContext): Promise<Fleet> {
  const lone = await Fleet.start({ ids: ['a'] })
  t.after(() => lone.end())
  return lone
}

interface Who {
  device?: MemoryDevice
  /** The server first asked. */
  at?: string
  of?: Fleet
}

/** Ends with the test, whatever becomes of it. */
function client(t: TestContext, name: string, { device, at = 'a', of = fleet }: Who = {}): Client {
  const made = connect({
    servers: [of.address(at)],
    name,
    agent: 'test',
    ...(device && { storage: device.open() }),
  })
  t.after(() => made.close())
  return made
}

let people = 0

/** Somebody whom no server remembers from the test before. */
function person(t: TestContext, who?: Who): Client {
  return client(t, `Person ${++people}`, who)
}

const saysItIsOn = (made: Client, count: number) => () =>
  made.save.name === 'saved' && made.save.servers.length === count

/** A file that all of these have open. */
async function shared(name: string, ...clients: Client[]): Promise<LiveDocument[]> {
  const file = await clients[0]!.create(name, '')
  const documents = clients.map((each) => each.open(file.id))
  await Promise.all(documents.map(({ loaded }) => loaded))
  return documents
}

/** Starts what is not running, and waits until all are well. */
async function restore(): Promise<void> {
  for (const id of fleet.ids) {
    if (fleet.isFrozen(id)) fleet.thaw(id)
    else if (!fleet.isRunning(id)) await fleet.start(id)
  }
  await fleet.well()
}

test('two people on different servers see each other’s letters and carets', async (t) => {
  const ada = person(t)
  const ben = person(t, { at: 'c' })
  await Promise.all([ada.joined(), ben.joined()])
  const [hers, his] = await shared('together.md', ada, ben)
  hers!.text.insert(0, 'Hello')
  await until(() => his!.text.toString() === 'Hello', 'Ben reads it')
  his!.text.insert(5, ' Ada')
  const { servers, of } = await his!.stored()
  assert.deepEqual([servers.length >= 2, of], [true, 4])
  const all = ['a', 'b', 'c', 'd']
  await until(() => his!.receipt().servers.join() === all.join(), 'it is on all')
  await until(() => hers!.text.toString() === 'Hello Ada', 'Ada reads it')
  await until(() => hers!.awareness.getStates().has(his!.doc.clientID), 'Ada sees Ben')
  assert.deepEqual(ben.files.find(({ id }) => id === hers!.id)?.name, 'together.md')
  his!.close()
  await until(() => !hers!.awareness.getStates().has(his!.doc.clientID), 'Ben is gone')
})

test('three servers are killed one after another: every edit is taken, 1/4, then 4/4', async (t) => {
  t.after(restore)
  const ada = person(t)
  await ada.joined()
  const [document] = await shared('killed.md', ada)
  const dead: string[] = []
  for (let round = 0; round < 3; round++) {
    const { connection } = ada
    assert.ok(connection.name === 'online')
    dead.push(connection.server)
    const killed = fleet.kill(connection.server)
    document!.text.insert(document!.text.length, `${round} `)
    await killed
    await until(() => document!.receipt().servers.length > 0, 'another server has it')
    await until(() => {
      const { connection } = ada
      return connection.name === 'online' && !dead.includes(connection.server)
    }, 'she is at another server')
  }
  await until(saysItIsOn(ada, 1), 'it says 1/4')
  for (const server of dead) assert.ok(ada.moves.some(({ from }) => from === server))
  await restore()
  await until(saysItIsOn(ada, 4), 'it says 4/4')
  assert.equal(document!.text.toString(), '0 1 2 ')
})

test('a frozen server is overtaken: the next edit is taken well within 2.5 s', async (t) => {
  t.after(restore)
  const ada = person(t)
  await ada.joined()
  const [document] = await shared('frozen.md', ada)
  document!.text.insert(0, 'a')
  await document!.stored()
  await until(() => ada.servers.every(({ state }) => state === 'live'), 'there is a standby')
  await sleep(500)
  const { connection } = ada
  assert.ok(connection.name === 'online')
  fleet.freeze(connection.server)
  document!.text.insert(1, 'b')
  await until(() => document!.receipt().servers.length > 0, 'another server has it')
  assert.notDeepEqual(ada.connection, connection)
})

/** Whether a server would let somebody in under this name. */
async function mayBeCalled(name: string, server: string): Promise<boolean> {
  const { status } = await call(fleet.address(server), 'SignIn', { name })
  return status === 200
}

test('a name that is taken is refused with a sentence, another one is let in', async (t) => {
  const ada = client(t, 'Grace')
  await ada.joined()
  // The other server lets nobody have the name as soon as it has heard of her.
  await until(async () => !(await mayBeCalled('Grace', 'b')), 'b has heard of her')
  const other = client(t, 'Grace', { at: 'b' })
  await assert.rejects(other.joined(), (error) => {
    assert.ok(error instanceof FourfoldError)
    assert.equal(error.code, 'taken')
    assert.match(error.message, /Grace/)
    return true
  })
  assert.equal(other.connection.name, 'refused')
  other.retry({ name: 'Grace 2' })
  await other.joined()
  assert.equal(other.name, 'Grace 2')
})

test('an operation that breaks a rule fails with a code and a sentence', async (t) => {
  const ada = person(t)
  await ada.joined()
  const file = await ada.create('operations.md', 'text')
  await assert.rejects(ada.rename(file.id, '..'), { name: 'FourfoldError', code: 'invalid' })
  await assert.rejects(ada.create('operations.md', ''), { name: 'FourfoldError', code: 'taken' })
  await ada.remove(file.id)
  assert.ok(ada.files.find(({ id }) => id === file.id)!.isDeleted)
  await ada.restore(file.id)
  const { servers } = await ada.rename(file.id, 'renamed.md')
  assert.ok(servers.length > 0)
  await until(() => ada.files.some(({ name }) => name === 'renamed.md'), 'it has its name')
})

test('directories: made, moved, put in the trash and restored; all see the same paths', async (t) => {
  const ada = person(t)
  const ben = person(t, { at: 'c' })
  await Promise.all([ada.joined(), ben.joined()])
  const seen = (made: Client, id: string) => made.files.find((file) => file.id === id)
  const path = (id: string) => seen(ben, id)?.path

  const specs = await ada.makeDirectory('directories')
  assert.equal(specs.kind, 'directory')
  const old = await ada.makeDirectory('old', specs.id)
  const plan = await ada.create('plan.md', 'text', old.id)
  assert.equal(plan.parent, old.id)
  assert.equal(plan.path, 'directories/old/plan.md')
  await until(() => path(plan.id) === plan.path, 'Ben sees it')
  await ben.move(plan.id, specs.id, 'idea.md')
  await until(() => seen(ada, plan.id)?.path === 'directories/idea.md', 'Ada sees it')
  await ada.rename(specs.id, 'renamed directories')
  await until(() => path(plan.id) === 'renamed directories/idea.md', 'Ben sees that')

  await ben.remove(specs.id)
  await until(() => seen(ada, plan.id)?.isDeleted === true, 'Ada sees it go')
  assert.equal(seen(ada, plan.id)?.isInTrashItself, false)
  assert.equal(seen(ada, specs.id)?.isInTrashItself, true)
  assert.equal(seen(ada, plan.id)?.deletedBy, ben.name)
  await assert.rejects(ada.create('late.md', '', specs.id), {
    code: 'not-found',
    message: 'No such directory.',
  })
  await assert.rejects(ada.restore(plan.id), { code: 'invalid' })
  await ada.restore(specs.id)
  await until(() => seen(ben, plan.id)?.isDeleted === false, 'Ben sees it come')

  await assert.rejects(ben.move(specs.id, old.id), {
    code: 'invalid',
    message: 'A directory cannot lie in itself.',
  })
  await assert.rejects(ben.move(old.id, plan.id), { code: 'not-found' })
  await ben.move(old.id, '')
  await until(() => seen(ada, old.id)?.path === 'old', 'Ada sees it above')
  // Only what is text can be opened as text.
  const document = ada.open(old.id)
  document.close()
  await ben.remove(specs.id)
  await ben.remove(old.id)
})

test('two people move two directories into each other while their servers do not meet', async (t) => {
  const set = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => set.end())
  const ada = client(t, 'Ada', { of: set })
  await ada.joined()
  const one = await ada.makeDirectory('one')
  const two = await ada.makeDirectory('two')
  await ada.create('x.md', '', one.id)
  // Each server alone in its turn: neither knows of the other's move.
  await set.kill('b')
  const first = await ada.move(one.id, two.id)
  assert.deepEqual(first.servers, ['a'])
  // A client that stays would bring her move to the other server.
  ada.close()
  await set.kill('a')
  await set.start('b')
  const ben = client(t, 'Ben', { at: 'b', of: set })
  await ben.joined()
  await until(() => ben.filesAreCurrent && ben.files.length === 3, 'Ben sees both')
  await ben.move(two.id, one.id)
  await set.start('a')
  const eve = client(t, 'Eve', { of: set })
  await eve.joined()
  const paths = (made: Client) => made.files.map((file) => file.path).sort()
  // Both counters are the same: then that of b is the later one, and "two" stays at the top.
  const expected = ['two', 'two/one', 'two/one/x.md']
  await until(
    () => [eve, ben].every((made) => JSON.stringify(paths(made)) === JSON.stringify(expected)),
    'both see the same',
  )
})

test('what was typed without servers is brought by the next program on the device', async (t) => {
  const lone = await loneServer(t)
  const device = new MemoryDevice()
  const ada = person(t, { device, of: lone })
  await ada.joined()
  const [document] = await shared('device.md', ada)
  document!.text.insert(0, 'on servers')
  await document!.stored()
  await lone.kill('a')
  const kept = (await device.open().load(document!.id)).updates.length
  document!.text.insert(0, 'on this device, ')
  await until(() => ada.save.name === 'local', 'it is shown')
  assert.ok((await device.open().load(document!.id)).updates.length > kept)
  ada.close()
  await lone.start('a')

  // Nobody opens the document: the key and the text are enough.
  const again = person(t, { device, of: lone })
  await again.joined()
  const ben = person(t, { of: lone })
  await ben.joined()
  const his = ben.open(document!.id)
  await until(() => his.text.toString() === 'on this device, on servers', 'Ben reads it')
})

test('G6 what a dead server alone had is brought by a program that was closed and begun again', async (t) => {
  const set = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => set.end())
  const device = new MemoryDevice()
  const ada = person(t, { device, of: set })
  const ben = person(t, { of: set })
  await Promise.all([ada.joined(), ben.joined()])
  const [hers, his] = await shared('reloaded.md', ada, ben)
  await set.kill('b')
  his!.text.insert(0, 'Why?')
  await until(() => hers!.text.toString() === 'Why?', 'Ada reads it')
  await set.kill('a')
  hers!.text.insert(4, ' Because.')
  const isKept = async () => (await keptText(device, hers!.id)) === 'Why? Because.'
  await until(isKept, 'all of it is on her device')
  ben.close()
  ada.close()
  await set.start('b')

  const again = person(t, { device, at: 'b', of: set })
  const eve = person(t, { at: 'b', of: set })
  await Promise.all([again.joined(), eve.joined()])
  const theirs = eve.open(hers!.id)
  await until(() => theirs.text.toString() === 'Why? Because.', 'Eve reads both')
})

async function keptText(device: MemoryDevice, id: string): Promise<string> {
  const doc = new Y.Doc()
  for (const update of (await device.open().load(id)).updates) Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}

/** A client whose network can be taken away. */
function mobile(t: TestContext, name: string, who: { device: MemoryDevice; of: Fleet }) {
  const options = {
    servers: [who.of.address('a')],
    name,
    agent: 'test',
    storage: who.device.open(),
  }
  const dial = webSockets()
  const wires = new Map<Wire, DialListener>()
  let isCut = false
  const made = new SessionClient(options, (address, listener) => {
    if (isCut) throw new Error('there is no network')
    const wire = dial(address, listener)
    wires.set(wire, listener)
    return wire
  })
  t.after(() => made.close())
  const cut = () => {
    isCut = true
    for (const [wire, listener] of wires) {
      wire.close('cut')
      listener.closed('cut')
    }
  }
  return { client: made, cut }
}

test('what a program keeps the others on its device bring when it ends, and not before', async (t) => {
  const lone = await loneServer(t)
  const device = new MemoryDevice()
  const { client: ada, cut } = mobile(t, 'Ada', { device, of: lone })
  await ada.joined()
  const [document] = await shared('kept.md', ada)
  document!.text.insert(0, 'on servers')
  await document!.stored()
  const eve = person(t, { device, of: lone })
  await eve.joined()
  const [hers] = await shared('by Eve.md', eve)
  cut()
  document!.text.insert(0, 'on this device, ')
  await until(() => ada.save.name === 'local', 'it is shown')
  // She is asked nothing by a program that begins meanwhile.
  const late = person(t, { device, of: lone })
  await late.joined()
  await ada.create('made.md', 'made alone')
  hers!.text.insert(0, 'stored')
  await hers!.stored()
  await late.open(hers!.id).stored()
  const ben = person(t, { of: lone })
  await ben.joined()
  const his = ben.open(document!.id)
  await his.loaded
  assert.equal(his.text.toString(), 'on servers')
  assert.ok(!ben.files.some(({ name }) => name === 'made.md'))

  ada.close()
  await until(() => his.text.toString() === 'on this device, on servers', 'Ben reads it')
  await until(() => ben.files.some(({ name }) => name === 'made.md'), 'Ben has it')
  const keys = async () => Object.keys(((await device.open().get('keys')) ?? {}) as object)
  await until(async () => (await keys()).length === 0, 'nothing is left to be brought')
})

test('two programs of one person on one device go on under one name when a server dies', async (t) => {
  t.after(restore)
  const device = new MemoryDevice()
  const ada = client(t, 'Twin', { device })
  await ada.joined()
  const [document] = await shared('twin.md', ada)
  document!.text.insert(0, 'x')
  await document!.stored()
  // The device keeps the key of that edit for a while, and so the other is let in.
  const twin = client(t, 'Twin', { device })
  await twin.joined()
  assert.ok(ada.connection.name === 'online')
  const { server } = ada.connection
  await fleet.kill(server)
  const isElsewhere = () => ada.connection.name === 'online' && ada.connection.server !== server
  const isRefused = () => ada.connection.name === 'refused'
  await until(() => isElsewhere() || isRefused(), 'another server answers')
  assert.ok(!isRefused())
  document!.text.insert(0, 'y')
  await document!.stored()
})

test('more texts than are brought at once are brought one after another', async (t) => {
  const lone = await loneServer(t)
  const device = new MemoryDevice()
  const ada = person(t, { device, of: lone })
  await ada.joined()
  const names = Array.from({ length: 40 }, (_, index) => `of many ${index}.md`)
  const documents = (await Promise.all(names.map((name) => shared(name, ada)))).flat()
  await lone.kill('a')
  for (const { text } of documents) text.insert(0, 'on this device')
  await until(() => ada.save.name === 'local', 'it is shown')
  ada.close()
  await lone.start('a')

  await person(t, { device, of: lone }).joined()
  const ben = person(t, { of: lone })
  await ben.joined()
  const his = documents.map(({ id }) => ben.open(id))
  await until(() => his.every(({ text }) => text.toString() === 'on this device'), 'Ben reads all')
})

test('files and texts are here from the device before any server answers', async (t) => {
  const lone = await loneServer(t)
  const device = new MemoryDevice()
  const ada = person(t, { device, of: lone })
  await ada.joined()
  const [document] = await shared('here.md', ada)
  document!.text.insert(0, 'here')
  await document!.stored()
  let isListed = false
  await until(() => {
    const look = device.open().get('entries')
    void look.then((entries) => (isListed = (entries as unknown[] | undefined)?.length === 1))
    return isListed
  }, 'the list is kept')
  ada.close()
  await lone.kill('a')
  const again = person(t, { device, of: lone })
  const reopened = again.open(document!.id)
  await reopened.loaded
  assert.equal(reopened.text.toString(), 'here')
  await until(() => again.files.some(({ name }) => name === 'here.md'), 'the file is listed')
  assert.ok(!again.filesAreCurrent)
})

test('no server and no room on the device: it says that closing would lose edits', async (t) => {
  const lone = await loneServer(t)
  const device = new MemoryDevice()
  const ada = person(t, { device, of: lone })
  await ada.joined()
  const [document] = await shared('danger.md', ada)
  device.failure = 'the disk is full'
  await lone.kill('a')
  document!.text.insert(0, 'x')
  await until(() => ada.save.name === 'danger', 'it is said')
  assert.deepEqual(ada.save, { name: 'danger', waiting: 1, earlier: 0, why: 'the disk is full' })
  await lone.start('a')
  await until(() => document!.receipt().servers.length === 1, 'it is saved')
  await until(saysItIsOn(ada, 1), 'it says so')
})

test('more text than the outbox keeps arrives whole', async (t) => {
  const ada = person(t)
  const ben = person(t, { at: 'b' })
  await Promise.all([ada.joined(), ben.joined()])
  const [hers, his] = await shared('large.md', ada, ben)
  const line = 'Ein ganzer Absatz, öfter. '
  hers!.text.insert(0, line.repeat(220_000))
  await hers!.stored()
  await until(() => his!.text.length === line.length * 220_000, 'Ben has it')
  assert.equal(his!.text.toString(), hers!.text.toString())
})

test('half a surrogate pair becomes U+FFFD before it is in the text', async (t) => {
  const ada = person(t)
  const ben = person(t)
  await Promise.all([ada.joined(), ben.joined()])
  const [hers, his] = await shared('surrogates.md', ada, ben)
  hers!.text.insert(0, 'a\ud83db')
  hers!.text.applyDelta([{ retain: 3 }, { insert: '\udc00!' }])
  assert.equal(hers!.text.toString(), 'a\ufffdb\ufffd!')
  await until(() => his!.text.toString() === 'a\ufffdb\ufffd!', 'Ben reads the same')
})

test('a document may be opened twice, and closed and opened again', async (t) => {
  const ada = person(t)
  await ada.joined()
  const [one] = await shared('twice.md', ada)
  const two = ada.open(one!.id)
  assert.equal(two, one)
  one!.close()
  two.text.insert(0, 'x')
  two.close()
  const three = ada.open(one!.id)
  await three.loaded
  assert.equal(three.text.toString(), 'x')
  await three.stored()
})

test('a closed client answers with a sentence, and its process ends', async (t) => {
  t.after(restore)
  const ada = person(t)
  await ada.joined()
  ada.close()
  await assert.rejects(ada.create('late.md', ''), { code: 'unavailable' })

  const file = fileURLToPath(new URL('client-that-ends.ts', import.meta.url))
  const child = spawn(process.execPath, [file, fleet.address('a')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'message')
  // Nobody answers its goodbye.
  for (const id of fleet.ids) fleet.freeze(id)
  child.send('close')
  const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(patienceMs) })
  assert.equal(code, 0)
})
