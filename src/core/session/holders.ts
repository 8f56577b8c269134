// On which servers a person's edits are, as far as servers told: those of one document, and what is
// shown of all.
//
//   receipts ──> told ─┬─ somebody who has it stood beside a live server for a while ──> told
//                      └─ a live server lacks it: a server is asked where it is ──> told
//
// Safety: a live server counts only beside one that has what is at rest. One that was away has not,
// and after a loss of all other disks nobody ever gives it to it. Liveness: whom no witness speaks for,
// because there was no server for a while, the receipts of a question tell of.

import { doubling } from '../model/doubling.ts'
import type { ErrorCode } from '../model/errors.ts'
import { liveMs } from '../model/limits.ts'
import type { Connections } from './connections.ts'
import { isOfMany, type Delivery } from './delivery.ts'
import type { Follows } from './follows.ts'
import type { Link } from './link.ts'
import type { Outbox } from './outbox.ts'
import { isUnacknowledged, type Parcel } from './parcel.ts'
import type { Roster } from './roster.ts'

/** A server counts as live for a second without a word, or without what is that new; and a margin. */
const trustLiveMs = 2 * liveMs

/** A server that does not know yet is asked later and later, but its number is not shown for hours after. */
const askAgainMaxMs = 60_000

export interface HoldersParts {
  roster: Roster
  connections: Connections
  follows: Follows
  outbox: Outbox
  delivery: Delivery
}

/** What a server was asked. */
interface Question {
  link: Link
  ticket: number
  /** How often this server said that it does not know yet. */
  count: number
  /** When it is to be asked again; Infinity: it has not said so. */
  againAt: number
}

export class Holders {
  readonly #parts: HoldersParts
  #hasEarlier: boolean
  /** Where what earlier sessions wrote in what is open is has been seen, or there is nothing such. */
  #isEarlierKnown: boolean
  /** The servers that hold the last edits; undefined: there were none. */
  #told: Set<string> | undefined
  /** Those of them that were live ever since, and since when. */
  #witnesses: { servers: string[]; since: number } = { servers: [], since: 0 }
  /** When they make live servers count; Infinity: not now. */
  #spreadAt = Infinity
  /** The last edit itself, to ask with; undefined: nobody can be asked. */
  #last: Parcel | undefined
  /** What servers held when that became the last. */
  #upToLast: ReadonlySet<Parcel> = new Set()
  #question: Question | undefined
  #askAt = Infinity

  /** `hasEarlier`: there are edits of earlier sessions. */
  constructor(parts: HoldersParts, hasEarlier: boolean) {
    this.#parts = parts
    this.#hasEarlier = hasEarlier
    this.#isEarlierKnown = !hasEarlier
  }

  /** There are edits of earlier sessions after all. */
  expectEarlier(): void {
    this.#hasEarlier = true
    this.#isEarlierKnown = false
  }

  /**
   * The servers on whose disks all edits of a document are, up to this one. Before the document was
   * compared with any server: none.
   */
  of(now: number, document: string, upTo: number): string[] {
    const { follows, outbox } = this.#parts
    if (!follows.lastOpened(document)) return []
    return outbox.holders(document, upTo) ?? this.#restingPlaces(now, document)
  }

  /**
   * Nothing of the document is on its way. A live server has what a server gave a moment ago and stands
   * beside it; where it was not compared yet, all that had it may have burnt.
   */
  #restingPlaces(now: number, document: string): string[] {
    const { roster, connections, follows, outbox } = this.#parts
    const makers = outbox.makers(document)
    if (makers) return [...makers]
    const rested = outbox.rested(document)
    const isOpen = follows.isOpen(document)
    const isUntouched = outbox.edits(document) === 0 && !rested && !this.#hasEarlier
    if ((isUntouched && isOpen) || now >= this.#trustedAt(document)) return roster.live()
    if (rested) return [...rested.servers]
    return isOpen && connections.active ? [connections.active.server] : []
  }

