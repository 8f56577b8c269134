// The documents a client follows, as they stand on the active connection.
//
//   opening ── Opened ──> open ── gap, Resync ──> opening
//      │                    └── Resync again ──> waiting ── time ──> opening
//      └── Unavailable ──> waiting        unborn ── made ──> opening
//
// Safety: after every Opened what the server lacks is pushed (4). Until then nothing is pushed that
// would meet a gap there. A delete of text that the server does not know yet cannot be pushed: it is
// still owed, and the document is opened again until the server has that text.

import * as Y from 'yjs'
import { doubling } from '../model/doubling.ts'
import { FourfoldError } from '../model/errors.ts'
import {
  backOffMaxMs,
  elsewhereAfterMs,
  elsewhereMaxMs,
  openDocumentsMax,
  openedBytesMax,
  reopenFirstMs,
  reopenMaxMs,
  unavailableMs,
} from '../model/limits.ts'
import {
  decodeTextUpdate,
  deletesOf,
  splitTextUpdate,
  textBelow,
  type Deletes,
  type TextUpdate,
} from '../model/text-update.ts'
import type { Changed, Opened } from '../model/wire.ts'
import type { Link } from './link.ts'
import { Offer } from './offer.ts'
import type { Outbox, Span } from './outbox.ts'
import type { Outlet } from './outlet.ts'
import type { PushParcel } from './parcel.ts'
import { isUnborn } from './precedence.ts'
import { lacking, type Relay } from './relays.ts'

/** A push that only asks where things are stored is cut to this. */
const questionBytesMax = 1024

/** What came before is on every server that the others hear: twice as long as they wait for one. */
const spreadWithinMs = 2000
/** An update that says nothing. */
const nothing = new Uint8Array([0, 0])
/** Others' edits that go before an own one to a standby: far below what a server takes at once. */
const causesMax = 200

/** How often a server is asked for a document it cannot open, before another one is. */
const unavailableTriesMax = 3

/** Reads of the documents that the session's owner holds; they must exist while they are needed. */
export interface Documents {
  stateVector(document: string): Uint8Array
  /** See `offer` in core/model/text-update.ts. */
  offer(document: string, stateVector: Uint8Array, deletes: Deletes): Uint8Array | undefined
  /** Others' edits in it that came with a seal, in the order in which they came, as far as kept. */
  relays(document: string): readonly Relay[]
}

/** Edits of earlier sessions, which have no numbers here. */
const earlier = { from: 0, to: 0, count: 0 }

/** Resyncs or refusals to open, in a row. */
interface Trouble {
  firstAt: number
  count: number
}

type View =
  /** `isHeld`: what would be pushed waits for the answer. */
  | { name: 'opening'; pieces: Uint8Array[]; bytes: number; isHeld: boolean; trouble?: Trouble }
  /** `againAt`: the server lacked others' text; to be compared again then. */
  | { name: 'open'; number: number; againAt: number; trouble?: Trouble }
  | { name: 'waiting'; openAt: number; trouble: Trouble }
  /** The server has not made it yet: to be opened when it has. */
  | { name: 'unborn' }

/** A document with edits that no server takes. */
export interface Untaken {
  document: string
  error: FourfoldError
}

/** What a server said of a document when it gave all it had. */
export interface Comparison {
  at: number
  /** It lacks text that is here, and that is not on its way from here. */
  isLacking: boolean
  /** All servers of the set hear each other. */
  isWithAll: boolean
}

/** After so many moves a page has been at each server of a set of four, and at the first again. */
const roundOfServers = 4

interface Follow {
  isWanted: boolean
  /** The server that gave all it had last, and when. */
  opened: { server: string; at: number } | undefined
  /** When a server last gave text along with the document that was not here. */
  wholeAt: number
  /**
   * A push was turned down for ever: why, and when. `hasNews`: more was written since. `hasRoom`: others
   * deleted something, and the text was too long.
   */
  turnedDown: { at: number; error: FourfoldError; hasNews: boolean; hasRoom: boolean } | undefined
  /** Servers that could not open it, and when. */
  unavailable: Map<string, number>
  /** A server said that it was deleted for good, and that was told. */
  isGone: boolean
  /** How often in a row a server lacked others' text that is here. */
  behindCount: number
  /** All edits of this person's earlier sessions were compared with a server, deletions included. */
  isEarlierKnown: boolean
  /** How many servers were left for its sake since one last took something. */
  leftCount: number
}

