// Looks after blobs that are here: one whose bytes are wrong is set aside and fetched again.
//
//   sent as a whole ────────────┐
//                               ├─ other bytes ──> set aside: not here any more ──> wanted
//   read again, all in weeks ───┘
//
// Whole blobs lie in 256 directories. One is read at a time, each begins when its part of the weeks is
// over, and the next life goes on with the one that this did not end.

import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { blobCheckFirstMs, blobCheckMs, blobCheckPart } from '../core/model/limits.ts'
import { restAfter } from '../core/model/rest.ts'
import { directoryCount, type BlobStore, type OpenBlob } from '../adapters/storage/blob-store.ts'
import { readAt } from './blob-pouring.ts'

/** Read from the disk at once, and hashed in well under a millisecond. */
const pieceBytes = 256 * 1024

/** A piece of which a slow disk needs more than a second; a computer that slept would rest for weeks. */
const restMaxMs = 60_000

export interface BlobCareOptions {
  store: BlobStore
  /** It is not here any more: fetch it, if anything names it. */
  want: (hash: string) => void
  log: (level: 'info' | 'error', text: string) => void
  pace?: CheckPace
}

/** When stored blobs are read again, and at which cost. */
export interface CheckPace {
  firstMs: number
  /** All of them in so long, if the next allows it. */
  allMs: number
  /** Of the time of one core, and of one disk, at most this part. */
  part: number
}

const usualPace: CheckPace = {
  firstMs: blobCheckFirstMs,
  allMs: blobCheckMs,
  part: blobCheckPart,
}

export class BlobCare {
  readonly #options: BlobCareOptions
  readonly #pace: CheckPace
  readonly #buffer = Buffer.allocUnsafe(pieceBytes)
  #timer: NodeJS.Timeout | undefined
  /** Ends a rest early. */
  #wake = () => {}
  #workedSince = 0
  #isOver = false

  constructor(options: BlobCareOptions) {
    this.#options = options
    this.#pace = options.pace ?? usualPace
  }

  /** From now on what is stored is read again. */
  start(): void {
    this.#turnIn(this.#pace.firstMs)
  }

  close(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#wake()
  }

  /** An open blob has other bytes than its name says. */
  async spoilt(hash: string, file: FileHandle): Promise<void> {
    const { store, want, log } = this.#options
    // Somebody else saw it too, and what is in its place now is another file.
    if (!(await store.setAside(hash, file))) return
    log('error', `the disk gave other bytes than those of blob ${hash}; it is fetched again`)
    want(hash)
  }

  // --------------------------------------------------------------------------- reading again

  #turnIn(ms: number): void {
    const turn = async () => {
      const begunAt = performance.now()
      await this.#turn().catch((error: Error) =>
        this.#options.log('error', `reading blobs again: ${error.message}`),
      )
      const passedMs = performance.now() - begunAt
      if (!this.#isOver) this.#turnIn(Math.max(0, this.#pace.allMs / directoryCount - passedMs))
    }
    this.#timer = setTimeout(() => void turn(), ms).unref()
  }

  async #turn(): Promise<void> {
    const { store } = this.#options
    const directory = await store.nextChecked()
    this.#workedSince = performance.now()
    for (const hash of await store.hashesIn(directory)) {
      // Removed meanwhile: nothing to look after.
      const open = await store.read(hash)
      if (!open) continue
      try {
        if (await this.#isSpoilt(hash, open)) await this.spoilt(hash, open.file)
      } finally {
        await open.file.close()
      }
      if (this.#isOver) return
    }
    await store.noteNextChecked(directory + 1)
  }

  async #isSpoilt(hash: string, { file, size }: OpenBlob): Promise<boolean> {
    const digest = createHash('sha256')
    for (let at = 0; at < size;) {
      const bytesRead = await readAt(file, this.#buffer, at)
      if (bytesRead === 0) return true
      digest.update(this.#buffer.subarray(0, bytesRead))
      at += bytesRead
      await this.#rest()
      if (this.#isOver) return false
    }
    return digest.digest('hex') !== hash
  }

  /** As much longer than it worked since the last rest as leaves the rest of this server its time. */
  async #rest(): Promise<void> {
    const ms = restAfter(performance.now() - this.#workedSince, {
      times: 1 / this.#pace.part - 1,
      leastMs: 0,
      mostMs: restMaxMs,
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, ms).unref()
    await promise
    clearTimeout(timer)
    this.#workedSince = performance.now()
  }
}
