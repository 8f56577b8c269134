// A store with a large folder in it, written straight to the disk: tests and figures need it there, not
// made by 100,000 calls.

import { randomBytes } from 'node:crypto'
import { create, toBinary } from '@bufbuild/protobuf'

import { openSqliteStorage, type StoreOwner } from '../src/adapters/storage/sqlite.ts'
import { base64url, type Origin } from '../src/core/model/ids.ts'
import { seedText } from '../src/core/model/seed.ts'
import { sealUpdate } from '../src/core/model/snapshot.ts'
import { EntrySchema, Kind, UpdateSchema, type Update } from '../src/core/model/wire.ts'

/** A file with this text, or a directory. */
export interface Planted {
  id: string
  name: string
  /** The id of its directory; empty: the top. */
  parent: string
  /** Absent: a directory. */
  text?: string
  /** Put there by somebody. */
  isInTrash?: boolean
}

/** Updates written at once. */
const batchSize = 5000

export const freshId = () => base64url(randomBytes(16))

/** One life of a server that is over. */
const origin = 'a.00000000000ab' as Origin

/**
 * Makes the store with these in it; no server may be using it. The same on every server of a set: then
 * they have nothing to tell each other.
 */
export async function fillStore(owner: StoreOwner, planted: Iterable<Planted>): Promise<void> {
  const storage = await openSqliteStorage(owner)
  let seq = 0
  let batch: Update[] = []
  const write = async () => {
    await storage.write({ updates: batch, snapshots: [] })
    batch = []
  }
  const add = (subject: string, body: Update['body']) => {
    const made = { origin, seq: ++seq, subject, author: 'seed', at: 1, body }
    batch.push(sealUpdate(create(UpdateSchema, made)))
  }
  for (const { id, name, parent, text, isInTrash } of planted) {
    const stamp = { counter: 0, origin }
    const entry = create(EntrySchema, {
      id,
      kind: text === undefined ? Kind.DIRECTORY : Kind.TEXT,
      created: { counter: seq + 1, origin },
      name: { value: name, stamp },
      parent: { value: parent, stamp },
      createdBy: 'seed',
      createdAt: 1,
      ...(isInTrash && { deleted: { value: true, stamp }, deletedBy: 'seed' }),
    })
    if (text) add(id, { case: 'text', value: seedText(id, text) })
    add(id, { case: 'entry', value: toBinary(EntrySchema, entry) })
    if (batch.length >= batchSize) await write()
  }
  await write()
  await storage.close()
}
