// One connection to a server: how far it got, what was sent on it, and what came back.
//
//   dialling ── opened ──> greeting ── Welcome ──> greeted
//
// A receipt counts only for what was sent on the connection that brought it: "server b holds all
// tickets up to 7" says nothing of a push that took another way.

import { Allowance } from '../model/allowance.ts'
import {
  creditAfterBytes,
  deadAfterPingMs,
  hedgeAfterMs,
  pushBurstMax,
  pushesPerSecondMax,
  sessionBurstBytesMax,
  sessionBytesPerSecondMax,
  slowBytesPerMs,
} from '../model/limits.ts'
import type { Holding } from '../model/wire.ts'
import type { ConnectionId } from './messages.ts'
import { bytesOf, isUnacknowledged, pushesOf, type Parcel } from './parcel.ts'
import type { Relay } from './relays.ts'

export type LinkState =
  | { name: 'dialling' }
  | { name: 'greeting' }
  | { name: 'greeted'; server: string; since: number }

interface Sent {
  ticket: number
  at: number
}

export class Link {
  readonly id: ConnectionId
  readonly address: string
  /** It says Hello as the active connection, not as a standby. */
  readonly claims: boolean
  readonly dialledAt: number
  state: LinkState = { name: 'dialling' }
  /** Something asks for another server: why. It is left as soon as there is one. */
  leaving: string | undefined
  /** Documents of which a push was turned back here: their causes are missing until opened. */
  readonly blocked = new Set<string>()

  #heardAt: number
  /** Its Welcome gets its time from here on. */
  #awaited: { since: number; isGraced: boolean }
  /** The ping that is not answered by anything yet. */
  #probe: { sentAt: number; isGraced: boolean } | undefined
  #ping = { number: 0, at: -Infinity }
  #roundTripMs: number | undefined
  #ackMs: number | undefined
  #readBytes = 0
  #creditedBytes = 0
  /** By ticket, ascending. */
  readonly #parcels = new Map<number, Parcel>()
  readonly #sent = new Map<Parcel, Sent>()
  readonly #turnedBack = new Set<Parcel>()
  readonly #brought = new WeakSet<Relay>()
  readonly #holdings = new Map<string, number>()
  // A margin is left for what the server counts differently.
  readonly #pushes: Allowance
  readonly #bytes: Allowance

  constructor(id: ConnectionId, address: string, claims: boolean, now: number) {
    this.id = id
    this.address = address
    this.claims = claims
    this.dialledAt = now
    this.#heardAt = now
    this.#awaited = { since: now, isGraced: false }
    this.#pushes = new Allowance(now, pushesPerSecondMax * 0.9, pushBurstMax * 0.9)
    this.#bytes = new Allowance(now, sessionBytesPerSecondMax * 0.9, sessionBurstBytesMax * 0.9)
  }

  /** Whether its server, as its Welcome says, can be asked where an operation is. */
  answersAsk = false

  /** The id of the server; empty before its Welcome. */
  get server(): string {
    return this.state.name === 'greeted' ? this.state.server : ''
  }

  /** When its Welcome came; -Infinity before. */
  get greetedAt(): number {
    return this.state.name === 'greeted' ? this.state.since : -Infinity
  }

  // ------------------------------------------------------------------------------------- life

