// When something that died is started again: at growing distances, unless it was well for a while.

import { doubling } from '../core/model/doubling.ts'

/** How long it stays dead: twice as long each time, from the first to at most this. */
const firstMs = 1000
const mostMs = 30_000
/** What lived this long was well: its next death is a first one. */
const wellMs = 60_000

export class Revival {
  #deaths = 0
  #startedAt = 0

  started(): void {
    this.#startedAt = performance.now()
  }

  get wasWell(): boolean {
    return performance.now() - this.#startedAt > wellMs
  }

  /** It died. Answers after how many milliseconds it is to be started again. */
  died(): number {
    this.#deaths = this.wasWell ? 1 : this.#deaths + 1
    return doubling(firstMs, mostMs, this.#deaths - 1)
  }
}
