// The only source of chance in a simulation: the same seed gives the same numbers for ever.

/** A seeded stream of numbers. Streams forked under different labels do not disturb each other. */
export class Random {
  readonly #name: string
  #a: number
  #b: number
  #c: number
  #count = 1

  constructor(seed: number | string) {
    this.#name = String(seed)
    this.#a = hashOf(`${this.#name}/a`)
    this.#b = hashOf(`${this.#name}/b`)
    this.#c = hashOf(`${this.#name}/c`)
    for (let round = 0; round < 12; round++) this.#word()
  }

  /** A stream of its own: what is drawn from it changes nothing here. */
  fork(label: string): Random {
    return new Random(`${this.#name}/${label}`)
  }

  /** 0 ≤ number < 1. */
  next(): number {
    return this.#word() / 4294967296
  }

  /** A whole number, 0 ≤ number < limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** A whole number, low ≤ number ≤ high. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True in this part of all cases. */
  chance(part: number): boolean {
    return this.next() < part
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** The list in a random order; the given one stays as it is. */
  shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list]
    const order: T[] = []
    while (rest.length > 0) order.push(rest.splice(this.below(rest.length), 1)[0]!)
    return order
  }

  /** Mostly near `mean`, now and then several times that: how long a disk or a network takes. */
  span(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }

  /** sfc32, by Chris Doty-Humphrey: three words and a counter, passes PractRand. */
  #word(): number {
    const sum = (this.#a + this.#b + this.#count++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }
}

/** FNV-1a, 32 bits. */
export function hashOf(text: string, start = 0x811c9dc5): number {
  let hash = start
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}
