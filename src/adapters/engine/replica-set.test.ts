// The default engine's own: what no other engine has to answer for.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as Y from 'yjs'
import { originOf, subjectId, type ReplicaId } from '../../core/model/ids.ts'
import type { EngineEvent } from '../../core/ports.ts'
import { Replication } from '../../core/replication/replication.ts'
import { MemoryDisk, MemoryStorage } from '../storage/memory.ts'
import { random } from '../system.ts'
import { ReplicaSetEngine } from './replica-set.ts'

test('a damaged record that compaction meets is asked for, and stops nothing', async () => {
  const id = 'a' as ReplicaId
  const disk = new MemoryDisk()
  const storage = new MemoryStorage(disk)
  const origin = originOf(id, random(10))
  const { reader } = storage
  const servers = [{ id, address: 'http://127.0.0.1:4400' }]
  const engine = new ReplicaSetEngine({
    replication: new Replication({
      now: 0,
      replica: id,
      set: 'test',
      origin,
      reader,
      servers,
      isFirst: true,
    }),
    storage,
    origin,
    now: () => 0,
    dial: () => Promise.reject(new Error('nobody is there')),
    log: (_level, text) => logged(text),
  })
  const stored = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const storedAgain = Promise.withResolvers<void>()
  const logged = (text: string) => {
    if (text.endsWith('asking a peer for it')) asked.resolve()
  }
  const tags = [stored, storedAgain]
  engine.listen({
    event: (event: EngineEvent) => {
      if (event.type === 'appended') tags[event.tag]!.resolve()
    },
    failed: (error) => tags.forEach(({ reject }) => reject(error)),
  })

  const subject = subjectId(random(16))
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'kept')
  const body = { case: 'text' as const, value: Y.encodeStateAsUpdate(doc) }
  const update = { subject, author: 'ada', at: 0, operation: '', body }
  engine.ask({ type: 'append', tag: 0, update })
  await stored.promise
  assert.ok(disk.flip(subject, 9))
  engine.ask({ type: 'compact', subject })
  await asked.promise
  engine.ask({ type: 'append', tag: 1, update: { ...update, subject: subjectId(random(16)) } })
  await storedAgain.promise
  await engine.close()
})
