// One server's mind towards its peers: logs, gossip, have, receipts, compaction.
//
//   append ─> gathering ─> store ─> stored ─┬─> appended, changed, replaced (to the mind of clients)
//                                           ├─> have (to every peer, now or with what comes next)
//                                           └─> updates of the own log (to every peer)
//   have of a peer ─> covered (receipts);  a peer has what we lack ─> gossip (ask one) ─> updates
//
// Safety: nothing is told before it is stored (1); a log has no holes (2); an origin is one life (3).
// Liveness: every tick redials, and asks again for what is still missing.

import { assert } from '../model/errors.ts'
import type { Origin, ReplicaId, SubjectId } from '../model/ids.ts'
import { peerUnstoredBytesMax } from '../model/limits.ts'
import { sealUpdate } from '../model/snapshot.ts'
import { covers, fromSeen, missing, raise, type VersionVector } from '../model/version-vector.ts'
import {
  type Ephemeral,
  type Have,
  type PeerHello,
  type PeerMessage,
  type Snapshot,
  type Update,
} from '../model/wire.ts'
import {
  type CorruptError,
  type EngineReader,
  type EngineRequest,
  type NewUpdate,
  type ServerView,
  type StorageReader,
} from '../ports.ts'
import { Ahead } from './ahead.ts'
import { Arrivals } from './arrivals.ts'
import { Asking } from './asking.ts'
import { Compacting } from './compacting.ts'
import { Comparing } from './comparing.ts'
import { Gathering, type Item } from './gathering.ts'
import { messageFault } from './hearing.ts'
import { Links } from './links.ts'
import { isSound, Losses } from './losses.ts'
import { Marks } from './marks.ts'
import {
  isHeartbeat,
  mayGetLost,
  type PeerChannel,
  type ReplicationInput,
  type ReplicationOutput,
} from './messages.ts'
import { OnTheWay } from './on-the-way.ts'
import type { Peer } from './peer.ts'
import { Sending } from './sending.ts'
import { Rivals } from './rivals.ts'
import { SetLife } from './set-life.ts'
import { Voice } from './voice.ts'

export interface ReplicationOptions {
  now: number
  replica: ReplicaId
  /** Name of the set. */
  set: string
  /** The name of this life's log: fresh, never used before. */
  origin: Origin
  /** What is durable when this life begins, and from then on. */
  reader: StorageReader
  /** All servers of the set in the order of the configuration, this one among them. */
  servers: { id: ReplicaId; address: string }[]
  /** An operator says that an empty disk is the beginning of a new set, not a lost one. */
  isFirst: boolean
}

/** What is said after a greeting. */
type Said = Exclude<PeerMessage['message'], { case: 'hello' }>

const waitingText =
  'the disk is empty: waiting for a server that has something, or for all of the set'

export class Replication {
  readonly #origin: Origin
  readonly #isFirst: boolean
  readonly #voice = new Voice()
  readonly #gathering = new Gathering()
  readonly #links: Links
  readonly #sending: Sending
  readonly #asking: Asking
  readonly #marks: Marks
  /** What is on this disk. */
  readonly #vector: VersionVector
  /** The same with what is at the disk, gathers for it, or waits for what it builds on. */
  readonly #heads: VersionVector
  readonly #arrivals: Arrivals
  readonly #onTheWay: OnTheWay
  readonly #comparing: Comparing
  readonly #compacting: Compacting
  readonly #ahead: Ahead
  readonly #losses: Losses
  /** Updates and subjects told to the mind of clients. */
  #told = 0
  #now: number
  #isComplete: boolean
  readonly #life: SetLife
  readonly #rivals: Rivals

