// Those who wait until edits are stored.

import type { FourfoldError } from '../core/model/errors.ts'
import { receiptWaitMs } from '../core/model/limits.ts'
import type { Session } from '../core/session/session.ts'
import type { Receipt } from './api.ts'

interface Waiting {
  document: string
  /** The last edit that is waited for. */
  upTo: number
  /** Since when enough servers hold it; the other live ones get a moment to say so, too. */
  enoughSince: number | undefined
  resolve: (receipt: Receipt) => void
  reject: (error: FourfoldError) => void
}

export class Receipts {
  #waiting: Waiting[] = []

  /** Resolves when the safe count of servers hold all edits of a document up to this one. */
  wait(document: string, upTo: number): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ document, upTo, enoughSince: undefined, resolve, reject })
    })
  }

  /** Tells those whose edits are stored; when to look again though nothing happens. */
  look(now: number, session: Session): number {
    let nextAt = Infinity
    this.#waiting = this.#waiting.filter((waiting) => {
      const servers = session.holders(waiting.document, waiting.upTo)
      const of = session.servers.length
      if (of === 0 || servers.length < session.safeCount) return true
      waiting.enoughSince ??= now
      const lateAt = waiting.enoughSince + receiptWaitMs
      if (now < lateAt && !session.liveServers.every((id) => servers.includes(id))) {
        nextAt = Math.min(nextAt, lateAt)
        return true
      }
      waiting.resolve({ servers: session.inOrder(servers), of })
      return false
    })
    return nextAt
  }

  /** These will not be stored; of all documents when none is named. */
  reject(error: FourfoldError, document?: string): void {
    const isMeant = (waiting: Waiting) => document === undefined || waiting.document === document
    const meant = this.#waiting.filter(isMeant)
    this.#waiting = this.#waiting.filter((waiting) => !isMeant(waiting))
    for (const { reject } of meant) reject(error)
  }
}
