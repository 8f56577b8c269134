// What each client read or wrote last of each file: a save is merged as a change of that.

import { davReadCharactersMax, davReadTextsMax } from '../../core/model/limits.ts'

export interface Read {
  /** The SHA-256 of its bytes. */
  version: string
  /** Absent: it is no text. */
  text?: string
}

/** The hash of the bytes that were read, which a save of bytes is a change of; empty: it was a text. */
export function bytesOf(read: Read): string {
  return read.text === undefined ? read.version : ''
}

/** The longest unused are forgotten first. */
export class LastRead {
  readonly #reads = new Map<string, Read>()
  #characters = 0

  /** `reader` tells clients apart as far as they can be told apart. */
  of(reader: string, entry: string): Read | undefined {
    return this.#reads.get(`${entry} ${reader}`)
  }

  remember(reader: string, entry: string, read: Read): void {
    const label = `${entry} ${reader}`
    this.#forget(label)
    this.#reads.set(label, read)
    this.#characters += read.text?.length ?? 0
    for (const oldest of this.#reads.keys()) {
      const fits = this.#reads.size <= davReadTextsMax && this.#characters <= davReadCharactersMax
      if (fits || oldest === label) return
      this.#forget(oldest)
    }
  }

  #forget(label: string): void {
    this.#characters -= this.#reads.get(label)?.text?.length ?? 0
    this.#reads.delete(label)
  }
}
