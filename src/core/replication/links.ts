// The channels to the peers: dialling without end, greeting, silence, and how the servers look.

import type { Origin, ReplicaId } from '../model/ids.ts'
import {
  heartbeatMs,
  liveMs,
  peerHelloMs,
  peerSilentMs,
  reachAheadMax,
  strangersMax,
} from '../model/limits.ts'
import { fromSeen, lag, type VersionVector } from '../model/version-vector.ts'
import { ServerState, type PeerHello } from '../model/wire.ts'
import type { Ending, Mark, ServerView } from '../ports.ts'
import { Complaints } from './complaints.ts'
import { helloFault } from './hearing.ts'
import type { Marks } from './marks.ts'
import type { PeerChannel } from './messages.ts'
import { Peer } from './peer.ts'
import type { Rivals } from './rivals.ts'
import type { SetLife } from './set-life.ts'
import { wireVector, type Voice } from './voice.ts'

/** The revision of the language between servers. */
const protocol = 1
/** A failed dial is tried again after this; three servers that knock thrice a second cost nothing. */
const redialAfterMs = 300
/** The same when one of the two turned the other away: that takes somebody who mends it. */
const refusedRedialMs = 5000
/** Whoever was turned away so lately is not announced each time it comes back. */
const refusedLatelyMs = 3 * refusedRedialMs
/** Who is to be dialled and is not within this dials itself. */
const calledWithinMs = 3000
/**
 * A peer that was silent and had not gone, for it comes back in the same life, has more to do than it can:
 * its next channel is given twice as long, up to so many times, for a minute. Else the servers of a machine
 * that many share would greet each other for ever.
 */
const patienceMax = 8
const patientForMs = 60_000
/** Lives of one server that are told apart; more than two at once nobody runs. */
const originsMax = 8
/** So often an earlier life may be heard after a later one: of a server that is gone. */
const returnsMax = 2
/** Reasons for which one server cannot be reached that are told apart: a system has few. */
const reasonsMax = 8
/** When our own ticks are this far apart, silence says nothing about the others. */
const ownPauseMs = 700

/**
 *   down ── tick ─> dialling ── opened ─> greeting ── hello ─┬─> open
 *     ^                                                       └─> apart: it holds another life
 *     └── undialled, closed ───────────────────────────────────────┘
 */
type Link =
  | { name: 'down'; redialAt: number }
  | { name: 'dialling' }
  | { name: 'greeting'; channel: PeerChannel }
  | { name: 'apart'; channel: PeerChannel; since: number }
  | { name: 'open'; peer: Peer }

/** A channel whose hello has not come: it waits for the disk there, as ours does for the one here. */
interface Early {
  /** What this server had when it said hello. */
  readonly said: Mark
  readonly since: number
  heardAt: number
  beatAt: number
}

export interface LinksOptions {
  now: number
  replica: ReplicaId
  set: string
  origin: Origin
  /** All servers in the order of the configuration. */
  servers: { id: ReplicaId; address: string }[]
  vector: VersionVector
  marks: Marks
  isComplete: () => boolean
  life: SetLife
  rivals: Rivals
  voice: Voice
}

export class Links {
  readonly #options: LinksOptions
  readonly #voice: Voice
  readonly #links = new Map<ReplicaId, Link>()
  readonly #early = new Map<PeerChannel, Early>()
  /** Those of them that were accepted. */
  readonly #strangers = new Set<PeerChannel>()
  /** The last that each server told, for the eyes of people; survives its channel. */
  readonly #lastHeard = new Map<ReplicaId, { have: VersionVector; at: number }>()
  /** Why each could not be reached since it was last here, as told. */
  readonly #unreachedFor = new Map<ReplicaId, Set<Ending>>()
  /** When one of the two turned the other away last. */
  readonly #refusedAt = new Map<ReplicaId, number>()
  /** When each said last what no sound server says. */
  readonly #spoiltAt = new Map<ReplicaId, number>()
  /** The lives in which each server came, the last at the end, and how often an earlier one came back. */
  readonly #lives = new Map<ReplicaId, { origins: Origin[]; returns: number }>()
  /** Which was silent last, and how long it was waited for. */
  readonly #silent = new Map<ReplicaId, { origin: Origin; patience: number; at: number }>()
  readonly #complaints: Complaints
  #tickedAt: number
  #deafUntil: number
  #viewed = ''

