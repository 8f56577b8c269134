// Updates that came before what their writers may have seen: they wait for it, a moment (G6).
//
// A channel is ordered, and a server tells what it has before it sends what was written there then.
// So whatever a peer sends may build on all that it had told before, and on nothing else.

import type { Origin } from '../model/ids.ts'
import type { VersionVector } from '../model/version-vector.ts'
import type { Update } from '../model/wire.ts'
import { updateBytes } from './gathering.ts'

/**
 * What waits longer is stored as it is: a cause that does not come must not keep text from people.
 * Time to ask three peers, of whom two do not answer.
 */
const waitMs = 3000
/** Half of what a peer sends before it hears that something is stored: it must not wait for us. */
const bytesMax = 512 * 1024

/** A peer, as far as it counts here. */
interface Sender {
  readonly have: VersionVector
  /** All logs of which it may have what is not in order here. */
  readonly unsettled: Set<Origin>
}

/** What a peer has and this server lacks. */
export type Need = [Origin, number][]

interface Waiting {
  update: Update
  need: Need
  since: number
}

export class Order {
  readonly #heads: VersionVector
  /** In the order of arrival; of one log in the order of the log. */
  #waiting: Waiting[] = []
  /** The first that waits, by log. */
  #first = new Map<Origin, number>()
  #bytes = 0

  /** `heads`: how far every log is known, what waits included. */
  constructor(heads: VersionVector) {
    this.#heads = heads
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /**
   * What has to be stored here before anything that this peer sends. A log that is in order goes out
   * of its unsettled ones: an old set has thousands of logs, and each keystroke of a peer asks this.
   */
  needOf({ have, unsettled }: Sender): Need {
    const need: Need = []
    for (const origin of unsettled) {
      const seq = have.get(origin) ?? 0
      if (this.#ready(origin) < seq) need.push([origin, seq])
      else unsettled.delete(origin)
    }
    return need
  }

  /** Takes new heads of logs; returns what may be stored now, in order. */
  take(now: number, updates: Update[], need: Need): Update[] {
    const isOwn = ([origin]: Need[number]) => updates.every((update) => update.origin === origin)
    if (this.isEmpty && need.every(isOwn)) return updates
    for (const update of updates) {
      this.#waiting.push({ update, need, since: now })
      this.#bytes += updateBytes(update)
    }
    this.#findFirst()
    return this.release(now)
  }

  /** What may be stored by now, in order. */
  release(now: number): Update[] {
    const released: Update[] = []
    for (let before = -1; before !== released.length;) {
      before = released.length
      this.#waiting = this.#waiting.filter((waiting) => {
        if (!this.#mayGo(waiting)) return true
        released.push(waiting.update)
        this.#first.set(waiting.update.origin as Origin, waiting.update.seq + 1)
        return false
      })
    }
    this.#findFirst()
    // All causes are here and wait for each other: a peer also tells of what it got later.
    const isCircle = this.#waiting.every(({ need }) => this.#areKnown(need))
    const isLate = now - (this.#waiting[0]?.since ?? now) > waitMs
    for (const update of released) this.#bytes -= updateBytes(update)
    if (isCircle || isLate || this.#bytes > bytesMax) released.push(...this.releaseAll())
    return released
  }

  /** Everything that waits, in order. */
  releaseAll(): Update[] {
    const released = this.#waiting.map(({ update }) => update)
    this.#waiting = []
    this.#findFirst()
    this.#bytes = 0
    return released
  }

  #mayGo({ update, need }: Waiting): boolean {
    const own = update.origin as Origin
    if (update.seq !== this.#first.get(own)) return false
    return need.every(([origin, seq]) => origin === own || this.#ready(origin) >= seq)
  }

  #areKnown(need: Need): boolean {
    return need.every(([origin, seq]) => (this.#heads.get(origin) ?? 0) >= seq)
  }

  /** How far a log is known without what waits. */
  #ready(origin: Origin): number {
    const first = this.#first.get(origin)
    return first === undefined ? (this.#heads.get(origin) ?? 0) : first - 1
  }

  #findFirst(): void {
    this.#first = new Map()
    for (const { update } of this.#waiting) {
      const origin = update.origin as Origin
      if (!this.#first.has(origin)) this.#first.set(origin, update.seq)
    }
  }
}
