// Blobs that this server should have and has not: fetched from whichever other server has them.
//
//   an entry names it ─┐
//   another offers it ─┼─> wanted ──(8 at once)──> each peer in turn ──> store ──> whoever waits
//   this start ────────┘      ^                        │
//                             ├── later, and later ────┘ none has it, or it broke off
//                             └── at once: a peer is heard again, or somebody asks for it here

import { pipeline } from 'node:stream/promises'
import { isBytesName } from '../core/model/contents.ts'
import { doubling } from '../core/model/doubling.ts'
import { whyOf } from '../core/model/errors.ts'
import {
  blobBringMs,
  blobFetchesMax,
  blobFollowsMax,
  blobHurriesMax,
  blobOffersMax,
  blobOfferTriesMax,
  blobRetriesPerSecond,
  blobRetryFirstMs,
  blobRetryMaxMs,
  blobUnaskedBytesMax,
  receiptWaitMs,
} from '../core/model/limits.ts'
import type { ReplicaId } from '../core/model/ids.ts'
import { ServerState, type Content } from '../core/model/wire.ts'
import type { BlobPeer } from '../adapters/channel/blob-peer.ts'
import { BlobError, type BlobName } from '../adapters/storage/blob.ts'
import type { BlobStore, GrowingBlob, OpenBlob } from '../adapters/storage/blob-store.ts'
import { WantQueue } from './want-queue.ts'

/** What another server says that it has is believed for so long, of so many blobs. */
const heldMs = 10_000
const heldMax = 1000

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
  /** When it was written, milliseconds since 1970; infinite: somebody waits for it. */
  rank: number
  tries: number
  /** This disk did not take it. */
  isRefused: boolean
  state: 'queued' | 'underWay' | 'resting'
  rest?: NodeJS.Timeout
}

export class BlobFetching {
  readonly #options: BlobFetchingOptions
  readonly #wants = new Map<string, Want>()
  /** Those whose turn comes: the named ones, newest first, and the offered ones. */
  readonly #queued = new WantQueue<Want>()
  readonly #offered = new WantQueue<Want>()
  readonly #waiting = new Map<string, Set<() => void>>()
  /** By hash, the oldest first. */
  readonly #held = new Map<string, { by: Set<ReplicaId>; at: number }>()
  /** Told once: a fetch has begun, or ended. */
  readonly #news = new Map<string, PromiseWithResolvers<void>>()
  /** The peers that are heard now; undefined: nothing is known yet. */
  #heard: Set<ReplicaId> | undefined
  #underWay = 0
  /** Of those, the ones that no entry named when they began. */
  #follows = 0
  #resting = 0
  #isOver = false

  constructor(options: BlobFetchingOptions) {
    this.#options = options
  }

  /** How many are still to come. */
  get size(): number {
    return this.#wants.size
  }

  /** Entries name them: they are fetched, however long that takes, unless they are here. */
  named(contents: readonly Pick<Content, 'hash' | 'size' | 'at'>[]): void {
    for (const { hash, size, at } of contents) this.#want({ hash, size }, { rank: at })
    this.#begin()
  }

  /** What entries named and name no more is not waited for. */
  namedStill(isNamed: (hash: string) => boolean): void {
    for (const want of this.#wants.values()) {
      const { hash } = want.name
      if (!want.isNamed || want.state === 'underWay' || isNamed(hash)) continue
      this.#forget(want)
      this.#tellNews(hash)
    }
  }

