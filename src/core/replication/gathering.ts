// What waits for the disk: one batch under way, the rest gathers for the next (group commit).

import type { Snapshot, Update } from '../model/wire.ts'
import type { ReplicaId } from '../model/ids.ts'
import { batchBytesMax } from '../model/limits.ts'
import type { Batch } from '../ports.ts'
import type { VersionVector } from '../model/version-vector.ts'
import type { Peer } from './peer.ts'

/** One thing to store, or only a place in the queue (a barrier). */
export interface Item {
  update?: Update
  snapshot?: Snapshot
  /** Who sent the snapshot, or one that had nothing for this disk. */
  from?: Peer
  /** Which peer made it gather here. */
  by?: ReplicaId
  advance?: VersionVector
  isComplete?: boolean
  /** Name of the life that the set is in. */
  life?: string
  /** The append or barrier to answer when this and all before it are stored. */
  tag?: number
}

/** About how many bytes an item takes that is neither an update nor a snapshot. */
const itemBytes = 100

/**
 * A queue of items of which one batch at a time is at the disk.
 *
 *   idle ── add ──> gathering ── take ──> under way ── done ──> idle or gathering
 */
export class Gathering {
  #waiting: Item[] = []
  #underWay: Item[] | undefined
  readonly #bytesBy = new Map<ReplicaId, number>()

  get isIdle(): boolean {
    return this.#underWay === undefined && this.#waiting.length === 0
  }

  add(item: Item): void {
    this.#waiting.push(item)
    this.#count(item, 1)
  }

  /** What waits for the disk or is at it because of this peer, be it gone meanwhile. */
  bytesBy(peer: ReplicaId): number {
    return this.#bytesBy.get(peer) ?? 0
  }

  /** The next batch, when none is under way and something waits. */
  take(): Batch | undefined {
    if (this.#underWay !== undefined || this.#waiting.length === 0) return undefined
    const count = countWithin(this.#waiting, batchBytesMax)
    this.#underWay = this.#waiting.slice(0, count)
    this.#waiting = this.#waiting.slice(count)
    return batchOf(this.#underWay)
  }

  /** The batch under way is stored: what was in it, in order. */
  done(): Item[] {
    const items = this.#underWay ?? []
    this.#underWay = undefined
    for (const item of items) this.#count(item, -1)
    return items
  }

  #count(item: Item, sign: 1 | -1): void {
    if (item.by === undefined) return
    this.#bytesBy.set(item.by, this.bytesBy(item.by) + sign * bytesOf(item))
  }
}

function countWithin(items: Item[], bytesMax: number): number {
  let bytes = 0
  let count = 0
  for (const item of items) {
    bytes += bytesOf(item)
    // An advance ends a batch: the store applies it after the batch's updates and snapshots.
    if (count > 0 && bytes > bytesMax) return count
    count++
    if (item.advance) return count
  }
  return count
}

function bytesOf(item: Item): number {
  if (item.update) return updateBytes(item.update)
  if (item.snapshot) return snapshotBytes(item.snapshot)
  return itemBytes
}

function batchOf(items: Item[]): Batch {
  const batch: Batch = { updates: [], snapshots: [] }
  for (const item of items) {
    if (item.update) batch.updates.push(item.update)
    if (item.snapshot) batch.snapshots.push(item.snapshot)
    if (item.advance) batch.advance = item.advance
    if (item.isComplete) batch.isComplete = true
    if (item.life !== undefined) batch.life = item.life
  }
  return batch
}

/** About how many bytes an update takes on the wire and on disk. */
export function updateBytes(update: Update): number {
  return 80 + (update.body.value?.length ?? 0)
}

/** About how many bytes a snapshot takes on the wire and on disk. */
export function snapshotBytes(snapshot: Snapshot): number {
  const { text, entry, versions, operations } = snapshot
  return 80 + text.length + entry.length + versions.length + 60 * operations.length
}
