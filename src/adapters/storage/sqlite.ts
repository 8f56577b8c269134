// A server's store on disk: SQLite with one writing thread, and a journal before it.
//
//   take ──> reader shows it ──> journal ── flushed ──> (many together) ──> one commit
//   write ───────────────────────────────────────────────────────────────> one commit ──> reader shows it

import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import type { Storage } from '../../core/ports.ts'
import { now as monotonic } from '../system.ts'
import { Journal } from './journal.ts'
import { SqliteClient } from './sqlite-client.ts'
import {
  checkSqlite,
  claimDirectory,
  keepReserve,
  prepareStore,
  releaseReserve,
  told,
  type StoreOwner,
} from './sqlite-directory.ts'
import type { WriterReply } from './sqlite-messages.ts'
import { StorePlace } from './sqlite-place.ts'
import { fileJournals } from './sqlite-journals.ts'
import { startThread } from './sqlite-threads.ts'
import { StorageError } from './storage-error.ts'
import { damageOfWal } from './wal.ts'

export { StorageError, type StorageErrorCode } from './storage-error.ts'
export type { StoreOwner } from './sqlite-directory.ts'

export interface SqliteStorage extends Storage {
  /** Bytes that can still be written to the disk. */
  freeBytes(): number
  /**
   * Looks whether what is written can be found again. Rejects with a StorageError when the files were
   * removed or replaced: then nothing that is stored from now on outlives the process.
   */
  checkPlace(): Promise<void>
}

/**
 * Opens the store in `directory`, or makes it. Rejects with a StorageError whose message names the
 * directory and says what to do. `now` tells how time passes, and so when operations are forgotten; it
 * may say anything at first. `log` hears of damage that does not keep the store from being used.
 */
export async function openSqliteStorage(
  owner: StoreOwner,
  now: () => number = monotonic,
  log: (text: string) => void = () => {},
): Promise<SqliteStorage> {
  try {
    return await opened(owner, now, log)
  } catch (error) {
    // What is stored can be read where there is room to open it: for that the reserve is kept.
    const isFull = error instanceof StorageError && error.code === 'full'
    if (!isFull || !releaseReserve(owner.directory)) throw error
    return opened(owner, now, log)
  }
}

async function opened(
  owner: StoreOwner,
  now: () => number,
  log: (text: string) => void,
): Promise<SqliteStorage> {
  const { directory } = owner
  checkSqlite(process.versions.sqlite ?? '0', directory)
  const release = claimDirectory(directory)
  let writer: Worker | undefined
  let journal: Journal | undefined
  try {
    // Opened, a store shows what is left of its log, and nobody can tell any more what was in it.
    const lost = damageOfWal(directory)
    if (lost !== undefined) log(lost)
    prepareStore(owner)
    const damage = fileJournals(directory)
    if (damage !== undefined) log(damage)
    writer = await startWriter(directory)
    keepReserve(directory)
    journal = new Journal(directory)
    const place = new StorePlace(directory)
    await place.look()
    return new SqliteClient({ directory, writer, journal, place, release, now })
  } catch (error) {
    await journal?.close()
    await writer?.terminate()
    release()
    throw told(directory, error)
  }
}

async function startWriter(directory: string): Promise<Worker> {
  const writer = startThread('sqlite-worker', directory)
  const [reply] = (await once(writer, 'message')) as [WriterReply]
  if (reply.type !== 'failed') return writer
  await writer.terminate()
  throw new StorageError(reply.code, reply.message)
}
