// Simulated time: what is to happen, earliest first; nothing else moves the clock.

interface Moment {
  at: number
  order: number
  action: () => void
}

/** A clock and the queue of everything that waits for it. Milliseconds from 0. */
export class Timeline {
  #now = 0
  #count = 0
  /** A binary heap by (at, order). */
  readonly #heap: Moment[] = []

  get now(): number {
    return this.#now
  }

  /** What is planned for the same instant happens in the order of planning. */
  at(at: number, action: () => void): void {
    const moment = { at: Math.max(at, this.#now), order: this.#count++, action }
    let index = this.#heap.push(moment) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(moment, this.#heap[parent]!)) break
      this.#heap[index] = this.#heap[parent]!
      index = parent
    }
    this.#heap[index] = moment
  }

  after(ms: number, action: () => void): void {
    this.at(this.#now + ms, action)
  }

  /** Lives through everything up to `until`, which is then the present. */
  run(until: number): void {
    for (let next = this.#heap[0]; next && next.at <= until; next = this.#heap[0]) {
      this.#removeFirst()
      this.#now = next.at
      next.action()
    }
    this.#now = Math.max(this.#now, until)
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!
    if (this.#heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= this.#heap.length) break
      const right = child + 1
      if (right < this.#heap.length && isBefore(this.#heap[right]!, this.#heap[child]!)) {
        child = right
      }
      if (!isBefore(this.#heap[child]!, last)) break
      this.#heap[index] = this.#heap[child]!
      index = child
    }
    this.#heap[index] = last
  }
}

function isBefore(one: Moment, other: Moment): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
