// What was given to the engine and is not yet on this disk, and what may only be told after it is.

import { assert } from '../model/errors.ts'
import { unstoredBytesMax } from '../model/limits.ts'
import type { EngineRequest, Mark, NewUpdate, OperationFound } from '../ports.ts'
import type { SubjectId } from '../model/ids.ts'
import type { Update } from '../model/wire.ts'

/** About what an update takes besides its body, and a barrier. */
const frameBytes = 100

type Waiting = { bytes: number } & (
  | { update: NewUpdate; stored: (mark: Mark, update: Update) => void }
  | { update?: undefined; stored: (mark: Mark) => void }
)

/** Continuations by the order of the engine's answers. Nothing in `then` runs before the disk has it. */
export class Appends {
  readonly #ask: (request: EngineRequest) => void
  /** By tag: of so many as may wait for a slow disk none is taken off the front of a list. */
  readonly #waiting = new Map<number, Waiting>()
  #waitingBytes = 0
  #held: { tag: number; release: () => void }[] = []
  /** Operations whose updates are not on this disk yet. */
  readonly #operations = new Map<string, OperationFound>()
  #askedTag = 0
  #storedTag = 0

  constructor(ask: (request: EngineRequest) => void) {
    this.#ask = ask
  }

  append(update: NewUpdate, then: (mark: Mark, update: Update) => void): void {
    const bytes = frameBytes + (update.body.value?.length ?? 0)
    const tag = this.#wait({ bytes, update, stored: then })
    const { operation, operationDigest: digest = '', subject } = update
    if (operation) this.#operations.set(operation, { subject: subject as SubjectId, digest })
    this.#ask({ type: 'append', tag, update })
  }

  /** An operation that was taken and is not on this disk yet. */
  underWay(operation: string): OperationFound | undefined {
    return this.#operations.get(operation)
  }

  /** `then` gets a mark that stands for everything in memory now. */
  barrier(then: (mark: Mark) => void): void {
    const tag = this.#wait({ bytes: frameBytes, stored: then })
    this.#ask({ type: 'barrier', tag })
  }

  #wait(waiting: Waiting): number {
    const tag = ++this.#askedTag
    this.#waiting.set(tag, waiting)
    this.#waitingBytes += waiting.bytes
    return tag
  }

  /** Whether so much waits for this disk that nothing more may be taken. */
  get isFull(): boolean {
    return this.#waitingBytes > unstoredBytesMax
  }

  /** Whether memory holds something that this disk does not. */
  get isAhead(): boolean {
    return this.#storedTag < this.#askedTag
  }

  /** Runs when all that is in memory now is on disk; at once when it is. */
  whenStored(then: () => void): void {
    if (this.isAhead) this.#held.push({ tag: this.#askedTag, release: then })
    else then()
  }

  stored(tag: number, mark: Mark, update?: Update): void {
    const next = this.#waiting.get(tag)
    assert(next && tag === this.#storedTag + 1, 'the engine answers in the order of the requests')
    this.#waiting.delete(tag)
    this.#storedTag = tag
    this.#waitingBytes -= next.bytes
    if (next.update) {
      assert(update, 'an append is answered with its update')
      this.#operations.delete(next.update.operation)
      next.stored(mark, update)
    } else next.stored(mark)
    while (this.#held.length > 0 && this.#held[0]!.tag <= tag) this.#held.shift()!.release()
  }
}
