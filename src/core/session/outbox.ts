// A client's edits and operations that are not yet on enough disks, oldest first.
//
//   edited ──> draft ── take ──> parcel ── receipts ──> at rest ── all servers ──> gone
//                │                  └── too much kept: bytes dropped ─┐
//                └── too much at once: left in the document ──────────┴── offered ──> parcels
//
// Safety: an edit leaves only when it is safe (4). The document itself holds every edit, so bytes
// may be dropped here: what a server lacks is made again from the document when it is opened there.

import * as Y from 'yjs'
import {
  coalesceMs,
  draftUpdatesMax,
  operationBytesMax,
  openDocumentsMax,
  operationsMax,
  outboxBytesMax,
  parcelsMax,
  pushesInFlightMax,
  updateBytesMax,
} from '../model/limits.ts'
import { decodeTextUpdate, splitTextUpdate } from '../model/text-update.ts'
import type { Link } from './link.ts'
import {
  bytesOf,
  isUnacknowledged,
  type OperationBody,
  type OperationParcel,
  type Parcel,
  type PushParcel,
  type RelayParcel,
} from './parcel.ts'
import type { Relay } from './relays.ts'

/** Some edits of a document, for people and for those who wait for them. */
export interface Span {
  from: number
  to: number
  count: number
  bornAt: number
}

type Draft = Span & {
  /** Absent: the edits are only in the document, and have to be offered. */
  updates: Uint8Array[] | undefined
}

/** What the servers are, for judging what is safe. */
export interface Disks {
  all: readonly string[]
  live: readonly string[]
  safeCount: number
}

/** Ten times as many as may be open: of what was closed long ago no server lacks the last edits. */
const restedMax = 10 * openDocumentsMax

export class Outbox {
  readonly #parcels = new Set<Parcel>()
  readonly #gone: Parcel[] = []
  readonly #drafts = new Map<string, Draft>()
  /** By document, when its last edits were let go of, and who held them then; the oldest first. */
  readonly #rested = new Map<string, { at: number; servers: ReadonlySet<string> }>()
  /** Edits made so far, and when the last parcel was made, by document. */
  readonly #counts = new Map<string, { edits: number; takenAt: number }>()

  /** Everything on its way, oldest first. */
  get parcels(): ReadonlySet<Parcel> {
    return this.#parcels
  }

  /** Documents with edits in no parcel yet. */
  get drafted(): IterableIterator<string> {
    return this.#drafts.keys()
  }

  *pushes(document?: string): Generator<PushParcel> {
    for (const parcel of this.#parcels) {
      if (parcel.type !== 'push') continue
      if (document === undefined || parcel.document === document) yield parcel
    }
  }

  /** What was sent of a document on this connection, others' edits included. */
  *under(document: string, link: Link): Generator<PushParcel | RelayParcel> {
    for (const parcel of this.#parcels) {
      if (parcel.type === 'operation' || parcel.document !== document) continue
      if (link.has(parcel)) yield parcel
    }
  }

