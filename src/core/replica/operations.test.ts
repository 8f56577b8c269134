// Operations of the folder as updates, carried out once or twice.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fromBinary } from '@bufbuild/protobuf'
import { MemoryDisk, MemoryStorage } from '../../adapters/storage/memory.ts'
import { Folder } from '../model/folder.ts'
import { originOf, subjectId, type ReplicaId } from '../model/ids.ts'
import { EntrySchema } from '../model/wire.ts'
import type { NewUpdate } from '../ports.ts'
import { Appends } from './appends.ts'
import { Operations } from './operations.ts'

/** A server's folder, and its way of making updates. */
function server(name: string) {
  const folder = new Folder()
  const origin = originOf(name as ReplicaId, new Uint8Array(10).fill(name.charCodeAt(0)))
  const appends = new Appends(() => {})
  const { reader } = new MemoryStorage(new MemoryDisk())
  const operations = new Operations({ folder, origin, appends, reader })
  const take = (...updates: NewUpdate[]) => {
    for (const { body } of updates) {
      if (body.case === 'entry') folder.apply(fromBinary(EntrySchema, body.value))
    }
  }
  return { folder, operations, take }
}

const request = (byte: number) => ({
  operation: subjectId(new Uint8Array(16).fill(byte)),
  author: 'ada',
  at: 0,
})

test('G8 a creation that a second server carries out late undoes no rename and no deletion', () => {
  const [a, b] = [server('a'), server('b')]
  const creation = request(1)
  // The second server has seen many counters, so that its stamps are larger.
  for (let count = 2; count < 20; count++)
    b.take(...b.operations.create(request(count), { parent: '', name: `${count}` }, ''))
  const made = a.operations.create(creation, { parent: '', name: 'plan.md' }, '')
  a.take(...made)
  const entry = a.folder.get(creation.operation)!
  const renamed = a.operations.rename(request(21), entry, 'idea.md')
  const deleted = a.operations.setDeleted(request(22), entry, true)
  const madeAgain = b.operations.create(creation, { parent: '', name: 'plan.md' }, '')

  const all = [...made, renamed, deleted, ...madeAgain]
  for (const updates of [all, all.toReversed()]) {
    const { folder, take } = server('c')
    take(...updates)
    const result = folder.get(creation.operation)!
    assert.equal(result.name?.value, 'idea.md')
    assert.equal(result.deleted?.value, true)
  }
})