export class Follows {
  readonly #documents: Documents
  readonly #writer: number
  #hasEarlier: boolean
  readonly #outbox: Outbox
  readonly #outlet: Outlet
  readonly #follows = new Map<string, Follow>()
  readonly #views = new Map<string, View>()
  /** Answers to Opens that are of no use any more, still to come, by document. */
  readonly #abandoned = new Map<string, number>()
  #link: Link | undefined

  /** `writer`: the Yjs client id of this session. `hasEarlier`: it brings edits of earlier ones. */
  constructor(
    documents: Documents,
    { writer, hasEarlier }: { writer: number; hasEarlier: boolean },
    outbox: Outbox,
    outlet: Outlet,
  ) {
    this.#documents = documents
    this.#writer = writer
    this.#hasEarlier = hasEarlier
    this.#outbox = outbox
    this.#outlet = outlet
  }

  /** There are edits of earlier sessions after all. */
  expectEarlier(): void {
    this.#hasEarlier = true
    for (const follow of this.#follows.values()) follow.isEarlierKnown = false
  }

  // ------------------------------------------------------------------------------- what for

  follow(document: string): void {
    const follow = this.#follow(document)
    const wanted = [...this.#follows.values()].filter(({ isWanted }) => isWanted).length
    if (!follow.isWanted && wanted >= openDocumentsMax) {
      const text = `At most ${openDocumentsMax} files can be open at once; close one.`
      this.#outlet.put({ type: 'unavailable', document, text })
      return
    }
    follow.isWanted = true
    // Whoever asks anew is told anew.
    follow.isGone = false
    const view = this.#views.get(document)
    if (this.#link && view?.name !== 'opening') this.#open(document, troubleOf(view))
  }

  unfollow(document: string): void {
    const follow = this.#follows.get(document)
    if (follow) follow.isWanted = false
  }

  /** Edits of earlier sessions came to be in it: where they are is not known before it is compared. */
  recalled(document: string): void {
    const follow = this.#follow(document)
    follow.opened = undefined
    follow.isEarlierKnown = false
    if (follow.turnedDown) follow.turnedDown.hasNews = true
    this.#outbox.stir(document)
    this.follow(document)
  }

  /** Edits go on reaching the servers, whether somebody looks at the document or not. */
  edited(now: number, document: string): void {
    const { turnedDown } = this.#follow(document)
    if (!turnedDown) {
      if (this.#link && !this.#views.has(document)) this.#open(document)
      return
    }
    this.#outbox.drop(document)
    turnedDown.hasNews = true
    if (now >= turnedDown.at + backOffMaxMs) this.#tryAgain(now, document)
  }

  /** It may have become smaller, or be allowed: try once more, with all of it. */
  #tryAgain(now: number, document: string): void {
    this.#follow(document).turnedDown = undefined
    this.#outbox.restore(now, document)
    if (this.#link && !this.#views.has(document)) this.#open(document)
  }

  isWanted(document: string): boolean {
    return this.#follows.get(document)?.isWanted ?? false
  }

  /** The server with which a document was compared last, and when. */
  lastOpened(document: string): { server: string; at: number } | undefined {
    return this.#follows.get(document)?.opened
  }

  /** Whether that server lacked text that is here, and that nobody here can send. */
  isLacking(document: string): boolean {
    return (this.#follows.get(document)?.behindCount ?? 0) > 0
  }

  has(document: string): boolean {
    return this.#follows.has(document)
  }

  isTurnedDown(document: string): boolean {
    return this.#follows.get(document)?.turnedDown !== undefined
  }

  /** Why servers do not take what was written in a document so far; undefined: it is not known yet. */
  refusal(document: string): FourfoldError | undefined {
    const turnedDown = this.#follows.get(document)?.turnedDown
    return turnedDown?.hasNews ? undefined : turnedDown?.error
  }

  /** The documents whose edits are not taken by the servers, and why. */
  *untaken(): Generator<Untaken> {
    for (const [document, { turnedDown }] of this.#follows) {
      if (turnedDown) yield { document, error: turnedDown.error }
    }
  }

  /** Ends what is neither wanted nor needed for its edits. */
  release(now: number, isNeeded: (document: string) => boolean): void {
    for (const [document, { isWanted, turnedDown }] of this.#follows) {
      if (isWanted || isNeeded(document) || isHere(turnedDown)) continue
      this.#follows.delete(document)
      this.#outbox.forget(now, document)
      const view = this.#views.get(document)
      if (!view || !this.#link) continue
      this.#views.delete(document)
      if (view.name === 'opening') {
        this.#abandoned.set(document, (this.#abandoned.get(document) ?? 0) + 1)
      }
      const value = { $typeName: 'fourfold.v1.Close' as const, document }
      this.#outlet.send(this.#link.id, { case: 'close', value })
    }
  }

  // --------------------------------------------------------------------- the active connection

  /** Another connection is the active one, or none: everything is opened there. */
  restart(link: Link | undefined): void {
    this.#link = link
    this.#outbox.dropRelays(undefined)
    this.#views.clear()
    this.#abandoned.clear()
    if (!link) return
    for (const document of this.#follows.keys()) this.#open(document)
  }

  isOpen(document: string): boolean {
    return this.#views.get(document)?.name === 'open'
  }

  /** The documents that are open. */
  *open(): Generator<string> {
    for (const [document, { name }] of this.#views) if (name === 'open') yield document
  }

  get isOpening(): boolean {
    return [...this.#views.values()].some(({ name }) => name === 'opening')
  }

  /** Whether edits of this document can be pushed on the active connection. */
  mayPush(document: string): boolean {
    const view = this.#views.get(document)
    return view?.name === 'open' || (view?.name === 'opening' && !view.isHeld)
  }

  /** Whether this server may lack text that is here, and is to get it. */
  isComparing(document: string): boolean {
    return this.#views.has(document) && !this.mayPush(document)
  }

  /** Opens what is due: after trouble, and to offer what is in the document alone. */
  advance(now: number): void {
    if (!this.#link) return
    for (const [document, { turnedDown }] of this.#follows) {
      if (triedAt(turnedDown) <= now) this.#tryAgain(now, document)
    }
    for (const [document, view] of this.#views) {
      if (view.name === 'waiting' && view.openAt <= now) this.#open(document, view.trouble)
      if (view.name === 'unborn') this.#open(document)
      if (view.name !== 'open') continue
      if (view.againAt <= now || this.#isOfferDue(document)) this.#open(document, view.trouble)
    }
  }

  dueAt(): number {
    let at = Infinity
    for (const view of this.#views.values()) {
      if (view.name === 'waiting') at = Math.min(at, view.openAt)
      if (view.name === 'open') at = Math.min(at, view.againAt)
    }
    if (!this.#link) return at
    for (const { turnedDown } of this.#follows.values()) at = Math.min(at, triedAt(turnedDown))
    return at
  }

  // When all that was pushed has arrived: an offer made earlier would say it twice.
  #isOfferDue(document: string): boolean {
    if (!this.#outbox.isInDocument(document)) return false
    for (const { servers } of this.#outbox.pushes(document)) if (servers.size === 0) return false
    return true
  }

  #open(document: string, trouble?: Trouble): void {
    const link = this.#link!
    if (isUnborn(this.#outbox.parcels, document, link.server)) {
      this.#views.set(document, { name: 'unborn' })
      return
    }
    const stateVector = this.#documents.stateVector(document)
    // This server may lack what this person saw others write: that goes there first (G6).
    const isShared = [...Y.decodeStateVector(stateVector).keys()].some((id) => id !== this.#writer)
    const isHeld = isShared || link.blocked.has(document) || this.#outbox.mustOffer(document, link)
    this.#views.set(document, {
      name: 'opening',
      pieces: [],
      bytes: 0,
      isHeld,
      ...(trouble && { trouble }),
    })
    const value = { $typeName: 'fourfold.v1.Open' as const, document, stateVector }
    this.#outlet.send(link.id, { case: 'open', value })
  }

  // ------------------------------------------------------------------------ what servers say

  /** A piece of a document. True: it was the last one. */
  opened(now: number, message: Opened): boolean {
    const { document, piece, isLast, stateVector, number } = message
    if (this.#isAbandoned(document, isLast)) return false
    const follow = this.#follows.get(document)
    const view = this.#views.get(document)
    if (!follow || view?.name !== 'opening') return false
    view.pieces.push(piece)
    view.bytes += piece.length
    if (view.bytes > openedBytesMax) {
      this.#link!.leaving ??= `${document} is too large here`
      return false
    }
    if (!isLast) return false
    const difference = whole(view.pieces)
    this.#views.set(document, {
      name: 'open',
      number,
      againAt: Infinity,
      ...(view.trouble && { trouble: view.trouble }),
    })
    this.#link!.blocked.delete(document)
    follow.opened = { server: this.#link!.server, at: now }
    follow.isGone = false
    if (difference.length > nothing.length) follow.wholeAt = now
    follow.unavailable.clear()
    this.#outlet.put({ type: 'integrate', document, update: difference })
    this.#outlet.put({ type: 'caughtUp', document })
    this.#offer(now, document, difference, stateVector)
    return true
  }

  changed({ document, number, update, seal }: Changed): void {
    const view = this.#views.get(document)
    if (view?.name !== 'open') return
    if (number > view.number + 1) {
      this.#open(document, view.trouble)
      return
    }
    if (number === view.number + 1) this.#views.set(document, { ...view, number })
    if (update.length === 0) return
    const isSealed = seal.length > 0
    this.#outlet.put({ type: 'integrate', document, update, ...(isSealed && { seal }) })
    const turnedDown = this.#follows.get(document)?.turnedDown
    if (turnedDown?.error.code === 'too-large') turnedDown.hasRoom ||= deletesOf(update).size > 0
  }

  /**
   * Others' edits that go to a standby before own ones do, so that nobody sees these without what
   * their writer saw (G6): what came so lately that the servers may still be passing it on. `isHeard`:
   * whether the others hear that standby. Undefined: it may lack what cannot be brought there.
   */
  causes(now: number, parcel: PushParcel, isHeard: boolean): Relay[] | undefined {
    const { document, update } = parcel
    const isLone = Y.decodeStateVector(this.#documents.stateVector(document)).size <= 1
    if (isLone) return []
    const since = now - spreadWithinMs
    const { from, to } = Y.parseUpdateMeta(update ?? nothing)
    const causes = this.#documents.relays(document).filter(({ at, own }) => {
      // When deletions were made is not told: after all.
      const isBefore = to.size === 0 || [...to].some(([id, clock]) => (own.get(id) ?? 0) < clock)
      return at >= since && isBefore
    })
    // Others may have built on the beginning of what was joined: no order is right.
    const isBetween = ({ own }: Relay) =>
      [...from].some(([id, clock]) => (own.get(id) ?? 0) > clock)
    if (parcel.isFolded && causes.some(isBetween)) return undefined
    // What came with the whole document came without a seal.
    const wholeAt = this.#follows.get(document)?.wholeAt ?? -Infinity
    const isBrought = isHeard && wholeAt < since && causes.length <= causesMax
    return isBrought ? causes : undefined
  }

  /** The server lacks something that a push builds on, or the other way round. */
  resync(now: number, document: string): void {
    const view = this.#views.get(document)
    const link = this.#link
    if (!link || this.#follows.get(document)?.turnedDown) return
    link.blocked.add(document)
    // What was sent before an Open is answered before its answer: that one tells all.
    if (view?.name === 'opening') this.#views.set(document, { ...view, isHeld: true })
    if (view?.name !== 'open') return
    const trouble = this.#trouble(now, document, view.trouble, 1)
    this.#leave(now, document, trouble, 'a document differs here')
  }

  /** Another server may have what this one lacks, when that has lasted. */
  #leave(now: number, document: string, { firstAt }: Trouble, why: string): void {
    const link = this.#link!
    const follow = this.#follow(document)
    const times = Math.max(0, follow.leftCount - roundOfServers)
    const afterMs = doubling(elsewhereAfterMs, elsewhereMaxMs, times)
    if (link.leaving !== undefined || now - firstAt < afterMs) return
    follow.leftCount++
    link.leaving = why
  }

  /** The server cannot open it. `isElsewhere`: whether another than these is worth a try. */
  unavailable(
    now: number,
    document: string,
    text: string,
    isElsewhere: (servers: string[]) => boolean,
  ): void {
    if (this.#isAbandoned(document, true)) return
    const follow = this.#follows.get(document)
    const view = this.#views.get(document)
    const link = this.#link
    if (!follow || !view || !link) return
    this.#outlet.put({ type: 'unavailable', document, text })
    follow.unavailable.set(link.server, now)
    for (const [server, at] of follow.unavailable) {
      if (now - at >= unavailableMs) follow.unavailable.delete(server)
    }
    const { count } = this.#trouble(now, document, troubleOf(view), 0)
    // A server that lost a record fetches it at once: only then it is worth to move.
    const isLasting = count >= unavailableTriesMax
    if (isLasting && isElsewhere([...follow.unavailable.keys()])) link.leaving ??= text
  }

  /** It was deleted for good. `isOwed`: edits of it are not safe; they stay here. */
  gone(now: number, document: string, isOwed: boolean): void {
    const follow = this.#follows.get(document)
    if (this.#isAbandoned(document, true) || !follow) return
    this.#views.delete(document)
    const isNews = !follow.isGone || (isOwed && !follow.turnedDown)
    follow.isGone = true
    if (!isNews) return
    this.#outlet.put({ type: 'gone', document, isOwed })
    if (!isOwed) {
      // Nobody will ever tell of more servers.
      this.#outbox.drop(document)
      return
    }
    const text = 'This file was deleted for good. What you wrote is only here.'
    this.turnDown(now, document, new FourfoldError('not-found', text))
  }

  /** The folder is another: what was deleted for good may be back, by somebody who did not know. */
  changedFolder(): void {
    for (const [document, { isGone, isWanted }] of this.#follows) {
      if (isGone && isWanted && this.#link && !this.#views.has(document)) this.#open(document)
    }
  }

  /** A push of this document arrived: whatever the trouble was, it is over. */
  arrived(document: string): void {
    const view = this.#views.get(document)
    const follow = this.#follows.get(document)
    if (follow) follow.leftCount = 0
    if (view?.name !== 'open') return
    const { number, againAt } = view
    this.#views.set(document, { name: 'open', number, againAt })
  }

  turnDown(now: number, document: string, error: FourfoldError): void {
    const follow = this.#follow(document)
    follow.turnedDown = { at: now, error, hasNews: false, hasRoom: false }
    this.#outbox.drop(document)
    this.#outlet.put({ type: 'turnedDown', document, error })
  }

  /** Opens again: the first `quick` times at once, then later and later. */
  #trouble(now: number, document: string, before: Trouble | undefined, quick: number): Trouble {
    const trouble = { firstAt: before?.firstAt ?? now, count: (before?.count ?? 0) + 1 }
    const times = trouble.count - quick - 1
    if (times < 0) this.#open(document, trouble)
    else this.#views.set(document, { name: 'waiting', openAt: now + pauseMs(times), trouble })
    return trouble
  }

  // ----------------------------------------------------------------------------------- offers

  /** Pushes what the server lacks, apart from what is on its way to it. */
  #offer(now: number, document: string, difference: Uint8Array, stateVector: Uint8Array): void {
    const link = this.#link!
    const follow = this.#follow(document)
    const superseded = this.#outbox.supersede(now, document, link)
    // What is offered holds edits of earlier sessions, too: these stand before the first.
    const rest = superseded && this.#hasEarlier ? { ...superseded, from: 0 } : superseded
    this.#outbox.dropRelays(link, document)
    const held = () => Y.decodeStateVector(this.#documents.stateVector(document))
    if (!rest && held().size === 0) {
      // Nothing is here that a server could lack: a large text need not be looked through.
      follow.turnedDown = undefined
      follow.behindCount = 0
      return
    }
    const offer = new Offer(this.#outbox, {
      now,
      document,
      known: clocksOf(difference, stateVector),
      deletes: difference.length > 0 ? deletesOf(difference) : new Map(),
      span: rest,
    })
    for (const { update } of this.#outbox.under(document, link)) if (update) offer.expect(update)
    follow.turnedDown = undefined
    if (offer.lacks(held())) this.#bring(document, offer)
    if (offer.isCut) return
    const lacked = this.#lacked(document, offer)
    if (lacked) offer.push(lacked)
    const isBehind = offer.lacks(held())
    follow.behindCount = isBehind ? follow.behindCount + 1 : 0
    follow.isEarlierKnown ||= !isBehind
    // A deletion of text that the server lacks is not offered: what an earlier session did is owed.
    const owed = rest ?? (follow.isEarlierKnown ? undefined : { ...earlier, bornAt: now })
    if (isBehind) this.#lookAgain(now, document, owed, !offer.isEmpty)
    else if (offer.isEmpty && rest) this.#ask(now, document, offer.known, rest)
  }

  #lacked(document: string, { stateVector, deletes }: Offer): Uint8Array | undefined {
    return this.#documents.offer(document, stateVector, deletes)
  }

  /**
   * Others' edits that the server lacks, in the order in which they came, and before each the text of
   * this person that its writer may have seen (G6).
   */
  #bring(document: string, offer: Offer): void {
    let own: TextUpdate | undefined
    const relays = this.#documents.relays(document)
    for (const relay of lacking(relays, offer.known, offer.deletes)) {
      if ([...relay.own].some(([id, clock]) => clock > (offer.known.get(id) ?? 0))) {
        own ??= decodeTextUpdate(this.#lacked(document, offer) ?? nothing)
        const before = textBelow(own, relay.own, offer.known)
        if (before) offer.push(before)
        if (offer.isCut) return
      }
      offer.relay(relay)
    }
  }

  /** Among what is owed may be deletes of text that the server lacks. */
  #lookAgain(now: number, document: string, rest: Span | undefined, isOffered: boolean): void {
    if (rest) this.#outbox.owe(document, { ...rest, count: isOffered ? 0 : rest.count })
    const view = this.#views.get(document)
    if (view?.name !== 'open') return
    const trouble = view.trouble ?? { firstAt: now, count: 0 }
    // Only a new edit is worth a move.
    const isPressing = rest !== undefined && rest.to > 0
    if (isPressing) this.#leave(now, document, trouble, 'this server lacks text of others')
    const againAt = now + pauseMs(this.#follow(document).behindCount - 1)
    this.#views.set(document, { ...view, againAt, ...(isPressing && { trouble }) })
  }

  /**
   * The server has everything. To hear which others have, too, something it knows is pushed: a part
   * of this session's own text, or deletions.
   */
  #ask(now: number, document: string, known: Map<number, number>, rest: Span): void {
    known.delete(this.#writer)
    const own = this.#documents.offer(document, Y.encodeStateVector(known), new Map())
    const [part] = own ? splitTextUpdate(own, questionBytesMax) : []
    if (part) this.#outbox.offered(now, document, [part], rest)
  }

  #isAbandoned(document: string, isLast: boolean): boolean {
    const count = this.#abandoned.get(document) ?? 0
    if (count > 1 && isLast) this.#abandoned.set(document, count - 1)
    if (count === 1 && isLast) this.#abandoned.delete(document)
    return count > 0
  }

  #follow(document: string): Follow {
    const known = this.#follows.get(document)
    if (known) return known
    const follow: Follow = {
      isWanted: false,
      opened: undefined,
      wholeAt: -Infinity,
      turnedDown: undefined,
      unavailable: new Map(),
      isGone: false,
      behindCount: 0,
      isEarlierKnown: !this.#hasEarlier,
      leftCount: 0,
    }
    this.#follows.set(document, follow)
    return follow
  }
}

function troubleOf(view: View | undefined): Trouble | undefined {
  return view && 'trouble' in view ? view.trouble : undefined
}

/** When a document that was turned down is tried again by itself. */
function triedAt(turnedDown: Follow['turnedDown']): number {
  return turnedDown?.hasNews || turnedDown?.hasRoom ? turnedDown.at + backOffMaxMs : Infinity
}

/** Whether edits are only here that no server takes. What was deleted for good is kept as a text. */
function isHere(turnedDown: Follow['turnedDown']): boolean {
  if (!turnedDown) return false
  return turnedDown.hasNews || turnedDown.error.code !== 'not-found'
}

function pauseMs(times: number): number {
  return doubling(reopenFirstMs, reopenMaxMs, times)
}

function whole(pieces: Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}

/** The server's clocks. It may leave its state vector out when it sends all it has. */
function clocksOf(difference: Uint8Array, stateVector: Uint8Array): Map<number, number> {
  if (stateVector.length > 0) return Y.decodeStateVector(stateVector)
  if (difference.length === 0) return new Map()
  return Y.decodeStateVector(Y.encodeStateVectorFromUpdate(difference))
}