  constructor(options: LinksOptions) {
    this.#options = options
    this.#voice = options.voice
    this.#complaints = new Complaints(options.voice)
    this.#tickedAt = options.now
    this.#deafUntil = options.now
    for (const { id } of options.servers) {
      if (id !== options.replica) this.#links.set(id, { name: 'down', redialAt: options.now })
    }
  }

  /** Peers with whom a channel is open. */
  *peers(): Generator<Peer> {
    for (const link of this.#links.values()) if (link.name === 'open') yield link.peer
  }

  peerOf(channel: PeerChannel): Peer | undefined {
    for (const peer of this.peers()) if (peer.channel === channel) return peer
    return undefined
  }

  /** Whether every other server of the set is connected. */
  get areAllOpen(): boolean {
    return [...this.#links.values()].every(({ name }) => name === 'open')
  }

  /** Whether somebody who is there has more of this log than is on this disk. */
  hasMoreOf(origin: Origin): boolean {
    const own = this.#options.vector.get(origin) ?? 0
    return [...this.peers()].some(({ have }) => (have.get(origin) ?? 0) > own)
  }

  opened(now: number, channel: PeerChannel, dialled: ReplicaId | undefined): void {
    if (dialled === undefined) this.#addStranger(now, channel)
    else if (this.#links.get(dialled)?.name !== 'dialling') {
      // It has dialled this server meanwhile.
      this.#voice.hangUp(channel, 'there is a channel already')
      return
    } else this.#links.set(dialled, { name: 'greeting', channel })
    const { replica, set, origin, servers, vector, marks, isComplete, life, rivals } = this.#options
    this.#early.set(channel, { said: marks.last, since: now, heardAt: now, beatAt: now })
    this.#voice.send(channel, {
      case: 'hello',
      value: {
        $typeName: 'fourfold.v1.PeerHello',
        replica,
        set,
        protocol,
        origin,
        vector: wireVector(vector),
        address: servers.find(({ id }) => id === replica)?.address ?? '',
        isRecovering: !isComplete(),
        life: life.name,
        companions: rivals.standing.companions,
        isWaiting: isComplete() && !rivals.isServing,
        tellsStored: true,
      },
    })
  }

  #addStranger(now: number, channel: PeerChannel): void {
    this.#strangers.add(channel)
    const [oldest] = this.#strangers
    if (this.#strangers.size > strangersMax) this.turnAway(now, oldest!, 'too many say no hello')
  }

