// What is said to a client whose messages have to wait for the disk.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { heldBytesMax, pieceBytesMax } from '../model/limits.ts'
import type { ServerMessage } from '../model/wire.ts'
import type { ReplicaOutput } from './messages.ts'
import { Voice } from './voice.ts'

const piece = (document: string, isLast: boolean): ServerMessage['message'] => ({
  case: 'opened',
  value: {
    $typeName: 'fourfold.v1.Opened',
    document,
    piece: new Uint8Array(pieceBytesMax),
    isLast,
    stateVector: new Uint8Array(),
    number: 0,
  },
})
const changed = (bytes: number): ServerMessage['message'] => ({
  case: 'changed',
  value: {
    $typeName: 'fourfold.v1.Changed',
    document: 'd',
    update: new Uint8Array(bytes),
    number: 1,
    seal: new Uint8Array(),
  },
})

const told = (outputs: ReplicaOutput[]) =>
  outputs.flatMap((output) => {
    if (output.type === 'hangUp') return [`hang up ${output.channel}`]
    return output.type === 'send'
      ? [`${output.message.message.case} ${output.channels.join()}`]
      : []
  })

test('a held channel hears everything in order once its last condition is met', () => {
  const voice = new Voice()
  voice.hold(1)
  voice.hold(1)
  voice.send([1, 2], changed(1))
  voice.send([1], piece('d', true))
  voice.release(1)
  assert.deepEqual(told(voice.take()), ['changed 2'])
  voice.release(1)
  assert.deepEqual(told(voice.take()), ['changed 1', 'opened 1'])
})

test('12 a client for whom too much waits for the disk is sent elsewhere, others are not', () => {
  const voice = new Voice()
  voice.hold(1)
  voice.hold(2)
  voice.send([1], changed(heldBytesMax))
  assert.deepEqual(told(voice.take()), [])
  voice.send([1, 2, 3], changed(1))
  assert.deepEqual(told(voice.take()), ['changed 3', 'refused 1', 'hang up 1'])
  voice.release(1)
  voice.release(2)
  assert.deepEqual(told(voice.take()), ['changed 2'])
})

test('12 a file of any size is let through whole, and none after it', () => {
  const voice = new Voice()
  voice.hold(1)
  const pieces = (3 * heldBytesMax) / pieceBytesMax
  for (let count = 1; count <= pieces; count++) voice.send([1], piece('d', count === pieces))
  assert.deepEqual(told(voice.take()), [])
  voice.send([1], piece('d', true))
  assert.deepEqual(told(voice.take()), ['refused 1', 'hang up 1'])
})

test('12 messages without bytes in them count too, and what was told does not', () => {
  const voice = new Voice()
  for (let round = 0; round < 3; round++) {
    voice.hold(1)
    voice.send([1], changed(heldBytesMax))
    voice.release(1)
  }
  assert.equal(told(voice.take()).length, 3)
  voice.hold(1)
  let count = 0
  while (told(voice.take()).length === 0 && count < 200_000) {
    voice.send([1], { case: 'pong', value: { $typeName: 'fourfold.v1.Pong', number: ++count } })
  }
  assert.ok(count < 200_000, 'a flood of small messages is bounded')
})
