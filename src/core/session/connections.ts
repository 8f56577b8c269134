// All connections of a client: one active, one warm standby, dials, and one that fades.
//
//   dial ─┬─> active ── lost ──> (standby becomes active at once, or dial)
//         └─> standby
//   active ── another was faster ──> fading ── heard again or dead ──> gone
//   active and standby both late with an answer ──> a third is dialled, and is the standby then
//
// Safety: at most one active; never two to one server. Liveness: as long as a server can be
// reached, there is an active connection after a bounded time.

import {
  dialGiveUpMs,
  dialJitterMs,
  dialNextMs,
  pingAfterMs,
  standbyPingAfterMs,
} from '../model/limits.ts'
import { Link } from './link.ts'
import type { ConnectionId } from './messages.ts'
import type { Outlet } from './outlet.ts'
import type { Roster, Taken } from './roster.ts'

/** A connection that ended sooner counts as a failed dial: no tight loop with a server that flaps. */
const provedAfterMs = 1000

/** How much longer than usual a slow line may be silent while much travels on it. */
const patienceMax = 16

/** What a Welcome made of a connection. `again`: the answer to a promotion. */
export type Place = 'active' | 'standby' | 'again' | 'surplus'

export class Connections {
  readonly #roster: Roster
  readonly #random: () => number
  readonly #outlet: Outlet
  readonly #links = new Map<ConnectionId, Link>()
  #nextId = 1
  #active: Link | undefined
  #standby: Link | undefined
  #fading: Link | undefined
  /** Since when there is no active connection, and not before when to dial. */
  #lost = { at: 0, dialAt: 0 }
  #patience = 1

  constructor(roster: Roster, random: () => number, outlet: Outlet) {
    this.#roster = roster
    this.#random = random
    this.#outlet = outlet
  }

  get active(): Link | undefined {
    return this.#active
  }

  get standby(): Link | undefined {
    return this.#standby
  }

  /** The active one of before, until it is heard again or dead. */
  get fading(): Link | undefined {
    return this.#fading
  }

  get lostAt(): number {
    return this.#lost.at
  }

  link(id: ConnectionId): Link | undefined {
    return this.#links.get(id)
  }

  links(): IterableIterator<Link> {
    return this.#links.values()
  }

  start(now: number): void {
    this.#lost = { at: now, dialAt: now }
  }

  // ------------------------------------------------------------------------------------- dials

