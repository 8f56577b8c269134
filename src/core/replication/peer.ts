// One peer with whom a channel is open: how far it is, what was sent to it, what it is owed.

import type { Origin, ReplicaId, SubjectId } from '../model/ids.ts'
import { peerWindowBytesMax, pieceBytesMax, presentMax, slowBytesPerMs } from '../model/limits.ts'
import type { Mark } from '../ports.ts'
import { raise, type VersionVector } from '../model/version-vector.ts'
import type { Presence } from '../model/wire.ts'
import type { PeerChannel } from './messages.ts'

/** Sending whole subjects, because compaction removed updates that the peer lacks. */
export interface Transfer {
  /** Our vector when it began: what the peer holds when it ends. */
  readonly vector: VersionVector
  /** What the peer held when it began. */
  readonly from: VersionVector
  /** The last subject sent. */
  after: SubjectId | ''
}

interface OnTheWay {
  origin: Origin
  seq: number
  bytes: number
}

/** A peer after its hello. Lives as long as its channel. */
export class Peer {
  readonly id: ReplicaId
  readonly channel: PeerChannel
  /** The origin of its present life: it sends that log without being asked. */
  readonly origin: Origin
  /** What it holds on its disk, as far as it told. */
  readonly have: VersionVector
  /** Logs of which it may have what is not in order here; what it raised is in it. */
  readonly unsettled: Set<Origin>
  /** Up to where our logs were sent to it, or are known to be there. */
  readonly sent: VersionVector
  /** Up to where it is owed our logs. */
  readonly owed: VersionVector = new Map()
  /** How far logs have come here that it was not told of yet: nothing it waits for. */
  readonly untold: VersionVector = new Map()
  readonly openedAt: number
  /** So many times as long as others it may be silent at first. */
  readonly patience: number
  heardAt: number
  /** When it was told last, without any news, that this server lives: that waits for no disk. */
  beatAt: number
  isRecovering: boolean
  /** What this server had when it said hello to the peer. */
  readonly saidAt: Mark
  /** What this server had when the peer came: until it covers that, it is catching up. */
  readonly metAt: Mark
  covered: Mark = 0
  /** Name of the life that it knows the set to be in; empty: none. */
  life: string
  /** The name that was said to it last since its hello. */
  saidLife = ''
  /** Digest of all that it holds at `have`; empty: not told. */
  digest = ''
  transfer: Transfer | undefined
  /** Subjects that are damaged there, too: what can be read of them it has sent. */
  readonly damaged = new Set<SubjectId>()
  /** Those of which it was told the same. */
  readonly saidDamaged = new Set<SubjectId>()
  /** Subjects that it asked for whole. */
  readonly wants = new Set<SubjectId>()
  /** It said something in this turn after which it may be owed more. */
  mayGetMore = false
  /** It said what no sound server says: its channel is being closed. */
  isTurnedAway = false

  /** Whole subjects that it sent: how many, how many of them are on this disk, and it was told. */
  readonly pieces = { received: 0, stored: 0, told: 0 }

  #onTheWay: OnTheWay[] = []
  #onTheWayBytes = 0
  /** Whether it tells how many whole subjects it has stored. */
  readonly #tellsStored: boolean
  /** The bytes of each whole subject that was sent to it and is not known to be stored there. */
  #pieces: number[] = []
  #piecesBytes = 0
  #piecesStored = 0
  readonly #present = new Set<string>()

  constructor(options: {
    id: ReplicaId
    channel: PeerChannel
    origin: Origin
    have: VersionVector
    isRecovering: boolean
    tellsStored: boolean
    life: string
    saidAt: Mark
    metAt: Mark
    patience: number
    now: number
  }) {
    this.id = options.id
    this.channel = options.channel
    this.origin = options.origin
    this.have = options.have
    this.unsettled = new Set(options.have.keys())
    this.sent = new Map(options.have)
    this.openedAt = options.now
    this.patience = options.patience
    this.heardAt = options.now
    this.beatAt = options.now
    this.isRecovering = options.isRecovering
    this.#tellsStored = options.tellsStored
    this.life = options.life
    this.saidAt = options.saidAt
    this.metAt = options.metAt
  }

  get hasRoom(): boolean {
    return this.#onTheWayBytes < peerWindowBytesMax
  }

  /** Whether it may be sent more whole subjects. */
  get hasRoomForPieces(): boolean {
    return this.#piecesBytes < pieceBytesMax
  }

  /** How long it may be at work with what was sent to it: a subject of 100 MB is read in one go. */
  get busyMs(): number {
    return (this.#onTheWayBytes + this.#piecesBytes) / slowBytesPerMs
  }

  /** What it sent waits for this disk: so it may be silent. */
  get waitsForUs(): boolean {
    return this.pieces.received > this.pieces.stored
  }

  /** How many of its whole subjects are on this disk, if that is more than it was told and it asks. */
  takeStored(): number {
    const { stored, told } = this.pieces
    if (!this.#tellsStored || stored === told) return 0
    this.pieces.told = stored
    return stored
  }

  /** Whether there is room for somebody of whom it tells, among all that it told are with it. */
  hasRoomFor({ session, isHere }: Presence): boolean {
    if (isHere) this.#present.add(session)
    else this.#present.delete(session)
    return this.#present.size <= presentMax
  }

  /** A whole subject was sent. */
  sentPiece(bytes: number): void {
    this.#pieces.push(bytes)
    this.#piecesBytes += bytes
  }

  /** Updates of `origin` up to `seq` were sent. */
  sentUpTo(origin: Origin, seq: number, bytes: number): void {
    this.sent.set(origin, seq)
    this.#onTheWay.push({ origin, seq, bytes })
    this.#onTheWayBytes += bytes
  }

  /** It sent this update of a log. */
  showed(origin: Origin, seq: number): void {
    if ((this.have.get(origin) ?? 0) >= seq) return
    this.have.set(origin, seq)
    this.unsettled.add(origin)
  }

  /** It told how far it is, and of how many whole subjects on its disk; 0: of no more. */
  told(changed: VersionVector, stored: number): void {
    const count = this.#tellsStored ? stored - this.#piecesStored : this.#pieces.length
    if (count > 0) this.#arrived(count)
    raise(this.have, changed)
    for (const origin of changed.keys()) this.unsettled.add(origin)
    raise(this.sent, changed)
    this.#onTheWay = this.#onTheWay.filter(({ origin, seq, bytes }) => {
      const hasArrived = (this.have.get(origin) ?? 0) >= seq
      if (hasArrived) this.#onTheWayBytes -= bytes
      return !hasArrived
    })
  }

  /**
   * It asks for everything after its vector: updates on the way count as lost. A transfer goes on. No
   * subject that was sent is lost while the channel is there, and who asks again because the next took
   * its time would never be given that.
   */
  asked(vector: VersionVector, ours: VersionVector): void {
    this.told(vector, 0)
    this.#onTheWay = []
    this.#onTheWayBytes = 0
    for (const [origin, seq] of ours) {
      this.sent.set(origin, vector.get(origin) ?? 0)
      this.owed.set(origin, seq)
    }
  }

  // Those that came first are stored first.
  #arrived(count: number): void {
    this.#piecesStored += count
    for (const bytes of this.#pieces.splice(0, count)) this.#piecesBytes -= bytes
  }

  /** A log of which it is owed more than was sent. */
  nextOwed(): Origin | undefined {
    for (const [origin, seq] of this.owed) {
      if (seq > (this.sent.get(origin) ?? 0)) return origin
      this.owed.delete(origin)
    }
    return undefined
  }
}
