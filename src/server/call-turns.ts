// Calls are begun in rounds, a few in each turn of the event loop: however many come at once from one
// caller, those of others are among the next.

import { callsPerTurnMax } from '../core/model/limits.ts'
import { Rounds, type Place } from './rounds.ts'

export class CallTurns {
  readonly #waiting = new Rounds<() => void>()
  /** In this turn of the event loop. */
  #begun = 0

  /** Begins it now, or when it is its turn. `begin` does not throw. */
  take(place: Place, begin: () => void): void {
    if (this.#begun >= callsPerTurnMax) {
      this.#waiting.add(place, begin)
      return
    }
    if (this.#begun++ === 0) setImmediate(() => this.#next())
    begin()
  }

  #next(): void {
    this.#begun = Math.min(callsPerTurnMax, this.#waiting.size)
    if (this.#begun > 0) setImmediate(() => this.#next())
    for (let left = this.#begun; left > 0; left--) this.#waiting.next()!()
  }
}
