// Blobs that this server should have and has not: fetched from whichever other server has them.
//
//   an entry names it ─┐
//   another offers it ─┼─> wanted ──(8 at once)──> each peer in turn ──> store ──> whoever waits
//   this start ────────┘      ^                        │
//                             └── later, and later ────┘ none has it, or it broke off

import { pipeline } from 'node:stream/promises'
import {
  blobFetchesMax,
  blobFollowsMax,
  blobOffersMax,
  blobOfferTriesMax,
  blobRetryFirstMs,
  blobRetryMaxMs,
  receiptWaitMs,
} from '../core/model/limits.ts'
import type { ReplicaId } from '../core/model/ids.ts'
import type { BlobPeer } from '../adapters/channel/blob-peer.ts'
import { BlobError, type BlobName, type BlobStore } from '../adapters/storage/blob-store.ts'

export interface BlobFetchingOptions {
  self: ReplicaId
  store: BlobStore
  peers: Map<ReplicaId, BlobPeer>
  /** Whether so many further bytes leave the disk the room it needs. */
  hasRoom: (bytes: number) => Promise<boolean>
  log: (level: 'info' | 'error', text: string) => void
}

interface Want {
  name: BlobName
  /** The server that said it has it. */
  from: ReplicaId | undefined
  /** Whether an entry names it: it is wanted until it is here. */
  isNamed: boolean
  tries: number
  state: 'queued' | 'underWay' | 'resting'
  rest?: NodeJS.Timeout
}

export class BlobFetching {
  readonly #options: BlobFetchingOptions
  readonly #wants = new Map<string, Want>()
  /** Those whose turn comes, in order. An emptied server wants a hundred thousand. */
  readonly #queued = new Set<Want>()
  readonly #waiting = new Map<string, Set<() => void>>()
  #underWay = 0
  /** Of those, the ones that no entry named when they began. */
  #follows = 0
  #isOver = false

  constructor(options: BlobFetchingOptions) {
    this.#options = options
  }

  /** How many are still to come. */
  get size(): number {
    return this.#wants.size
  }

  /** An entry names it: it is fetched, however long that takes, unless it is here. */
  named(name: BlobName): void {
    this.#want(name, undefined, true)
  }

