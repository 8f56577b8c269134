// A server's store on disk: SQLite with one writing thread; every answer comes after the flush.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { assert } from '../../core/model/errors.ts'
import type { SubjectId } from '../../core/model/ids.ts'
import { operationLifeMs } from '../../core/model/limits.ts'
import type { VersionVector } from '../../core/model/version-vector.ts'
import { CorruptError, type Batch, type Storage } from '../../core/ports.ts'
import { progressOf } from './batch.ts'
import {
  checkSqlite,
  claimDirectory,
  freeBytes,
  keepReserve,
  markSuspect,
  openReading,
  prepareStore,
  releaseReserve,
  told,
  type StoreOwner,
} from './sqlite-directory.ts'
import {
  packEnd,
  packUpdates,
  type MergeReply,
  type MergeRequest,
  type UpdateRows,
  type WriterReply,
  type WriterRequest,
} from './sqlite-messages.ts'
import { StorePlace } from './sqlite-place.ts'
import { SqliteReader } from './sqlite-reader.ts'
import { StorageError } from './storage-error.ts'

export { StorageError, type StorageErrorCode } from './storage-error.ts'
export type { StoreOwner } from './sqlite-directory.ts'

/** Updates packed at once: the writer inserts the first ones while the next are packed. */
const packedAtOnce = 128

/** How often old operations are forgotten, while something is written. */
const forgetEveryMs = 3600 * 1000

/** A compactor without work for this long ends: it holds what its largest merge took. */
const compactorIdleMs = 30_000

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
 * directory and says what to do. `now` decides only when operations are forgotten.
 */
export async function openSqliteStorage(
  owner: StoreOwner,
  now: () => number = Date.now,
): Promise<SqliteStorage> {
  try {
    return await opened(owner, now)
  } catch (error) {
    // What is stored can be read where there is room to open it: for that the reserve is kept.
    const isFull = error instanceof StorageError && error.code === 'full'
    if (!isFull || !releaseReserve(owner.directory)) throw error
    return opened(owner, now)
  }
}

async function opened(owner: StoreOwner, now: () => number): Promise<SqliteStorage> {
  const { directory } = owner
  checkSqlite(process.versions.sqlite ?? '0', directory)
  const release = claimDirectory(directory)
  let writer: Worker | undefined
  try {
    prepareStore(owner)
    writer = await startWriter(directory)
    keepReserve(directory)
    const place = new StorePlace(directory)
    await place.look()
    return new SqliteClient({ directory, writer, place, release, now })
  } catch (error) {
    await writer?.terminate()
    release()
    throw told(directory, error)
  }
}

interface ClientParts {
  directory: string
  writer: Worker
  place: StorePlace
  /** Gives the directory up. */
  release: () => void
  now: () => number
}

/** Somebody who waits for an answer of the writer. */
interface Waiting<Reply> {
  resolve: (reply: Reply) => void
  reject: (error: Error) => void
}

type Stored = Extract<WriterReply, { type: 'stored' }>

/**
 * Stops for good at the first failure of its writer. A compaction that rejects for another reason
 * (a damaged record: CorruptError; no memory to merge) has changed nothing and stops nothing.
 */
class SqliteClient implements SqliteStorage {
  readonly reader: SqliteReader
  readonly #parts: ClientParts
  readonly #writerEnded: Promise<void>
  readonly #closing = new AbortController()
  #forgetAt = 0
  /** When the last batch was stored. */
  #storedAt = -Infinity
  /** Why nothing is written any more; absent while the store is open. */
  #stopped: Error | undefined
  #write: Waiting<Stored> | undefined
  #compactor: Worker | undefined
  #compactorLeaves: NodeJS.Timeout | undefined
  #compaction: Waiting<void> | undefined
  /** Ends when the compactions asked for so far have ended: there is one at a time. */
  #compactions: Promise<void> = Promise.resolve()

