// When it is believed that something is missing on the disk.

/**
 * It is when it is not there so much later either: programs take files away and put them back, and what
 * is moved while a look goes on may be seen in neither place.
 */
const missingMs = 400
/**
 * A look in which directories changed proves nothing, and is made again; but for so many in a row, since
 * some programs never rest. What is there and moves is not missed by every one of them.
 */
const tornMax = 8

export interface Looked {
  expected: Iterable<string>
  /** By path. */
  items: { has(path: string): boolean }
  isTorn: () => boolean
}

export class Missing {
  #lookedAt: number | undefined
  /** When something was missing for the first time. */
  #vanishedAt = -Infinity
  #torn = 0
  #lacking = new Set<string>()

  /**
   * A look that began at `now`. `expected`: paths where something was seen by the look before, or was put
   * since. `isTorn`: whether directories changed meanwhile; asked of a look that would confirm what is
   * missing.
   */
  looked(now: number, { expected, items, isTorn }: Looked): void {
    const wouldConfirm = !this.isBelieved && now >= this.sureAt
    const lacking = new Set<string>()
    for (const path of expected) if (!items.has(path)) lacking.add(path)
    const isNew = [...lacking].some((path) => !this.#lacking.has(path))
    this.#lacking = lacking
    if (isNew || this.#lookedAt === undefined) {
      this.#vanishedAt = now
      this.#torn = 0
    } else if (wouldConfirm && this.#torn < tornMax && isTorn()) {
      this.#vanishedAt = now
      this.#torn++
    }
    this.#lookedAt = now
  }

  /** Whatever is missing has been missing for long enough. */
  get isBelieved(): boolean {
    return this.#lookedAt !== undefined && this.#lookedAt >= this.#vanishedAt + missingMs
  }

  /** When a look may confirm it; Infinity: there is nothing to confirm. */
  get sureAt(): number {
    return this.isBelieved ? Infinity : this.#vanishedAt + missingMs
  }
}
