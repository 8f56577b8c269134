// An open SQLite store: what it takes in at once, what it writes, and what it has the writer do later.

import type { Worker } from 'node:worker_threads'
import { assert } from '../../core/model/errors.ts'
import type { SubjectId } from '../../core/model/ids.ts'
import { operationLifeMs } from '../../core/model/limits.ts'
import { raise, type VersionVector } from '../../core/model/version-vector.ts'
import type { Update } from '../../core/model/wire.ts'
import type { Batch } from '../../core/ports.ts'
import { isOfUpdates, progressOf } from './batch.ts'
import type { Journal } from './journal.ts'
import type { TakenBatch } from './recent-updates.ts'
import type { SqliteStorage } from './sqlite.ts'
import { SqliteCompactions } from './sqlite-compactions.ts'
import { freeBytes, markSuspect, openReading, releaseReserve, told } from './sqlite-directory.ts'
import {
  endOfUpdates,
  packEnd,
  packUpdates,
  type UpdateRows,
  type WriterReply,
  type WriterRequest,
} from './sqlite-messages.ts'
import type { StorePlace } from './sqlite-place.ts'
import { SqliteReader } from './sqlite-reader.ts'
import { StorageError, type StorageErrorCode } from './storage-error.ts'

/** Updates packed at once: the writer inserts the first ones while the next are packed. */
const packedAtOnce = 128

/** A batch of more updates is long, however short they are: a journalled one is one record. */
const journalledUpdatesMax = 512

/** How often old operations are forgotten, while something is written. */
const forgetEveryMs = 3600 * 1000

/** A batch up to here goes to the journal; a longer one would be written twice for the time of a wake. */
const journalledBytesMax = 64 * 1024

/** What was taken in is committed after so long: a keystroke does not have the writer work each time. */
const commitAfterMs = 250

/** Or when it is so much: some 2,000 keystrokes, in about 5 ms. */
const untoldBytesMax = 256 * 1024

/** While so much is not in the file yet nothing is taken in: the disk is slower than who writes. */
const takenBytesMax = 8 * 1024 * 1024

interface ClientParts {
  directory: string
  writer: Worker
  journal: Journal
  place: StorePlace
  /** Gives the directory up. */
  release: () => void
  now: () => number
}

type Stored = Extract<WriterReply, { type: 'stored' }>

/** Batches that were taken in and of which the writer has not heard yet. */
interface Untold {
  batches: TakenBatch[]
  rows: UpdateRows[]
  vector: VersionVector
  bytes: number
}

const nothingUntold = (): Untold => ({ batches: [], rows: [], vector: new Map(), bytes: 0 })

/** A commit that the writer was asked for, with all that was untold. */
interface Commit extends Omit<Untold, 'rows'> {
  /** The journal that holds these is free then. */
  retires: boolean
  stored: PromiseWithResolvers<Stored>
}

/**
 * Stops for good at the first failure of its writer or its journal. A compaction that rejects for
 * another reason (a damaged record: CorruptError; no memory to merge) has changed nothing and stops
 * nothing.
 */
export class SqliteClient implements SqliteStorage {
  readonly reader: SqliteReader
  readonly #failure = Promise.withResolvers<Error>()
  readonly failed = this.#failure.promise
  readonly #parts: ClientParts
  readonly #writerEnded: Promise<void>
  readonly #compactions: SqliteCompactions
  #forgetAt = 0
  /** When the last batch was stored; at first, when the last operation was. */
  #storedAt: number
  /** Why nothing is written any more; absent while the store is open. */
  #stopped: Error | undefined
  #isWriting = false
  #untold = nothingUntold()
  /** Bytes that were taken in and are not in the file. */
  #takenBytes = 0
  #commits: Commit[] = []
  #commitSoon: NodeJS.Timeout | undefined
  /** The last batch that is in no journal, until it is in the file. */
  #long: { vector: VersionVector; stored: Promise<Stored> } | undefined

