// What a peer is sent again, and how much may be on its way to it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { peerB } from '../../../test/replication-circle.ts'
import type { Origin } from '../model/ids.ts'
import { peerWindowBytesMax, presentMax } from '../model/limits.ts'
import { PresenceSchema } from '../model/wire.ts'

const origin = 'a.0123456789abc' as Origin

test('what was on its way to a peer that asks again is owed to it again, and takes no room', () => {
  const peer = peerB(origin)
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
  const peer = peerB(origin)
  const tells = (session: number, isHere: boolean) =>
    peer.hasRoomFor(create(PresenceSchema, { session: String(session), isHere }))
  for (let session = 0; session < presentMax; session++) assert.ok(tells(session, true))
  tells(0, false)
  assert.equal(tells(presentMax, true), true)
  assert.equal(tells(presentMax + 1, true), false)
})
