// Carries parcels to servers: in order, again after a loss, twice when an answer is late.
//
//   parcel ──> active ── no receipt in time ──> standby, too ── it was first ──> they change places
//
// Safety: a parcel counts as held only by receipts of connections it was sent on. Tickets ascend on
// every connection, because each sending gets a fresh one. Liveness: whatever is not held is sent
// again on every new active connection, or offered from the document.

import { doubling } from '../model/doubling.ts'
import { hedgeAfterMs, operationGiveUpMs, receiptWaitMs, slowBytesPerMs } from '../model/limits.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Done } from '../model/wire.ts'
import type { Connections } from './connections.ts'
import type { Follows } from './follows.ts'
import type { Link } from './link.ts'
import { isSafe, type Disks, type Outbox } from './outbox.ts'
import type { Outlet } from './outlet.ts'
import {
  bytesOf,
  isUnacknowledged,
  pushesOf,
  type Effect,
  type OperationParcel,
  type Parcel,
} from './parcel.ts'
import { heldBack } from './precedence.ts'
import type { Relay } from './relays.ts'

const none = new Uint8Array()

/** How long an operation waits that a server could not carry out: first, and at most. */
const operationRetryMs = 250
const operationRetryMaxMs = 2000
/** Who comes to another server within this was not away: a silent one is left after half of it. */
const briefMs = 5000

/** A warm standby. `isHeard`: by the other servers, as far as they told. */
export interface Spare {
  link: Link
  isHeard: boolean
}

export class Delivery {
  readonly #connections: Connections
  readonly #follows: Follows
  readonly #outbox: Outbox
  readonly #outlet: Outlet
  /** Versions that wait for their text: since when they do, and where and when that was seen last. */
  readonly #owed = new WeakMap<OperationParcel, { since: number; link: Link; seenAt: number }>()
  #ticket = 0

  constructor(connections: Connections, follows: Follows, outbox: Outbox, outlet: Outlet) {
    this.#connections = connections
    this.#follows = follows
    this.#outbox = outbox
    this.#outlet = outlet
  }

  // ------------------------------------------------------------------------------------- sends

  /** Sends what may be sent on the active connection. */
  advance(now: number, link: Link): void {
    this.#giveUpOwed(now, link)
    this.#sendParcels(now, link)
    let hasNew = false
    for (const document of [...this.#outbox.drafted]) {
      if (!this.#follows.mayPush(document) || this.#outbox.readyAt(document) > now) continue
      if (link.readyAt(now, 0) > now) break
      this.#outbox.take(now, document)
      hasNew = true
    }
    if (hasNew) this.#sendParcels(now, link)
  }

  /** All edits so far go before what comes next, be they ready or not. */
  flush(now: number, link: Link): void {
    for (const document of [...this.#outbox.drafted]) {
      if (this.#follows.mayPush(document)) this.#outbox.take(now, document)
    }
    this.#sendParcels(now, link)
  }

  /** Also on the standby: what the active one did not answer in time. True: there is such a thing. */
  hedge(now: number, link: Link, spare: Spare | undefined): boolean {
    const overdue = [...this.#outbox.parcels].filter((parcel) => this.#hedgeAt(parcel, link) <= now)
    const last = overdue.at(-1)
    if (!last) return false
    // A server that answers pings but not pushes is asked again, at a walk.
    if (now - link.probedAt >= hedgeAfterMs) this.#connections.probe(now, link)
    if (spare && this.#lendHand(now, spare, last)) this.#connections.probe(now, spare.link)
    return true
  }

  /** Sends what waits, up to this parcel. Whether there was anything to send. */
  #lendHand(now: number, { link, isHeard }: Spare, last: Parcel): boolean {
    let isNew = false
    for (const parcel of this.#outbox.parcels) {
      const causes = this.#mayHedge(parcel, link)
        ? this.#causes(now, link, parcel, isHeard)
        : undefined
      if (causes) {
        // In order, so that no push comes before what it builds on.
        const bytes = causes.reduce((sum, { update }) => sum + update.length, bytesOf(parcel))
        if (link.readyAt(now, bytes, causes.length + 1) > now) break
        for (const cause of causes) this.#bring(now, link, cause)
        this.#send(now, link, parcel)
        isNew = true
      }
      if (parcel === last) break
    }
    return isNew
  }

  /** What has to be there first; undefined: it cannot be brought. */
  #causes(now: number, link: Link, parcel: Parcel, isHeard: boolean): Relay[] | undefined {
    if (parcel.type !== 'push') return []
    const causes = this.#follows.causes(now, parcel, isHeard)
    return causes?.filter((relay) => !link.hasBrought(relay))
  }

  #bring(now: number, link: Link, relay: Relay): void {
    link.brought(now, relay)
    const { document, update, seal } = relay
    this.#outlet.send(link.id, {
      case: 'push',
      value: { $typeName: 'fourfold.v1.Push', ticket: ++this.#ticket, document, update, seal },
    })
  }

  #mayHedge(parcel: Parcel, standby: Link): boolean {
    if (standby.has(parcel) || parcel.servers.has(standby.server)) return false
    if (standby.wasTurnedBack(parcel)) return false
    // A standby has no name, and an operation is done in somebody's. Silence will tell soon enough.
    if (parcel.type === 'operation') return false
    if (standby.blocked.has(parcel.document)) return false
    if (parcel.update) return true
    standby.blocked.add(parcel.document)
    return false
  }

  #hedgeAt(parcel: Parcel, link: Link): number {
    const sentAt = link.sentAt(parcel)
    if (sentAt === undefined || !isUnacknowledged(parcel)) return Infinity
    const patienceMs = Math.max(hedgeAfterMs, 4 * link.ackMs)
    return sentAt + patienceMs + link.unacknowledgedBytes() / slowBytesPerMs
  }

