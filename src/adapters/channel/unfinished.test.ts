// What many clients begin to send and do not finish is bounded for all of them together.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { WebSocket, WebSocketServer } from 'ws'

import { Unfinished } from './unfinished.ts'
import { acceptedWebSocket } from './websocket-server.ts'

test('12 whoever has sent the most of a message is cut, and what is whole does not count', () => {
  const cut: string[] = []
  const sender = (name: string) => ({ cut: () => void cut.push(name) })
  const [ana, ben, cem] = [sender('Ana'), sender('Ben'), sender('Cem')]
  const unfinished = new Unfinished(100)
  unfinished.count(ana, 40)
  unfinished.count(ana, 0)
  unfinished.count(ana, 30)
  unfinished.count(ben, 50)
  unfinished.count(cem, 20)
  assert.deepEqual(cut, [])
  unfinished.count(cem, 21)
  assert.deepEqual(cut, ['Ben'])
  unfinished.count(cem, 70)
  assert.deepEqual(cut, ['Ben'])
  unfinished.count(ana, 31)
  assert.deepEqual(cut, ['Ben', 'Cem'])
})

test('12 pieces of a message are counted until it is whole, and its WebSocket is cut', async (t) => {
  const bytesMax = 1_000_000
  const unfinished = new Unfinished(bytesMax)
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  let heard = 0
  server.on('connection', (socket, { socket: stream }) => {
    const channel = acceptedWebSocket(socket, stream, unfinished)
    channel.listen({ received: () => heard++, closed: () => {} })
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const open = async () => {
    const client = new WebSocket(`ws://127.0.0.1:${port}`)
    t.after(() => client.terminate())
    client.on('error', () => {})
    await once(client, 'open')
    client.send(Buffer.from('the first is short'))
    return client
  }
  const [patient, other] = await Promise.all([open(), open()])
  const piece = Buffer.alloc(100_000)
  const sent = (fin: boolean) => new Promise((told) => patient.send(piece, { fin }, told))
  for (let count = 0; count < 3 * (bytesMax / piece.length); count++) await sent(true)
  assert.equal(patient.readyState, WebSocket.OPEN)
  const over = once(patient, 'close')
  for (let count = 0; count < 3 * (bytesMax / piece.length); count++) void sent(false)
  await over
  assert.equal(other.readyState, WebSocket.OPEN)
  assert.ok(heard > 0)
})
