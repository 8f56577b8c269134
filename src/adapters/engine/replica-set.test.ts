// The default engine's own: what no other engine has to answer for.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as Y from 'yjs'
import { originOf, subjectId, type ReplicaId, type SubjectId } from '../../core/model/ids.ts'
import type { EngineEvent } from '../../core/ports.ts'
import { Replication } from '../../core/replication/replication.ts'
import { MemoryDisk, MemoryStorage } from '../storage/memory.ts'
import { random } from '../system.ts'
import { ReplicaSetEngine } from './replica-set.ts'

/** A server without others, whose lines for the operator can be waited for. */
function lone() {
  const id = 'a' as ReplicaId
  const disk = new MemoryDisk()
  const storage = new MemoryStorage(disk)
  const origin = originOf(id, random(10))
  const { reader } = storage
  const servers = [{ id, address: 'http://127.0.0.1:4400' }]
  const said = Promise.withResolvers<string>()
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
    log: (level, text) => level === 'error' && said.resolve(text),
  })
  const waiting: PromiseWithResolvers<void>[] = []
  engine.listen({
    event: (event: EngineEvent) => {
      if (event.type === 'appended') waiting[event.tag]!.resolve()
    },
    failed: (error) => [said, ...waiting].forEach(({ reject }) => reject(error)),
  })
  /** Rejects when the engine can store nothing any more. */
  const append = (subject: SubjectId): Promise<void> => {
    const doc = new Y.Doc()
    doc.getText('text').insert(0, 'kept')
    const body = { case: 'text' as const, value: Y.encodeStateAsUpdate(doc) }
    const stored = Promise.withResolvers<void>()
    const tag = waiting.push(stored) - 1
    const update = { subject, author: 'ada', at: 0, operation: '', body }
    engine.ask({ type: 'append', tag, update })
    return stored.promise
  }
  return { disk, storage, engine, append, said: said.promise }
}

test('a damaged record that compaction meets is asked for, and stops nothing', async () => {
  const { disk, engine, append, said } = lone()
  const subject = subjectId(random(16))
  await append(subject)
  assert.ok(disk.flip(subject, 9))
  engine.ask({ type: 'compact', subject })
  assert.match(await said, /asking a peer for it$/)
  await append(subjectId(random(16)))
  await engine.close()
})

test('a compaction that fails for a moment stops nothing, and the next one goes on', async () => {
  const { storage, engine, append, said } = lone()
  let count = 0
  const again = Promise.withResolvers<void>()
  storage.compact = async () => {
    if (++count === 1) throw new Error('no memory to merge')
    again.resolve()
  }
  const subject = subjectId(random(16))
  await append(subject)
  engine.ask({ type: 'compact', subject })
  assert.equal(await said, `${subject} is merged later, and takes more room: no memory to merge`)
  await append(subject)
  engine.ask({ type: 'compact', subject })
  await again.promise
  await engine.close()
})