  #sendParcels(now: number, link: Link): void {
    const held = this.#heldBack(link)
    for (const parcel of this.#outbox.parcels) {
      if (link.has(parcel) || !this.#maySend(now, parcel, held)) continue
      if (readyAt(now, link, parcel) > now) return
      this.#send(now, link, parcel)
    }
  }

  /**
   * What waits for something that goes before it. A version names the text that the server has: what was
   * written by then, or offered when it was compared, is to be there.
   */
  #heldBack(link: Link): Set<OperationParcel> {
    const held = heldBack(this.#outbox.parcels, link.server)
    for (const parcel of this.#outbox.operations()) if (this.#isOwed(parcel, link)) held.add(parcel)
    return held
  }

  #isOwed(parcel: OperationParcel, link: Link): boolean {
    const { case: what, value } = parcel.operation.operation
    if (what !== 'nameVersion') return false
    const { document } = value
    if (this.#follows.isComparing(document)) return true
    const openedAt = this.#follows.lastOpened(document)?.at ?? -Infinity
    return this.#outbox.isOwed(document, Math.max(parcel.bornAt, openedAt), link.server)
  }

  /** A text that no server takes, or can show, would keep its version waiting for ever. */
  #giveUpOwed(now: number, link: Link): void {
    for (const parcel of this.#outbox.operations()) {
      if (link.has(parcel) || parcel.effect || !this.#isOwed(parcel, link)) continue
      const before = this.#owed.get(parcel)
      // Without a server nothing is stored: that counts for nothing.
      const wasAway = before && before.link !== link && now - before.seenAt > briefMs
      const since = before && !wasAway ? before.since : now
      this.#owed.set(parcel, { since, link, seenAt: now })
      if (now >= this.#givenUpAt(link, parcel)) this.#fail(parcel, notStored())
    }
  }

  #givenUpAt(link: Link, parcel: OperationParcel): number {
    const owed = this.#owed.get(parcel)
    return owed?.link === link && !parcel.effect ? owed.since + operationGiveUpMs : Infinity
  }

  #maySend(now: number, parcel: Parcel, held: ReadonlySet<Parcel>): boolean {
    if (held.has(parcel)) return false
    if (parcel.type === 'operation') return (parcel.trouble?.retryAt ?? 0) <= now
    return parcel.update !== undefined && this.#follows.mayPush(parcel.document)
  }

