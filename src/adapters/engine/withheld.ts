// What may leave the process only when what it rests on is on the disk.
//
// Minds that waited for each flush would stand still a third of the time, and so would whoever waits
// for them. Here they go on at once, and only what others could see waits: "output commit" (Elnozahy
// and others, A Survey of Rollback-Recovery Protocols, 2002, section 2.4; the idea of Rethink the Sync,
// Nightingale and others, 2006). A crash before the flush takes back what nobody has seen.

interface Held {
  /** How many writes it waits for, from the first on. */
  after: number
  release: () => void
}

export class Withheld {
  #writes = 0
  /** Those that are not stored yet, in order. */
  readonly #underWay = new Set<number>()
  #held: Held[] = []
  #isOver = false
  #isReleasing = false
  #settled: (() => void)[] = []

  /** How much waits to leave. */
  get size(): number {
    return this.#held.length
  }

  /** All that comes from now on waits for this. Rejects when `stored` does; then nothing is released. */
  async until(stored: Promise<void>): Promise<void> {
    const write = ++this.#writes
    this.#underWay.add(write)
    await stored
    this.#underWay.delete(write)
    this.#release()
  }

  /** Calls `release` when all writes so far are stored: at once, if they are. In order. */
  whenStored(release: () => void): void {
    this.#held.push({ after: this.#writes, release })
    this.#release()
  }

  /** Resolves when nothing waits; never, when storing failed and nobody has called `end`. */
  settled(): Promise<void> {
    if (this.#isOver || this.#underWay.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#settled.push(resolve))
  }

  /** Whatever waits is dropped, and nothing waits any more: the minds are not asked again. */
  end(): void {
    this.#isOver = true
    this.#held = []
    for (const resolve of this.#settled.splice(0)) resolve()
  }

  #release(): void {
    // What is released may ask for more: it comes after what is released with it.
    if (this.#isReleasing) return
    this.#isReleasing = true
    try {
      for (let next = this.#leaving(); next.length > 0; next = this.#leaving()) {
        for (const { release } of next) release()
      }
    } finally {
      this.#isReleasing = false
    }
    if (this.#underWay.size === 0) for (const resolve of this.#settled.splice(0)) resolve()
  }

  // All at once: to take the first of 50,000 off one by one stands still for seconds.
  #leaving(): Held[] {
    const [first = Infinity] = this.#underWay
    const staying = this.#isOver ? -1 : this.#held.findIndex(({ after }) => after >= first)
    return this.#held.splice(0, staying < 0 ? this.#held.length : staying)
  }
}
