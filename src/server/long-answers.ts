// Answers as long as a text or a page of a listing: each keeps this server from all else for a moment
// while it is made, and takes memory until its caller has taken it.

import { FourfoldError } from '../core/model/errors.ts'
import { callsMax, longAnswerBytes, longAnswersAtOnce } from '../core/model/limits.ts'
import { networkOf } from './addresses.ts'
import { Rounds, type Place } from './rounds.ts'
import { UntakenAnswers } from './untaken.ts'

/** Whom an answer is made for. */
export interface Taker {
  /** Says when nobody waits for it any more. */
  signal: AbortSignal
  /** Resolves when the answer was taken, or never will be. */
  taken: Promise<void>
  /** Where it goes. */
  address: string
  /** On which connection. */
  connection: object
  /** Ends it in the midst. */
  cut: () => void
}

/** Makes a few of them at once, and others only while there is room for what is not taken. */
export class LongAnswers {
  readonly #waiting = new Rounds<(isTurn: boolean) => void>()
  #makingCount = 0
  readonly #untaken = new UntakenAnswers()
  #wasLong = false

  /** Makes an answer when it is its turn. Rejects with FourfoldError unavailable, or as `make`. */
  async make<T>(
    make: () => Promise<T>,
    bytesOf: (answer: T) => number,
    { signal, taken, address, connection, cut }: Taker,
  ): Promise<T> {
    const network = networkOf(address)
    if (!(await this.#turn({ network, connection }))) throw busy()
    try {
      if (signal.aborted || !this.#untaken.makeRoom(network)) throw busy()
      const answer = await make()
      const bytes = bytesOf(answer)
      this.#wasLong = bytes >= longAnswerBytes
      this.#untaken.add(bytes, { network, taken, cut })
      return answer
    } finally {
      // Whatever else has come goes first.
      setImmediate(() => {
        this.#makingCount--
        this.#begin()
      })
    }
  }

  /** Resolves with whether it is somebody's turn; where it is not, too many wait. */
  #turn(place: Place): Promise<boolean> {
    if (this.#waiting.size >= callsMax) {
      const other = this.#waiting.yields(place)
      if (!other) return Promise.resolve(false)
      other(false)
    }
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#waiting.add(place, resolve)
    this.#begin()
    return promise
  }

  #begin(): void {
    const most = this.#wasLong ? 1 : longAnswersAtOnce
    while (this.#makingCount < most && this.#waiting.size > 0) {
      this.#makingCount++
      this.#waiting.next()!(true)
    }
  }
}

function busy(): FourfoldError {
  return new FourfoldError('unavailable', 'Too much is read at this moment. Try another server.')
}
