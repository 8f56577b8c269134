// Answers as long as a text: each keeps this server from all else for a moment while it is made, and
// takes memory until its caller has taken it.

import { FourfoldError } from '../core/model/errors.ts'
import { callsMax, longAnswerBytes, longAnswersAtOnce, rpcBytesMax } from '../core/model/limits.ts'

/** Whom an answer is made for. */
export interface Taker {
  /** Says when nobody waits for it any more. */
  signal: AbortSignal
  /** Resolves when the answer was taken, or never will be. */
  taken: Promise<void>
}

/** Makes a few of them at once, and others only while there is room. */
export class LongAnswers {
  readonly #waiting: (() => void)[] = []
  #makingCount = 0
  /** Of those that were made and not taken yet. */
  #bytes = 0
  #wasLong = false

  /** Makes an answer when it is its turn. Rejects with FourfoldError unavailable, or as `make`. */
  async make<T>(
    make: () => Promise<T>,
    bytesOf: (answer: T) => number,
    { signal, taken }: Taker,
  ): Promise<T> {
    if (this.#waiting.length >= callsMax) throw busy()
    const { promise: turn, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    this.#begin()
    await turn
    try {
      if (signal.aborted || this.#bytes >= rpcBytesMax) throw busy()
      const answer = await make()
      this.#keep(bytesOf(answer), taken)
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

  #keep(bytes: number, taken: Promise<void>): void {
    this.#wasLong = bytes >= longAnswerBytes
    this.#bytes += bytes
    void taken.then(() => {
      this.#bytes -= bytes
    })
  }
}

function busy(): FourfoldError {
  return new FourfoldError('unavailable', 'Too much is read at this moment. Try another server.')
}
