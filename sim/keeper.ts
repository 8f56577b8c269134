// What one process of a simulated server does for the bytes of files: takes them from people, fetches
// what entries name from other servers, piece by piece, and removes what nothing names.
//
//   an upload ended ──> offered to the others ─┐
//   an entry names it, this start ─────────────┴─> wanted ── piece, piece ──> verified, flushed: here

import type { HostName, Network } from './network.ts'
import type { BytesName, Shelf } from './shelf.ts'
import type { Timeline } from './timeline.ts'

/** So much goes over the network at once. */
export const pieceBytes = 24
/** How often it looks for what it lacks, and for what nothing names. */
const fetchMs = 120
const sweepMs = 700
/** What nothing names stays so long: a day. */
const graceMs = 1500
/** What is offered and not named is asked for so often. */
const offersMax = 10

export interface KeeperOptions {
  name: HostName
  shelf: Shelf
  timeline: Timeline
  network: Network
  /** Mean time of one piece over the network, and of a flush. */
  pieceMs: () => number
  flushMs: () => number
  /** The keepers of all servers that are up. */
  keepers: () => ReadonlyMap<HostName, Keeper>
  /** What entries name here; undefined: nobody can tell. */
  named: () => readonly BytesName[] | undefined
  /** Whether it has caught up with the others. */
  isWell: () => boolean
  /** Whether somebody has uploaded these and still asks for a file of them: nobody does so for a day. */
  isExpected: (hash: string) => boolean
  /** It removed these. */
  swept: (hashes: string[]) => void
  /** Planted bugs: of what it fetches a piece is another; it loses one; it removes what is named. */
  mixesPieces: boolean
  losesPieces: boolean
  sweepsNamed: boolean
}

export class Keeper {
  readonly #options: KeeperOptions
  /** By hash: how often it may still be asked for. */
  readonly #wanted = new Map<string, { size: number; tries: number }>()
  readonly #coming = new Set<string>()
  #isLooking = false
  #isOver = false

  constructor(options: KeeperOptions) {
    this.#options = options
    options.timeline.after(sweepMs, () => this.#sweep())
  }

  end(): void {
    this.#isOver = true
  }

  get shelf(): Shelf {
    return this.#options.shelf
  }

  /** Whether it takes uploads. */
  get isTaking(): boolean {
    return this.#options.isWell()
  }

  /** Entries name these: they are fetched, however long that takes. */
  named(contents: readonly BytesName[]): void {
    for (const { hash, size } of contents) this.#want({ hash, size }, Infinity)
  }

  offered(name: BytesName): void {
    if (!this.#wanted.has(name.hash)) this.#want(name, offersMax)
  }

  /** Whether it is here, for an operation that names it. */
  claim(hash: string): boolean {
    return this.shelf.claim(this.#options.timeline.now, hash)
  }

  /** Where an upload of this goes on; undefined: one is under way. */
  begin(hash: string): number | undefined {
    if (this.#coming.has(hash)) return undefined
    this.#coming.add(hash)
    return this.shelf.received(hash)
  }

  /** It broke off: what came of it is kept for the next. */
  leave(hash: string): void {
    this.#coming.delete(hash)
  }

  /** More of an upload; `done`: it is here, or is not what it was to be. */
  take({ hash, size }: BytesName, piece: Uint8Array, done: (isHere: boolean) => void): void {
    const { timeline, flushMs } = this.#options
    this.shelf.add(hash, piece)
    if (this.shelf.received(hash) < size) return
    timeline.after(flushMs(), () => {
      if (this.#isOver || this.shelf.received(hash) < size) return
      const isHere = this.shelf.finish(timeline.now, hash, this.#options.mixesPieces)
      if (this.#options.losesPieces) this.shelf.loseLast(hash)
      this.leave(hash)
      if (isHere) this.#arrived({ hash, size })
      done(isHere)
    })
  }

  // ------------------------------------------------------------------------------- fetching

  #want({ hash, size }: BytesName, tries: number): void {
    if (this.shelf.has(hash)) return
    this.#wanted.set(hash, { size, tries })
    this.#look()
  }

  #arrived(name: BytesName): void {
    this.#wanted.delete(name.hash)
    for (const [other, keeper] of this.#options.keepers()) {
      if (this.#canReach(other)) keeper.offered(name)
    }
  }

  #look(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    this.#options.timeline.after(fetchMs, () => {
      this.#isLooking = false
      if (this.#isOver) return
      for (const [hash, want] of this.#wanted) {
        if (this.shelf.has(hash) || want.tries-- <= 0) this.#wanted.delete(hash)
        else if (!this.#isFrozen) this.#fetch({ hash, size: want.size })
      }
      if (this.#wanted.size > 0) this.#look()
    })
  }

  #fetch(name: BytesName): void {
    const source = [...this.#options.keepers()].find(
      ([other, { shelf }]) => this.#canReach(other) && shelf.has(name.hash),
    )
    if (source && this.begin(name.hash) !== undefined) this.#next(name, source)
  }

  /** One piece after the other; where it breaks off, the next look goes on elsewhere. */
  #next(name: BytesName, source: [HostName, Keeper]): void {
    const { timeline, pieceMs, mixesPieces } = this.#options
    const [other, keeper] = source
    timeline.after(pieceMs(), () => {
      if (this.#isOver) return
      const bytes = keeper.shelf.read(name.hash)
      const isOn = this.#options.keepers().get(other) === keeper && this.#canReach(other)
      if (!isOn || !bytes || this.#isFrozen) {
        this.leave(name.hash)
        return
      }
      const at = this.shelf.received(name.hash)
      const piece = bytes.subarray(at, at + pieceBytes)
      const isMixed = mixesPieces && at > 0
      this.take(name, isMixed ? piece.toReversed() : piece, () => {})
      if (this.shelf.received(name.hash) < name.size) this.#next(name, source)
    })
  }

  get #isFrozen(): boolean {
    return this.#options.network.isFrozen(this.#options.name)
  }

  #canReach(other: HostName): boolean {
    const { network, name } = this.#options
    return other !== name && !network.isCut(name, other) && !network.isFrozen(other)
  }

  // ------------------------------------------------------------------------------- sweeping

  #sweep(): void {
    if (this.#isOver) return
    const { timeline, named, isWell, isExpected, swept, sweepsNamed } = this.#options
    const isDue = isWell() && !this.#isFrozen && !this.shelf.isEmpty
    const contents = isDue ? named() : undefined
    if (contents) {
      const hashes = new Set(contents.map(({ hash }) => hash))
      const stays = (hash: string) => isExpected(hash) || (!sweepsNamed && hashes.has(hash))
      const gone = this.shelf.sweep(timeline.now - graceMs, stays)
      if (gone.length > 0) swept(gone)
    }
    timeline.after(sweepMs, () => this.#sweep())
  }
}
