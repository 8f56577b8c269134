// What happened in a schedule, line by line: always as one number, on demand as text.

import { hashOf } from './random.ts'

/** The record of one schedule. Two runs of one plan have the same hash. */
export class Trace {
  #hash = hashOf('')
  #count = 0
  readonly #show: ((line: string) => void) | undefined

  /** `show` gets each line as it happens. */
  constructor(show?: (line: string) => void) {
    this.#show = show
  }

  note(at: number, text: string): void {
    this.#count++
    this.#hash = hashOf(text, (this.#hash ^ Math.round(at * 1000)) >>> 0)
    this.#show?.(`${(at / 1000).toFixed(4).padStart(9)}  ${text}`)
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(8, '0')
  }

  get count(): number {
    return this.#count
  }
}
