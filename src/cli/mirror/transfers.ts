// Bytes on their way, some files at once, while everything else goes on: what they are about waits.

import type { SetClient } from '../set-client.ts'

/** Each holds some pieces of its file in memory; short ones share the flushes of all that store them. */
const lanes = 16

/** A longer one has a connection of its own: it is not to begin anew because another failed. */
const ownLineBytesMin = 1024 * 1024

export interface Transfer {
  key: string
  /** Ids and paths that wait for it. */
  about: string[]
  bytes: number
  /** Aborted, it rejects with what it likes. */
  run: (set: SetClient, signal: AbortSignal) => Promise<void>
}

export class Transfers {
  readonly #ended: () => void
  readonly #failed: (error: Error) => void
  readonly #all = new Map<string, Transfer>()
  readonly #queue: Transfer[] = []
  readonly #running = new Set<Promise<void>>()
  readonly #ending = new AbortController()
  readonly #set: SetClient
  /** For the short ones: what fails for them closes no line of others. */
  readonly #own: SetClient

  /** `ended`: after each; `failed`: with what `run` rejected with. */
  constructor(options: { set: SetClient; ended: () => void; failed: (error: Error) => void }) {
    this.#set = options.set
    this.#own = options.set.another()
    this.#ended = options.ended
    this.#failed = options.failed
  }

  get isBusy(): boolean {
    return this.#all.size > 0
  }

  addTo(waiting: Set<string>): void {
    for (const { about } of this.#all.values()) for (const each of about) waiting.add(each)
  }

  /** Begins when a lane is free; not a second time with the same key. */
  start(transfer: Transfer): void {
    if (this.#ending.signal.aborted || this.#all.has(transfer.key)) return
    this.#all.set(transfer.key, transfer)
    this.#queue.push(transfer)
    this.#next()
  }

  /** None begins any more. Resolves when those under way have ended. */
  async stop(): Promise<void> {
    this.#ending.abort()
    this.#own.close()
    for (const { key } of this.#queue.splice(0)) this.#all.delete(key)
    await Promise.all(this.#running)
  }

  #next(): void {
    while (this.#running.size < lanes) {
      const transfer = this.#queue.shift()
      if (!transfer) return
      const running: Promise<void> = this.#carryOut(transfer).finally(() => {
        this.#running.delete(running)
        this.#next()
      })
      this.#running.add(running)
    }
  }

  async #carryOut({ key, bytes, run }: Transfer): Promise<void> {
    const { signal } = this.#ending
    const set = bytes < ownLineBytesMin ? this.#own : this.#set.another()
    const close = () => set.close()
    signal.addEventListener('abort', close)
    try {
      await run(set, signal)
    } catch (error) {
      // Ended by us, it goes on in the next life.
      if (!signal.aborted) this.#failed(error as Error)
    } finally {
      signal.removeEventListener('abort', close)
      if (set !== this.#own) set.close()
      this.#all.delete(key)
      this.#ended()
    }
  }
}
