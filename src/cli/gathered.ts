// What is asked in one moment goes to a server by one call: most of what a call costs is its own.

import { AnswerError } from './set-client.ts'

export interface GatheredOptions<Q, A> {
  /** Of one call: others are made while it is on its way. */
  questionsMax: number
  /** Of one call, in UTF-16; a longer question goes by itself. */
  charactersMax: number
  charactersOf: (question: Q) => number
  /** In the order of the questions; undefined: refused. Rejects with AnswerError or NoServerError. */
  ask: (questions: Q[]) => Promise<(A | undefined)[]>
  askAlone: (question: Q) => Promise<A>
}

interface Waiting<Q, A> {
  question: Q
  answer: PromiseWithResolvers<A>
}

export class Gathered<Q, A> {
  readonly #options: GatheredOptions<Q, A>
  #waiting: Waiting<Q, A>[] = []

  constructor(options: GatheredOptions<Q, A>) {
    this.#options = options
  }

  /** Rejects with AnswerError or NoServerError. */
  ask(question: Q): Promise<A> {
    if (this.#waiting.length === 0) setImmediate(() => this.#begin())
    const answer = Promise.withResolvers<A>()
    this.#waiting.push({ question, answer })
    return answer.promise
  }

  #begin(): void {
    const { questionsMax, charactersMax, charactersOf } = this.#options
    const waiting = this.#waiting
    this.#waiting = []
    let call: Waiting<Q, A>[] = []
    let characters = 0
    for (const each of waiting) {
      const length = charactersOf(each.question)
      if (call.length === questionsMax || characters + length > charactersMax) {
        void this.#send(call)
        call = []
        characters = 0
      }
      call.push(each)
      characters += length
    }
    void this.#send(call)
  }

  /** Never rejects. */
  async #send(call: Waiting<Q, A>[]): Promise<void> {
    try {
      const answers = call.length > 1 ? await this.#askAll(call) : []
      call.forEach(({ question, answer }, index) => {
        // Asked by itself, it is refused again, or done where another server can.
        answer.resolve(answers[index] ?? this.#options.askAlone(question))
      })
    } catch (error) {
      for (const { answer } of call) answer.reject(error)
    }
  }

  async #askAll(call: Waiting<Q, A>[]): Promise<(A | undefined)[]> {
    try {
      return await this.#options.ask(call.map(({ question }) => question))
    } catch (error) {
      // What a server says of all of them it says of each: an older one knows no such call.
      if (error instanceof AnswerError) return []
      throw error
    }
  }
}
