// Two ends of a channel within one process; what is sent arrives in a later microtask.

import type { Channel, ChannelListener, Ending } from '../../core/ports.ts'

/** Both ends. `bytesOf` is what a message counts in `queuedBytes`. */
export function memoryChannels<Left, Right>(
  bytesOf: (message: Left | Right) => number = () => 0,
): [Channel<Left, Right>, Channel<Right, Left>] {
  const left = new MemoryChannel<Left, Right>(bytesOf)
  const right = new MemoryChannel<Right, Left>(bytesOf)
  left.connect(right)
  right.connect(left)
  return [left, right]
}

class MemoryChannel<Sent, Received> implements Channel<Sent, Received> {
  readonly #bytesOf: (message: Sent) => number
  #other: MemoryChannel<Received, Sent> | undefined
  #listener: ChannelListener<Received> | undefined
  #queue: Sent[] = []
  #queuedBytes = 0
  #ending: Ending | undefined
  #isRefusal = false
  #isOver = false

  constructor(bytesOf: (message: Sent) => number) {
    this.#bytesOf = bytesOf
  }

  connect(other: MemoryChannel<Received, Sent>): void {
    this.#other = other
  }

  send(message: Sent): void {
    if (this.#ending !== undefined) return
    this.#queue.push(message)
    this.#queuedBytes += this.#bytesOf(message)
    this.#schedule()
  }

  queuedBytes(): number {
    return this.#queuedBytes
  }

  close(why: Ending, isRefusal = false): void {
    if (this.#ending !== undefined) return
    this.#ending = why
    this.#isRefusal = isRefusal
    this.#schedule()
    queueMicrotask(() => this.#finish(why))
  }

  listen(listener: ChannelListener<Received>): void {
    this.#listener = listener
    const other = this.#other
    if (other) other.#schedule()
  }

  #schedule(): void {
    queueMicrotask(() => this.#deliver())
  }

  #deliver(): void {
    const other = this.#other
    if (!other || !other.#listener) return
    while (this.#queue.length > 0) {
      const message = this.#queue.shift()!
      this.#queuedBytes -= this.#bytesOf(message)
      if (!other.#isOver && other.#ending === undefined) other.#listener.received(message)
    }
    if (this.#ending !== undefined) other.#finish(this.#ending, this.#isRefusal)
  }

  #finish(why: Ending, isRefusal = false): void {
    if (this.#isOver || !this.#listener) return
    this.#isOver = true
    this.#ending ??= why
    this.#listener.closed(why, isRefusal)
  }
}
