// The blobs of one server: what entries name is fetched and looked after, what nothing names is removed.

import type { ReplicaId } from '../core/model/ids.ts'
import { blobSweepFirstMs, blobSweepMs } from '../core/model/limits.ts'
import type { Content } from '../core/model/wire.ts'
import type { BlobPeer } from '../adapters/channel/blob-peer.ts'
import type { BlobStore } from '../adapters/storage/blob-store.ts'
import { wallNow } from '../adapters/system.ts'
import { BlobCare } from './blob-care.ts'
import { BlobFetching } from './blob-fetching.ts'

interface HeldBlobsOptions {
  self: ReplicaId
  store: BlobStore
  peers: Map<ReplicaId, BlobPeer>
  /** Whether so many further bytes leave the disk the room it needs. */
  hasRoom: (bytes: number) => Promise<boolean>
  /** What the entries that are here name; undefined: nobody can tell, for something does not load. */
  named: () => Content[] | undefined
  /** It has caught up with the other servers, and takes what comes. */
  isWell: () => boolean
  log: (level: 'info' | 'error', text: string) => void
}

export class HeldBlobs {
  readonly store: BlobStore
  readonly fetching: BlobFetching
  readonly care: BlobCare
  readonly #options: HeldBlobsOptions
  #sweeper: NodeJS.Timeout | undefined
  /** What entries name, while it is swept. */
  #namedMeanwhile: Set<string> | undefined

  constructor(options: HeldBlobsOptions) {
    const { self, store, peers, hasRoom, log } = options
    this.#options = options
    this.store = store
    this.fetching = new BlobFetching({ self, store, peers, hasRoom, log })
    this.care = new BlobCare({ store, want: (hash) => this.#want(hash), log })
  }

  /** From now on what entries name is fetched, and what nothing names is removed after a day. */
  start(): void {
    this.fetching.named(this.#options.named() ?? [])
    this.#sweepIn(blobSweepFirstMs)
    this.care.start()
  }

  /** Entries name these from now on. */
  named(contents: Content[]): void {
    for (const { hash } of contents) this.#namedMeanwhile?.add(hash)
    this.fetching.named(contents)
  }

  async close(): Promise<void> {
    clearTimeout(this.#sweeper)
    this.#sweeper = undefined
    this.fetching.close()
    this.care.close()
    await this.store.close()
  }

  #want(hash: string): void {
    const named = this.#options.named() ?? []
    this.fetching.named(named.filter((content) => content.hash === hash))
  }

  #sweepIn(ms: number): void {
    const sweep = async () => {
      await this.#sweep().catch((error: Error) =>
        this.#options.log('error', `sweep: ${error.message}`),
      )
      if (this.#sweeper) this.#sweepIn(blobSweepMs)
    }
    this.#sweeper = setTimeout(() => void sweep(), ms).unref()
  }

  // What is not known to be unnamed stays: the entries of a server that fills itself come later.
  async #sweep(): Promise<void> {
    const { named, isWell, log } = this.#options
    const contents = isWell() ? named() : undefined
    if (!contents) return
    const hashes = new Set(contents.map(({ hash }) => hash))
    this.fetching.namedStill((hash) => hashes.has(hash))
    this.#namedMeanwhile = hashes
    try {
      // Files have times of the wall clock.
      const removed = await this.store.sweep((hash) => hashes.has(hash), wallNow())
      if (removed > 0) log('info', `removed ${removed} blobs that nothing names`)
    } finally {
      this.#namedMeanwhile = undefined
    }
  }
}
