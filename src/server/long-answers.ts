// Answers as long as a text: each keeps this server from all else for a moment while it is made, and
// takes memory until its caller has taken it.

import { FourfoldError } from '../core/model/errors.ts'
import { callsMax, longAnswerBytes, longAnswersAtOnce, rpcBytesMax } from '../core/model/limits.ts'
import { networkOf } from './addresses.ts'

/** Whom an answer is made for. */
export interface Taker {
  /** Says when nobody waits for it any more. */
  signal: AbortSignal
  /** Resolves when the answer was taken, or never will be. */
  taken: Promise<void>
  /** Where it goes. */
  address: string
  /** Ends it in the midst. */
  cut: () => void
}

/** One that was made and not taken yet. */
interface Untaken {
  network: string
  bytes: number
  cut: () => void
}

/**
 * Makes a few of them at once, and others only while there is room. When there is none, those who leave
 * the most untaken make room, or wait: nobody keeps others from reading.
 */
export class LongAnswers {
  readonly #waiting: (() => void)[] = []
  #makingCount = 0
  /** In the order in which they were made. */
  readonly #untaken = new Set<Untaken>()
  #wasLong = false

  /** Makes an answer when it is its turn. Rejects with FourfoldError unavailable, or as `make`. */
  async make<T>(
    make: () => Promise<T>,
    bytesOf: (answer: T) => number,
    { signal, taken, address, cut }: Taker,
  ): Promise<T> {
    if (this.#waiting.length >= callsMax) throw busy()
    const { promise: turn, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    this.#begin()
    await turn
    try {
      const network = networkOf(address)
      if (signal.aborted || !this.#makeRoom(network)) throw busy()
      const answer = await make()
      this.#keep({ network, bytes: bytesOf(answer), cut }, taken)
      return answer
    } finally {
      // Whatever else has come goes first.
      setImmediate(() => {
        this.#makingCount--
        this.#begin()
      })
    }
  }

  #begin(): void {
    const most = this.#wasLong ? 1 : longAnswersAtOnce
    while (this.#makingCount < most && this.#waiting.length > 0) {
      this.#makingCount++
      this.#waiting.shift()!()
    }
  }

  #keep(answer: Untaken, taken: Promise<void>): void {
    this.#wasLong = answer.bytes >= longAnswerBytes
    this.#untaken.add(answer)
    void taken.then(() => this.#untaken.delete(answer))
  }

  /** Whether there is room for somebody of this network. */
  #makeRoom(network: string): boolean {
    const byNetwork = new Map<string, number>()
    let total = 0
    for (const each of this.#untaken) {
      total += each.bytes
      byNetwork.set(each.network, (byNetwork.get(each.network) ?? 0) + each.bytes)
    }
    if (total < rpcBytesMax) return true
    const [most] = [...byNetwork].sort(([, one], [, other]) => other - one)[0]!
    if (most === network) return false
    // The last of them, of which the least is taken.
    const last = [...this.#untaken].findLast((each) => each.network === most)!
    this.#untaken.delete(last)
    last.cut()
    return this.#makeRoom(network)
  }
}

function busy(): FourfoldError {
  return new FourfoldError('unavailable', 'Too much is read at this moment. Try another server.')
}
