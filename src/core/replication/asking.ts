// Asking for what we lack: one peer at a time, and never for what comes by itself.

import type { Origin, ReplicaId, SubjectId } from '../model/ids.ts'
import { askAfterMs, liveMs, wantedMax } from '../model/limits.ts'
import { covers, type VersionVector } from '../model/version-vector.ts'
import type { Links } from './links.ts'
import type { Peer } from './peer.ts'
import { wireVector, type Voice } from './voice.ts'

/**
 * An asked peer that sends nothing for this long is asked no more; the next one is, and waited for twice
 * as long: a subject of 100 MB may take all of them longer. Not while what it sent waits for this disk:
 * it was told so, and waits, too.
 */
const giveUpMs = 1000
const giveUpMsMax = 32_000
/**
 * A wanted subject that did not come within this is asked of the next peer. When all were asked in vain
 * each round takes as much longer, up to so long: what comes and does not help is stored each time.
 */
const wantAgainMs = 2000
const wantRarelyMs = 600_000
/** When every peer was asked so often, and heard of since, what it has of a subject has come. */
const inVainRounds = 3
interface Asked {
  peer: Peer
  /** What it had when it was asked. */
  until: VersionVector
  progressAt: number
}

interface Wanted {
  /** When it was asked for last, and how often. */
  at: number
  times: number
}

export interface AskingOptions {
  links: Links
  /** What is on this disk. */
  vector: VersionVector
  /** The same with what is on its way there. */
  heads: VersionVector
  /** Whether all that is on this disk of a subject can be read. */
  isSound: (subject: SubjectId) => boolean
  voice: Voice
}

export class Asking {
  readonly #options: AskingOptions
  /** Logs of which a peer has more than we, and since when it could have come. */
  readonly #lackingSince = new Map<Origin, number>()
  readonly #wanted = new Map<SubjectId, Wanted>()
  #asked: Asked | undefined
  #giveUpMs = giveUpMs

  constructor(options: AskingOptions) {
    this.#options = options
  }

  get isBusy(): boolean {
    return this.#lackingSince.size > 0 || this.#asked !== undefined
  }

