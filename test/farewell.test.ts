// Who was at a server that stops in good order is not taken for present afterwards.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { WebSocket } from 'ws'

import { random } from '../src/adapters/system.ts'
import { presenceLifeMs } from '../src/core/model/limits.ts'
import {
  HelloSchema,
  sessionProtocol,
  SessionRequestSchema,
  SessionResponseSchema,
} from '../src/core/model/wire.ts'
import { Fleet } from './fleet.ts'

/** Somebody comes to a server under this name: 'welcome', or 'refused'. */
async function greet(t: TestContext, address: string, name: string): Promise<string | undefined> {
  const socket = new WebSocket(`${address.replace('http', 'ws')}/session`)
  t.after(() => socket.terminate())
  await once(socket, 'open')
  const hello = create(HelloSchema, { key: random(16), name, protocol: sessionProtocol })
  const messages = [{ message: { case: 'hello' as const, value: hello } }]
  socket.send(toBinary(SessionRequestSchema, create(SessionRequestSchema, { messages })))
  const [frame] = (await once(socket, 'message')) as [Buffer]
  return fromBinary(SessionResponseSchema, frame).messages[0]?.message.case
}

test('a server that stops tells the others who has left', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  const [a, b] = [fleet.address('a'), fleet.address('b')]
  assert.equal(await greet(t, a, 'Ana'), 'welcome')
  // What servers tell each other keeps its order: b hears that Ana came, and that she left.
  await fleet.stop('a')
  // Without a word she would be taken for present for as long as that lasts.
  const stoppedAt = performance.now()
  while ((await greet(t, b, 'Ana')) !== 'welcome') {
    assert.ok(performance.now() - stoppedAt < presenceLifeMs, 'b still takes her for present')
  }
})
