// What one channel is to be sent when the disk has what it rests on. It goes with the channel: while a
// disk hangs, clients and peers come and go, and what waited for those who left would fill the memory.

import type { Engine } from '../../core/ports.ts'

export class WithheldMessages<Message> {
  readonly #whenStored: Engine['whenStored']
  readonly #send: (message: Message) => void
  readonly #bytesOf: (message: Message) => number
  readonly #waiting = new Set<{ message: Message | undefined }>()
  #bytes = 0

  constructor(options: {
    whenStored: Engine['whenStored']
    send: (message: Message) => void
    bytesOf: (message: Message) => number
  }) {
    this.#whenStored = options.whenStored
    this.#send = options.send
    this.#bytesOf = options.bytesOf
  }

  get bytes(): number {
    return this.#bytes
  }

  add(message: Message): void {
    const bytes = this.#bytesOf(message)
    // The disk's queue holds on to this, but not to what it was told to drop.
    const waiting: { message: Message | undefined } = { message }
    this.#waiting.add(waiting)
    this.#bytes += bytes
    this.#whenStored(() => {
      const { message: kept } = waiting
      if (kept === undefined) return
      this.#waiting.delete(waiting)
      this.#bytes -= bytes
      this.#send(kept)
    })
  }

  /** The channel is closed. */
  drop(): void {
    for (const waiting of this.#waiting) waiting.message = undefined
    this.#waiting.clear()
    this.#bytes = 0
  }
}
