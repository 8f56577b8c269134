// Simulated time: what is to happen, earliest first; nothing else moves the clock.

import { Heap } from '../src/core/model/heap.ts'

interface Moment {
  at: number
  order: number
  action: () => void
}

/** A clock and the queue of everything that waits for it. Milliseconds from 0. */
export class Timeline {
  #now = 0
  #count = 0
  readonly #moments = new Heap<Moment>(isBefore)

  get now(): number {
    return this.#now
  }

  /** What is planned for the same instant happens in the order of planning. */
  at(at: number, action: () => void): void {
    this.#moments.put({ at: Math.max(at, this.#now), order: this.#count++, action })
  }

  after(ms: number, action: () => void): void {
    this.at(this.#now + ms, action)
  }

  /** Lives through everything up to `until`, which is then the present. */
  run(until: number): void {
    const moments = this.#moments
    for (let next = moments.first; next && next.at <= until; next = moments.first) {
      moments.take()
      this.#now = next.at
      next.action()
    }
    this.#now = Math.max(this.#now, until)
  }
}

function isBefore(one: Moment, other: Moment): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
