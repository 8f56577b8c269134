// What one channel is to be sent when the disk has what it rests on. It goes with the channel: while a
// disk hangs, clients and peers come and go, and what waited for those who left would fill the memory.

import type { Engine } from '../../core/ports.ts'

export class WithheldMessages<Message> {
  readonly #whenStored: Engine['whenStored']
  readonly #send: (message: Message) => void
  readonly #bytesOf: (message: Message) => number
  #waiting: Message[] = []
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
    this.#waiting.push(message)
    this.#bytes += this.#bytesOf(message)
    this.#whenStored(() => this.#release())
  }

  /** The channel is closed. */
  drop(): void {
    this.#waiting = []
    this.#bytes = 0
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#bytes -= this.#bytesOf(next)
    this.#send(next)
  }
}