  /** Something arrived. The number of bytes to give credit for; 0: not yet. */
  heard(now: number, bytes: number): number {
    this.#heardAt = now
    this.#probe = undefined
    this.#readBytes += bytes
    if (this.#readBytes - this.#creditedBytes < creditAfterBytes) return 0
    this.#creditedBytes = this.#readBytes
    return this.#readBytes % 2 ** 32
  }

  get silentSince(): number {
    return this.#heardAt
  }

  /** Since when its Welcome is waited for. */
  get awaitedSince(): number {
    return this.#awaited.since
  }

  get probedAt(): number {
    return this.#ping.at
  }

  get isProbed(): boolean {
    return this.#probe !== undefined
  }

  /** A ping is sent now; its number. */
  probe(now: number): number {
    this.#probe = { sentAt: now, isGraced: false }
    this.#ping = { number: (this.#ping.number + 1) % 2 ** 32, at: now }
    return this.#ping.number
  }

  /** The clock stood still for a while, ours or the machine's: the answer gets its time again, once. */
  grace(now: number): void {
    if (this.#probe && !this.#probe.isGraced) this.#probe = { sentAt: now, isGraced: true }
    if (!this.#awaited.isGraced) this.#awaited = { since: now, isGraced: true }
  }

  /** When its answer to a ping is late; Infinity when it was not asked. */
  get muteAt(): number {
    if (!this.#probe) return Infinity
    return this.#probe.sentAt + Math.max(hedgeAfterMs, 4 * this.ackMs) + this.#drainMs()
  }

  /** When it counts as dead if nothing is heard; Infinity when it was not asked. */
  deadAt(patience: number): number {
    if (!this.#probe) return Infinity
    return this.#probe.sentAt + deadAfterPingMs * patience + this.#drainMs()
  }

  pong(now: number, number: number): void {
    // Of an answer to nothing there is no time.
    const isAsked = this.#ping.at > -Infinity
    if (isAsked && number === this.#ping.number) this.measure(now - this.#ping.at)
  }

  measure(ms: number): void {
    this.#roundTripMs = smoothed(this.#roundTripMs, ms)
  }

  get roundTripMs(): number {
    return Math.round(this.#roundTripMs ?? 0)
  }

  /** The usual time from a push to its receipt, as far as known. */
  get ackMs(): number {
    return Math.max(this.#ackMs ?? 0, this.#roundTripMs ?? 0)
  }

  // ---------------------------------------------------------------------------------- parcels

  /** When the server lets this client send so much more; Infinity: never. */
  readyAt(now: number, bytes: number, pushes = 1): number {
    return Math.max(this.#pushes.readyAt(now, pushes), this.#bytes.readyAt(now, bytes))
  }

  /** An edit of somebody else goes before an own one: once, and nobody waits for its receipt. */
  brought(now: number, relay: Relay): void {
    this.#pushes.take(now, 1)
    this.#bytes.take(now, relay.update.length)
    this.#brought.add(relay)
  }

  hasBrought(relay: Relay): boolean {
    return this.#brought.has(relay)
  }

  /** It is asked where something is. */
  asked(now: number, bytes: number): void {
    this.#pushes.take(now, 1)
    this.#bytes.take(now, bytes)
  }

  /** The parcel is sent under this ticket, which is larger than all before on this connection. */
  sent(now: number, ticket: number, parcel: Parcel): void {
    this.#pushes.take(now, pushesOf(parcel))
    this.#bytes.take(now, bytesOf(parcel))
    this.#parcels.set(ticket, parcel)
    this.#sent.set(parcel, { ticket, at: now })
    this.#turnedBack.delete(parcel)
  }

  /** Whether it was sent here and not turned back. */
  has(parcel: Parcel): boolean {
    return this.#sent.has(parcel)
  }

  /** When it was sent here. */
  sentAt(parcel: Parcel): number | undefined {
    return this.#sent.get(parcel)?.at
  }

  /** Whether `later` has the larger ticket; both were sent here. */
  isAfter(later: Parcel, earlier: Parcel): boolean {
    return (this.#sent.get(later)?.ticket ?? 0) > (this.#sent.get(earlier)?.ticket ?? 0)
  }

  wasTurnedBack(parcel: Parcel): boolean {
    return this.#turnedBack.has(parcel)
  }

  /** From here on what was turned back may be sent again. */
  forgetTurnedBack(): void {
    this.#turnedBack.clear()
  }

  parcel(ticket: number): Parcel | undefined {
    return this.#parcels.get(ticket)
  }

  /** The server did not take this ticket: whatever receipts come, they do not speak of it. */
  turnBack(ticket: number): Parcel | undefined {
    const parcel = this.#parcels.get(ticket)
    if (!parcel) return undefined
    this.forget(parcel)
    this.#turnedBack.add(parcel)
    return parcel
  }

  /** Nothing is to be known of this parcel any more. */
  forget(parcel: Parcel): void {
    const sent = this.#sent.get(parcel)
    this.#turnedBack.delete(parcel)
    if (!sent) return
    this.#sent.delete(parcel)
    this.#parcels.delete(sent.ticket)
  }

  hold(holdings: readonly Holding[]): void {
    for (const { server, ticket } of holdings) {
      this.#holdings.set(server, Math.max(ticket, this.#holdings.get(server) ?? 0))
    }
  }

  /** The servers that hold all tickets of this connection up to this one. */
  holders(ticket: number): string[] {
    return [...this.#holdings].filter(([, upTo]) => upTo >= ticket).map(([server]) => server)
  }

  /** Tells every parcel sent here which servers hold it. Those that had none before are returned. */
  count(isComplete: (parcel: Parcel) => boolean): Parcel[] {
    const firsts: Parcel[] = []
    for (const [ticket, parcel] of this.#parcels) {
      if (!isComplete(parcel)) continue
      const wasUnacknowledged = isUnacknowledged(parcel)
      for (const [server, upTo] of this.#holdings) {
        if (ticket <= upTo) parcel.servers.add(server)
      }
      if (wasUnacknowledged && !isUnacknowledged(parcel)) firsts.push(parcel)
    }
    return firsts
  }

  /** A push got its first receipt, by this server. */
  acknowledged(now: number, parcel: Parcel): void {
    const at = this.sentAt(parcel)
    if (at !== undefined) this.#ackMs = smoothed(this.#ackMs, now - at)
  }

  /** Of what was sent here and no server is known to hold. */
  unacknowledgedBytes(): number {
    let bytes = 0
    for (const parcel of this.#sent.keys()) if (isUnacknowledged(parcel)) bytes += bytesOf(parcel)
    return bytes
  }

  /** An answer has to wait behind what is still on its way up a slow line. */
  #drainMs(): number {
    return this.unacknowledgedBytes() / slowBytesPerMs
  }
}

function smoothed(before: number | undefined, sample: number): number {
  return before === undefined ? sample : before + (sample - before) / 4
}
