// A stranger claims to be a server of the set, or a server is broken: what it says ends no process, and
// what others stored stays.
//
//   FOURFOLD_SEED=7 npm test -- test/strangers/lying-peer.test.ts
//   FOURFOLD_LIES=5000 npm test -- test/strangers/lying-peer.test.ts

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { Random } from '../../sim/random.ts'
import { dialPeer } from '../../src/adapters/channel/grpc-peer.ts'
import { originOf, type ReplicaId } from '../../src/core/model/ids.ts'
import type { PeerMessage } from '../../src/core/model/wire.ts'
import { fourfold } from '../cli/prompt.ts'
import { Fleet } from '../fleet.ts'
import { call } from '../requests.ts'
import { until } from '../until.ts'
import { inWords, Liar, type Truth } from './lies.ts'

const seed = process.env['FOURFOLD_SEED'] ?? '1'
const lieCount = Number(process.env['FOURFOLD_LIES'] ?? 1000)

/** What was said last, for whoever looks for what ended the server. */
const toldMax = 12

const texts = { 'before.md': 'written before', 'dir/other.md': 'of another server' }

test(`13 a peer tells ${lieCount} lies, and nothing is lost by any`, async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b', 'c'], configuration: { safe: 1 } })
  t.after(() => fleet.end())
  const files = await write(fleet)
  await fleet.same()
  // In its name lies are told.
  await fleet.kill('a')
  const pid = fleet.pid('b')
  const isWell = () =>
    ['b', 'c'].every((id) => fleet.isRunning(id) && !fleet.said(id).includes('mistake of ours'))

  const told: string[] = []
  const seen = {}
  for (let count = 0; count < lieCount && isWell();) {
    const random = new Random(`${seed}/${count}`)
    const origin = originOf('a' as ReplicaId, random.bytes(10))
    const liar = new Liar(random, { set: 'test', origin, files, seen })
    count += await lied(fleet.address('b'), liar, random, { seen, tell: (text) => told.push(text) })
    told.splice(0, told.length - toldMax)
  }

  const why = () =>
    `What came last:\n${told.join('\n')}\n${fleet.said('b').slice(-3000)}\nseed ${seed}`
  assert.ok(isWell(), why())
  assert.equal(fleet.pid('b'), pid)
  await until(() => fleet.isWell('b'), why)
  assert.match(fleet.said('b'), /a peer was turned away: a says what cannot be/, why())
  const { out } = await fourfold(['status'], { servers: fleet.address('b') })
  assert.match(out, /turned away/)

  await isThere(fleet, ['b', 'c'], why)
  // The true one comes back and hears all of it, and what was taken ends nobody the next time either.
  await fleet.kill('b')
  await fleet.startAll(['a', 'b'])
  await fleet.well()
  await fleet.same()
  await isThere(fleet, ['a', 'b', 'c'], why)
  await call(fleet.address('c'), 'SaveFile', { file: 'after.md', text: 'goes on' })
  await until(async () => {
    const answer = await call(fleet.address('a'), 'ReadFile', { file: 'after.md' })
    return answer.body.text === 'goes on'
  }, why)
  assert.ok(isWell(), why())
})

/** On one channel: a greeting, a few lies; how many. What the other side greets with is listened to. */
async function lied(
  address: string,
  liar: Liar,
  random: Random,
  { seen, tell }: { seen: Truth['seen']; tell: (text: string) => void },
): Promise<number> {
  const channel = await dialPeer(address, { deadlineMs: 10_000 }).catch(() => undefined)
  // It ended: told by whoever counts.
  if (!channel) return 1
  let isOver = false
  channel.listen({
    received: ({ message }) => {
      if (message.case === 'hello') Object.assign(seen, message.value.vector?.seen)
    },
    closed: () => (isOver = true),
  })
  const say = (message: PeerMessage) => {
    tell(inWords(message))
    try {
      channel.send(message)
    } catch {
      // Some of it no library writes.
    }
  }
  const isSpoilt = random.chance(0.05)
  say(liar.hello(isSpoilt))
  if (random.chance(0.5)) say(liar.sound())
  let count = 0
  for (let left = random.between(1, 4); left > 0 && !isOver; left--) {
    say(liar.lie())
    count++
    await sleep(random.pick([0, 1, 3]))
  }
  channel.close('all is said')
  return count
}

/** Files of two servers; their ids. */
async function write(fleet: Fleet): Promise<string[]> {
  await call(fleet.address('b'), 'MakeDirectory', { path: 'dir' })
  const [first, second] = Object.entries(texts)
  const files: string[] = []
  for (const [[file, text], id] of [[first!, 'b'] as const, [second!, 'c'] as const]) {
    await until(async () => {
      const { body } = await call(fleet.address(id), 'SaveFile', { file, text })
      if (body.file) files.push(body.file.id as string)
      return body.file !== undefined
    })
  }
  return files
}

async function isThere(fleet: Fleet, ids: string[], why: () => string): Promise<void> {
  for (const id of ids) {
    for (const [file, text] of Object.entries(texts)) {
      const answer = await call(fleet.address(id), 'ReadFile', { file })
      const found = String(answer.body.text)
      // What is spoilt may be another text by chance, and that is an edit.
      assert.ok(found.includes(text), `"${found}" is ${file} at ${id}: ${why()}`)
    }
  }
}