  /** When live servers count as holding a document of which nothing is on its way. */
  #trustedAt(document: string): number {
    const { follows, outbox } = this.#parts
    if (!follows.isOpen(document)) return Infinity
    const openedAt = follows.lastOpened(document)?.at ?? Infinity
    return Math.max(openedAt, outbox.rested(document)?.at ?? 0) + trustLiveMs
  }

  // ------------------------------------------------------------------------------------- told

  /** To be called in every step, before the outbox lets go of anything. */
  look(now: number): void {
    const { roster, connections, outbox } = this.#parts
    const live = roster.live()
    const onTheWay = outbox.commonHolders()
    if (onTheWay) {
      this.#told = new Set(onTheWay)
      this.#witnesses = { servers: onTheWay, since: now }
      const held = outbox.held()
      const last = held.at(-1)!
      // What was done is gone before an edit that it came after; and of a file that it erased nobody can
      // be asked.
      if (!this.#last || !this.#upToLast.has(last)) {
        this.#last = last
        this.#upToLast = new Set(held)
      }
      this.#question = undefined
    }
    // All disks that had it are gone, and no server takes it: it is on none.
    if (!onTheWay && this.#last && isUnacknowledged(this.#last)) this.#forgetLast()
    for (const id of this.#answered()) this.#told?.add(id)
    const { servers, since } = this.#witnesses
    const { active, standby } = connections
    const isWitness = (id: string) => live.includes(id) && !hasGreeted(id, since, active, standby)
    // Without a server nobody sees whose disk is another one meanwhile.
    const present = active ? servers.filter(isWitness) : []
    this.#witnesses = { servers: present, since }
    // What the active one lacks, it may call a server live that lacks it, too: that one is only asked.
    const isBeside = active !== undefined && (!this.#last || this.#isTold(active))
    this.#spreadAt = isBeside && present.length > 0 ? since + trustLiveMs : Infinity
    if (!onTheWay && now >= this.#spreadAt) for (const id of live) this.#told?.add(id)
    if (!this.#isEarlierKnown && now >= this.#earlierKnownAt()) {
      this.#isEarlierKnown = true
      if (!this.#told) this.#witnesses = { servers: live, since: now }
      this.#told ??= new Set(live)
    }
  }

  #forgetLast(): void {
    this.#last = undefined
    this.#question = undefined
    this.#told = undefined
    this.#witnesses = { servers: [], since: 0 }
  }

  // ------------------------------------------------------------------------------------- asked

  /** To be called after that: asks a server, once, and again while it does not know. */
  ask(now: number): void {
    const { connections, delivery } = this.#parts
    const { active } = connections
    this.#askAt = Infinity
    if (!active || !this.#last || !this.#isNews()) return
    const link = this.#whom(active, this.#last)
    const before = this.#question?.link === link ? this.#question : undefined
    this.#askAt = before?.againAt ?? now
    if (this.#askAt > now) return
    const ticket = delivery.ask(now, link, this.#last, this.#isTold(link))
    const count = before?.count ?? 0
    // What cannot be asked now is looked at like an answer that says nothing.
    this.#question = { link, ticket: ticket ?? 0, count, againAt: Infinity }
    if (ticket === undefined) this.turnedBack(now, link, 0, 'unavailable')
    this.#askAt = this.#question?.againAt ?? Infinity
  }

  /** The active server; of several effects one that has them all, if it can be asked. */
  #whom(active: Link, last: Parcel): Link {
    const { standby } = this.#parts.connections
    if (!standby || !isOfMany(last) || this.#isTold(active)) return active
    return this.#isTold(standby) ? standby : active
  }

  /** Whether its server is told to hold the last edits. */
  #isTold({ server }: Link): boolean {
    return this.#told?.has(server) ?? false
  }

  /** The server does not answer this: not yet, or never. */
  turnedBack(now: number, link: Link, ticket: number, code: ErrorCode): void {
    const question = this.#question
    if (question?.link !== link || question.ticket !== ticket) return
    if (code !== 'unavailable') {
      this.#last = undefined
      this.#question = undefined
      return
    }
    question.againAt = now + doubling(trustLiveMs, askAgainMaxMs, question.count)
    question.count++
  }

  #answered(): string[] {
    const { link, ticket, againAt } = this.#question ?? { link: undefined, ticket: 0, againAt: 0 }
    const { active, standby } = this.#parts.connections
    const isOpen = link !== undefined && (link === active || link === standby)
    return isOpen && againAt === Infinity ? link.holders(ticket) : []
  }

  /** Nothing is on its way, and a server is live that is not told to hold the last edits. */
  #isNews(): boolean {
    const { roster, outbox } = this.#parts
    const told = this.#told
    if (!told || roster.live().every((id) => told.has(id))) return false
    return outbox.commonHolders() === undefined && outbox.waiting().count === 0
  }

  // ------------------------------------------------------------------------------------- shown

  /** The servers that hold the last edits that any server holds; undefined: it is not known yet. */
  shown(): string[] | undefined {
    if (!this.#isEarlierKnown) return undefined
    // What an earlier session asked for is asked again.
    if (!this.#told && this.#parts.outbox.waiting().count > 0) return undefined
    return [...(this.#told ?? this.#parts.roster.live())]
  }

  /** When time alone changes what is shown. */
  get nextAt(): number {
    const { roster, outbox } = this.#parts
    const isAtRest = this.#spreadAt < Infinity && outbox.commonHolders() === undefined
    const isNews = isAtRest && roster.live().some((id) => !this.#told?.has(id))
    const earlierAt = this.#isEarlierKnown ? Infinity : this.#earlierKnownAt()
    return Math.min(earlierAt, this.#askAt, isNews ? this.#spreadAt : Infinity)
  }

  /** What a server cannot open is said beside its text, and not waited for. */
  #earlierKnownAt(): number {
    const { connections, follows, outbox } = this.#parts
    const isUnderWay = follows.isOpening || outbox.waiting().count > 0
    if (!connections.active || isUnderWay) return Infinity
    let at = 0
    for (const document of follows.open()) at = Math.max(at, this.#trustedAt(document))
    return at
  }
}

/** Whether a server greeted since: it may have been away before that, and another disk is in it. */
function hasGreeted(id: string, since: number, ...links: (Link | undefined)[]): boolean {
  return links.some((link) => link?.server === id && link.greetedAt > since)
}
