// What lies on a disk in memory: explicit, so that tests and the simulator can copy and damage it.

import type { Origin, SubjectId } from '../../core/model/ids.ts'
import { raise, type VersionVector } from '../../core/model/version-vector.ts'
import type { OperationFound } from '../../core/ports.ts'
import type { Place, StoredRecord } from './record.ts'

/** An update on the disk. Replaced, never changed, so that clones can share it. */
export interface Row extends Place {
  record: StoredRecord
}

/** A piece on the disk, with what it covers, which counts even when its record is damaged. */
export interface Piece {
  record: StoredRecord
  covers: VersionVector
}

/** What lies there of one subject. */
export interface Shelf {
  isEntry: boolean
  pieces: Piece[]
  /** Its updates in the logs, also those that a piece covers and compaction has not removed. */
  places: Place[]
  /** How many of them no piece covers. */
  loose: number
}

/**
 * The durable bytes of one server. Survives a crash: make a `MemoryStorage` on it again. The newest
 * storage owns it; what an older one still has under way never arrives.
 */
export class MemoryDisk {
  isComplete = false
  life = ''
  readonly vector: VersionVector = new Map()
  readonly floor: VersionVector = new Map()
  readonly logs = new Map<Origin, Map<number, Row>>()
  readonly shelves = new Map<SubjectId, Shelf>()
  readonly operations = new Map<string, OperationFound & { at: number }>()
  /** When the newest of them was stored (`runningTime`). */
  newestAt = 0
  /** Records that were damaged and have been replaced from a peer. */
  readonly quarantine: { subject: SubjectId; record: StoredRecord }[] = []
  owner: object | undefined

  /** Another disk with the same bytes: a backup. */
  clone(): MemoryDisk {
    const copy = new MemoryDisk()
    copy.isComplete = this.isComplete
    copy.life = this.life
    copy.newestAt = this.newestAt
    raise(copy.vector, this.vector)
    raise(copy.floor, this.floor)
    for (const [origin, log] of this.logs) copy.logs.set(origin, new Map(log))
    for (const [subject, shelf] of this.shelves) {
      const { pieces, places } = shelf
      copy.shelves.set(subject, { ...shelf, pieces: [...pieces], places: [...places] })
    }
    for (const [id, operation] of this.operations) copy.operations.set(id, operation)
    copy.quarantine.push(...this.quarantine)
    return copy
  }

  /**
   * Turns over one bit of what a load of this subject reads: bit number `bit` of its pieces and
   * loose updates joined, modulo their length. False when nothing is stored.
   */
  flip(subject: SubjectId, bit = 0): boolean {
    const shelf = this.shelves.get(subject)
    if (!shelf) return false
    const rows = shelf.places.filter((place) => !isCovered(shelf, place)).map((at) => this.row(at))
    const parts = [...shelf.pieces, ...rows]
    let left = bit % (8 * parts.reduce((sum, { record }) => sum + record.bytes.length, 0))
    for (const part of parts) {
      const bits = 8 * part.record.bytes.length
      if (left >= bits) {
        left -= bits
        continue
      }
      const bytes = part.record.bytes.slice()
      bytes[left >> 3]! ^= 1 << (left & 7)
      const damaged = { ...part, record: { bytes, checksum: part.record.checksum } }
      if ('seq' in damaged) this.logs.get(damaged.origin)!.set(damaged.seq, damaged)
      else shelf.pieces[shelf.pieces.indexOf(part as Piece)] = damaged
      return true
    }
    return false
  }

  row({ origin, seq }: Pick<Place, 'origin' | 'seq'>): Row {
    return this.logs.get(origin)!.get(seq)!
  }
}

/** Whether a piece stands for what was at this place of a log. */
export function isCovered({ pieces }: Shelf, { origin, seq }: Place): boolean {
  return pieces.some((piece) => seq <= (piece.covers.get(origin) ?? 0))
}
