// A growing set of small whole numbers, for comparing what hundreds of reads showed.

export class Bits {
  #words: Uint32Array

  constructor(words = new Uint32Array(4)) {
    this.#words = words
  }

  add(index: number): void {
    const word = index >>> 5
    if (word >= this.#words.length) {
      const words = new Uint32Array(2 * word)
      words.set(this.#words)
      this.#words = words
    }
    this.#words[word]! |= 1 << (index & 31)
  }

  remove(index: number): void {
    const word = index >>> 5
    if (word < this.#words.length) this.#words[word]! &= ~(1 << (index & 31))
  }

  has(index: number): boolean {
    return ((this.#words[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0
  }

  copy(): Bits {
    return new Bits(this.#words.slice())
  }

  /** The first number that is here and in none of the others; −1: there is none. */
  firstBeyond(...others: Bits[]): number {
    for (let word = 0; word < this.#words.length; word++) {
      let left = this.#words[word]!
      for (const other of others) left &= ~(other.#words[word] ?? 0)
      if (left !== 0) return 32 * word + trailingZeros(left)
    }
    return -1
  }

  /** The numbers that are here and in none of the others. */
  beyond(...others: Bits[]): number[] {
    const rest = this.copy()
    const found: number[] = []
    for (let next = rest.firstBeyond(...others); next >= 0; next = rest.firstBeyond(...others)) {
      found.push(next)
      rest.remove(next)
    }
    return found
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word)
}