  #send(now: number, link: Link, parcel: Parcel): void {
    const ticket = ++this.#ticket
    link.sent(now, ticket, parcel)
    if (parcel.type === 'operation') {
      const { operation, isLate } = parcel
      const value = { $typeName: 'fourfold.v1.Operation' as const, ticket, isLate, ...operation }
      this.#outlet.send(link.id, { case: 'operation', value })
    } else {
      const { document, update } = parcel
      const seal = parcel.type === 'relay' ? parcel.seal : none
      this.#outlet.send(link.id, {
        case: 'push',
        value: { $typeName: 'fourfold.v1.Push', ticket, document, update: update!, seal },
      })
    }
  }

  /**
   * Asks where something is that was let go of: only where it is known an answer comes, or a text's
   * edits are taken again, which have one effect. `isHeld`: this server is known to hold all of it. The
   * ticket; undefined: that cannot be asked now.
   */
  ask(now: number, link: Link, parcel: Parcel, isHeld: boolean): number | undefined {
    const bytes = parcel.type === 'operation' ? 0 : bytesOf(parcel)
    if (!this.#mayAsk(parcel, link, isHeld) || link.readyAt(now, bytes) > now) return undefined
    const ticket = ++this.#ticket
    link.asked(now, bytes)
    if (parcel.type === 'operation') {
      const value = {
        $typeName: 'fourfold.v1.Ask' as const,
        ticket,
        operation: parcel.operation.id,
      }
      this.#outlet.send(link.id, { case: 'ask', value })
    } else {
      const { document, update } = parcel
      const value = { $typeName: 'fourfold.v1.Push' as const, ticket, document, update, seal: none }
      this.#outlet.send(link.id, { case: 'push', value: { ...value, update: update! } })
    }
    return ticket
  }

  #mayAsk(parcel: Parcel, link: Link, isHeld: boolean): boolean {
    if (parcel.type === 'operation') {
      // A server may know that several things were done of which it has only got some.
      return link.answersAsk && (isHeld || !isOfMany(parcel))
    }
    if (!parcel.update) return false
    return !this.#follows.has(parcel.document) || this.#follows.mayPush(parcel.document)
  }

  // ----------------------------------------------------------------------------------- answers

  /** Counts the receipts of a connection. True: it was the first to answer something. */
  count(now: number, link: Link): boolean {
    const isActive = link === this.#connections.active
    // What stands for more than its bytes is held only where all before it was compared.
    const firsts = link.count(
      (parcel) =>
        parcel.type !== 'push' ||
        !parcel.isFolded ||
        (isActive && this.#follows.isOpen(parcel.document)),
    )
    const owns = firsts.filter(({ type }) => type !== 'relay')
    for (const parcel of owns) {
      link.acknowledged(now, parcel)
      if (isActive && parcel.type === 'push') this.#follows.arrived(parcel.document)
    }
    return owns.length > 0
  }

  /** An operation took effect on some server. */
  done(now: number, link: Link, { ticket, entry, undone, changedNothing }: Done): void {
    const parcel = link.parcel(ticket)
    if (parcel?.type !== 'operation') return
    parcel.effect ??= { entry, undone, changedNothing, at: now, isTold: false }
    parcel.trouble = undefined
  }

  /** The active server will not take this, now or ever. */
  rejected(now: number, link: Link, ticket: number, error: FourfoldError, disks: Disks): void {
    const parcel = link.turnBack(ticket)
    if (!parcel || link !== this.#connections.active) {
      // A standby only lends a hand; its last word is asked for when it is the active one.
      if (parcel && parcel.type !== 'operation') link.blocked.add(parcel.document)
      return
    }
    if (parcel.type === 'relay') {
      // Its seal does not hold here, or it has become too much: the author will bring it.
      this.#outbox.delete(parcel)
      const { document } = parcel
      if (error.code === 'forbidden') this.#outlet.put({ type: 'unsealed', document })
      return
    }
    if (parcel.type === 'operation') this.#refusedOperation(now, link, parcel, error, disks)
    else if (error.code === 'unavailable') {
      link.leaving ??= error.message
      this.#follows.resync(now, parcel.document)
    } else this.#follows.turnDown(now, parcel.document, error)
  }

  #refusedOperation(
    now: number,
    link: Link,
    parcel: OperationParcel,
    error: FourfoldError,
    { all, live }: Disks,
  ): void {
    // A server that has an operation says Done to it again: the disk that had it is another one now.
    if (error.code !== 'unavailable') parcel.servers.delete(link.server)
    const before = parcel.trouble ?? { since: now, count: 0, hadAllLive: false }
    const isLasting = now - before.since >= operationGiveUpMs
    const hasAllLive = all.every((id) => live.includes(id))
    if (!parcel.effect && (error.code !== 'unavailable' || isLasting)) {
      this.#fail(parcel, error)
      return
    }
    const haveMet = hasAllLive && before.hadAllLive
    // Carried out elsewhere and refused here: the servers have not met since, and will. Where they
    // have, its effect is in what they merged, or burnt: nothing is to wait behind it for ever. Of bytes
    // that a server lacks others may have to be asked first.
    const isOver = error.code === 'unavailable' ? isLasting && haveMet : isLasting || haveMet
    if (parcel.effect && isOver) {
      if (isUnacknowledged(parcel)) this.#fail(parcel, error)
      else {
        this.#tellEffect(parcel, parcel.effect, all)
        this.#outbox.delete(parcel)
      }
      return
    }
    // A name that was taken meanwhile does not refuse what somebody was told is done.
    if (parcel.effect && error.code !== 'unavailable') parcel.isLate = true
    const { since, count } = before
    const waitMs = doubling(operationRetryMs, operationRetryMaxMs, count)
    parcel.trouble = { since, count: count + 1, retryAt: now + waitMs, hadAllLive: hasAllLive }
    if (error.code === 'unavailable' && count > 0) link.leaving ??= error.message
  }

  /** With it goes what was to be done to the thing that is not made. */
  #fail(parcel: OperationParcel, error: FourfoldError): void {
    const { id } = parcel.operation
    this.#outbox.delete(parcel)
    this.#outlet.put({ type: 'failed', operation: id, error })
    for (const other of this.#outbox.orphan(id)) this.#fail(other, error)
  }

  /** Tells which operations took effect, once their receipt is whole or late. */
  tellDone(now: number, disks: Disks): void {
    for (const parcel of this.#outbox.operations()) {
      const { effect } = parcel
      if (!effect || effect.isTold || isUnacknowledged(parcel)) continue
      if (!isSafe(parcel, { ...disks, safeCount: 1 }) && now < effect.at + receiptWaitMs) continue
      this.#tellEffect(parcel, effect, disks.all)
      // There is nothing of it that a server could lack.
      if (effect.changedNothing) this.#outbox.delete(parcel)
    }
  }

  #tellEffect(parcel: OperationParcel, effect: Effect, all: readonly string[]): void {
    if (effect.isTold) return
    parcel.effect = { ...effect, isTold: true }
    this.#outlet.put({
      type: 'done',
      operation: parcel.operation.id,
      entry: effect.entry,
      undone: effect.undone,
      servers: all.filter((id) => parcel.servers.has(id)),
    })
  }

  // -------------------------------------------------------------------------------------- time

  /** When `advance`, `hedge` or `tellDone` have to look again. */
  dueAt(now: number, link: Link, standby: Link | undefined): number {
    let at = Infinity
    for (const document of this.#outbox.drafted) {
      if (!this.#follows.mayPush(document)) continue
      const readyAt = this.#outbox.readyAt(document)
      if (readyAt < Infinity) at = Math.min(at, Math.max(readyAt, link.readyAt(now, 0)))
    }
    let isFirstUnsent = true
    const held = this.#heldBack(link)
    for (const parcel of this.#outbox.parcels) {
      if (link.has(parcel)) {
        // Already on its way twice: only silence will tell.
        if (!standby?.has(parcel)) at = Math.min(at, this.#nextHedgeAt(now, parcel, link))
      } else if (this.#maySend(now, parcel, held)) {
        // Those behind it wait for it.
        if (isFirstUnsent) at = Math.min(at, readyAt(now, link, parcel))
        isFirstUnsent = false
      } else if (parcel.type === 'operation') {
        const { retryAt = Infinity } = parcel.trouble ?? {}
        at = Math.min(at, held.has(parcel) ? this.#givenUpAt(link, parcel) : retryAt)
      }
      at = Math.min(at, tellAt(now, parcel))
    }
    return at
  }

  // What is overdue already was seen to in this step.
  #nextHedgeAt(now: number, parcel: Parcel, link: Link): number {
    const at = this.#hedgeAt(parcel, link)
    return at > now ? at : Infinity
  }
}

function notStored(): FourfoldError {
  const text = 'The version was not named: what you see is not all stored. Try again.'
  return new FourfoldError('unavailable', text)
}

/** When the server lets this client send a parcel; Infinity: never. */
function readyAt(now: number, link: Link, parcel: Parcel): number {
  return link.readyAt(now, bytesOf(parcel), pushesOf(parcel))
}

/** Whether it may have had several effects. */
export function isOfMany(parcel: Parcel): boolean {
  if (parcel.type !== 'operation') return false
  const { operation } = parcel.operation
  return operation.case === 'several' || operation.case === 'erase'
}

/** When an operation that took effect is told though not all live servers hold it. */
function tellAt(now: number, parcel: Parcel): number {
  if (parcel.type !== 'operation' || isUnacknowledged(parcel)) return Infinity
  if (!parcel.effect || parcel.effect.isTold) return Infinity
  return Math.max(now + 1, parcel.effect.at + receiptWaitMs)
}
