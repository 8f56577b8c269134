// What peers send of their logs, on its way to the queue for the disk: each update once, no log with a
// hole (2), and what its writer may have seen before it (G6).

import { isOrigin, isSubjectId, type Origin } from '../model/ids.ts'
import { verifyUpdate } from '../model/snapshot.ts'
import { missing, raise, type VersionVector } from '../model/version-vector.ts'
import type { Update } from '../model/wire.ts'
import { isSeq, updateFault } from './hearing.ts'
import { Order } from './order.ts'
import type { Peer } from './peer.ts'

export interface ArrivalsOptions {
  /** The log that this server itself writes: nobody sends of it. */
  origin: Origin
  /** How far every log is known here, stored or not; is raised by what arrives. */
  heads: VersionVector
  /** An update is the next of its log: it will be stored. */
  came: (update: Update) => void
  /** The head of a log has moved. */
  advanced: (now: number, origin: Origin) => void
}

export interface Taken {
  /** What is to be stored now, in order. */
  ready: Update[]
  /** Something is lacking between what is known of a log and what came of it. */
  hasGap: boolean
  /** The first that no sound server sends; what came with it and after it was not looked at. */
  malformed: Malformed | undefined
}

interface Malformed {
  update: Update
  why: string
}

type Verdict = 'taken' | 'known' | 'gap' | { why: string }

export class Arrivals {
  readonly #options: ArrivalsOptions
  readonly #order: Order

  constructor(options: ArrivalsOptions) {
    this.#options = options
    this.#order = new Order(options.heads)
  }

  /** Whether nothing waits for its causes. */
  get isEmpty(): boolean {
    return this.#order.isEmpty
  }

  /** A peer sent updates. */
  take(now: number, peer: Peer, updates: Update[]): Taken {
    let hasGap = false
    let malformed: Malformed | undefined
    const news: Update[] = []
    const need = this.#order.needOf(peer)
    for (const update of updates) {
      const verdict = this.#accept(update)
      if (typeof verdict === 'object') {
        malformed = { update, ...verdict }
        break
      }
      const origin = update.origin as Origin
      hasGap ||= verdict === 'gap'
      peer.showed(origin, update.seq)
      if (verdict !== 'taken') continue
      news.push(update)
      this.#options.came(update)
      this.#options.advanced(now, origin)
    }
    // Also what came before a malformed one: its logs are known up to there.
    return { ready: this.#order.take(now, news, need), hasGap, malformed }
  }

  /**
   * A peer sent whole subjects, which stand for all updates up to these. `news`: of those, what was
   * not known. A log may not go on below where it was advanced to: what waits is ready before.
   */
  skip(now: number, upTo: VersionVector): { news: VersionVector; ready: Update[] } {
    const { heads, advanced } = this.#options
    const news = missing(heads, upTo)
    raise(heads, news)
    for (const origin of news.keys()) advanced(now, origin)
    return { news, ready: news.size > 0 ? this.#order.releaseAll() : [] }
  }

  /** What has waited long enough. */
  release(now: number): Update[] {
    return this.#order.release(now)
  }

  #accept(update: Update): Verdict {
    const { heads, origin: own } = this.#options
    const { origin, seq, subject } = update
    if (!isOrigin(origin)) return { why: 'it is of no log' }
    if (origin === own) return { why: 'it is of the log of this server' }
    if (!isSeq(seq) || !isSubjectId(subject)) return { why: 'it has no place' }
    if (!verifyUpdate(update)) return { why: 'its checksum is wrong' }
    const head = heads.get(origin) ?? 0
    if (seq <= head) return 'known'
    if (seq > head + 1) return 'gap'
    // Each once: what comes again, from others or out of order, is not taken.
    const why = updateFault(update)
    if (why !== undefined) return { why }
    heads.set(origin, seq)
    return 'taken'
  }
}
