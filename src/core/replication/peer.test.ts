// What a peer is sent again, and how much may be on its way to it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import type { Origin, ReplicaId } from '../model/ids.ts'
import { peerWindowBytesMax, presentMax } from '../model/limits.ts'
import { PresenceSchema } from '../model/wire.ts'
import { Peer } from './peer.ts'

const origin = 'a.0123456789abc' as Origin

const newPeer = () =>
  new Peer({
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

test('what was on its way to a peer that asks again is owed to it again, and takes no room', () => {
  const peer = newPeer()
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

test('12 who has left takes no room among those that a peer tells of', () => {
  const peer = newPeer()
  const tells = (session: number, isHere: boolean) =>
    peer.hasRoomFor(create(PresenceSchema, { session: String(session), isHere }))
  for (let session = 0; session < presentMax; session++) assert.ok(tells(session, true))
  tells(0, false)
  assert.equal(tells(presentMax, true), true)
  assert.equal(tells(presentMax + 1, true), false)
})