  /** How the servers are, as often as that changes: what a peer may have that is back is asked for. */
  heard(servers: readonly { id: ReplicaId; state: ServerState }[]): void {
    const before = this.#heard
    const { self } = this.#options
    const up = servers.filter(({ id, state }) => id !== self && state !== ServerState.DOWN)
    const heard = new Set(up.map(({ id }) => id))
    this.#heard = heard
    // Who was away may come back with another disk.
    for (const { by } of this.#held.values()) {
      for (const id of by) if (!heard.has(id)) by.delete(id)
    }
    if (this.#resting === 0 || up.every(({ id }) => before?.has(id))) return
    for (const want of this.#wants.values()) {
      if (want.state !== 'resting') continue
      want.tries = 0
      this.#queue(want)
    }
    this.#begin()
  }

  /** Another server says that it has it: whether it is here too, within `waitMs`. */
  async offered(name: BlobName, from: ReplicaId, waitMs: number): Promise<boolean> {
    if (await this.#options.store.claim(name)) return true
    const isKnown = this.#options.peers.has(from)
    if (isKnown && this.#wants.size < blobOffersMax) this.#want(name, { from })
    this.#begin()
    await this.#arrival(name.hash, waitMs)
    return this.#options.store.has(name)
  }

  /** What an entry names by this hash and is not here; undefined: no entry does. */
  missing(hash: string): BlobName | undefined {
    const want = this.#wants.get(hash)
    return want?.isNamed ? want.name : undefined
  }

  /**
   * Opens what an entry names as soon as it begins to come, before all that nobody waits for; undefined
   * when no other server has it now, or none answered in time. Whoever opened it closes it.
   */
  async bring(name: BlobName): Promise<OpenBlob | GrowingBlob | undefined> {
    const { store } = this.#options
    const end = performance.now() + blobBringMs
    for (let isAsked = false; ; isAsked = true) {
      const news = this.#newsOf(name.hash)
      const open = (await store.read(name.hash)) ?? (await store.follow(name))
      if (!open && !isAsked) this.#want(name, { rank: Infinity })
      const want = this.#wants.get(name.hash)
      // While it was looked for, it came.
      if (!open && !want) return store.read(name.hash)
      const waitMs = end - performance.now()
      const isInVain = want === undefined || (isAsked && want.state === 'resting')
      if (open || isInVain || waitMs <= 0) return open
      if (want.state !== 'underWay') this.#hurry(want)
      await within(waitMs, news)
    }
  }

  /** It is here: somebody uploaded it. */
  arrived({ hash }: BlobName): void {
    const want = this.#wants.get(hash)
    if (want) this.#forget(want)
    for (const told of this.#waiting.get(hash) ?? []) told()
    this.#waiting.delete(hash)
    this.#tellNews(hash)
  }

  /**
   * The servers on whose disks a blob is that is on this one, flushed. The others hear that it can
   * be had here, and are waited for at most so long.
   */
  async holders(name: BlobName, waitMs: number, bytes?: Buffer): Promise<ReplicaId[]> {
    const { self: from, peers, store } = this.#options
    if (!(await store.has(name))) return []
    const held = this.#heldBy(name.hash)
    const asked = [...peers].map(async ([id, peer]) => {
      if (held.has(id)) return [id]
      // One that cannot be reached holds nothing that one could count on.
      const isThere = await peer.offer(name, { from, waitMs, bytes }).catch(() => false)
      if (isThere) held.add(id)
      return isThere ? [id] : []
    })
    return [from, ...(await Promise.all(asked)).flat()]
  }

  /** The same of what was uploaded just now: a short one is brought to the others, not only offered. */
  async spread(name: BlobName, waitMs: number): Promise<ReplicaId[]> {
    const isShort = name.size <= blobUnaskedBytesMax
    const bytes = isShort ? await this.#options.store.bytes(name.hash) : undefined
    return this.holders(name, waitMs, bytes)
  }

  /** Who said a moment ago that it has it: whoever uploads bytes asks again when a file gets them. */
  #heldBy(hash: string): Set<ReplicaId> {
    const now = performance.now()
    for (const [oldest, { at }] of this.#held) {
      if (this.#held.size <= heldMax && now - at <= heldMs) break
      this.#held.delete(oldest)
    }
    const known = this.#held.get(hash) ?? { by: new Set(), at: now }
    this.#held.set(hash, known)
    return known.by
  }

  /** An upload has begun here: the others may follow it, and have it when it ends. */
  announce(name: BlobName): void {
    const { peers, self: from } = this.#options
    // Who does not hear of it now hears of it at the end.
    for (const peer of peers.values()) {
      peer.offer(name, { from, waitMs: receiptWaitMs }).catch(() => false)
    }
  }

  close(): void {
    this.#isOver = true
    for (const { rest } of this.#wants.values()) clearTimeout(rest)
    for (const peer of this.#options.peers.values()) peer.close()
  }

  // ------------------------------------------------------------------------------- the queue

  /** Named, with when it was written; or offered by another server. */
  #want(name: BlobName, why: { rank: number } | { from: ReplicaId }): void {
    // It becomes a path, and comes from another server as it stands.
    if (!isBytesName(name)) return
    const isNamed = 'rank' in why
    const rank = isNamed ? why.rank : 0
    const from = isNamed ? undefined : why.from
    const known = this.#wants.get(name.hash)
    if (!known) {
      const want: Want = { name, from, isNamed, rank, tries: 0, isRefused: false, state: 'queued' }
      this.#wants.set(name.hash, want)
      this.#queue(want)
      return
    }
    known.from = from ?? known.from
    known.rank = Math.max(known.rank, rank)
    // Somebody has it: there is something to hope for again.
    const isHoped = known.state === 'resting' && from !== undefined
    const isFirstNamed = isNamed && !known.isNamed
    known.isNamed ||= isNamed
    if (isHoped || (isFirstNamed && known.state === 'queued')) this.#queue(known)
  }

  /** Somebody waits for it. */
  #hurry(want: Want): void {
    want.rank = Infinity
    this.#queue(want)
    this.#begin()
  }

  #begin(): void {
    while (!this.#isOver) {
      const want = this.#next()
      if (!want) return
      this.#work(want)
    }
  }

  #next(): Want | undefined {
    const isFull = this.#underWay >= blobFetchesMax
    // Uploads that go on are followed first: their receipts wait for it.
    if (!isFull && this.#follows < blobFollowsMax) {
      const offered = this.#offered.take()
      if (offered) return offered
    }
    const named = isFull && this.#underWay >= blobHurriesMax ? undefined : this.#queued.take()
    if (!named || !isFull || named.rank === Infinity) return named
    this.#queued.put(named)
    return undefined
  }

  #work(want: Want): void {
    const follows = want.isNamed ? 0 : 1
    want.state = 'underWay'
    this.#underWay++
    this.#follows += follows
    this.#fetch(want)
      .catch((error: unknown) => {
        const text = whyOf(error)
        // It is tried again and again: said once.
        if (!want.isRefused) {
          this.#options.log('error', `cannot keep blob ${want.name.hash}: ${text}`)
        }
        want.isRefused = true
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
    if (!want.isNamed && want.tries >= blobOfferTriesMax) this.#forget(want)
    else {
      want.state = 'resting'
      this.#resting++
      const usualMs = doubling(blobRetryFirstMs, blobRetryMaxMs, want.tries - 1)
      // Where very much is missing, the questions alone would be all that the servers do.
      const ms = Math.max(usualMs, (this.#resting / blobRetriesPerSecond) * 1000)
      want.rest = setTimeout(() => {
        this.#queue(want)
        this.#begin()
      }, ms).unref()
    }
    this.#tellNews(want.name.hash)
  }

  #forget(want: Want): void {
    this.#wake(want)
    this.#queued.remove(want)
    this.#offered.remove(want)
    this.#wants.delete(want.name.hash)
  }

  #queue(want: Want): void {
    this.#wake(want)
    want.state = 'queued'
    this.#offered.remove(want)
    if (want.isNamed) this.#queued.put(want)
    else this.#offered.put(want)
  }

  #wake(want: Want): void {
    clearTimeout(want.rest)
    if (want.state === 'resting') this.#resting--
  }

  // ------------------------------------------------------------------------------- one fetch

  /** Whether it is here now. Rejects when this disk does not take it. */
  async #fetch(want: Want): Promise<boolean> {
    const { name } = want
    const { store, hasRoom } = this.#options
    if (await store.has(name)) return true
    if (!(await hasRoom(name.size))) return false
    for (const peer of this.#sources(want)) {
      if (this.#isOver) return false
      if (await this.#fetchFrom(peer, want)) return true
    }
    return false
  }

  /** Who may have it: whoever said so, then those that are heard; all, when none is. */
  #sources({ from }: Want): BlobPeer[] {
    const { peers } = this.#options
    const heard = this.#heard?.size ? this.#heard : peers
    const others = [...peers].filter(([id]) => id !== from && heard.has(id))
    // Whom to ask first is left to chance: one server shall not feed all others.
    others.sort(() => Math.random() - 0.5)
    const first = from === undefined ? undefined : peers.get(from)
    return [...(first ? [first] : []), ...others.map(([, peer]) => peer)]
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
      this.#tellNews(name.hash)
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

  // ------------------------------------------------------------------------------- waiting

  /** Resolves when it is here, or after `waitMs`. */
  async #arrival(hash: string, waitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting = this.#waiting.get(hash) ?? new Set()
    this.#waiting.set(hash, waiting)
    waiting.add(resolve)
    await within(waitMs, promise)
    waiting.delete(resolve)
    if (waiting.size === 0 && this.#waiting.get(hash) === waiting) this.#waiting.delete(hash)
  }

  #newsOf(hash: string): Promise<void> {
    const news = this.#news.get(hash) ?? Promise.withResolvers<void>()
    this.#news.set(hash, news)
    return news.promise
  }

  #tellNews(hash: string): void {
    this.#news.get(hash)?.resolve()
    this.#news.delete(hash)
  }
}

/** Resolves with the promise, or after `waitMs`. */
async function within(waitMs: number, promise: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, waitMs)
  await Promise.race([promise, late])
  clearTimeout(timer)
}
