// Several things at once, and not all of them, as they come.

/** Does few things at once; the others wait for their turn, in the order in which they came. */
export class FewAtOnce {
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #count = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Resolves and rejects as `work`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#count < this.#most) this.#count++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // Its place goes to the next.
      if (next) next()
      else this.#count--
    }
  }
}
