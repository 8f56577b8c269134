// Calls of whole-file clients at one server's mind: one answer, answers for as long as somebody
// listens, or an answer in parts.

import { setImmediate as untilOthersRan } from 'node:timers/promises'
import { FourfoldError } from '../core/model/errors.ts'
import {
  callMs,
  callsMax,
  streamsMax,
  watchBacklogMax,
  watchUntakenMax,
} from '../core/model/limits.ts'
import type { Answer, Call, CallId, ReplicaInput } from '../core/replica/messages.ts'
import { Mailbox } from '../adapters/mailbox.ts'
import { Rounds } from './rounds.ts'

export interface CallsOptions {
  /** An id that no call of this server had. */
  nextId: () => CallId
  /** Why nothing is taken now, if so. */
  refusal: () => string | undefined
  /** Gives the mind an input, soon. */
  enqueue: (input: ReplicaInput) => void
  /** Somebody calls: the mind is to take it with `next`. */
  called: () => void
}

type Called = Extract<ReplicaInput, { type: 'called' }>

type Answered = (answer: Answer) => void

interface Asked {
  request: Call
  author: string
  /** One for all that was asked at once. */
  signal: AbortSignal
}

export class Calls {
  readonly #options: CallsOptions
  readonly #calls = new Map<CallId, Answered>()
  /** What the mind has not taken of them. */
  readonly #untaken = new Map<CallId, Called>()
  /** In rounds: what one call with many texts brings is one party. Some may have ended. */
  readonly #rounds = new Rounds<CallId>()
  /** Those of them that may last. */
  readonly #streams = new Set<CallId>()
  /** Watches that wait to begin. */
  #waitingCount = 0
  /** Resolves when those that were begun so far have been told what is there. */
  #listed: Promise<void> = Promise.resolve()
  /** What was told to watchers and they have not taken. */
  #untakenCount = 0

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** The next that the mind is to take; undefined: none is left. */
  next(): Called | undefined {
    while (this.#rounds.size > 0) {
      const call = this.#rounds.next()!
      const called = this.#untaken.get(call)
      if (!called) continue
      this.#untaken.delete(call)
      return called
    }
    return undefined
  }

  /** Whether `next` has one. */
  get areUntaken(): boolean {
    return this.#untaken.size > 0
  }

  /** The mind answers; whoever does not listen any more is not told. */
  answered(call: CallId, answer: Answer): void {
    this.#calls.get(call)?.(answer)
  }

  /** Ends all of them with a sentence. */
  failAll(text: string): void {
    const error = new FourfoldError('unavailable', text)
    for (const answered of this.#calls.values()) answered({ type: 'failed', error })
  }

  /** Asks on behalf of a whole-file client. Rejects with FourfoldError, also after `callMs`. */
  async ask(request: Call, author: string, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    const call = this.#begin({ request, author, signal }, resolve)
    return this.#answered(call, { promise, resolve }, signal)
  }

  // Without the request: its texts need not grow old while the answer waits for several disks.
  async #answered(
    call: CallId,
    { promise, resolve }: Pick<PromiseWithResolvers<Answer>, 'promise' | 'resolve'>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const gaveUp = () =>
      resolve({ type: 'failed', error: new FourfoldError('unavailable', 'No answer in time.') })
    const timer = setTimeout(gaveUp, callMs)
    signal.addEventListener('abort', gaveUp, { once: true })
    try {
      const answer = await promise
      if (answer.type === 'failed') throw answer.error
      return answer
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', gaveUp)
      this.#end(call)
    }
  }

