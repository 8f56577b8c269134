// What is to be fetched, in the order in which it is wanted: what somebody waits for, then what was
// written last.

/** Something that takes its turn. */
interface Ranked {
  /** Larger ones come first. Read when it is put in. */
  rank: number
}

/** A binary heap: an emptied server wants a hundred thousand. */
export class WantQueue<Want extends Ranked> {
  readonly #heap: { rank: number; order: number; want: Want }[] = []
  /** Those in the queue; a further place of one that was put in again counts for nothing. */
  readonly #places = new Map<Want, number>()
  #count = 0

  get size(): number {
    return this.#places.size
  }

  put(want: Want): void {
    const place = { rank: want.rank, order: this.#count++, want }
    this.#places.set(want, place.order)
    let index = this.#heap.push(place) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(place, this.#heap[parent]!)) break
      this.#heap[index] = this.#heap[parent]!
      index = parent
    }
    this.#heap[index] = place
  }

  take(): Want | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (!first) return undefined
      this.#removeFirst()
      if (this.#places.get(first.want) !== first.order) continue
      this.#places.delete(first.want)
      return first.want
    }
  }

  remove(want: Want): void {
    this.#places.delete(want)
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!
    if (this.#heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= this.#heap.length) break
      const right = this.#heap[child + 1]
      if (right && isBefore(right, this.#heap[child]!)) child++
      if (!isBefore(this.#heap[child]!, last)) break
      this.#heap[index] = this.#heap[child]!
      index = child
    }
    this.#heap[index] = last
  }
}

interface Place {
  rank: number
  order: number
}

function isBefore(one: Place, other: Place): boolean {
  return one.rank > other.rank || (one.rank === other.rank && one.order < other.order)
}
