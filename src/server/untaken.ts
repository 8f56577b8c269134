// Answers that were made and not taken yet: each takes memory here until its caller has taken it.

import { helloBytesMax, rpcBytesMax } from '../core/model/limits.ts'

/** Whom an answer is for. */
export interface Recipient {
  network: string
  /** Resolves when the answer was taken, or never will be. */
  taken: Promise<void>
  /** Ends it in the midst. */
  cut: () => void
}

interface Untaken extends Recipient {
  bytes: number
}

/**
 * So much of them, together. When there is no room, those who leave the most untaken make room, or get
 * nothing: nobody keeps others from reading.
 */
export class UntakenAnswers {
  readonly #bytesMax: number
  /** In the order in which they were made. */
  readonly #untaken = new Set<Untaken>()
  #bytes = 0

  constructor(bytesMax = rpcBytesMax) {
    this.#bytesMax = bytesMax
  }

  add(bytes: number, recipient: Recipient): void {
    const answer = { ...recipient, bytes }
    this.#untaken.add(answer)
    this.#bytes += bytes
    void answer.taken.then(() => this.#remove(answer))
  }

  /** Whether there is room for somebody of this network. */
  makeRoom(network: string): boolean {
    while (this.#bytes >= this.#bytesMax) {
      const most = this.#mostUntaken()
      if (most === network) return false
      // The last of them, of which the least is taken.
      const last = [...this.#untaken].findLast((each) => each.network === most)!
      this.#remove(last)
      last.cut()
    }
    return true
  }

  /** The same body, counted; where there is no room for it, it is cut. */
  async *counted(body: AsyncIterable<Uint8Array>, to: Recipient): AsyncGenerator<Uint8Array> {
    for await (const bytes of body) {
      // What is small is let in, as what comes is: it is how people save, look and sign in.
      if (bytes.length > helloBytesMax && !this.makeRoom(to.network)) {
        to.cut()
        return
      }
      this.add(bytes.length, to)
      yield bytes
    }
  }

  #mostUntaken(): string {
    const byNetwork = new Map<string, number>()
    for (const { network, bytes } of this.#untaken) {
      byNetwork.set(network, (byNetwork.get(network) ?? 0) + bytes)
    }
    return [...byNetwork].sort(([, one], [, other]) => other - one)[0]![0]
  }

  #remove(answer: Untaken): void {
    if (this.#untaken.delete(answer)) this.#bytes -= answer.bytes
  }
}