  *operations(): Generator<OperationParcel> {
    for (const parcel of this.#parcels) if (parcel.type === 'operation') yield parcel
  }

  /** How many edits of this document were made. */
  edits(document: string): number {
    return this.#counts.get(document)?.edits ?? 0
  }

  // ------------------------------------------------------------------------------------ edits

  edited(now: number, document: string, update: Uint8Array): void {
    const counts = this.#counts.get(document) ?? { edits: 0, takenAt: -Infinity }
    this.#counts.set(document, { ...counts, edits: counts.edits + 1 })
    const number = counts.edits + 1
    const before = this.#drafts.get(document)
    const span = before
      ? { from: before.from, to: number, count: before.count + 1, bornAt: before.bornAt }
      : { from: number, to: number, count: 1, bornAt: now }
    const isInDocument = before !== undefined && before.updates === undefined
    if (isInDocument || update.length > this.#room()) {
      this.#drafts.set(document, { ...span, updates: undefined })
      return
    }
    const updates = [...(before?.updates ?? []), update]
    const isLong = updates.length > draftUpdatesMax
    this.#drafts.set(document, { ...span, updates: isLong ? [Y.mergeUpdates(updates)] : updates })
  }

  /** When the edits of this document may become a parcel; Infinity: not before something else. */
  readyAt(document: string): number {
    const draft = this.#drafts.get(document)
    if (!draft?.updates || this.#inFlight() >= pushesInFlightMax) return Infinity
    return (this.#counts.get(document)?.takenAt ?? -Infinity) + coalesceMs
  }

  /** Makes parcels of the edits of this document. */
  take(now: number, document: string): void {
    const draft = this.#drafts.get(document)
    if (!draft?.updates) return
    this.#drafts.delete(document)
    const { updates, ...span } = draft
    const update = updates.length === 1 ? updates[0]! : Y.mergeUpdates(updates)
    this.#add(now, document, splitTextUpdate(update, updateBytesMax), span)
  }

  // ----------------------------------------------------------------------------------- offers

  /** Whether a server can get all edits of this document only by opening it first. */
  mustOffer(document: string, link: Link): boolean {
    const draft = this.#drafts.get(document)
    if (draft && draft.updates === undefined) return true
    for (const parcel of this.pushes(document)) {
      if (parcel.update === undefined && !link.has(parcel)) return true
    }
    return false
  }

  /** Whether edits of this document are nowhere but in the document itself. */
  isInDocument(document: string): boolean {
    const draft = this.#drafts.get(document)
    return draft !== undefined && draft.updates === undefined
  }

  /** Whether edits of this document that were made by then are not known to be on this server. */
  isOwed(document: string, by: number, server: string): boolean {
    if ((this.#drafts.get(document)?.bornAt ?? Infinity) <= by) return true
    for (const { bornAt, servers } of this.pushes(document)) {
      if (bornAt <= by && !servers.has(server)) return true
    }
    return false
  }

  /**
   * Takes out everything of a document that was not sent on this connection: an offer takes its
   * place. Tells what it was; undefined: there was nothing.
   */
  supersede(now: number, document: string, link: Link): Span | undefined {
    const spans: Span[] = []
    for (const parcel of [...this.pushes(document)]) {
      if (link.has(parcel)) continue
      // What some server holds has not been waiting.
      spans.push(isUnacknowledged(parcel) ? parcel : { ...parcel, bornAt: now })
      this.delete(parcel)
    }
    const draft = this.#drafts.get(document)
    if (draft) spans.push(draft)
    this.#drafts.delete(document)
    return joined(spans)
  }

  /**
   * What a server lacked of a document, in parts, in the place of `span`. False: there was no room for
   * all of it, and nothing may go after it.
   */
  offered(now: number, document: string, parts: Uint8Array[], span: Span): boolean {
    const room = this.#room()
    // One part always, so that it goes on.
    const isFirst = ![...this.pushes(document)].some(isUnacknowledged)
    let bytes = 0
    const sent = parts.filter((part, index) => {
      bytes += part.length
      return bytes <= room || (isFirst && index === 0)
    })
    this.#add(now, document, sent, span)
    // The rest is made again when these have arrived.
    const isAll = sent.length === parts.length
    if (!isAll) this.#drafts.set(document, { ...span, updates: undefined })
    return isAll
  }

  /** All edits of a document. */
  whole(now: number, document: string): Span {
    return { from: 0, to: this.edits(document), count: 1, bornAt: now }
  }

  /** An edit of somebody else that a server lacks, to be sent before what is offered next. */
  relay({ document, update, seal }: Relay): void {
    this.#parcels.add({ type: 'relay', document, update, seal, servers: new Set() })
  }

  /** Others' edits that are not on their way on this connection: it is seen anew who lacks them. */
  dropRelays(link: Link | undefined, document?: string): void {
    for (const parcel of [...this.#parcels]) {
      if (parcel.type !== 'relay' || link?.has(parcel)) continue
      if (document === undefined || parcel.document === document) this.delete(parcel)
    }
  }

  /** These edits are owed to the servers; what the document offers is sent in their place. */
  owe(document: string, span: Span): void {
    this.#parcels.add(pushParcel(document, undefined, span))
  }

  /** No server takes these edits: they stay in the document alone. */
  drop(document: string): void {
    for (const parcel of [...this.pushes(document)]) this.delete(parcel)
    this.#drafts.delete(document)
  }

  /** Edits that were dropped are to be offered again. */
  restore(now: number, document: string): void {
    const span = this.#drafts.get(document) ?? this.whole(now, document)
    this.#drafts.set(document, { ...span, updates: undefined })
  }

  /** The document is not needed any more. Where its last edits are is known when it is opened again. */
  forget(now: number, document: string): void {
    const servers = common([...this.pushes(document)])
    if (servers) this.#rest(document, now, new Set(servers))
    this.drop(document)
    this.#counts.delete(document)
  }

  // ------------------------------------------------------------------------------- operations

  /** False: too many wait already. */
  operate(
    now: number,
    operation: OperationBody,
    { bytes, isLate }: { bytes: number; isLate: boolean },
  ): boolean {
    const waiting = [...this.operations()]
    const waitingBytes = waiting.reduce((sum, parcel) => sum + parcel.bytes, 0)
    if (waiting.length >= operationsMax || waitingBytes + bytes > operationBytesMax) return false
    const servers = new Set<string>()
    this.#parcels.add({
      type: 'operation',
      operation,
      bytes,
      servers,
      bornAt: now,
      // What comes after it may build on it.
      isLate: isLate || waiting.some((parcel) => parcel.isLate && !parcel.effect),
      effect: undefined,
      trouble: undefined,
    })
    return true
  }

  /** No server can be asked: whatever becomes of what waits, nobody is there to be told at once. */
  delay(): void {
    for (const parcel of this.operations()) parcel.isLate ||= parcel.effect === undefined
  }

  /**
   * There is no such entry after all. What is to be made in it comes to lie at the top; returns what was
   * to be done to it.
   */
  orphan(entry: string): OperationParcel[] {
    const about: OperationParcel[] = []
    for (const parcel of this.operations()) {
      const { value } = parcel.operation.operation
      if (value && 'parent' in value && value.parent === entry) parcel.isLate = true
      if (value && 'entry' in value && value.entry === entry) about.push(parcel)
    }
    return about
  }

  // ------------------------------------------------------------------------------------- ends

  delete(parcel: Parcel): void {
    if (this.#parcels.delete(parcel)) this.#gone.push(parcel)
  }

  /** What went since the last call: no connection need remember it. */
  takeGone(): Parcel[] {
    return this.#gone.splice(0)
  }

  // ---------------------------------------------------------------------------------- receipts

  /** The servers that hold all edits of a document up to this one; undefined: none are known of. */
  holders(document: string, upTo: number): string[] | undefined {
    const draft = this.#drafts.get(document)
    if (draft && draft.from <= upTo) return []
    return common([...this.pushes(document)].filter(({ from }) => from <= upTo))
  }

  /** When the last edits of a document were let go of, and which servers held them then. */
  rested(document: string): { at: number; servers: ReadonlySet<string> } | undefined {
    return this.#rested.get(document)
  }

  /** There is more in a document than those edits. */
  stir(document: string): void {
    this.#rested.delete(document)
  }

  /** The servers that hold everything that some server holds; undefined: nothing is on its way. */
  commonHolders(): string[] | undefined {
    return common(this.held())
  }

  /**
   * When the first edit was made that fewer servers hold, together with all before it; -Infinity: there is
   * none. Of what no server holds it tells nothing.
   */
  lackedSince(count: number): number {
    let holders: readonly string[] | undefined
    for (const { servers, bornAt } of this.held()) {
      holders = (holders ?? [...servers]).filter((id) => servers.has(id))
      if (holders.length < count) return bornAt
    }
    return -Infinity
  }

  /** What of it some server holds, in order; of an operation that changed nothing there is nothing. */
  held(): (PushParcel | OperationParcel)[] {
    return [...this.#own()].filter((parcel) => {
      const isNothing = parcel.type === 'operation' && parcel.effect?.changedNothing
      return !isNothing && !isUnacknowledged(parcel)
    })
  }

  /** The servers that have made a document; undefined: it is not on its way to any. */
  makers(document: string): ReadonlySet<string> | undefined {
    for (const { operation, servers } of this.operations()) {
      if (operation.id === document && makes(operation)) return servers
    }
    return undefined
  }

  /** Edits and operations that no server is known to hold. */
  waiting(): { count: number; since: number } {
    let count = 0
    let since = Infinity
    for (const parcel of this.#own()) {
      if (!isUnacknowledged(parcel)) continue
      count += parcel.type === 'push' ? parcel.count : 1
      since = Math.min(since, parcel.bornAt)
    }
    for (const draft of this.#drafts.values()) {
      count += draft.count
      since = Math.min(since, draft.bornAt)
    }
    return { count, since }
  }

  /** Whether a document has edits that are not safe. */
  isUnsafe(document: string, disks: Disks): boolean {
    if (this.#drafts.has(document)) return true
    for (const parcel of this.pushes(document)) if (!isSafe(parcel, disks)) return true
    return false
  }

  /**
   * Lets go of what is safe. Of a document that is followed the last such parcel rests until all
   * servers hold it, so that it can be seen how they come back.
   */
  settle(now: number, disks: Disks, isFollowed: (document: string) => boolean, link: Link): void {
    const resting = new Map<string, PushParcel>()
    for (const parcel of [...this.#parcels]) {
      if (parcel.type === 'relay' && !isUnacknowledged(parcel)) this.delete(parcel)
      if (parcel.type === 'relay' || !isSafe(parcel, disks)) continue
      if (parcel.type === 'operation') {
        if (parcel.effect?.isTold) this.#finish(now, parcel)
        continue
      }
      if (holdsAll(parcel, disks.all) || !isFollowed(parcel.document)) {
        this.#rest(parcel.document, now, parcel.servers)
        this.delete(parcel)
        continue
      }
      const earlier = resting.get(parcel.document)
      if (earlier && isJoint(earlier, parcel, link)) {
        fold(earlier, parcel)
        this.delete(earlier)
      }
      resting.set(parcel.document, parcel)
    }
    if (this.#parcels.size > parcelsMax) this.#join(link)
    this.#trim()
  }

  // The first text of a file is an edit, too, and is where the file was made.
  #finish(now: number, parcel: OperationParcel): void {
    const { operation, servers } = parcel
    this.delete(parcel)
    if (makes(operation)) this.#rest(operation.id, now, servers)
  }

  #rest(document: string, at: number, servers: ReadonlySet<string>): void {
    this.#rested.delete(document)
    this.#rested.set(document, { at, servers })
    if (this.#rested.size <= restedMax) return
    const [oldest] = this.#rested.keys()
    if (oldest !== undefined) this.#rested.delete(oldest)
  }

  /** Joins what some server holds, document by document, bytes and all. */
  #join(link: Link): void {
    const last = new Map<string, PushParcel>()
    for (const parcel of [...this.pushes()]) {
      if (isUnacknowledged(parcel)) continue
      const earlier = last.get(parcel.document)
      last.set(parcel.document, parcel)
      if (!earlier || !isJoint(earlier, parcel, link)) continue
      parcel.update = merged(earlier.update, parcel.update)
      fold(earlier, parcel)
      this.delete(earlier)
    }
  }

  /** Drops bytes of what some server holds, the oldest first, while too much is kept. */
  #trim(): void {
    let bytes = this.#bytes(() => true)
    for (const parcel of this.pushes()) {
      if (bytes <= outboxBytesMax) return
      if (isUnacknowledged(parcel)) continue
      bytes -= bytesOf(parcel)
      parcel.update = undefined
    }
  }

  #add(now: number, document: string, parts: Uint8Array[], span: Span): void {
    const { edits } = this.#counts.get(document) ?? { edits: 0 }
    this.#counts.set(document, { edits, takenAt: now })
    parts.forEach((update, index) => {
      const count = index === 0 ? span.count : 0
      this.#parcels.add(pushParcel(document, update, { ...span, count }))
    })
  }

  *#own(): Generator<PushParcel | OperationParcel> {
    for (const parcel of this.#parcels) if (parcel.type !== 'relay') yield parcel
  }

  #inFlight(): number {
    let count = 0
    for (const parcel of this.pushes()) if (isUnacknowledged(parcel)) count++
    return count
  }

  /** What may still be kept: bytes that some server holds make room. */
  #room(): number {
    return outboxBytesMax - this.#bytes(isUnacknowledged)
  }

  #bytes(counts: (parcel: Parcel) => boolean): number {
    let bytes = 0
    for (const parcel of this.pushes()) if (counts(parcel)) bytes += bytesOf(parcel)
    for (const { updates } of this.#drafts.values()) {
      for (const update of updates ?? []) bytes += update.length
    }
    return bytes
  }
}