  /** A peer told that it has these. */
  heard(now: number, has: VersionVector): void {
    const { heads, links } = this.#options
    for (const [origin, seq] of has) {
      if (seq <= (heads.get(origin) ?? 0) || this.#lackingSince.has(origin)) continue
      // A log whose origin lives comes by itself; any other must be asked for.
      const comesByItself = [...links.peers()].some((peer) => peer.origin === origin)
      this.#lackingSince.set(origin, comesByItself ? now : now - askAfterMs)
    }
  }

  /** The head of a log has moved. */
  advanced(now: number, origin: Origin): void {
    if (!this.#lackingSince.has(origin)) return
    const isBehind = this.#havers(origin).length > 0
    if (isBehind) this.#lackingSince.set(origin, now)
    else this.#lackingSince.delete(origin)
  }

  /** Something arrived from a peer: if it is the one that was asked, it is at work. */
  progressed(now: number, peer: Peer): void {
    if (this.#asked?.peer === peer) this.#asked.progressAt = now
  }

  gone(peer: Peer): void {
    if (this.#asked?.peer === peer) this.#asked = undefined
  }

  /** Asks this peer for everything that it has and we lack. */
  ask(now: number, peer: Peer): void {
    this.#asked = { peer, until: new Map(peer.have), progressAt: now }
    // Not the heads: the other side counts on what it hears here being on our disk.
    const vector = wireVector(this.#options.vector)
    const value = { $typeName: 'fourfold.v1.Gossip' as const, vector }
    this.#options.voice.send(peer.channel, { case: 'gossip', value })
  }

  tick(now: number): void {
    this.consider(now)
    this.#askAgain(now)
  }

  /** Asks somebody, when something is lacking for long enough and nobody is being asked. */
  consider(now: number): void {
    const asked = this.#asked
    if (!asked) {
      this.#askSomebody(now)
      return
    }
    const isAnswered = covers(this.#options.heads, asked.until)
    const isAtWork = asked.peer.waitsForUs || now - asked.progressAt < this.#giveUpMs
    if (!isAnswered && isAtWork) return
    this.#asked = undefined
    this.#giveUpMs = isAnswered ? giveUpMs : Math.min(giveUpMsMax, 2 * this.#giveUpMs)
    // Whoever did not answer is asked last.
    this.#askSomebody(now, isAnswered ? undefined : asked.peer.id)
  }

  #askSomebody(now: number, last?: ReplicaId): void {
    for (const [origin, since] of this.#lackingSince) {
      const havers = this.#havers(origin)
      if (havers.length === 0) this.#lackingSince.delete(origin)
      if (havers.length === 0 || now - since < askAfterMs) continue
      // Whoever was silent lately may be dead, and a question to it costs a second.
      const heard = havers.filter(({ heardAt }) => now - heardAt <= liveMs)
      const isOther = ({ id }: Peer) => id !== last
      this.ask(now, heard.find(isOther) ?? heard[0] ?? havers.find(isOther) ?? havers[0]!)
      return
    }
  }

  #havers(origin: Origin): Peer[] {
    const head = this.#options.heads.get(origin) ?? 0
    return [...this.#options.links.peers()].filter((peer) => (peer.have.get(origin) ?? 0) > head)
  }

  // ---------------------------------------------------------------------------- whole subjects

  /**
   * A subject does not load here: asks for it whole, one peer after the other. False: it was wanted
   * already.
   */
  want(now: number, subject: SubjectId): boolean {
    if (this.#wanted.has(subject)) return false
    if (this.#wanted.size < wantedMax) this.#askFor(now, subject, 0)
    return true
  }

  isWanted(subject: SubjectId): boolean {
    return this.#wanted.has(subject)
  }

  /** A peer came: it may have what all others were asked for in vain. */
  met(now: number, peer: Peer): void {
    for (const [subject, { times }] of this.#wanted) this.#askOf(now, peer, subject, times)
  }

  /** It came whole. What came may not mend it: then the next one is asked in its time. */
  got(subject: SubjectId): void {
    if (this.#wanted.has(subject) && this.#options.isSound(subject)) this.#wanted.delete(subject)
  }

  /** A peer has sent what it can read of it, and that is not all. */
  heardDamaged(peer: Peer, subject: string): void {
    if (this.#wanted.has(subject as SubjectId)) peer.damaged.add(subject as SubjectId)
  }

  /** Those that still do not load, whoever was asked for them. In a set of one there is nobody to ask. */
  inVain(): SubjectId[] {
    const { links } = this.#options
    const count = [...links.peers()].length
    if (count === 0 && !links.areAllOpen) return []
    return [...this.#wanted]
      .filter(([, { times }]) => count === 0 || times > count * inVainRounds)
      .map(([subject]) => subject)
  }

  /** It is wanted no more, unless it does not load again. */
  gaveUp(subject: SubjectId): void {
    this.#wanted.delete(subject)
  }

  #askAgain(now: number): void {
    const count = Math.max(1, [...this.#options.links.peers()].length)
    for (const [subject, { at, times }] of this.#wanted) {
      const rounds = 1 + Math.floor(times / count)
      const waitMs = Math.min(wantAgainMs * rounds, wantRarelyMs)
      if (now - at >= waitMs) this.#askFor(now, subject, times)
    }
  }

  #askFor(now: number, subject: SubjectId, times: number): void {
    const peers = [...this.#options.links.peers()]
    const peer = peers[times % Math.max(1, peers.length)]
    if (peer) this.#askOf(now, peer, subject, times)
    else this.#wanted.set(subject, { at: now, times })
  }

  #askOf(now: number, peer: Peer, subject: SubjectId, times: number): void {
    this.#wanted.set(subject, { at: now, times: times + 1 })
    const value = { $typeName: 'fourfold.v1.Want' as const, subject }
    this.#options.voice.send(peer.channel, { case: 'want', value })
  }
}