  constructor(options: ReplicationOptions) {
    const { now, origin, reader } = options
    const vector = new Map(reader.vector())
    assert(!vector.has(origin), "3: an origin's name is never reused")
    this.#now = now
    this.#origin = origin
    this.#isFirst = options.isFirst
    this.#isComplete = reader.isComplete()
    this.#vector = vector
    this.#heads = new Map(vector)
    // What a transfer left here that broke off in an earlier life: who lacks its logs may lack it.
    const held = new Map(vector)
    raise(held, reader.covered())
    this.#marks = new Marks(now, held)
    const isComplete = () => this.#isComplete
    const voice = this.#voice
    const life = new SetLife({ ...options, vector, isComplete })
    this.#life = life
    const name = () => life.name
    const mayBeAlone = options.isFirst || options.servers.length === 1
    this.#rivals = new Rivals({ ...options, mayBeAlone, isComplete, life: name, voice })
    const lives = { life, rivals: this.#rivals }
    const shared = { vector, marks: this.#marks, isComplete, voice }
    this.#links = new Links({ ...options, ...shared, ...lives })
    this.#asking = new Asking({
      links: this.#links,
      vector,
      heads: this.#heads,
      isSound: (subject) => isSound(reader, subject),
      voice,
    })
    this.#onTheWay = new OnTheWay(reader, vector)
    this.#arrivals = new Arrivals({
      origin,
      heads: this.#heads,
      came: (update) => this.#onTheWay.came(update),
      advanced: (...moved) => this.#asking.advanced(...moved),
    })
    this.#compacting = new Compacting({ links: this.#links, marks: this.#marks, vector, voice })
    const unreadable = (error: CorruptError) => this.#unreadable(error)
    this.#sending = new Sending({
      origin,
      reader,
      vector,
      isComplete,
      life: name,
      unreadable,
      voice,
    })
    this.#ahead = new Ahead({
      origin,
      reader,
      vector,
      links: this.#links,
      marks: this.#marks,
      isComplete,
      say: (update) => this.#append(update),
      unreadable,
    })
    this.#losses = new Losses({
      reader,
      vector,
      links: this.#links,
      asking: this.#asking,
      replace: (snapshot) => this.#gathering.add({ snapshot }),
      voice,
    })
    if (!this.#isComplete && !this.#isFirst) voice.log('info', waitingText)
    this.#comparing = new Comparing({
      links: this.#links,
      marks: this.#marks,
      sending: this.#sending,
      vector,
      voice,
    })
  }

  /** The only way in. Everything returned must be performed, in order. */
  step(now: number, input: ReplicationInput): ReplicationOutput[] {
    this.#now = now
    switch (input.type) {
      case 'asked':
        this.#asked(now, input.request)
        break
      case 'opened':
        this.#links.opened(now, input.channel, input.dialled)
        break
      case 'closed':
        this.#closed(now, input.channel, input.refusal)
        break
      case 'undialled':
        this.#links.undialled(now, input.replica, input.why)
        break
      case 'received':
        this.#received(now, input.channel, input.message)
        break
      case 'progressed':
        this.#progressed(now, input.channel)
        break
      case 'stored':
        this.#stored(now)
        break
      case 'compacted':
        if (input.isPurged) this.#voice.event({ type: 'purged', subject: input.subject })
        this.#compacting.done()
        break
      case 'settle':
        this.#sending.settle(this.#links.peers())
        break
      case 'tick':
        this.#tick(now)
        break
    }
    if (input.type === 'settle' || input.type === 'stored' || input.type === 'tick') this.#store()
    return this.#voice.take()
  }

  /** What is durable, and operations that are on their way to the disk. */
  get reader(): EngineReader {
    return this.#onTheWay.reader
  }

  /** What is on this disk. */
  vector(): VersionVector {
    return new Map(this.#vector)
  }

  /** Whether something waits for a tick soon. */
  isBusy(): boolean {
    const isWaiting = !this.#gathering.isIdle || !this.#arrivals.isEmpty || this.#asking.isBusy
    const isToTell = [...this.#links.peers()].some(({ untold }) => untold.size > 0)
    return (
      isWaiting || isToTell || this.#ahead.isSaying || !this.#isComplete || this.#rivals.isWaiting
    )
  }

  /** How the servers are, in the order of the configuration. */
  servers(now: number): ServerView[] {
    return this.#links.views(now)
  }

  /** What somebody must look at, in sentences. */
  warnings(now: number): string[] {
    return this.#links.warnings(now)
  }

  // ------------------------------------------------------------------ what our clients' mind asks

  #asked(now: number, request: EngineRequest): void {
    switch (request.type) {
      case 'append':
        this.#append(request.update, request.tag)
        return
      case 'barrier':
        if (this.#gathering.isIdle) this.#appended(request.tag)
        else this.#gathering.add({ tag: request.tag })
        return
      case 'compact':
        this.#compacting.ask(request.subject)
        return
      case 'purge':
        this.#compacting.purge(now, request.subject)
        return
      case 'want':
        this.#asking.want(now, request.subject)
        return
      case 'compare':
        // What is here ahead of its logs others lack, with the same updates.
        if (request.heard === this.#told && !this.#ahead.isAny) {
          this.#comparing.tell(now, request.digest)
        }
        return
      case 'seek':
        this.#seek(request.tag, request.upTo)
        return
      case 'send':
        this.#sendEphemeral(request.ephemeral)
        return
    }
  }

  /** Answers the seq that it has in the own log. */
  #append(asked: NewUpdate, tag?: number): number {
    const seq = (this.#heads.get(this.#origin) ?? 0) + 1
    const update = sealUpdate({
      $typeName: 'fourfold.v1.Update',
      origin: this.#origin,
      seq,
      subject: asked.subject,
      author: asked.author,
      at: asked.at,
      operation: asked.operation,
      operationDigest: asked.operationDigest ?? '',
      body: asked.body,
      checksum: 0,
    })
    this.#heads.set(this.#origin, seq)
    this.#gathering.add(tag === undefined ? { update } : { update, tag })
    return seq
  }

  #seek(tag: number, upTo: VersionVector): void {
    if (!this.#links.areAllOpen) return
    const lacking = [...missing(this.#vector, upTo).keys()]
    const origins = lacking.filter((origin) => !this.#links.hasMoreOf(origin))
    if (origins.length > 0) this.#voice.event({ type: 'absent', tag, origins })
  }

  #sendEphemeral(value: Ephemeral): void {
    const message = { case: 'ephemeral' as const, value }
    for (const { hasRoom, channel } of this.#links.peers()) {
      if (hasRoom || !mayGetLost({ message })) this.#voice.send(channel, message)
    }
  }

  // ------------------------------------------------------------------------------------ the disk

  #store(): void {
    const batch = this.#gathering.take()
    if (batch) this.#voice.say({ type: 'store', batch })
  }

  #stored(now: number): void {
    const items = this.#gathering.done()
    const changed = this.#advanceVector(now, items)
    this.#onTheWay.stored(items)
    for (const item of items) this.#tellStored(now, item)
    const isNamed = this.#life.stored(items)
    const own = items.flatMap(({ update }) => (update?.origin === this.#origin ? [update] : []))
    // A transfer goes on when its last pieces are stored.
    const isWhole =
      isNamed || items.some(({ from, snapshot, advance }) => from ?? snapshot ?? advance)
    for (const peer of this.#links.peers()) {
      if (isWhole) this.#sending.tellHave(now, peer, changed)
      else this.#sending.advanced(now, peer, changed)
      if (own.length > 0) this.#sending.pushOwn(peer, own)
    }
    if (isNamed) this.#named(now)
    if (items.some(({ isComplete }) => isComplete)) this.#completed(now)
    else this.#considerComplete()
  }

  #advanceVector(now: number, items: Item[]): VersionVector {
    const changed: VersionVector = new Map()
    for (const { update, advance } of items) {
      if (update) changed.set(update.origin as Origin, update.seq)
      if (advance) raise(changed, missing(this.#vector, advance))
    }
    raise(this.#vector, changed)
    // What came whole is here before its logs are known to be: who lacks them may lack it.
    const held: VersionVector = new Map(changed)
    for (const { snapshot } of items) {
      if (!snapshot) continue
      const upTo = fromSeen(snapshot.covers?.seen)
      this.#ahead.came(upTo)
      raise(held, missing(this.#vector, upTo))
    }
    if (held.size > 0) this.#marks.add(now, held)
    this.#ahead.advanced()
    return changed
  }

  #tellStored(now: number, { tag, update, snapshot, advance, from }: Item): void {
    if (update) this.#told++
    if (snapshot) this.#told++
    if (tag !== undefined) this.#appended(tag, update)
    else if (update) this.#voice.event({ type: 'changed', update })
    if (advance) this.#voice.event({ type: 'advanced', upTo: advance })
    if (from) this.#storedOf(now, from)
    if (!snapshot) return
    const subject = snapshot.subject as SubjectId
    this.#asking.got(subject)
    this.#sending.mended(this.#links.peers(), subject)
    this.#voice.event({ type: 'replaced', subject })
  }

  #storedOf(now: number, peer: Peer): void {
    peer.pieces.stored++
    this.#asking.progressed(now, peer)
  }

  #appended(tag: number, update?: Update): void {
    const mark = this.#marks.last
    if (update) this.#voice.event({ type: 'appended', tag, mark, update })
    else this.#voice.event({ type: 'appended', tag, mark })
  }

  #named(now: number): void {
    for (const { id, life } of this.#links.peers()) this.#rivals.met(now, id, life)
    this.#links.tellViews(now)
  }

  #completed(now: number): void {
    this.#isComplete = true
    this.#voice.log('info', 'the disk is filled: serving')
    for (const peer of this.#links.peers()) this.#sending.tellHave(now, peer, new Map())
    this.#links.tellViews(now)
  }

  // An empty disk serves nothing until it holds what a peer holds, or all agree that the set is new.
  #considerComplete(): void {
    const life = this.#life.next(this.#links)
    if (life !== undefined) this.#gathering.add({ life })
    if (this.#isComplete || !this.#gathering.isIdle || !this.#arrivals.isEmpty) return
    const peers = [...this.#links.peers()]
    const hasCaughtUp = peers.some((peer) => !peer.isRecovering && covers(this.#vector, peer.have))
    // On the disk of each is the name then: whichever is left when clients know it carries it on.
    const isNamed = (peer: Peer) => peer.life === this.#life.name
    const isNewSet =
      this.#links.areAllOpen && peers.every((peer) => peer.isRecovering && isNamed(peer))
    if (hasCaughtUp || isNewSet || this.#isFirst) this.#gathering.add({ isComplete: true })
  }

  #unreadable(error: CorruptError): void {
    const isNews = this.#asking.want(this.#now, error.subject)
    if (isNews) this.#voice.log('error', `${error.message}; asking a peer for it`)
  }

  // --------------------------------------------------------------------------------- channels

  #closed(now: number, channel: PeerChannel, refusal?: string): void {
    const peer = this.#links.closed(now, channel, refusal)
    if (peer) this.#asking.gone(peer)
    this.#links.tellViews(now)
  }

  #greeted(now: number, channel: PeerChannel, hello: PeerHello): void {
    const peer = this.#links.greeted(now, channel, hello)
    if (!peer) {
      this.#links.tellViews(now)
      return
    }
    this.#rivals.met(now, peer.id, peer.life)
    this.#asking.met(now, peer)
    // What was stored since our hello was told to nobody there: it must not take us for emptier.
    if (peer.saidAt < peer.metAt) this.#sending.tellHave(now, peer, this.#vector)
    const ownSeq = this.#vector.get(this.#origin)
    if (ownSeq !== undefined) peer.owed.set(this.#origin, ownSeq)
    this.#heardVector(now, peer, peer.have)
    this.#links.tellViews(now)
  }

  // ------------------------------------------------------------------------ what the peers say

  #received(now: number, channel: PeerChannel, { message }: PeerMessage): void {
    if (message.case === 'hello') {
      this.#greeted(now, channel, message.value)
      return
    }
    const peer = this.#links.peerOf(channel)
    if (!peer) {
      if (isHeartbeat({ message })) this.#links.heardEarly(now, channel)
      else this.#links.refuseUngreeted(now, channel)
      return
    }
    // Of what no sound server says nothing is taken, nor of what comes behind it.
    if (peer.isTurnedAway) return
    peer.heardAt = now
    const fault = messageFault(message, (origin) => this.#links.reachOf(origin, peer))
    if (fault !== undefined) {
      this.#links.turnAway(
        now,
        channel,
        `${peer.id} says what cannot be in "${message.case}": ${fault}`,
      )
      return
    }
    const before = this.#gathering.bytesBy(peer.id)
    this.#heard(now, peer, message)
    const bytes = this.#gathering.bytesBy(peer.id)
    if (bytes > before && bytes > peerUnstoredBytesMax)
      this.#links.turnAway(now, channel, `${peer.id} sends more than this disk takes`)
  }

  #heard(now: number, peer: Peer, message: Said): void {
    switch (message.case) {
      case 'gossip':
        peer.asked(fromSeen(message.value.vector?.seen), this.#vector)
        this.#heardVector(now, peer, peer.have)
        break
      case 'have':
        this.#heardHave(now, peer, message.value)
        break
      case 'updates':
        this.#heardUpdates(now, peer, message.value.updates)
        break
      case 'snapshot':
        this.#heardSnapshot(now, peer, message.value)
        break
      case 'advance':
        this.#heardAdvance(now, peer, fromSeen(message.value.vector?.seen))
        break
      case 'ephemeral':
        this.#heardEphemeral(now, peer, message.value)
        break
      case 'want':
        this.#sending.wanted(peer, message.value.subject as SubjectId)
        break
      case 'damaged':
        this.#asking.heardDamaged(peer, message.value.subject)
        break
      case undefined:
        break
    }
  }

  /** A subject of 100 MB takes its time, and whoever sends it cannot say meanwhile that it lives. */
  #progressed(now: number, channel: PeerChannel): void {
    const peer = this.#links.peerOf(channel)
    if (!peer) return
    peer.heardAt = now
    this.#asking.progressed(now, peer)
  }

  #heardHave(now: number, peer: Peer, have: Have): void {
    const isNews = peer.isRecovering !== have.isRecovering
    peer.isRecovering = have.isRecovering
    if (have.life !== '') {
      peer.life = have.life
      if (this.#life.hasLeft(peer.life, peer.isRecovering, peer.have)) {
        this.#voice.hangUp(peer.channel, 'it is in another life of the set')
        return
      }
      this.#rivals.met(now, peer.id, peer.life)
    }
    const changed = fromSeen(have.changed?.seen)
    peer.told(changed, have.stored)
    // A digest is that of the vector told with it.
    if (have.digest !== '' || changed.size > 0) peer.digest = have.digest
    this.#heardVector(now, peer, changed)
    if (have.digest !== '') this.#comparing.look(peer)
    if (isNews) this.#links.tellViews(now)
  }

  #heardVector(now: number, peer: Peer, changed: VersionVector): void {
    this.#links.heard(now, peer)
    this.#advanceCovered(peer)
    peer.mayGetMore = true
    this.#asking.heard(now, changed)
    this.#asking.consider(now)
    this.#considerComplete()
  }

  #advanceCovered(peer: Peer): void {
    const mark = this.#marks.covered(peer.have, peer.covered)
    if (mark === peer.covered) return
    peer.covered = mark
    this.#voice.event({ type: 'covered', replica: peer.id, mark })
    if (!this.#links.areAllOpen) return
    this.#marks.forgetUpTo(Math.min(...[...this.#links.peers()].map(({ covered }) => covered)))
  }

  #heardUpdates(now: number, peer: Peer, updates: Update[]): void {
    const { ready, hasGap, malformed } = this.#arrivals.take(now, peer, updates)
    this.#gather(ready, peer)
    if (malformed) {
      const { update, why } = malformed
      const name = `${update.origin}/${update.seq}`
      this.#links.turnAway(now, peer.channel, `${peer.id} sent a malformed update ${name}: ${why}`)
      return
    }
    if (hasGap) this.#asking.ask(now, peer)
    else this.#asking.progressed(now, peer)
    this.#advanceCovered(peer)
  }

  #gather(updates: Update[], peer?: Peer): void {
    for (const update of updates) {
      this.#onTheWay.gathers(update)
      this.#gathering.add(peer ? { update, by: peer.id } : { update })
    }
  }

  #heardSnapshot(now: number, peer: Peer, snapshot: Snapshot): void {
    // Unless it says so again.
    const wasDamaged = peer.damaged.delete(snapshot.subject as SubjectId)
    peer.pieces.received++
    if (wasDamaged || this.#isOfUse(snapshot)) {
      // Until this disk is filled nobody asks here.
      if (this.#isComplete) this.#onTheWay.cameWhole(snapshot)
      this.#gathering.add({ snapshot, from: peer, by: peer.id })
    } else this.#gathering.add({ from: peer, by: peer.id })
    this.#asking.progressed(now, peer)
  }

  /**
   * Of what the logs here have there is nothing in it but what was damaged. A server that puts more in it
   * than its logs say gives that to this one alone, for nobody would ever be sent it (5).
   */
  #isOfUse({ subject, covers: upTo }: Snapshot): boolean {
    const isNews = !covers(this.#vector, fromSeen(upTo?.seen))
    return isNews || this.#asking.isWanted(subject as SubjectId)
  }

  #heardAdvance(now: number, peer: Peer, advance: VersionVector): void {
    const { news, ready } = this.#arrivals.skip(now, advance)
    this.#gather(ready, peer)
    if (news.size > 0) this.#gathering.add({ advance: news, by: peer.id })
    this.#asking.progressed(now, peer)
  }

  #heardEphemeral(now: number, peer: Peer, ephemeral: Ephemeral): void {
    const { topic } = ephemeral
    if (topic.case === 'presence' && !peer.hasRoomFor(topic.value)) {
      this.#links.turnAway(now, peer.channel, `${peer.id} tells of more people than can be there`)
      return
    }
    this.#voice.event({ type: 'ephemeral', from: peer.id, ephemeral })
  }

  // ------------------------------------------------------------------------------ time passes

  #tick(now: number): void {
    this.#links.tick(now, (peer) => this.#sending.tick(now, peer))
    this.#gather(this.#arrivals.release(now))
    this.#asking.tick(now)
    this.#losses.tick(now)
    this.#ahead.tick(now)
    this.#compacting.tick(now)
    this.#rivals.tick(now)
    this.#considerComplete()
    this.#links.tellViews(now)
  }
}
