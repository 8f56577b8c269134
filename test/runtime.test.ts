// The loop around the minds: what happens when the disk fails, is full, or everybody comes at once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { create, type MessageInitShape } from '@bufbuild/protobuf'

import { memoryChannels } from '../src/adapters/channel/memory.ts'
import { random } from '../src/adapters/system.ts'
import type { FourfoldError } from '../src/core/model/errors.ts'
import { subjectId, type ReplicaId } from '../src/core/model/ids.ts'
import {
  callsMax,
  sessionsMax,
  sessionsPerAddressMax,
  streamsMax,
  watchBacklogMax,
  watchUntakenMax,
} from '../src/core/model/limits.ts'
import {
  Code,
  PeerMessageSchema,
  type PeerMessage,
  type ServerMessage,
} from '../src/core/model/wire.ts'
import { Client, filed, Mute, serving, startRuntime } from './lone-runtime.ts'
import { until } from './until.ts'

const save = { type: 'save', file: 'x', text: 'x', baseVersion: '', operation: '' } as const
const operation = () => subjectId(random(16))

test('a client is greeted, and what it makes is stored before it is told', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const client = new Client(scene.runtime)
  client.greets('Ana')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  const id = operation()
  client.says({
    case: 'operation',
    value: { ticket: 1, id, operation: { case: 'create', value: { name: 'a.md', text: 'hi' } } },
  })
  await until(() => client.find('stored') !== undefined, 'stored')
  const stored = client.find('stored')!.value.holdings
  assert.deepEqual(
    stored.map(({ server, ticket }) => [server, ticket]),
    [['a', 1]],
  )
  const signal = new AbortController().signal
  const answer = await scene.runtime.calls.ask({ type: 'read', file: 'a.md' }, 'Ben', signal)
  assert.equal(answer.type === 'read' && answer.text, 'hi')
})

test('12 while long texts are read one after the other, others are heard between them', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const { runtime } = scene
  const signal = new AbortController().signal
  const text = 'all the same\n'.repeat(600_000)
  await runtime.calls.ask({ ...save, file: 'long.md', text, operation: operation() }, 'Ana', signal)
  const client = new Client(runtime)
  client.greets('Ben')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  let read = 0
  const reads = Array.from({ length: 10 }, async () => {
    await runtime.calls.ask({ type: 'read', file: 'long.md' }, 'Ana', new AbortController().signal)
    read++
  })
  const isAnswered = () => client.find('unavailable') !== undefined
  client.says({ case: 'open', value: { document: operation() } })
  for (let left = 1000; left > 0 && !isAnswered(); left--) await new Promise(setImmediate)
  assert.ok(isAnswered())
  assert.ok(read < reads.length, `${read} texts were read before`)
  await Promise.all(reads)
})

test('G14 after a failed write nothing is acknowledged, and everybody is sent elsewhere', async (t) => {
  const scene = startRuntime(t)
  const { runtime, world } = scene
  await serving(scene)
  const client = new Client(runtime)
  client.greets('Ana')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  world.diskError = new Error('EIO: the disk is gone')
  const call = runtime.calls.ask(
    { ...save, operation: operation() },
    'Ana',
    new AbortController().signal,
  )
  await assert.rejects(call, {
    code: 'unavailable',
    message: 'This server cannot save. Trying another.',
  })
  await until(() => client.closedWhy !== undefined, 'the client is closed')
  const refused = client.find('refused')!.value
  assert.equal(refused.code, Code.UNAVAILABLE)
  assert.equal(refused.text, 'This server cannot save. Trying another.')
  assert.equal(client.find('stored'), undefined)
  assert.equal(runtime.health, 'failed')
  await until(() => world.hasFailed, 'the process is to end')
  const errors = world.log.filter((line) => line.startsWith('error'))
  assert.deepEqual(errors, ['error cannot save any more, ending: EIO: the disk is gone'])
  const late = new Client(runtime)
  await until(() => late.closedWhy !== undefined, 'a late client is turned away')
  assert.equal(late.find('refused')?.value.code, Code.UNAVAILABLE)
})

test('12 on a nearly full disk nothing is taken until there is room', async (t) => {
  const scene = startRuntime(t, ['b'])
  const { runtime, world } = scene
  await serving(scene)
  const client = new Client(runtime)
  client.greets('Ana')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  world.isFull = true
  await until(() => runtime.health === 'full', 'it notices')
  await until(() => client.closedWhy !== undefined, 'the client is sent away')
  assert.equal(client.find('refused')?.value.text, 'This server cannot save. Trying another.')
  const signal = new AbortController().signal
  await assert.rejects(runtime.calls.ask({ ...save, operation: operation() }, 'Ana', signal), {
    code: 'unavailable',
  })
  const dials = world.dialled.length
  await sleep(1000)
  assert.equal(world.dialled.length, dials, 'peers get nothing from a server that takes nothing')
  world.isFull = false
  await until(() => runtime.health === 'ok', 'it goes on')
  const again = new Client(runtime)
  again.greets('Ana')
  await until(() => again.find('welcome') !== undefined, 'welcome again')
})

