// Compactions of a SQLite store, one at a time: merged in a thread of their own, installed by the writer.

import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import type { SubjectId } from '../../core/model/ids.ts'
import type { VersionVector } from '../../core/model/version-vector.ts'
import { CorruptError } from '../../core/ports.ts'
import { told } from './sqlite-directory.ts'
import type { MergeReply, MergeRequest, WriterRequest } from './sqlite-messages.ts'
import { startThread } from './sqlite-threads.ts'
import { StorageError } from './storage-error.ts'

/** A compactor without work for this long ends: it holds what its largest merge took. */
const compactorIdleMs = 30_000

export interface CompactionsOptions {
  directory: string
  /** Throws when the store has stopped. */
  refuseStopped: () => void
  /** Resolves when all that was taken in by now is in the file. */
  untilFiled: () => Promise<void>
  /** The file is damaged. */
  suspect: () => void
  install: (request: Extract<WriterRequest, { type: 'install' }>) => void
}

export class SqliteCompactions {
  readonly #options: CompactionsOptions
  readonly #closing = new AbortController()
  #compactor: Worker | undefined
  #compactorLeaves: NodeJS.Timeout | undefined
  /** Waits for the writer. */
  #installing: PromiseWithResolvers<void> | undefined
  /** Ends when those asked for so far have ended. */
  #last: Promise<void> = Promise.resolve()

  constructor(options: CompactionsOptions) {
    this.#options = options
  }

  /** As `Storage.compact`, or `Storage.purge`. */
  compact(subject: SubjectId, upTo: VersionVector, isPurge: boolean): Promise<void> {
    const compaction = this.#last.then(() => this.#compact(subject, upTo, isPurge))
    // Who asked for it hears how it ended; the next one begins all the same.
    this.#last = compaction.catch(() => undefined)
    return compaction
  }

  /** The writer has installed what it was asked to. */
  done(): void {
    this.#installing?.resolve()
    this.#installing = undefined
  }

  /** The store has stopped. */
  stop(error: Error): void {
    this.#installing?.reject(error)
    this.#installing = undefined
  }

  async close(): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#compactorLeaves)
    await this.#compactor?.terminate()
  }

  async #compact(subject: SubjectId, upTo: VersionVector, isPurge: boolean): Promise<void> {
    const { refuseStopped, untilFiled, suspect, install } = this.#options
    refuseStopped()
    await untilFiled()
    const bound = [...upTo]
    const reply = await this.#merge({ subject, upTo: bound, isPurge })
    refuseStopped()
    switch (reply.type) {
      case 'corrupt':
        if (reply.isDamaged) suspect()
        throw new CorruptError(subject, reply.message)
      case 'failed':
        throw new StorageError('failed', reply.message)
      case 'merged': {
        const { piece, old } = reply
        // Without a piece nothing may leave the logs.
        if (!piece && old.length === 0) return undefined
        this.#installing = Promise.withResolvers()
        const merged = { old, upTo: bound, isPurge, ...(piece && { piece }) }
        install({ type: 'install', subject, ...merged })
        return this.#installing.promise
      }
    }
  }

  async #merge(request: MergeRequest): Promise<MergeReply> {
    const { directory, refuseStopped } = this.#options
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
      refuseStopped()
      this.#compactor = undefined
      throw told(directory, error)
    }
  }

  #endCompactor(): void {
    void this.#compactor?.terminate()
    this.#compactor = undefined
  }
}
