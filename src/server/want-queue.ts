// What is to be fetched, in the order in which it is wanted: what somebody waits for, then what was
// written last.

import { Heap } from '../core/model/heap.ts'

/** Something that takes its turn. */
interface Ranked {
  /** Larger ones come first. Read when it is put in. */
  rank: number
}

interface Place<Want> {
  rank: number
  order: number
  want: Want
}

/** With a heap: an emptied server wants a hundred thousand. */
export class WantQueue<Want extends Ranked> {
  readonly #heap = new Heap<Place<Want>>(isBefore)
  /** Those in the queue; a further place of one that was put in again counts for nothing. */
  readonly #places = new Map<Want, number>()
  #count = 0

  get size(): number {
    return this.#places.size
  }

  put(want: Want): void {
    const place = { rank: want.rank, order: this.#count++, want }
    this.#places.set(want, place.order)
    this.#heap.put(place)
  }

  take(): Want | undefined {
    for (let first = this.#heap.take(); first; first = this.#heap.take()) {
      if (this.#places.get(first.want) !== first.order) continue
      this.#places.delete(first.want)
      return first.want
    }
    return undefined
  }

  remove(want: Want): void {
    this.#places.delete(want)
  }
}

function isBefore(one: Place<unknown>, other: Place<unknown>): boolean {
  return one.rank > other.rank || (one.rank === other.rank && one.order < other.order)
}
