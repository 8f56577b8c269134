// What a peer is sent again, and how much may be on its way to it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Origin, ReplicaId } from '../model/ids.ts'
import { peerWindowBytesMax } from '../model/limits.ts'
import { Peer } from './peer.ts'

const origin = 'a.0123456789abc' as Origin

test('what was on its way to a peer that asks again is owed to it again, and takes no room', () => {
  const peer = new Peer({
    id: 'b' as ReplicaId,
    channel: 1,
    origin: 'b.0123456789abc' as Origin,
    have: new Map([[origin, 1]]),
    isRecovering: false,
    tellsStored: true,
    life: '',
    saidAt: 0,
    metAt: 0,
    patience: 1,
    now: 0,
  })
  peer.owed.set(origin, 5)
  assert.equal(peer.nextOwed(), origin)
  peer.sentUpTo(origin, 5, peerWindowBytesMax)
  assert.equal(peer.nextOwed(), undefined)
  assert.equal(peer.hasRoom, false)
  peer.asked(new Map([[origin, 3]]), new Map([[origin, 5]]))
  assert.equal(peer.sent.get(origin), 3)
  assert.equal(peer.nextOwed(), origin)
  assert.equal(peer.hasRoom, true)
})