  /** Answers for as long as the caller listens. Throws FourfoldError. */
  async *watch(request: Call, author: string, signal: AbortSignal): AsyncGenerator<Answer> {
    const answers = new Mailbox<Answer>(signal)
    const isListed = await this.#turnToList()
    // What is there comes at once, and is as long as the folder: each, and that its text may have changed.
    let listed = 0
    let last: string | undefined
    let isCut = false
    const cut = (error: FourfoldError) => {
      isCut = true
      answers.end(error)
    }
    const answered = (answer: Answer) => {
      if (answer.type !== 'watched' || answer.event === 'ready') isListed()
      else {
        const { event, file } = answer
        if (event === 'present') last = file?.entry.id
        else if (event !== 'changed' || file?.entry.id !== last) last = undefined
        if (last !== undefined) listed++
      }
      if (isCut) return
      if (answer.type === 'failed') cut(answer.error)
      else if (answers.size >= listed + watchBacklogMax) cut(tooFast())
      else if (answers.size > 0 && this.#untakenCount >= watchUntakenMax) cut(tooMuchUntaken())
      else {
        answers.put(answer)
        this.#untakenCount++
      }
    }
    let call: CallId | undefined
    try {
      if (signal.aborted) return
      call = this.#beginStream({ request, author, signal }, answered)
      for await (const answer of answers) {
        this.#untakenCount--
        yield answer
      }
    } finally {
      isListed()
      if (call !== undefined) this.#end(call)
      this.#untakenCount -= answers.size
    }
  }

  /**
   * One watch after the other: each is told all that is there in one turn of the mind, and others come
   * between. Resolves with what lets the next one begin.
   */
  async #turnToList(): Promise<() => void> {
    if (this.#waitingCount >= streamsMax) throw tooManyStreams()
    this.#waitingCount++
    const before = this.#listed
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#listed = promise
    await before
    this.#waitingCount--
    return () => setImmediate(resolve)
  }

  /** The parts of an answer, each asked for when the one before was read. Throws FourfoldError. */
  async *parts(request: Call, author: string, signal: AbortSignal): AsyncGenerator<Answer> {
    const answers = new Mailbox<Answer>(signal)
    const call = this.#beginStream({ request, author, signal }, (answer) => {
      if (answer.type === 'failed') answers.end(answer.error)
      else answers.put(answer)
    })
    try {
      for await (const answer of answers) {
        yield answer
        if (answer.type !== 'found' || answer.isDone) return
        // Right away it would be taken before anything that waits for the event loop.
        await untilOthersRan()
        this.#options.enqueue({ type: 'asked', call })
      }
    } finally {
      this.#end(call)
    }
  }

  #begin(asked: Asked, answered: Answered): CallId {
    if (this.#calls.size - this.#streams.size >= callsMax) {
      throw new FourfoldError('unavailable', 'This server has too many calls at work. Try another.')
    }
    return this.#call(asked, answered)
  }

  // Counted for themselves: however many watch, there is room for a save.
  #beginStream(asked: Asked, answered: Answered): CallId {
    if (this.#streams.size >= streamsMax) throw tooManyStreams()
    const call = this.#call(asked, answered)
    this.#streams.add(call)
    return call
  }

  #call({ request, author, signal }: Asked, answered: Answered): CallId {
    const { nextId, refusal, called } = this.#options
    const text = refusal()
    if (text !== undefined) throw new FourfoldError('unavailable', text)
    const call = nextId()
    this.#calls.set(call, answered)
    this.#untaken.set(call, { type: 'called', call, author, request })
    this.#rounds.add({ network: '', connection: signal }, call)
    called()
    return call
  }

  #end(call: CallId): void {
    this.#calls.delete(call)
    this.#streams.delete(call)
    // What nobody waits for any more is not begun.
    if (!this.#untaken.delete(call)) this.#options.enqueue({ type: 'uncalled', call })
  }
}

function tooManyStreams(): FourfoldError {
  return new FourfoldError('unavailable', 'Too many watch this server; try another.')
}

function tooFast(): FourfoldError {
  return new FourfoldError('too-large', 'Changes come faster than you read them.')
}

function tooMuchUntaken(): FourfoldError {
  return new FourfoldError('unavailable', 'Too much is told at this moment. Try another server.')
}
