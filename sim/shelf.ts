// Where a simulated server keeps the bytes of files: what came whole is there, verified and flushed; of
// what is on its way a crash leaves what came so far. It outlives the server's processes.

import { createHash } from 'node:crypto'

/** Bytes by the names that entries give them. */
export interface BytesName {
  hash: string
  size: number
}

interface Kept {
  bytes: Uint8Array
  /** When it came, or an entry was about to name it. */
  at: number
}

/** What a backup has of a shelf. */
export type ShelfBackup = ReadonlyMap<string, Kept>

export class Shelf {
  #whole = new Map<string, Kept>()
  /** What was whole here, and neither removed by its server nor lost with the disk. */
  #owed = new Set<string>()
  readonly #partial = new Map<string, Uint8Array>()

  get isEmpty(): boolean {
    return this.#whole.size === 0
  }

  has(hash: string): boolean {
    return this.#whole.has(hash)
  }

  /** Whether it has to be here: it was, and nobody but a bug took it away. */
  owes(hash: string): boolean {
    return this.#owed.has(hash)
  }

  /** An entry is about to name it. False: it is not here. */
  claim(at: number, hash: string): boolean {
    const kept = this.#whole.get(hash)
    if (kept) kept.at = at
    return kept !== undefined
  }

  read(hash: string): Uint8Array | undefined {
    return this.#whole.get(hash)?.bytes
  }

  /** How much of it came. */
  received(hash: string): number {
    return this.#partial.get(hash)?.length ?? 0
  }

  /** More of it came, and is flushed. */
  add(hash: string, piece: Uint8Array): void {
    this.#partial.set(hash, Buffer.concat([this.#partial.get(hash) ?? new Uint8Array(), piece]))
  }

  /** All of it came. False: it is something else, and gone. `isTrusting`: a planted bug. */
  finish(at: number, hash: string, isTrusting = false): boolean {
    const bytes = this.#partial.get(hash) ?? new Uint8Array()
    this.#partial.delete(hash)
    const isRight = isTrusting || hashOf(bytes) === hash
    if (isRight) {
      this.#whole.set(hash, { bytes, at })
      this.#owed.add(hash)
    }
    return isRight
  }

  /** Removes what is not to stay and came before this; what that was. */
  sweep(before: number, stays: (hash: string) => boolean): string[] {
    const gone = [...this.#whole].filter(([hash, { at }]) => at < before && !stays(hash))
    for (const [hash] of gone) {
      this.#whole.delete(hash)
      this.#owed.delete(hash)
    }
    return gone.map(([hash]) => hash)
  }

  /** A planted bug: the last of it is gone. */
  loseLast(hash: string): void {
    const kept = this.#whole.get(hash)
    if (kept) this.#whole.set(hash, { ...kept, bytes: kept.bytes.subarray(0, -1) })
  }

  backup(): ShelfBackup {
    return new Map([...this.#whole].map(([hash, kept]) => [hash, { ...kept }]))
  }

  /** The disk is another one. */
  rollBack(backup: ShelfBackup): void {
    this.#whole = new Map(backup)
    this.#owed = new Set(backup.keys())
    this.#partial.clear()
  }
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