  /** Whoever has not greeted may say nothing else, but that it lives: who it is decides how much. */
  refuseUngreeted(now: number, channel: PeerChannel): void {
    if (this.#strangers.has(channel)) this.turnAway(now, channel, 'it said no hello')
  }

  undialled(now: number, replica: ReplicaId, why: Ending): void {
    // It may have dialled this server meanwhile.
    if (this.#links.get(replica)?.name === 'dialling') {
      this.#links.set(replica, { name: 'down', redialAt: now + redialAfterMs })
    }
    // Dialled several times a second: a reason is told once, until the server is here.
    const told = this.#unreachedFor.get(replica) ?? new Set()
    if (told.has(why) || told.size === reasonsMax) return
    this.#unreachedFor.set(replica, told.add(why))
    this.#voice.log('info', `${replica} cannot be reached: ${why}`)
  }

  /** The peer that is gone with its channel, if it was one. */
  closed(now: number, channel: PeerChannel, refusal?: string): Peer | undefined {
    this.#strangers.delete(channel)
    this.#early.delete(channel)
    for (const [id, link] of this.#links) {
      if (channelOf(link) !== channel) continue
      if (refusal !== undefined) {
        this.#refusedAt.set(id, now)
        this.#complaints.add(now, `${id} turns this server away: ${refusal}`)
      }
      const isRefused = this.#isRefused(now, id)
      const isOurs = link.name === 'greeting' || (link.name === 'open' && link.peer.isTurnedAway)
      const isForLong = refusal !== undefined || (isRefused && isOurs)
      const redialAt = now + (isForLong ? refusedRedialMs : redialAfterMs)
      this.#links.set(id, { name: 'down', redialAt })
      if (link.name !== 'open') return undefined
      if (!isRefused) this.#voice.log('info', `${id} is gone`)
      return link.peer
    }
    return undefined
  }

  /** The peer that greeted; undefined when it was turned away, or holds another life of the set. */
  greeted(now: number, channel: PeerChannel, hello: PeerHello): Peer | undefined {
    // It was hung up on while its hello was on the way, as the second of two: that is no fault of anybody.
    if (!this.#early.has(channel) && !this.#isLinked(channel)) return undefined
    const refusal = this.#refusal(channel, hello)
    if (refusal !== undefined) {
      this.turnAway(now, channel, refusal)
      return undefined
    }
    const id = hello.replica as ReplicaId
    const old = channelOf(this.#links.get(id)!)
    const areTwins = this.#areTwins(id, hello.origin as Origin)
    if (areTwins) {
      this.#refusedAt.set(id, now)
      this.#complaints.add(now, twinsText(id))
    }
    // The newest channel is the true one: the other side has restarted or given up the older.
    if (old !== undefined && old !== channel) {
      this.#early.delete(old)
      if (areTwins) this.#voice.refuse(old, twinsText(id))
      else this.#voice.hangUp(old, 'replaced by a newer channel')
    }
    this.#strangers.delete(channel)
    // Its disk may be another one, or an older state of it: what it told before counts no more.
    this.#voice.event({ type: 'covered', replica: id, mark: 0 })
    if (this.#options.life.isApart(hello)) {
      this.#apart(now, channel, hello)
      return undefined
    }
    const peer = new Peer({
      id,
      channel,
      origin: hello.origin as Origin,
      have: fromSeen(hello.vector?.seen),
      isRecovering: hello.isRecovering,
      tellsStored: hello.tellsStored,
      life: hello.life,
      saidAt: this.#early.get(channel)?.said ?? 0,
      metAt: this.#options.marks.last,
      patience: this.#patienceFor(now, id, hello.origin as Origin),
      now,
    })
    this.#early.delete(channel)
    this.#links.set(id, { name: 'open', peer })
    this.#unreachedFor.delete(id)
    if (!this.#isRefused(now, id)) this.#voice.log('info', `${id} is here`)
    return peer
  }

  #patienceFor(now: number, id: ReplicaId, origin: Origin): number {
    const last = this.#silent.get(id)
    if (last?.origin !== origin || now - last.at > patientForMs) return 1
    return Math.min(patienceMax, 2 * last.patience)
  }

  /**
   * Whether two servers come as this one: one life after the other, again and again, though each ends
   * before the next begins (3). What was on its way for long may come once or twice after the next.
   */
  #areTwins(id: ReplicaId, origin: Origin): boolean {
    const { origins, returns } = this.#lives.get(id) ?? { origins: [], returns: 0 }
    if (origins.at(-1) === origin) return false
    const isBack = origins.includes(origin)
    const others = origins.filter((each) => each !== origin)
    const lives = {
      origins: [...others, origin].slice(-originsMax),
      returns: isBack ? returns + 1 : 0,
    }
    this.#lives.set(id, lives)
    return lives.returns > returnsMax
  }

  // Heard out, so that both sides know of it; a while later it is dialled again, and tells how it is.
  #apart(now: number, channel: PeerChannel, hello: PeerHello): void {
    const { replica, life, companions, isRecovering, isWaiting } = hello
    this.#early.delete(channel)
    this.#links.set(replica as ReplicaId, { name: 'apart', channel, since: now })
    if (!this.#options.life.isRival(life)) return
    const standing = { life, companions, isServing: !isRecovering && !isWaiting }
    this.#options.rivals.heard(now, replica as ReplicaId, standing)
  }

  #refusal(channel: PeerChannel, hello: PeerHello): string | undefined {
    const { set } = this.#options
    const link = this.#links.get(hello.replica as ReplicaId)
    if (hello.protocol !== protocol) return `it speaks revision ${hello.protocol}, not ${protocol}`
    if (hello.set !== set) return `it belongs to the set "${hello.set}", not "${set}"`
    if (!link) return `"${hello.replica}" is not another server of this set`
    const fault = helloFault(hello, (origin) => this.reachOf(origin))
    if (fault !== undefined) return fault
    const isExpected = this.#strangers.has(channel) || channelOf(link) === channel
    return isExpected ? undefined : `it answers as "${hello.replica}", which was not dialled`
  }

  /**
   * How far others can have a log: of this server's as far as it is on this disk, of that of a server that
   * is here hardly further than it tells. `peer`: who says it.
   */
  reachOf(origin: Origin, peer?: Peer): number {
    if (origin === this.#options.origin) return this.#options.vector.get(origin) ?? 0
    for (const writer of this.peers()) {
      if (writer.origin !== origin || writer === peer) continue
      return (writer.have.get(origin) ?? 0) + reachAheadMax
    }
    return Infinity
  }

  turnAway(now: number, channel: PeerChannel, why: string): void {
    this.#strangers.delete(channel)
    this.#complaints.add(now, `a peer was turned away: ${why}`)
    const peer = this.peerOf(channel)
    if (peer) {
      peer.isTurnedAway = true
      const before = this.#spoiltAt.get(peer.id) ?? -Infinity
      this.#spoiltAt.set(peer.id, now)
      // What a server of the set said may have been spoilt on its way: it comes again at once.
      if (now - before >= refusedLatelyMs) {
        this.#voice.hangUp(channel, why)
        return
      }
    }
    for (const [id, link] of this.#links) {
      if (channelOf(link) === channel) this.#refusedAt.set(id, now)
    }
    this.#voice.refuse(channel, why)
  }

  #isRefused(now: number, id: ReplicaId): boolean {
    const at = this.#refusedAt.get(id)
    return at !== undefined && now - at < refusedLatelyMs
  }

  /** What somebody must look at, in sentences. */
  warnings(now: number): string[] {
    return this.#complaints.current(now)
  }

  #isLinked(channel: PeerChannel): boolean {
    return [...this.#links.values()].some((link) => channelOf(link) === channel)
  }

  /** Something came over a channel whose hello has not come: a sign that the other server lives. */
  heardEarly(now: number, channel: PeerChannel): void {
    const early = this.#early.get(channel)
    if (early) early.heardAt = now
  }

  /** It told how far it is. */
  heard(now: number, peer: Peer): void {
    this.#lastHeard.set(peer.id, { have: peer.have, at: now })
  }

  /** Redials, hangs up on the silent; calls `stillHere` for every peer that is open. */
  tick(now: number, stillHere: (peer: Peer) => void): void {
    if (now - this.#tickedAt > ownPauseMs) this.#deafUntil = now + liveMs
    this.#tickedAt = now
    for (const [id, link] of this.#links) {
      if (link.name === 'down') this.#redial(now, id, link.redialAt)
      else if (link.name === 'apart') this.#hearAgain(now, link)
      else if (this.#isSilent(now, link)) this.#hangUpSilent(now, id, link)
      else if (link.name === 'open') stillHere(link.peer)
    }
    for (const channel of this.#strangers) {
      if (this.#isMute(now, channel)) this.turnAway(now, channel, 'it said no hello')
    }
    for (const [channel, early] of this.#early) this.#beat(now, channel, early)
  }

  // To who has our hello and whose own waits for its disk we would be silent, and so it to us.
  #beat(now: number, channel: PeerChannel, early: Early): void {
    if (now - early.beatAt < heartbeatMs) return
    early.beatAt = now
    this.#voice.send(channel, {
      case: 'have',
      value: {
        $typeName: 'fourfold.v1.Have',
        changed: wireVector(new Map()),
        digest: '',
        isRecovering: !this.#options.isComplete(),
        life: '',
        stored: 0,
      },
    })
  }

  #redial(now: number, id: ReplicaId, redialAt: number): void {
    // One of the two dials, so that one channel joins them. The other does, too, when that is long in vain:
    // at the address of its own may be another that runs under its id, and nobody would ever hear of it.
    const waitMs = id < this.#options.replica ? calledWithinMs : 0
    if (now < redialAt + waitMs) return
    this.#links.set(id, { name: 'dialling' })
    this.#voice.say({ type: 'dial', replica: id })
  }

  #hearAgain(now: number, { channel, since }: Extract<Link, { name: 'apart' }>): void {
    if (now - since > liveMs) this.#voice.hangUp(channel, 'it is asked again')
  }

