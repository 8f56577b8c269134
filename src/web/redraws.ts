// When the page is drawn again: many changes at once, and with rests, for most of the time is the person's.

import type { Client } from '../client/api.ts'
import { restAfter } from '../core/model/rest.ts'

/** Many changes in a row are drawn together. A drawing that seems to take over 1 s was held up. */
const pace = { times: 3, leastMs: 30, mostMs: 3000 }

/** A client's changes in the form React follows: one subscription a client, and a count. */
export class Redraws {
  readonly #listeners = new Set<() => void>()
  #count = 0
  #isResting = false
  #hasChanged = false

  constructor(client: Pick<Client, 'onChange'>) {
    client.onChange(() => {
      this.#hasChanged = true
      if (!this.#isResting) this.#draw()
    })
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** How often was drawn. */
  readonly count = (): number => this.#count

  #draw(): void {
    this.#isResting = true
    this.#hasChanged = false
    this.#count++
    const beganAt = performance.now()
    try {
      for (const listener of this.#listeners) listener()
    } finally {
      // React draws in a microtask, which is before this one.
      queueMicrotask(() => this.#rest(restAfter(performance.now() - beganAt, pace)))
    }
  }

  #rest(ms: number): void {
    const draw = () => {
      this.#isResting = false
      if (this.#hasChanged) this.#draw()
    }
    setTimeout(draw, ms)
  }
}
