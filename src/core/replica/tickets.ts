// The pushes of one channel that are on this disk, and which servers hold how many of them.

import type { ReplicaId } from '../model/ids.ts'
import type { Mark } from '../ports.ts'
import type { Holding } from '../model/wire.ts'

/** So many tickets are told apart while a server is away; then every other one is forgotten. */
const ticketsMax = 1024

/**
 * Tickets in the order of their marks; on one channel they ascend. A server holds a ticket when it
 * covers its mark; what is told is cumulative, so a forgotten ticket is only told later, with the
 * next one.
 */
export class Tickets {
  #waiting: { ticket: number; mark: Mark }[] = []
  readonly #told = new Map<ReplicaId, number>()

  /** Whether it was told that this server holds all of them. */
  areHeldBy(server: ReplicaId): boolean {
    const last = this.#waiting.at(-1)
    return last === undefined || last.ticket <= (this.#told.get(server) ?? 0)
  }

  add(ticket: number, mark: Mark): void {
    this.#waiting.push({ ticket, mark })
    if (this.#waiting.length <= ticketsMax) return
    const last = this.#waiting.length - 1
    this.#waiting = this.#waiting.filter((_, index) => index % 2 === 1 || index === last)
  }

  /** What has to be told, given the mark that each server covers. */
  holdings(covered: ReadonlyMap<ReplicaId, Mark>): Holding[] {
    const holdings: Holding[] = []
    let lowest = Infinity
    for (const [server, mark] of covered) {
      lowest = Math.min(lowest, mark)
      const ticket = this.#highest(mark)
      if (ticket <= (this.#told.get(server) ?? 0)) continue
      this.#told.set(server, ticket)
      holdings.push({ $typeName: 'fourfold.v1.Holding', server, ticket })
    }
    const isAllHeld = (this.#waiting.at(-1)?.mark ?? 0) <= lowest
    this.#waiting = isAllHeld ? [] : this.#waiting.filter(({ mark }) => mark > lowest)
    return holdings
  }

  // Tickets and marks both ascend along the list.
  #highest(covered: Mark): number {
    let highest = 0
    for (const { ticket, mark } of this.#waiting) {
      if (mark > covered) break
      highest = ticket
    }
    return highest
  }
}
