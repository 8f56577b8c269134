// A row is gone from the file of a server that was stopped: what belonged to it comes from another.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'

import { openSqliteStorage } from '../src/adapters/storage/sqlite.ts'
import type { ReplicaId, SubjectId } from '../src/core/model/ids.ts'
import { fillStore, freshId } from './filled-store.ts'
import { Fleet } from './fleet.ts'
import { call } from './requests.ts'
import { until } from './until.ts'

const id = freshId()
const planted = [{ id, name: 'plan.md', parent: '', text: 'one\n' }]

/** The file, merged on each of them, as is one that was edited for long. */
async function merged(fleet: Fleet): Promise<void> {
  for (const replica of fleet.ids as ReplicaId[]) {
    const owner = { directory: fleet.data(replica), set: 'test', replica }
    await fillStore(owner, planted)
    const storage = await openSqliteStorage(owner)
    await storage.compact(id as SubjectId, storage.reader.vector())
    await storage.close()
  }
}

async function read(address: string): Promise<string> {
  const { text, message } = (await call(address, 'ReadFile', { file: 'plan.md' })).body
  return text ?? message ?? ''
}

test('7 a file of which a row is gone is not taken for none, and comes from another server', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'], prepare: merged })
  t.after(() => fleet.end())
  for (const table of ['pieces', 'covers']) {
    await fleet.stop('b')
    const db = new DatabaseSync(join(fleet.data('b'), 'store.sqlite'))
    assert.ok(Number(db.prepare(`DELETE FROM ${table}`).run().changes) > 0)
    db.close()
    await fleet.start('b')
    const answers = new Set<string>()
    await until(async () => {
      const answer = await read(fleet.address('b'))
      answers.add(answer)
      return answer === 'one\n'
    })
    assert.doesNotMatch([...answers].join(), /No such file/)
    await fleet.well()
    await fleet.same()
    await fleet.stop('b')
    await fleet.start('b')
    assert.doesNotMatch(fleet.said('b'), /asking a peer for it/)
    await fleet.well()
  }
})