test('12 one client too many is sent elsewhere', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const clients = Array.from({ length: sessionsMax }, () => new Client(scene.runtime))
  const last = new Client(scene.runtime)
  await until(() => last.closedWhy !== undefined, 'the last is turned away')
  assert.equal(last.find('refused')?.value.text, 'This server is full. Trying another.')
  assert.ok(clients.every(({ closedWhy }) => closedWhy === undefined))
  assert.equal(scene.runtime.clientCount, sessionsMax)
})

test('12 of one address one client too many is refused, until another leaves', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const enter = () => new Client(scene.runtime, '192.0.2.1')
  const clients = Array.from({ length: sessionsPerAddressMax }, enter)
  const last = enter()
  await until(() => last.closedWhy !== undefined, 'the last is turned away')
  const refused = last.find('refused')!.value
  assert.equal(refused.code, Code.UNAVAILABLE)
  assert.match(refused.text, /^Too many sessions from your address; /)
  const other = new Client(scene.runtime, '192.0.2.2')
  other.greets('Ben')
  await until(() => other.find('welcome') !== undefined, 'another address is welcome')
  assert.ok(clients.every(({ closedWhy }) => closedWhy === undefined))
  clients[0]!.leaves()
  await until(() => scene.runtime.clientCount === sessionsPerAddressMax, 'one has left')
  const next = enter()
  next.greets('Ana')
  await until(() => next.find('welcome') !== undefined, 'the next is welcome')
})

test('12 one call too many is sent elsewhere, and a caller that goes away ends its call', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const gone = new AbortController()
  const watch = () => scene.runtime.calls.watch({ type: 'watch', file: '' }, 'Ana', gone.signal)
  const watches = Array.from({ length: streamsMax }, watch)
  const firsts = await Promise.all(watches.map((watch) => watch.next()))
  assert.ok(firsts.every(({ done }) => !done))
  const { signal } = new AbortController()
  const all = { directory: '', isRecursive: false, inTrash: false, count: 10 }
  const list = () => scene.runtime.calls.ask({ type: 'list', ...all }, 'Ben', signal)
  await assert.rejects(watch().next(), { code: 'unavailable' })
  const pattern = { text: 'x', ignoresCase: false, isRegex: false }
  const search = scene.runtime.calls.parts(
    { type: 'search', pattern, directory: '' },
    'Ben',
    signal,
  )
  await assert.rejects(search.next(), { code: 'unavailable' })
  // Those who watch take nothing from those who call.
  const lists = Array.from({ length: callsMax }, list)
  await assert.rejects(list(), { code: 'unavailable' })
  for (const answer of await Promise.all(lists)) assert.equal(answer.type, 'list')
  gone.abort()
  const ends = await Promise.all(watches.map((watch) => watch.next()))
  assert.ok(ends.every(({ done }) => done))
  assert.equal((await watch().next()).done, true)
  assert.equal((await list()).type, 'list')
})

test('a folder of any size can be watched: its listing is no backlog', async (t) => {
  const scene = startRuntime(t, [], watchBacklogMax + 1)
  await serving(scene)
  const gone = new AbortController()
  let present = 0
  for await (const answer of scene.runtime.calls.watch(
    { type: 'watch', file: '' },
    'Ana',
    gone.signal,
  )) {
    if (answer.type === 'watched' && answer.event === 'ready') break
    present++
  }
  assert.equal(present, watchBacklogMax + 1)
})

test('12 what watchers are told and do not take is bounded for all of them together', async (t) => {
  const files = 2000
  const scene = startRuntime(t, [], files)
  await serving(scene)
  const { signal } = new AbortController()
  const watch = () => scene.runtime.calls.watch({ type: 'watch', file: '' }, 'Ana', signal)
  /** What it is told up to its end, or until it is told all that is there. */
  const told = async (watching: ReturnType<typeof watch>) => {
    try {
      for await (const answer of watching) {
        if (answer.type === 'watched' && answer.event === 'ready') return 'all'
      }
      return 'nothing more'
    } catch (error) {
      return (error as FourfoldError).code
    }
  }
  const most = watchUntakenMax / files
  const watches = Array.from({ length: most + 3 }, watch)
  await Promise.all(watches.map((watching) => watching.next()))
  const outcomes: string[] = []
  for (const watching of watches) outcomes.push(await told(watching))
  assert.ok(outcomes.slice(0, most - 1).every((outcome) => outcome === 'all'))
  assert.equal(outcomes.at(-1), 'unavailable')
  assert.equal(await told(watch()), 'all', 'what was taken makes room')
})

