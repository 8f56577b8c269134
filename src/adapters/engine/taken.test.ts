// An engine whose disk takes in at once and flushes later: what leaves waits for the flush.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as untilOthersRan } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { originOf, subjectId, type ReplicaId } from '../../core/model/ids.ts'
import { peerQueueBytesMax, peerWindowBytesMax } from '../../core/model/limits.ts'
import {
  CaretSchema,
  EphemeralSchema,
  PresenceSchema,
  type PeerMessage,
} from '../../core/model/wire.ts'
import type { Batch, Channel, ChannelListener } from '../../core/ports.ts'
import { isHeartbeat } from '../../core/replication/messages.ts'
import { Replication } from '../../core/replication/replication.ts'
import { MemoryDisk, MemoryStorage } from '../storage/memory.ts'
import { random } from '../system.ts'
import { heldMax, ReplicaSetEngine } from './replica-set.ts'

const a = 'a' as ReplicaId
const b = 'b' as ReplicaId

/** Takes updates in at once; each flush is finished by hand. */
class TakingStorage extends MemoryStorage {
  readonly flushes: PromiseWithResolvers<void>[] = []
  readonly failure = Promise.withResolvers<Error>()
  override readonly failed = this.failure.promise

  override take(batch: Batch): Promise<void> | undefined {
    if (batch.isComplete || batch.life !== undefined) return undefined
    this.commit(batch)
    const flush = Promise.withResolvers<void>()
    this.flushes.push(flush)
    return flush.promise
  }
}

async function set(context: TestContext) {
  const storage = new TakingStorage(new MemoryDisk())
  const { reader } = storage
  const servers = [a, b].map((id) => ({ id, address: `http://127.0.0.1/${id}` }))
  const engineOf = (replica: ReplicaId) => {
    const origin = originOf(replica, random(10))
    const set = { now: 0, replica, set: 'test', origin, reader, servers, isFirst: replica === a }
    return { origin, replication: new Replication(set) }
  }
  let now = 0
  const failures: string[] = []
  const appended: number[] = []
  const { origin, replication } = engineOf(a)
  const dial = () => Promise.reject(new Error('nobody is there'))
  const engine = new ReplicaSetEngine({
    replication,
    storage,
    origin,
    now: () => now,
    dial,
    log() {},
  })
  engine.listen({
    event: (event) => event.type === 'appended' && appended.push(event.tag),
    failed: ({ message }) => failures.push(message),
  })
  // However the test ends, nothing is left to wait for.
  context.after(() => {
    for (const flush of storage.flushes) flush.resolve()
    return engine.close()
  })
  while (reader.life() === '') await untilOthersRan()

  // The other server, as far as it says hello and listens.
  const heard: PeerMessage[] = []
  const closings: string[] = []
  let listener: ChannelListener<PeerMessage> | undefined
  const channel: Channel<PeerMessage, PeerMessage> = {
    send: (message) => heard.push(message),
    queuedBytes: () => 0,
    close(why) {
      closings.push(why)
      listener!.closed(why)
    },
    listen: (given) => (listener = given),
  }
  engine.addPeer(channel)
  await untilOthersRan()
  const [hello] = heard.splice(0)
  assert.ok(hello?.message.case === 'hello')
  const value = { ...hello.message.value, replica: b, origin: originOf(b, random(10)) }
  listener!.received({ ...hello, message: { case: 'hello', value } })
  await untilOthersRan()

  const news = () => heard.splice(0).filter((message) => !isHeartbeat(message))
  const append = async (tag: number, text = `text ${tag}`) => {
    const doc = new Y.Doc()
    doc.getText('text').insert(0, text)
    const body = { case: 'text' as const, value: Y.encodeStateAsUpdate(doc) }
    const subject = subjectId(random(16))
    engine.ask({ type: 'append', tag, update: { subject, author: '', at: 0, operation: '', body } })
    await untilOthersRan()
  }
  const asks = async () => {
    const value = { $typeName: 'fourfold.v1.Gossip' as const }
    listener!.received({ ...hello, message: { case: 'gossip', value } })
    await untilOthersRan()
  }
  const pass = (ms: number) => (now += ms)
  return { engine, storage, heard, news, append, asks, closings, appended, failures, pass }
}

const sequences = (messages: PeerMessage[]) =>
  messages.flatMap(({ message }) =>
    message.case === 'updates' ? message.value.updates.map(({ seq }) => seq) : [],
  )