  constructor(parts: ClientParts) {
    const { directory, writer, now } = parts
    this.#parts = parts
    this.reader = new SqliteReader(openReading(directory), { now, damaged: () => this.#suspect() })
    writer.on('message', (reply: WriterReply) => this.#replied(reply))
    writer.on('error', (error) => this.#stop(told(directory, error)))
    this.#writerEnded = new Promise((resolve) => {
      writer.on('exit', () => {
        this.#stop(new StorageError('failed', `The writer of ${directory} ended; start again`))
        resolve()
      })
    })
  }

  async write(batch: Batch): Promise<void> {
    this.#refuseStopped()
    assert(!this.#write, 'one write is under way at a time')
    const progress = progressOf(batch, this.reader.held)
    const recount = this.reader.coveredAhead(batch.updates)
    for (const { subject } of batch.snapshots) recount.add(subject as SubjectId)
    // No two batches are stored in one moment: so it is seen of which an operation is.
    const storedAt = Math.max(this.#parts.now(), this.#storedAt + 1)
    this.#storedAt = storedAt
    this.reader.begin(storedAt)
    try {
      const { updates } = batch
      let from = 0
      for (; updates.length - from > packedAtOnce; from += packedAtOnce) {
        const rows = packUpdates(updates.slice(from, from + packedAtOnce), storedAt)
        this.#tell({ type: 'rows', rows }, rows)
      }
      const rows = packUpdates(updates.slice(from), storedAt)
      const end = packEnd(batch, storedAt, progress, recount)
      this.#tell({ type: 'commit', rows, end }, rows)
      this.#forget()
      const stored = await new Promise<Stored>((resolve, reject) => {
        this.#write = { resolve, reject }
      })
      this.reader.confirmBatch(batch, progress, stored)
    } catch (error) {
      // Part of the batch may be with the writer.
      this.#stop(told(this.#parts.directory, error))
      throw error
    } finally {
      this.#write = undefined
    }
  }

  compact(subject: SubjectId, upTo: VersionVector): Promise<void> {
    return this.#queue(() => this.#compact(subject, upTo, false))
  }

  purge(subject: SubjectId, upTo: VersionVector): Promise<void> {
    return this.#queue(() => this.#compact(subject, upTo, true))
  }

  #queue(compact: () => Promise<void>): Promise<void> {
    const compaction = this.#compactions.then(compact)
    // Who asked for it hears how it ended; the next one begins all the same.
    this.#compactions = compaction.catch(() => undefined)
    return compaction
  }

  freeBytes(): number {
    return freeBytes(this.#parts.directory)
  }

  async checkPlace(): Promise<void> {
    this.#refuseStopped()
    try {
      await this.#parts.place.look()
    } catch (error) {
      const why = told(this.#parts.directory, error)
      this.#stop(why)
      throw why
    }
  }

  async close(): Promise<void> {
    const { directory, release } = this.#parts
    this.#stopped ??= new StorageError('closed', `The store in ${directory} is closed`)
    this.#closing.abort()
    clearTimeout(this.#compactorLeaves)
    await this.#compactor?.terminate()
    this.reader.close()
    // The last connection to close puts the WAL into the file.
    this.#tell({ type: 'close' })
    await this.#writerEnded
    release()
  }

  async #compact(subject: SubjectId, upTo: VersionVector, isPurge: boolean): Promise<void> {
    this.#refuseStopped()
    const bound = [...upTo]
    const reply = await this.#merge({ subject, upTo: bound, isPurge })
    this.#refuseStopped()
    switch (reply.type) {
      case 'corrupt':
        if (reply.isDamaged) this.#suspect()
        throw new CorruptError(subject, reply.message)
      case 'failed':
        throw new StorageError('failed', reply.message)
      case 'merged': {
        const { piece, old } = reply
        // Without a piece nothing may leave the logs.
        if (!piece && old.length === 0) return undefined
        const done = new Promise<void>(
          (resolve, reject) => (this.#compaction = { resolve, reject }),
        )
        const merged = { old, upTo: bound, isPurge, ...(piece && { piece }) }
        this.#tell({ type: 'install', subject, ...merged })
        return done
      }
    }
  }

  async #merge(request: MergeRequest): Promise<MergeReply> {
    const { directory } = this.#parts
    clearTimeout(this.#compactorLeaves)
    const compactor = (this.#compactor ??= startThread('sqlite-compactor', directory))
    try {
      const reply = once(compactor, 'message', { signal: this.#closing.signal })
      compactor.postMessage(request)
      const [answer] = (await reply) as [MergeReply]
      this.#compactorLeaves = setTimeout(() => this.#endCompactor(), compactorIdleMs).unref()
      return answer
    } catch (error) {
      // It ended. The next compaction starts another, unless the store is closing.
      this.#refuseStopped()
      this.#compactor = undefined
      throw told(directory, error)
    }
  }

  #endCompactor(): void {
    void this.#compactor?.terminate()
    this.#compactor = undefined
  }

  #replied(reply: WriterReply): void {
    switch (reply.type) {
      case 'stored':
        this.#write?.resolve(reply)
        break
      case 'installed':
        this.reader.confirm(reply)
        break
      case 'compacted':
        this.#compaction?.resolve()
        this.#compaction = undefined
        break
      case 'failed':
        if (reply.code === 'full') releaseReserve(this.#parts.directory)
        if (reply.isDamaged) this.#suspect()
        this.#stop(new StorageError(reply.code, reply.message))
        break
      case 'opened':
        break
    }
  }

  #forget(): void {
    const now = this.#parts.now()
    if (now < this.#forgetAt) return
    this.#forgetAt = now + forgetEveryMs
    this.#tell({ type: 'forget', before: now - operationLifeMs })
  }

  #tell(request: WriterRequest, moved?: UpdateRows): void {
    const buffers = moved ? [moved.columns.buffer, moved.records.buffer] : []
    this.#parts.writer.postMessage(request, buffers)
  }

  /** Whoever waits or comes hears the first reason. */
  #stop(error: Error): void {
    this.#stopped ??= error
    this.#write?.reject(this.#stopped)
    this.#compaction?.reject(this.#stopped)
    this.#compaction = undefined
  }

  #refuseStopped(): void {
    if (this.#stopped) throw this.#stopped
  }

  #suspect(): void {
    try {
      markSuspect(this.#parts.directory)
    } catch {
      // A disk that takes no file: then the next start checks only a store of usual size.
    }
  }
}

async function startWriter(directory: string): Promise<Worker> {
  const writer = startThread('sqlite-worker', directory)
  const [reply] = (await once(writer, 'message')) as [WriterReply]
  if (reply.type !== 'failed') return writer
  await writer.terminate()
  throw new StorageError(reply.code, reply.message)
}

function startThread(name: string, directory: string): Worker {
  // Compiled, this file and the thread's lie side by side all the same.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new Worker(new URL(`./${name}.${extension}`, import.meta.url), { workerData: directory })
}