  /** Dials what is wanted: until one says Welcome a further one each `dialNextMs`; then a standby. */
  dial(now: number, wantsStandby: boolean): void {
    while (this.#dialAt(wantsStandby) <= now) {
      const address = this.#roster.next(now, this.#taken())
      if (address === undefined) return
      const claims = !this.#active && this.#dials().length === 0
      const link = new Link(this.#nextId++, address, claims, now)
      this.#links.set(link.id, link)
      this.#outlet.put({ type: 'dial', connection: link.id, address })
    }
  }

  /** When the next dial is due; before `now`: a server is not ready. Infinity: none is wanted. */
  nextDialAt(wantsStandby: boolean): number {
    return Math.max(this.#dialAt(wantsStandby), this.#roster.readyAt(this.#taken()))
  }

  get isDialling(): boolean {
    return this.#dials().length > 0
  }

  #dialAt(wantsStandby: boolean): number {
    const dials = this.#dials()
    if (this.#active) {
      if (!wantsStandby || dials.length > 0) return Infinity
      return this.#standby ? this.#muteAt : 0
    }
    const newest = dials.reduce((latest, { dialledAt }) => Math.max(latest, dialledAt), -Infinity)
    return Math.max(this.#lost.dialAt, newest + dialNextMs)
  }

  /** When neither the active one nor the standby has answered in time; Infinity: one of them has. */
  get #muteAt(): number {
    return Math.max(this.#active?.muteAt ?? Infinity, this.#standby?.muteAt ?? Infinity)
  }

  #dials(): Link[] {
    return [...this.#links.values()].filter(({ state }) => state.name !== 'greeted')
  }

  #taken(): Taken {
    const links = [...this.#links.values()]
    return {
      addresses: new Set(links.map(({ address }) => address)),
      ids: new Set(links.map(({ server }) => server).filter((server) => server !== '')),
    }
  }

  // ------------------------------------------------------------------------------------- roles

  /** A server said Welcome. A surplus connection is to be ended by the caller. */
  welcomed(now: number, link: Link, server: string, wantsStandby: boolean): Place {
    if (link.state.name === 'greeted') return link === this.#active ? 'again' : 'surplus'
    link.measure(now - link.dialledAt)
    this.#roster.welcomed(link.address, server)
    const isDouble = [...this.#links.values()].some((other) => other.server === server)
    if (isDouble) return 'surplus'
    link.state = { name: 'greeted', server, since: now }
    if (!this.#active) {
      this.#active = link
      return 'active'
    }
    if (!wantsStandby || link.claims) return 'surplus'
    if (this.#standby) {
      if (this.#muteAt > now) return 'surplus'
      this.end(now, this.#standby, 'failed')
    }
    this.#standby = link
    return 'standby'
  }

  /** The standby becomes the active one; the old one, if there is one, fades. */
  promote(now: number): Link {
    const next = this.#standby!
    if (this.#active) {
      if (this.#fading) this.end(now, this.#fading, 'left')
      this.#fading = this.#active
      this.#lost = { at: now, dialAt: now }
    }
    this.#active = next
    this.#standby = undefined
    return next
  }

  /** Ends a connection, or notes that it has ended by itself. */
  end(now: number, link: Link, how: 'closed' | 'failed' | 'left'): void {
    if (!this.#links.delete(link.id)) return
    if (how !== 'closed') this.#outlet.put({ type: 'hangUp', connection: link.id })
    const { state, address } = link
    const hasProved = state.name === 'greeted' && now - state.since >= provedAfterMs
    if (hasProved) this.#roster.proved(address)
    if (how === 'failed' || (how === 'closed' && !hasProved)) this.#roster.failed(now, address)
    if (how !== 'left') this.#roster.avoid(now, address)
    if (link === this.#standby) this.#standby = undefined
    if (link === this.#fading) this.#fading = undefined
    if (link !== this.#active) return
    this.#active = undefined
    this.#lost = { at: now, dialAt: now + this.#random() * dialJitterMs }
  }

  endAll(now: number): void {
    for (const link of [...this.#links.values()]) this.end(now, link, 'left')
  }

  /** The network is back, or a person asks: nothing is waited for. */
  hurry(now: number): void {
    this.#roster.forgive()
    this.#lost = { at: this.#lost.at, dialAt: now }
    for (const link of this.#links.values()) {
      if (link.state.name === 'greeted') this.probe(now, link)
    }
  }

  // ----------------------------------------------------------------------------------- silence

  /** Asks whether the server is there, unless it was asked already. */
  probe(now: number, link: Link): void {
    if (link.isProbed) return
    const number = link.probe(now)
    this.#outlet.send(link.id, { case: 'ping', value: { $typeName: 'fourfold.v1.Ping', number } })
  }

  /** Asks those who are silent; returns those who did not answer in time, dials included. */
  silent(now: number): Link[] {
    const dead: Link[] = []
    if (this.#spareAskAt <= now) this.probe(now, this.#standby!)
    for (const link of this.#links.values()) {
      if (this.#silentAt(link) > now) continue
      if (this.#mayAnswerLate(link) && !link.isProbed) this.probe(now, link)
      else dead.push(link)
    }
    return dead
  }

  /** When `silent` has to look again. */
  silentAt(): number {
    return [...this.#links.values()].reduce(
      (at, link) => Math.min(at, this.#silentAt(link)),
      this.#spareAskAt,
    )
  }

  /** When the standby is asked because the active one is late with its answer: once, if it is silent. */
  get #spareAskAt(): number {
    if (!this.#active || !this.#standby || this.#standby.isProbed) return Infinity
    const { probedAt, silentSince } = this.#standby
    const knownAt = Math.max(probedAt, silentSince)
    return knownAt < this.#active.probedAt ? this.#active.muteAt : Infinity
  }

  grace(now: number): void {
    for (const link of this.#links.values()) link.grace(now)
  }

  #silentAt(link: Link): number {
    if (!this.#mayAnswerLate(link)) return link.awaitedSince + dialGiveUpMs
    if (link.isProbed) return link.deadAt(this.#patience)
    const isSpare = link === this.#standby && this.#active !== undefined
    return link.silentSince + (isSpare ? standbyPingAfterMs : pingAfterMs)
  }

  // A Welcome waits for the server's disk, a pong does not. Who gave up on all that live would go from one
  // to the next for as long as their disks are slow.
  #mayAnswerLate({ state }: Link): boolean {
    return state.name === 'greeted' || (state.name === 'greeting' && !this.#active)
  }

  /** A connection died while much was under way on it: it may only have been slow. */
  beMorePatient(): void {
    this.#patience = Math.min(patienceMax, this.#patience * 2)
  }

  beImpatient(): void {
    this.#patience = 1
  }
}
