// A budget that refills with time: so much a second on average, so much at once.

/** What a server grants; kept here so that it is never overdrawn there. */
export class Allowance {
  readonly #perSecond: number
  readonly #most: number
  #left: number
  #at: number

  constructor(now: number, perSecond: number, most: number) {
    this.#perSecond = perSecond
    this.#most = most
    this.#left = most
    this.#at = now
  }

  /** When `amount` will be there: `now` or before when it is; Infinity when it never will. */
  readyAt(now: number, amount: number): number {
    if (amount > this.#most) return Infinity
    this.#refill(now)
    return now + Math.ceil((Math.max(0, amount - this.#left) * 1000) / this.#perSecond)
  }

  /** Takes `amount`; to be called only when it is there. */
  take(now: number, amount: number): void {
    this.#refill(now)
    this.#left -= amount
  }

  #refill(now: number): void {
    const earned = (Math.max(0, now - this.#at) * this.#perSecond) / 1000
    this.#left = Math.min(this.#most, this.#left + earned)
    this.#at = now
  }
}
