// Sketches of one size, one after the other: an array for each would be as large again.

import { hasPieces } from './sketch.ts'
import type { WantedPieces } from './wanted-pieces.ts'

const blockBytes = 2 ** 17

export class SketchShelf<Id extends string> {
  readonly #size: number
  readonly #perBlock: number
  readonly #blocks: Uint8Array[] = []
  /** Whose sketch lies at each place. */
  readonly #ids: (Id | undefined)[] = []
  readonly #free: number[] = []

  /** `size`: bytes of each sketch, a power of two. */
  constructor(size: number) {
    this.#size = size
    this.#perBlock = blockBytes / size
  }

  /** Returns the place where it lies now. */
  put(id: Id, sketch: Uint8Array): number {
    const place = this.#free.pop() ?? this.#ids.length
    const block = Math.floor(place / this.#perBlock)
    this.#blocks[block] ??= new Uint8Array(blockBytes)
    this.#blocks[block].set(sketch, (place % this.#perBlock) * this.#size)
    this.#ids[place] = id
    return place
  }

  remove(place: number): void {
    this.#ids[place] = undefined
    this.#free.push(place)
  }

  mayHold(place: number, wanted: WantedPieces): boolean {
    const block = this.#blocks[Math.floor(place / this.#perBlock)]!
    const at = (place % this.#perBlock) * this.#size
    for (const pieces of wanted) if (hasPieces(block, at, this.#size, pieces)) return true
    return false
  }

  /** Whose texts may hold it; in the order of the places, which is that of the memory. */
  *holding(wanted: WantedPieces): Iterable<Id> {
    for (let place = 0; place < this.#ids.length; place++) {
      const id = this.#ids[place]
      if (id !== undefined && this.mayHold(place, wanted)) yield id
    }
  }
}