test('12 what clients leave unread is bounded for all of them together: who left the most is cut', async (t) => {
  const files = 5000
  const unread = { bytesMax: 1024 * 1024, lookBytes: 256 * 1024 }
  const scene = startRuntime(t, [], files, { unread })
  await serving(scene)
  const reader = new Client(scene.runtime)
  reader.greets('Ana')
  await until(() => reader.find('entries') !== undefined, 'it is told the folder')
  const mutes = Array.from({ length: 20 }, (_, index) => new Mute(scene.runtime, `mute ${index}`))
  await until(() => mutes.some(({ closedWhy }) => closedWhy !== undefined), 'one is cut')
  await until(() => mutes.every(({ bytes }) => bytes > 0), 'all were told')
  const left = mutes.filter(({ closedWhy }) => closedWhy === undefined)
  const bytes = left.reduce((sum, mute) => sum + mute.bytes, 0)
  assert.ok(bytes <= unread.bytesMax + unread.lookBytes, `${bytes} bytes wait`)
  assert.ok(left.length > 0)
  assert.equal(reader.closedWhy, undefined)
})

test('what comes at once is taken a few at a time, in its order', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const client = new Client(scene.runtime)
  client.greets('Ana')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  const tickets = Array.from({ length: 300 }, (_, index) => index + 1)
  for (const ticket of tickets) {
    const value = { name: `${ticket}.md`, text: '' }
    client.says({
      case: 'operation',
      value: { ticket, id: operation(), operation: { case: 'create', value } },
    })
  }
  const done = () => client.heard.filter(({ case: what }) => what === 'done')
  await until(() => done().length === tickets.length, 'all of it is done')
  assert.deepEqual(
    done().map(({ value }) => value && 'ticket' in value && value.ticket),
    tickets,
  )
})

test('a stopping server says so, and then closes', async (t) => {
  const scene = startRuntime(t)
  await serving(scene)
  const clients = [new Client(scene.runtime), new Client(scene.runtime)]
  for (const [index, client] of clients.entries()) client.greets(`Ana ${index}`)
  await until(() => clients.every((client) => client.find('welcome')), 'welcome')
  await scene.runtime.stop()
  await until(() => clients.every(({ closedWhy }) => closedWhy !== undefined), 'all are closed')
  for (const client of clients) {
    assert.equal(client.find('goaway')?.value.text, 'This server is stopping. Trying another.')
  }
})

test('a peer that dials in is greeted, and one that leaves is dialled again', async (t) => {
  // Of two servers the one with the smaller id dials.
  const scene = startRuntime(t, ['b'])
  await until(() => scene.world.dialled.length >= 3, 'dialled again and again')
  const [here, there] = memoryChannels<PeerMessage, PeerMessage>()
  const heard: PeerMessage[] = []
  let isClosed = false
  there.listen({ received: (message) => heard.push(message), closed: () => (isClosed = true) })
  scene.engine.addPeer(here)
  await until(() => heard.length > 0, 'a hello')
  assert.equal(heard[0]!.message.case, 'hello')
  await until(() => isClosed, 'a peer that says nothing is closed')
})

test('G6 what one commit shows of other servers comes in one frame, however much it is', async (t) => {
  const scene = startRuntime(t, ['b'])
  await serving(scene)
  const client = new Client(scene.runtime)
  client.greets('Ana')
  await until(() => client.find('welcome') !== undefined, 'welcome')
  const [here, there] = memoryChannels<PeerMessage, PeerMessage>()
  there.listen({ received: () => {}, closed: () => {} })
  scene.engine.addPeer(here)
  const tell = (message: MessageInitShape<typeof PeerMessageSchema>['message']) =>
    there.send(create(PeerMessageSchema, { message }))
  const updates = filed(200, 'b' as ReplicaId)
  const origin = updates[0]!.origin
  tell({ case: 'hello', value: { replica: 'b', set: 'test', protocol: 1, origin } })
  tell({ case: 'updates', value: { updates } })
  const idsIn = (messages: ServerMessage['message'][]) =>
    messages.flatMap((message) =>
      message.case === 'entries' ? message.value.entries.map(({ id }) => id) : [],
    )
  await until(() => idsIn(client.heard).length >= updates.length, 'all of them')
  const frames = client.frames.map(idsIn).filter((ids) => ids.length > 0)
  assert.deepEqual(
    frames.map(({ length }) => length),
    [updates.length],
  )
})
