// A channel over one bidirectional stream of a gRPC or Connect call that a client made.
//
// What is sent waits here until the stream is pulled, which happens when the network took what was
// before; then all that waits travels as one message.

import { whyOf } from '../../core/model/errors.ts'
import { joinedBytesMax } from '../../core/model/limits.ts'
import type { Channel, ChannelListener, Ending } from '../../core/ports.ts'

/** Compressing what is mostly small and already dense costs five times the CPU of sending it. */
export const compressMinBytes = 64 * 1024

/** How the messages of a channel become messages of a stream. */
export interface Envelope<Sent, Received, Out, In> {
  /** One message of the stream that holds all of these, in order. */
  join(sent: Sent[]): Out
  split(message: In): Received[]
  /** About how many bytes it is. */
  bytesOf(sent: Sent): number
}

/**
 * A channel whose two halves are given to a gRPC call: `outgoing()` to be pulled by it, and what
 * comes to `read`.
 */
export class StreamChannel<Sent, Received, Out, In> implements Channel<Sent, Received> {
  readonly #envelope: Envelope<Sent, Received, Out, In>
  #listener: ChannelListener<Received> | undefined
  #listening = Promise.withResolvers<void>()
  #queue: { message: Sent; bytes: number }[] = []
  #queuedBytes = 0
  #wake: (() => void) | undefined
  #ending: Ending | undefined
  #isOver = false

  constructor(envelope: Envelope<Sent, Received, Out, In>) {
    this.#envelope = envelope
  }

  send(message: Sent): void {
    if (this.#ending !== undefined) return
    const bytes = this.#envelope.bytesOf(message)
    this.#queue.push({ message, bytes })
    this.#queuedBytes += bytes
    this.#wake?.()
  }

  queuedBytes(): number {
    return this.#queuedBytes
  }

  close(why: Ending): void {
    if (this.#ending !== undefined) return
    this.#ending = why
    this.#wake?.()
    queueMicrotask(() => this.#finish(why))
  }

  listen(listener: ChannelListener<Received>): void {
    this.#listener = listener
    this.#listening.resolve()
  }

  /** What is sent, until the channel is closed or `signal` says that nobody pulls any more. */
  async *outgoing(signal: AbortSignal): AsyncGenerator<Out> {
    const aborted = () => this.#wake?.()
    signal.addEventListener('abort', aborted)
    try {
      while (!signal.aborted) {
        if (this.#queue.length > 0) {
          const { sent, bytes } = this.#take()
          yield this.#envelope.join(sent)
          this.#queuedBytes -= bytes
        } else if (this.#ending !== undefined) return
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      signal.removeEventListener('abort', aborted)
      this.#finish('the stream ended')
    }
  }

  /** Hands on what comes, until it ends. Never rejects: an error is the end of the channel. */
  async read(incoming: AsyncIterable<In>): Promise<void> {
    await this.#listening.promise
    try {
      for await (const message of incoming) {
        if (this.#ending !== undefined) break
        for (const received of this.#envelope.split(message)) this.#listener?.received(received)
      }
      const why = 'the other side ended the stream'
      if (this.#listener?.ended && this.#ending === undefined) this.#listener.ended(why)
      else this.#finish(why)
    } catch (error) {
      this.#finish(whyOf(error))
    }
  }

  #take(): { sent: Sent[]; bytes: number } {
    let count = 0
    let bytes = 0
    for (const next of this.#queue) {
      if (count > 0 && bytes + next.bytes > joinedBytesMax) break
      bytes += next.bytes
      count++
    }
    return { sent: this.#queue.splice(0, count).map(({ message }) => message), bytes }
  }

  #finish(why: Ending): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#ending ??= why
    this.#wake?.()
    void this.#listening.promise.then(() => this.#listener?.closed(why))
  }
}