  constructor(parts: ClientParts) {
    const { directory, writer, now } = parts
    this.#parts = parts
    const suspect = () => this.#suspect()
    this.reader = new SqliteReader(openReading(directory), { directory, now, damaged: suspect })
    this.#storedAt = this.reader.now()
    this.#compactions = new SqliteCompactions({
      directory,
      refuseStopped: () => this.#refuseStopped(),
      untilFiled: () => this.#untilFiled(),
      suspect,
      install: (request) => this.#tell(request),
    })
    writer.on('message', (reply: WriterReply) => this.#replied(reply))
    writer.on('error', (error) => this.#stop(told(directory, error)))
    this.#writerEnded = new Promise((resolve) => {
      writer.on('exit', () => {
        this.#stop(new StorageError('failed', `The writer of ${directory} ended; start again`))
        resolve()
      })
    })
  }

  take(batch: Batch): Promise<void> | undefined {
    assert(!this.#isWriting, 'one write is under way at a time')
    if (this.#stopped || !isOfUpdates(batch) || this.#takenBytes > takenBytesMax) return undefined
    const { updates } = batch
    if (this.reader.coveredAhead(updates).size > 0) return undefined
    const progress = progressOf(batch, this.reader.held)
    const taken = { updates, storedAt: this.#nextMoment() }
    const isFew = updates.length <= journalledUpdatesMax
    const packs = isFew ? [updates] : inPacks(updates)
    const rows = packs.map((pack) => packUpdates(pack, taken.storedAt))
    const bytes = rows.reduce((sum, { records }) => sum + records.length, 0)
    this.reader.take(taken, progress)
    const untold = this.#untold
    untold.batches.push(taken)
    untold.rows.push(...rows)
    untold.bytes += bytes
    raise(untold.vector, progress.vector)
    this.#takenBytes += bytes
    // What is long is written once: it is in the file sooner than in both.
    if (!isFew || bytes > journalledBytesMax) return this.#takeLong(progress.vector)
    const stored = this.#journalled(rows[0]!)
    if (untold.bytes > untoldBytesMax && this.#commits.length === 0) void this.#commit()
    else this.#commitSoon ??= setTimeout(() => void this.#commit(), commitAfterMs)
    return stored
  }

  async write(batch: Batch): Promise<void> {
    this.#refuseStopped()
    assert(!this.#isWriting, 'one write is under way at a time')
    const progress = progressOf(batch, this.reader.held)
    const recount = this.reader.coveredAhead(batch.updates)
    for (const { subject } of batch.snapshots) recount.add(subject as SubjectId)
    const storedAt = this.#nextMoment()
    this.reader.begin(storedAt)
    this.#isWriting = true
    try {
      this.#untold.rows.push(...inPacks(batch.updates).map((pack) => packUpdates(pack, storedAt)))
      const stored = await this.#commit(packEnd(batch, storedAt, progress, recount))
      this.reader.confirmBatch(batch, progress, stored)
    } catch (error) {
      // Part of the batch may be with the writer.
      this.#stop(told(this.#parts.directory, error))
      throw error
    } finally {
      this.#isWriting = false
    }
  }

  compact(subject: SubjectId, upTo: VersionVector): Promise<void> {
    return this.#compactions.compact(subject, upTo, false)
  }

  purge(subject: SubjectId, upTo: VersionVector): Promise<void> {
    return this.#compactions.compact(subject, upTo, true)
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
    const { directory, release, journal } = this.#parts
    // What the journal holds need not be read again.
    await this.#untilFiled().catch(() => undefined)
    await journal.close(!this.#stopped && this.#takenBytes === 0)
    this.#stopped ??= new StorageError('closed', `The store in ${directory} is closed`)
    clearTimeout(this.#commitSoon)
    await this.#compactions.close()
    this.reader.close()
    // The last connection to close puts the WAL into the file.
    this.#tell({ type: 'close' })
    await this.#writerEnded
    release()
  }

  /** No two batches are stored in one moment: so it is seen of which an operation is. */
  #nextMoment(): number {
    this.#storedAt = Math.max(this.reader.now(), this.#storedAt + 1)
    return this.#storedAt
  }

  async #takeLong(vector: VersionVector): Promise<void> {
    const stored = this.#commit()
    this.#long = { vector, stored }
    await stored
    if (this.#long.stored === stored) this.#long = undefined
  }

  async #journalled(rows: UpdateRows): Promise<void> {
    const long = this.#long
    try {
      await this.#parts.journal.append(rows, [...(long?.vector ?? [])])
      // What was written to a file that is not there any more is not stored.
      this.#refuseStopped()
    } catch (error) {
      const why = told(this.#parts.directory, error) as StorageError
      this.#failed(why.code, why)
      throw why
    }
    await long?.stored
  }

  /** Has the writer commit all that is untold, and what `end` says. */
  #commit(end = endOfUpdates): Promise<Stored> {
    clearTimeout(this.#commitSoon)
    this.#commitSoon = undefined
    const { journal } = this.#parts
    const { rows, ...untold } = this.#untold
    this.#untold = nothingUntold()
    const stored = Promise.withResolvers<Stored>()
    this.#commits.push({ ...untold, retires: journal.turn(), stored })
    const last = rows.pop() ?? packUpdates([], 0)
    for (const each of rows) this.#tell({ type: 'rows', rows: each }, each)
    const vector = [...untold.vector, ...end.vector]
    this.#tell({ type: 'commit', rows: last, end: { ...end, vector } }, last)
    this.#forget()
    // Whoever waits for this hears of a failure; so does whoever comes.
    stored.promise.catch(() => undefined)
    return stored.promise
  }

  async #untilFiled(): Promise<void> {
    this.#refuseStopped()
    if (this.#untold.batches.length > 0) await this.#commit()
    else await this.#commits.at(-1)?.stored.promise
  }

  #committed(reply: Stored): void {
    const { batches, vector, bytes, retires, stored } = this.#commits.shift()!
    this.reader.filed(batches, vector)
    this.reader.confirm(reply)
    if (retires) this.#parts.journal.retire()
    this.#takenBytes -= bytes
    stored.resolve(reply)
    if (this.#untold.bytes > untoldBytesMax) void this.#commit()
  }

  #replied(reply: WriterReply): void {
    switch (reply.type) {
      case 'stored':
        if (!this.#stopped) this.#committed(reply)
        break
      case 'installed':
        this.reader.confirm(reply)
        break
      case 'compacted':
        this.#compactions.done()
        break
      case 'failed':
        if (reply.isDamaged) this.#suspect()
        this.#failed(reply.code, new StorageError(reply.code, reply.message))
        break
      case 'opened':
        break
    }
  }

  #forget(): void {
    const now = this.reader.now()
    if (now < this.#forgetAt) return
    this.#forgetAt = now + forgetEveryMs
    this.#tell({ type: 'forget', before: now - operationLifeMs })
  }

  #tell(request: WriterRequest, moved?: UpdateRows): void {
    const buffers = moved ? [moved.columns.buffer, moved.records.buffer] : []
    this.#parts.writer.postMessage(request, buffers)
  }

  #failed(code: StorageErrorCode, why: Error): void {
    if (code === 'full') releaseReserve(this.#parts.directory)
    this.#stop(why)
  }

  /** Whoever waits or comes hears the first reason. */
  #stop(error: Error): void {
    this.#stopped ??= error
    this.#failure.resolve(this.#stopped)
    clearTimeout(this.#commitSoon)
    for (const { stored } of this.#commits.splice(0)) stored.reject(this.#stopped)
    this.#compactions.stop(this.#stopped)
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

function inPacks(updates: readonly Update[]): (readonly Update[])[] {
  const packs = []
  for (let from = 0; from < updates.length; from += packedAtOnce) {
    packs.push(updates.slice(from, from + packedAtOnce))
  }
  return packs
}
