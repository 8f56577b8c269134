// What peers send of their logs, beside whole subjects that stand for updates.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { peerB, subject } from '../../../test/replication-circle.ts'
import type { Origin } from '../model/ids.ts'
import { sealUpdate } from '../model/snapshot.ts'
import type { VersionVector } from '../model/version-vector.ts'
import { UpdateSchema, VersionSchema, type Update } from '../model/wire.ts'
import { Arrivals } from './arrivals.ts'

const [own, cause, log] = ['a', 'b', 'c'].map((name) => `${name}.0123456789abc` as Origin) as [
  Origin,
  Origin,
  Origin,
]

function updateOf(origin: Origin, seq: number): Update {
  const value = toBinary(VersionSchema, create(VersionSchema, { id: 'x' }))
  return sealUpdate(
    create(UpdateSchema, { origin, seq, subject, body: { case: 'version', value } }),
  )
}

test('2 what waits for its causes is stored before its log is advanced beyond it', () => {
  const heads: VersionVector = new Map()
  const arrivals = new Arrivals({ origin: own, heads, came() {}, advanced() {} })
  const peer = peerB(cause)
  assert.deepEqual(arrivals.take(0, peer, [updateOf(log, 1)]).ready, [])
  assert.deepEqual(arrivals.skip(0, new Map([[log, 1]])), { news: new Map(), ready: [] })
  assert.equal(arrivals.isEmpty, false, 'what is known moves nothing')
  const { news, ready } = arrivals.skip(0, new Map([[log, 4]]))
  assert.deepEqual([...news], [[log, 4]])
  assert.deepEqual(ready, [updateOf(log, 1)])
  assert.deepEqual(arrivals.take(0, peer, [updateOf(log, 3)]).ready, [], 'it is known')
})
