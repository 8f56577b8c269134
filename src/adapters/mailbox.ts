// How a generator waits for what others make: the only way a call's handler waits.

/**
 * Items put by one side, taken by the other in order. Ends when the signal aborts, so that a handler
 * whose caller went away does not wait for ever.
 */
export class Mailbox<T> implements AsyncIterable<T> {
  readonly #signal: AbortSignal
  readonly #items: T[] = []
  #size = 0
  #end: { error?: Error } | undefined
  #wake: (() => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** Items put and not yet taken: whoever puts bounds it. */
  get size(): number {
    return this.#size
  }

  put(item: T): void {
    if (this.#end) return
    this.#items.push(item)
    this.#size++
    this.#wake?.()
  }

  /** After what was put before, the taker's loop ends, or throws `error`. */
  end(error?: Error): void {
    this.#end ??= error ? { error } : {}
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    const aborted = () => this.#wake?.()
    this.#signal.addEventListener('abort', aborted)
    try {
      while (!this.#signal.aborted) {
        if (this.#items.length > 0) yield* this.#taken()
        else if (this.#end?.error) throw this.#end.error
        else if (this.#end) return
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.#signal.removeEventListener('abort', aborted)
      this.#end ??= {}
    }
  }

  // All that is there: to take the first of 100,000 off one by one takes seconds.
  *#taken(): Generator<T> {
    for (const item of this.#items.splice(0)) {
      if (this.#signal.aborted) return
      this.#size--
      yield item
    }
  }
}
