// A budget that refills with time: what a server grants to a client, and a client keeps to.

export class Allowance {
  readonly #perSecond: number
  readonly #most: number
  #left: number
  #at: number

  /** So much a second on average, and `most` at once. */
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

  /** Takes `amount` if it is there, else nothing. */
  take(now: number, amount: number): boolean {
    this.#refill(now)
    if (this.#left < amount) return false
    this.#left -= amount
    return true
  }

  /** Takes `amount`, be it more than is there: nothing is left until that has come, too. */
  spend(now: number, amount: number): void {
    this.#refill(now)
    this.#left -= amount
  }

  #refill(now: number): void {
    const earned = (Math.max(0, now - this.#at) * this.#perSecond) / 1000
    this.#left = Math.min(this.#most, this.#left + earned)
    this.#at = now
  }
}