function pushParcel(document: string, update: Uint8Array | undefined, span: Span): PushParcel {
  const { from, to, count, bornAt } = span
  const servers = new Set<string>()
  return { type: 'push', document, update, from, to, count, bornAt, servers, isFolded: false }
}

function makes({ operation }: OperationBody): boolean {
  return operation.case === 'create'
}

/** Whether it is on the disks of all live servers, and of enough. */
export function isSafe({ servers }: Parcel, { live, safeCount }: Disks): boolean {
  return servers.size >= safeCount && live.every((id) => servers.has(id))
}

function holdsAll({ servers }: Parcel, all: readonly string[]): boolean {
  return all.every((id) => servers.has(id))
}

/** Both were sent on this connection, so that its receipts for the later one speak of both. */
function isJoint(earlier: Parcel, later: Parcel, link: Link): boolean {
  return link.has(earlier) && link.has(later) && link.isAfter(later, earlier)
}

/** The later one stands for both from here on. */
function fold(earlier: PushParcel, later: PushParcel): void {
  later.from = Math.min(earlier.from, later.from)
  later.to = Math.max(earlier.to, later.to)
  later.count += earlier.count
  later.bornAt = Math.min(earlier.bornAt, later.bornAt)
  later.servers = new Set([...later.servers].filter((id) => earlier.servers.has(id)))
  later.isFolded = true
}

// What lies between two pushes may have gone: an update with a hole would be refused.
function merged(earlier?: Uint8Array, later?: Uint8Array): Uint8Array | undefined {
  if (!earlier || !later) return undefined
  const update = Y.mergeUpdates([earlier, later])
  for (const structs of decodeTextUpdate(update).structs.values()) {
    if (structs.some(({ kind }) => kind === 'skip')) return undefined
  }
  return update
}

function joined(spans: Span[]): Span | undefined {
  if (spans.length === 0) return undefined
  return {
    from: Math.min(...spans.map(({ from }) => from)),
    to: Math.max(...spans.map(({ to }) => to)),
    count: spans.reduce((sum, { count }) => sum + count, 0),
    bornAt: Math.min(...spans.map(({ bornAt }) => bornAt)),
  }
}

function common(parcels: Parcel[]): string[] | undefined {
  const [first, ...rest] = parcels
  if (!first) return undefined
  return [...first.servers].filter((id) => rest.every(({ servers }) => servers.has(id)))
}
