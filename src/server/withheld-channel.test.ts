// What a client is told waits for the disk, and is not kept for a client that is gone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as untilOthersRan } from 'node:timers/promises'
import { memoryChannels } from '../adapters/channel/memory.ts'
import { Withheld } from '../adapters/engine/withheld.ts'
import { withheld } from './withheld-channel.ts'

function channels() {
  const [engine, flush] = [new Withheld(), Promise.withResolvers<void>()]
  void engine.until(flush.promise)
  const [near, client] = memoryChannels<Uint8Array, Uint8Array>(({ length }) => length)
  const server = withheld(near, engine)
  server.listen({ received() {}, closed() {} })
  const heard: string[] = []
  client.listen({
    received: (frame) => heard.push(Buffer.from(frame).toString()),
    closed: (why) => heard.push(why),
  })
  return { server, client, heard, flush }
}

test('what a client is told, and the end, wait for the disk, and what rests on none does not', async () => {
  const { server, heard, flush } = channels()
  server.send(Buffer.from('stored'))
  server.sendNow!(Buffer.from('alive'))
  server.close('enough')
  await untilOthersRan()
  assert.deepEqual(heard, ['alive'])
  assert.equal(server.queuedBytes(), 6)
  flush.resolve()
  await untilOthersRan()
  assert.deepEqual(heard, ['alive', 'stored', 'enough'])
})

test('what waits for the disk goes with the client', async () => {
  const { server, client, flush } = channels()
  server.send(Buffer.from('stored'))
  client.close('gone')
  await untilOthersRan()
  assert.equal(server.queuedBytes(), 0)
  flush.resolve()
  await untilOthersRan()
  assert.equal(server.queuedBytes(), 0)
})
