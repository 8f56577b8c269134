// One digest of everything that is stored, kept up to date at the cost of what changed.

import type { SubjectId } from '../model/ids.ts'

const length = 32

/**
 * The exclusive-or of a SHA-256 per subject: equal on servers that hold the same, in any order of
 * arrival. Finds accidents, not forgeries; servers of one set trust each other.
 */
export class Digests {
  readonly #hashes = new Map<SubjectId, Uint8Array>()
  readonly #stale = new Set<SubjectId>()
  readonly #sum = new Uint8Array(length)

  get isCurrent(): boolean {
    return this.#stale.size === 0
  }

  /** The digest in hex, of what was hashed last. */
  get value(): string {
    return [...this.#sum].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  }

  /** Something of this subject changed on disk. */
  changed(subject: SubjectId): void {
    this.#stale.add(subject)
  }

  /**
   * Hashes at most `limit` changed subjects, and no more when there is no time; `hashOf` gives 64 hex
   * digits, or nothing for none.
   */
  refresh(
    limit: number,
    hashOf: (subject: SubjectId) => string | undefined,
    hasTime: () => boolean = () => true,
  ): void {
    for (const subject of this.#stale) {
      if (limit-- <= 0 || !hasTime()) return
      this.#stale.delete(subject)
      this.#toggle(this.#hashes.get(subject))
      const hex = hashOf(subject)
      const hash = hex === undefined ? undefined : decodeHex(hex)
      if (hash) this.#hashes.set(subject, hash)
      else this.#hashes.delete(subject)
      this.#toggle(hash)
    }
  }

  #toggle(hash: Uint8Array | undefined): void {
    if (!hash) return
    for (let index = 0; index < length; index++) this.#sum[index]! ^= hash[index]!
  }
}

function decodeHex(hex: string): Uint8Array {
  return Uint8Array.from({ length }, (_, index) =>
    parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  )
}