test('minds go on at once; peers and others hear when it is stored, in order', async (context) => {
  const { engine, storage, news, append, appended, heard, pass } = await set(context)
  news()
  const left: string[] = []
  await append(1)
  engine.whenStored(() => left.push('first'))
  await append(2)
  engine.whenStored(() => left.push('second'))
  assert.deepEqual(appended, [1, 2])
  assert.equal(storage.flushes.length, 2)
  assert.deepEqual(left, [])
  assert.deepEqual(news(), [])
  // A slow disk makes no server a dead one.
  pass(5000)
  while (!heard.some(isHeartbeat)) await untilOthersRan()
  assert.deepEqual(news(), [])

  storage.flushes[1]!.resolve()
  await untilOthersRan()
  assert.deepEqual([left, news()], [[], []])
  storage.flushes[0]!.resolve()
  await untilOthersRan()
  assert.deepEqual(left, ['first', 'second'])
  assert.deepEqual(sequences(news()), [1, 2])
  await engine.close()
})

test('a flush that fails ends the engine, and nothing held is ever told', async (context) => {
  const { storage, engine, news, append, failures } = await set(context)
  news()
  const left: string[] = []
  await append(1)
  engine.whenStored(() => left.push('held'))
  await append(2)
  storage.flushes[0]!.reject(new Error('the disk is gone'))
  await untilOthersRan()
  storage.flushes[1]!.resolve()
  await untilOthersRan()
  assert.deepEqual(failures, ['the disk is gone'])
  assert.deepEqual([left, news()], [[], []])
})

test('what waits for the disk counts as queued for a peer, and goes with its channel', async (context) => {
  const { storage, news, append, asks, closings } = await set(context)
  const text = 'x'.repeat(peerWindowBytesMax)
  await append(1, text)
  // It waits as it was pushed, and once more each time the peer asks.
  const windows = peerQueueBytesMax / text.length
  for (let waiting = 2; waiting < windows; waiting++) await asks()
  assert.deepEqual(closings, [])
  await asks()
  assert.deepEqual(closings, ['too much waits to be sent to it'])
  news()
  storage.flushes[0]!.resolve()
  await untilOthersRan()
  assert.deepEqual(news(), [])
})

test('who left is told however much waits, and where a caret is only where little does', async (context) => {
  const { storage, engine, news, append } = await set(context)
  const session = 's'.repeat(16)
  const tell = async () => {
    const caret = create(CaretSchema, { document: 'd', session, state: '{}' })
    const noCaret = create(CaretSchema, { document: 'd', session, state: '' })
    const presence = create(PresenceSchema, { session, name: 'ana', isHere: false })
    for (const topic of [
      { case: 'caret' as const, value: caret },
      { case: 'caret' as const, value: noCaret },
      { case: 'presence' as const, value: presence },
    ]) {
      engine.ask({ type: 'send', ephemeral: create(EphemeralSchema, { topic }) })
    }
    await untilOthersRan()
  }
  const told = () =>
    news().flatMap(({ message }) => {
      if (message.case !== 'ephemeral') return []
      const { topic } = message.value
      return [topic.case === 'caret' ? `caret ${topic.value.state}` : topic.case]
    })
  await append(1)
  await tell()
  storage.flushes[0]!.resolve()
  await untilOthersRan()
  assert.deepEqual(told(), ['caret {}', 'caret ', 'presence'])
  await append(2)
  for (let waiting = 0; waiting <= heldMax; waiting++) engine.whenStored(() => {})
  await tell()
  storage.flushes[1]!.resolve()
  await untilOthersRan()
  assert.deepEqual(told(), ['caret ', 'presence'], 'much waits for the disk')
  await append(3, 'x'.repeat(peerWindowBytesMax))
  storage.flushes[2]!.resolve()
  await untilOthersRan()
  await tell()
  assert.deepEqual(told(), ['caret ', 'presence'], 'much waits for the other server')
})

test('a disk that fails while nobody waits for it ends the engine', async (context) => {
  const { storage, append, failures } = await set(context)
  await append(1)
  storage.flushes[0]!.resolve()
  await untilOthersRan()
  storage.failure.resolve(new Error('the file takes nothing'))
  await untilOthersRan()
  assert.deepEqual(failures, ['the file takes nothing'])
})

test('an engine that closes tells first what it holds', async (context) => {
  const { storage, engine, news, append } = await set(context)
  news()
  await append(1)
  const closed = engine.close()
  await untilOthersRan()
  assert.deepEqual(news(), [])
  storage.flushes[0]!.resolve()
  await closed
  assert.deepEqual(sequences(news()), [1])
})