  /** Another server says that it has it: whether it is here too, within `waitMs`. */
  async offered(name: BlobName, from: ReplicaId, waitMs: number): Promise<boolean> {
    if (await this.#options.store.has(name)) return true
    const isKnown = this.#options.peers.has(from)
    if (isKnown && this.#wants.size < blobOffersMax) this.#want(name, from, false)
    await this.#arrival(name.hash, waitMs)
    return this.#options.store.has(name)
  }

  /** It is here: somebody uploaded it. */
  arrived({ hash }: BlobName): void {
    const want = this.#wants.get(hash)
    if (want) this.#forget(want)
    for (const told of this.#waiting.get(hash) ?? []) told()
    this.#waiting.delete(hash)
  }

  /**
   * The servers on whose disks a blob is that is on this one, flushed. The others hear that it can
   * be had here, and are waited for at most so long.
   */
  async holders(name: BlobName, waitMs: number): Promise<ReplicaId[]> {
    const { self, peers, store } = this.#options
    if (!(await store.has(name))) return []
    const asked = [...peers].map(async ([id, peer]) => {
      // One that cannot be reached holds nothing that one could count on.
      const isThere = await peer.offer(name, self, waitMs).catch(() => false)
      return isThere ? [id] : []
    })
    return [self, ...(await Promise.all(asked)).flat()]
  }

  /** An upload has begun here: the others may follow it, and have it when it ends. */
  announce(name: BlobName): void {
    const { peers, self } = this.#options
    // Who does not hear of it now hears of it at the end.
    for (const peer of peers.values()) peer.offer(name, self, receiptWaitMs).catch(() => false)
  }

  close(): void {
    this.#isOver = true
    for (const { rest } of this.#wants.values()) clearTimeout(rest)
    for (const peer of this.#options.peers.values()) peer.close()
  }

  #want(name: BlobName, from: ReplicaId | undefined, isNamed: boolean): void {
    const known = this.#wants.get(name.hash)
    if (!known) {
      const want: Want = { name, from, isNamed, tries: 0, state: 'queued' }
      this.#wants.set(name.hash, want)
      this.#queued.add(want)
    } else {
      known.from = from ?? known.from
      known.isNamed ||= isNamed
      // Somebody has it: there is something to hope for again.
      if (known.state === 'resting' && from !== undefined) this.#queue(known)
    }
    this.#begin()
  }

  #begin(): void {
    if (this.#isOver) return
    for (const want of this.#queued) {
      if (this.#underWay >= blobFetchesMax) return
      if (!want.isNamed && this.#follows >= blobFollowsMax) continue
      this.#queued.delete(want)
      this.#work(want)
    }
  }

  #work(want: Want): void {
    const follows = want.isNamed ? 0 : 1
    want.state = 'underWay'
    this.#underWay++
    this.#follows += follows
    this.#fetch(want)
      .catch((error: unknown) => {
        const text = error instanceof Error ? error.message : String(error)
        this.#options.log('error', `cannot keep blob ${want.name.hash}: ${text}`)
        return false
      })
      .then((isHere) => {
        this.#underWay--
        this.#follows -= follows
        if (isHere) this.arrived(want.name)
        else this.#rest(want)
        this.#begin()
      })
      // Nothing above throws: if it does, the process ends, as it should.
      .catch((error: unknown) => {
        queueMicrotask(() => {
          throw error
        })
      })
  }

  #rest(want: Want): void {
    if (this.#isOver || this.#wants.get(want.name.hash) !== want) return
    want.tries++
    if (!want.isNamed && want.tries >= blobOfferTriesMax) {
      this.#forget(want)
      return
    }
    want.state = 'resting'
    const ms = Math.min(blobRetryFirstMs * 2 ** (want.tries - 1), blobRetryMaxMs)
    want.rest = setTimeout(() => {
      this.#queue(want)
      this.#begin()
    }, ms).unref()
  }

  #forget(want: Want): void {
    clearTimeout(want.rest)
    this.#queued.delete(want)
    this.#wants.delete(want.name.hash)
  }

  #queue(want: Want): void {
    clearTimeout(want.rest)
    want.state = 'queued'
    this.#queued.add(want)
  }

  /** Whether it is here now. Rejects when this disk does not take it. */
  async #fetch(want: Want): Promise<boolean> {
    const { name, from } = want
    const { store, peers, hasRoom } = this.#options
    if (await store.has(name)) return true
    if (!(await hasRoom(name.size))) return false
    const first = from === undefined ? undefined : peers.get(from)
    const others = [...peers.values()].filter((peer) => peer !== first)
    // Whom to ask first is left to chance: one server shall not feed all others.
    others.sort(() => Math.random() - 0.5)
    for (const peer of first ? [first, ...others] : others) {
      if (this.#isOver) return false
      if (await this.#fetchFrom(peer, want)) return true
    }
    return false
  }

  async #fetchFrom(peer: BlobPeer, { name, isNamed }: Want): Promise<boolean> {
    const { store } = this.#options
    const offset = await store.received(name)
    const isAllThere = offset === name.size && offset > 0
    // Not reached, or gone in the middle: another is asked, and goes on from there.
    const bytes = isAllThere ? undefined : await peer.get(name, offset).catch(() => undefined)
    if (!bytes && !isAllThere) return false
    try {
      const upload = await store.upload(name, offset)
      if (bytes) await pipeline(bytes, upload)
      else await pipeline([], upload)
    } catch (error) {
      bytes?.destroy()
      if (error instanceof BlobError && error.code === 'full') throw error
      // Of an upload that is not at its end nobody knows yet what comes; of what is named, one does.
      if (isNamed && error instanceof BlobError && error.code === 'mismatch') {
        this.#options.log('error', `another server sent other bytes than those of ${name.hash}`)
      }
      return false
    }
    return store.has(name)
  }

  /** Resolves when it is here, or after `waitMs`. */
  #arrival(hash: string, waitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting = this.#waiting.get(hash) ?? new Set()
    this.#waiting.set(hash, waiting)
    const timer = setTimeout(resolve, waitMs)
    waiting.add(resolve)
    return promise.finally(() => {
      clearTimeout(timer)
      waiting.delete(resolve)
      if (waiting.size === 0 && this.#waiting.get(hash) === waiting) this.#waiting.delete(hash)
    })
  }
}