  #isSilent(now: number, link: Link): boolean {
    if (now < this.#deafUntil) return false
    if (link.name === 'greeting') return this.#isMute(now, link.channel)
    return link.name === 'open' && now > this.#deadAt(now, link.peer)
  }

  #deadAt(now: number, { heardAt, busyMs, patience, openedAt }: Peer): number {
    const times = now - openedAt <= patientForMs ? patience : 1
    return heardAt + times * peerSilentMs + busyMs
  }

  #hangUpSilent(now: number, id: ReplicaId, link: Link): void {
    if (link.name === 'open') {
      const { origin, patience } = link.peer
      this.#silent.set(id, { origin, patience, at: now })
    }
    this.#voice.hangUp(channelOf(link)!, `${id} is silent`)
  }

  #isMute(now: number, channel: PeerChannel): boolean {
    const early = this.#early.get(channel)
    if (!early) return true
    return now - early.heardAt > peerSilentMs || now - early.since > peerHelloMs
  }

  // ------------------------------------------------------------------------------ how it looks

  /** How the servers are, in the order of the configuration. */
  views(now: number): ServerView[] {
    return this.#options.servers.map(({ id, address }) => ({ id, address, ...this.#view(now, id) }))
  }

  /** Tells the mind of clients, when something changed. */
  tellViews(now: number): void {
    const servers = this.views(now)
    const { isServing } = this.#options.rivals
    const each = servers.map(({ id, state, lag: lacks, origin, channel }) => {
      return [id, state, lacks, origin, channel]
    })
    const life = this.#options.life.name
    const viewed = `${each.join()}${isServing}${life}`
    if (viewed === this.#viewed) return
    this.#viewed = viewed
    this.#voice.event({ type: 'servers', servers, isServing })
  }

  #view(now: number, id: ReplicaId): Omit<ServerView, 'id' | 'address'> {
    const { replica, vector, marks, rivals } = this.#options
    if (id === replica) {
      const state = rivals.isServing ? ServerState.LIVE : ServerState.BEHIND
      return { state, lag: 0, heardAt: now }
    }
    const link = this.#links.get(id)!
    const last = this.#lastHeard.get(id)
    const isHeard =
      link.name === 'open' && (now - link.peer.heardAt <= liveMs || now < this.#deafUntil)
    if (!isHeard) {
      const lacks = lag(last?.have ?? new Map(), vector)
      const met = link.name === 'open' ? lifeOf(link.peer) : {}
      return { state: ServerState.DOWN, lag: lacks, heardAt: last?.at ?? 0, ...met }
    }
    const { heardAt, covered, have, isRecovering, metAt } = link.peer
    const waitingSince = marks.waitingSince(covered)
    const isLate = waitingSince !== undefined && now - waitingSince > liveMs
    const isBehind = isRecovering || covered < metAt || isLate
    const met = { heardAt, ...lifeOf(link.peer) }
    if (isBehind) return { state: ServerState.BEHIND, lag: lag(have, vector), ...met }
    return { state: ServerState.LIVE, lag: 0, ...met }
  }
}

function lifeOf({ origin, channel }: Peer): Pick<ServerView, 'origin' | 'channel'> {
  return { origin, channel }
}

function twinsText(id: ReplicaId): string {
  return `two servers run under the id "${id}": end one of them`
}

function channelOf(link: Link): PeerChannel | undefined {
  if (link.name === 'greeting' || link.name === 'apart') return link.channel
  return link.name === 'open' ? link.peer.channel : undefined
}
