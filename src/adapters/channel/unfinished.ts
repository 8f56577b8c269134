// What clients sent of messages that are not here as a whole: nobody can take it yet, and it is in memory.

import { unfinishedBytesMax } from '../../core/model/limits.ts'

/** Whoever sends one message after the other. */
export interface Sender {
  /** Ends its channel: nothing of it is kept. */
  cut(): void
}

/** Bounds what all senders together have begun: each message alone may be as long as messages are. */
export class Unfinished {
  readonly #bytesMax: number
  readonly #begun = new Map<Sender, number>()
  #bytes = 0

  constructor(bytesMax = unfinishedBytesMax) {
    this.#bytesMax = bytesMax
  }

  /** So many bytes of a message of this sender are here; 0: all that it sent is whole, or it is gone. */
  count(sender: Sender, bytes: number): void {
    this.#bytes += bytes - (this.#begun.get(sender) ?? 0)
    if (bytes === 0) this.#begun.delete(sender)
    else this.#begun.set(sender, bytes)
    if (this.#bytes > this.#bytesMax) this.#cutLongest()
  }

  #cutLongest(): void {
    let longest: [sender: Sender, bytes: number] | undefined
    for (const each of this.#begun) if (!longest || each[1] > longest[1]) longest = each
    const [sender] = longest!
    this.count(sender, 0)
    sender.cut()
  }
}
