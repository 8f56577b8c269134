// What is wanted of other servers, and for how long.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReplicaId } from '../core/model/ids.ts'
import { BlobStore } from '../adapters/storage/blob-store.ts'
import { newDirectory } from '../adapters/storage/testing/store-folder.ts'
import { BlobFetching } from './blob-fetching.ts'

test('what no entry names any more is not asked for any more', async (t) => {
  const fetching = new BlobFetching({
    self: 'a' as ReplicaId,
    store: await BlobStore.open(newDirectory()),
    peers: new Map(),
    hasRoom: () => Promise.resolve(true),
    log: (_level, text) => assert.fail(text),
  })
  t.after(() => fetching.close())
  const [kept, purged] = ['1', '2'].map((digit) => ({ hash: digit.repeat(64), size: 1, at: 0 }))
  fetching.named([kept!, purged!])
  assert.equal(await fetching.bring(purged!), undefined)
  assert.equal(fetching.size, 2)
  // One that is asked for at this moment is left to the next time.
  while (fetching.size === 2) {
    fetching.namedStill((hash) => hash === kept!.hash)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(fetching.missing(purged!.hash), undefined)
  assert.deepEqual(fetching.missing(kept!.hash), { hash: kept!.hash, size: 1 })
})
