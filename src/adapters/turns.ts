// When a loop takes what has gathered for it.

/** A loop that took nothing for this long is idle: whatever comes next is most likely alone. */
const idleAfterMs = 2

/** The turns of one loop. `turn` may be called with nothing gathered. */
export class Turns {
  readonly #turn: () => void
  #isPlanned = false
  #isNext = false
  /** When the last turn began, or was over where it was long; while there is one it lies ahead. */
  #tookAt = -Infinity

  constructor(turn: () => void) {
    this.#turn = turn
  }

  /**
   * Something has come from outside. An idle loop takes it right after the callback at hand, which is
   * a tenth of a millisecond sooner; a busy one together with all that the event loop finds ready.
   */
  soon(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    if (performance.now() - this.#tookAt > idleAfterMs) queueMicrotask(() => this.take())
    else setImmediate(() => this.take())
  }

  /** Something belongs to the work at hand: it is taken at its end, nothing comes between. */
  next(): void {
    if (this.#isNext) return
    this.#isNext = true
    queueMicrotask(() => this.take())
  }

  take(): void {
    this.#isPlanned = false
    this.#isNext = false
    const began = performance.now()
    this.#tookAt = Infinity
    this.#turn()
    const over = performance.now()
    // A long turn has let others wait: they come before what follows from it.
    this.#tookAt = over - began > idleAfterMs ? over : began
  }
}
