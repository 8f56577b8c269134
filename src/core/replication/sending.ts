// Sending to peers: how far we are, the own log unasked, what they asked for, whole subjects.

import type { Origin, SubjectId } from '../model/ids.ts'
import {
  heartbeatMs,
  operationsPerSnapshotMax,
  pieceBytesMax,
  updatesBytesMax,
  wantedMax,
} from '../model/limits.ts'
import { mergeStored } from '../model/snapshot.ts'
import { raise, type VersionVector } from '../model/version-vector.ts'
import type { PeerMessage, Update } from '../model/wire.ts'
import { isHeartbeat } from './messages.ts'
import { CorruptError, type StorageReader, type StoredSubject } from '../ports.ts'
import { snapshotBytes, updateBytes } from './gathering.ts'
import { isSound } from './losses.ts'
import type { Peer, Transfer } from './peer.ts'
import { wireVector, type Voice } from './voice.ts'

/** Subjects looked up at once for a transfer. */
const transferPageMax = 64

export interface SendingOptions {
  origin: Origin
  reader: StorageReader
  /** What is on this disk. */
  vector: VersionVector
  isComplete: () => boolean
  life: () => string
  /** A subject does not load here. */
  unreadable: (error: CorruptError) => void
  voice: Voice
}

export class Sending {
  readonly #options: SendingOptions
  readonly #voice: Voice

  constructor(options: SendingOptions) {
    this.#options = options
    this.#voice = options.voice
  }

  /** Tells now what this disk has by now, and whatever was left untold before. */
  tellHave(now: number, peer: Peer, changed: VersionVector, digest = ''): void {
    raise(peer.untold, changed)
    const said = this.#sayHave(peer, digest)
    // News waits for this disk: it is no sign that this server lives.
    if (isHeartbeat({ message: said })) peer.beatAt = now
  }

  /** Time passes: tells what is left untold, and often enough that this server lives. */
  tick(now: number, peer: Peer): void {
    this.#sayUntold(peer)
    if (now - peer.beatAt >= heartbeatMs) this.tellHave(now, peer, new Map())
  }

  /**
   * Logs have come further. A receipt of the peer's clients may wait for its own log: of that it hears
   * at once. All else it hears with that, before anything that may build on it, or at the next tick:
   * three messages for a keystroke in a set of four, not twelve.
   */
  advanced(now: number, peer: Peer, changed: VersionVector): void {
    if (changed.has(peer.origin)) this.tellHave(now, peer, changed)
    else raise(peer.untold, changed)
  }

  #sayHave(peer: Peer, digest: string): PeerMessage['message'] {
    const life = this.#options.life()
    const stored = peer.takeStored()
    const isOtherLife = life !== peer.saidLife
    peer.saidLife = life
    const said: PeerMessage['message'] = {
      case: 'have',
      value: {
        $typeName: 'fourfold.v1.Have',
        changed: wireVector(peer.untold),
        digest,
        isRecovering: !this.#options.isComplete(),
        life: isOtherLife ? life : '',
        stored,
      },
    }
    this.#voice.send(peer.channel, said)
    peer.untold.clear()
    return said
  }

  /** What is sent after this may build on all that is stored here (G6). */
  #sayUntold(peer: Peer): void {
    if (peer.untold.size > 0) this.#sayHave(peer, '')
  }

  /** The own log goes to every peer unasked: straight from memory while the peer keeps up. */
  pushOwn(peer: Peer, own: Update[]): void {
    const { origin } = this.#options
    peer.owed.set(origin, own.at(-1)!.seq)
    const isNext = (peer.sent.get(origin) ?? 0) === own[0]!.seq - 1
    if (isNext && !peer.transfer && peer.hasRoom) this.#sendUpdates(peer, own)
    this.#pump(peer)
  }

  /** It asks for a subject as a whole. */
  wanted(peer: Peer, subject: SubjectId): void {
    if (peer.wants.size < wantedMax) peer.wants.add(subject)
    peer.mayGetMore = true
  }

  /**
   * A turn ends: sends to whoever said something after which there may be more for it. Once, however
   * much it said: what takes it a few bytes to ask may take a second to read.
   */
  settle(peers: Iterable<Peer>): void {
    for (const peer of peers) {
      if (!peer.mayGetMore || peer.isTurnedAway) continue
      peer.mayGetMore = false
      this.#pump(peer)
    }
  }

  /** Sends what the peer wants and is owed, as far as its window allows. */
  #pump(peer: Peer): void {
    this.#answerWants(peer)
    try {
      while (peer.hasRoom) {
        const hasMore = peer.transfer ? this.#transfer(peer, peer.transfer) : this.#sendOwed(peer)
        if (!hasMore) return
      }
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error
      // The peer asks another one; we ask for what does not load here.
      peer.transfer = undefined
      peer.owed.clear()
      this.#options.unreadable(error)
    }
  }

  #answerWants(peer: Peer): void {
    for (const subject of peer.wants) {
      if (!peer.hasRoomForPieces) return
      peer.wants.delete(subject)
      try {
        this.sendSnapshot(peer, subject)
      } catch (error) {
        if (!(error instanceof CorruptError)) throw error
        this.#options.unreadable(error)
        this.#sendRest(peer, subject)
      }
    }
  }

  #sendOwed(peer: Peer): boolean {
    const origin = peer.nextOwed()
    if (origin === undefined) return false
    const { reader, vector } = this.#options
    const sent = peer.sent.get(origin) ?? 0
    if (sent >= (reader.floor().get(origin) ?? 0)) {
      this.#sendUpdates(peer, reader.after(origin, sent, updatesBytesMax))
    } else {
      const from = new Map(peer.sent)
      peer.transfer = { vector: new Map(vector), from, after: '' }
    }
    return true
  }

  #sendUpdates(peer: Peer, updates: Update[]): void {
    this.#sayUntold(peer)
    for (const page of pages(updates)) {
      this.#voice.send(peer.channel, {
        case: 'updates',
        value: { $typeName: 'fourfold.v1.Updates', updates: page },
      })
      const last = page.at(-1)!
      const bytes = page.reduce((sum, update) => sum + updateBytes(update), 0)
      peer.sentUpTo(last.origin as Origin, last.seq, bytes)
    }
  }

  // --------------------------------------------------------------------------------- transfers

  /** Sends the next subjects; false: wait until the peer has stored some. */
  #transfer(peer: Peer, transfer: Transfer): boolean {
    if (!peer.hasRoomForPieces) return false
    let bytes = 0
    while (bytes < pieceBytesMax) {
      const { from, after } = transfer
      const subjects = this.#options.reader.beyond(from, after, transferPageMax)
      if (subjects.length === 0) {
        this.#endTransfer(peer, transfer)
        return true
      }
      for (const subject of subjects) {
        bytes += this.sendSnapshot(peer, subject)
        transfer.after = subject
        if (bytes >= pieceBytesMax) break
      }
    }
    return true
  }

  #endTransfer(peer: Peer, { vector }: Transfer): void {
    this.#voice.send(peer.channel, {
      case: 'advance',
      value: { $typeName: 'fourfold.v1.Advance', vector: wireVector(vector) },
    })
    raise(peer.sent, vector)
    peer.transfer = undefined
  }

  /** Sends what is here of a subject, whole; about how many bytes that took. Throws CorruptError. */
  sendSnapshot(peer: Peer, subject: SubjectId): number {
    const stored = this.#options.reader.load(subject)
    return this.#sendWhole(peer, subject, stored, reachOf(stored.updates))
  }

  /**
   * Sends what can be read of a subject that is damaged here, once, and says so. It stands for no log of
   * which something is lost, and brings nothing of it that the peer has yet to hear of.
   */
  #sendRest(peer: Peer, subject: SubjectId): void {
    if (!peer.saidDamaged.has(subject)) {
      peer.saidDamaged.add(subject)
      const { lost, snapshots, ...sound } = this.#options.reader.sound(subject)
      const isWhole = ({ origin }: Update) => !lost.has(origin as Origin)
      const isKnown = ({ origin, seq }: Update) => seq <= (peer.have.get(origin as Origin) ?? 0)
      const updates = sound.updates.filter((each) => isWhole(each) || isKnown(each))
      this.#sendWhole(peer, subject, { snapshots, updates }, reachOf(updates.filter(isWhole)))
    }
    const value = { $typeName: 'fourfold.v1.Damaged' as const, subject }
    this.#voice.send(peer.channel, { case: 'damaged', value })
  }

  /** A subject came whole: those who were told that it is damaged here get it, should it be sound again. */
  mended(peers: Iterable<Peer>, subject: SubjectId): void {
    const told = [...peers].filter(({ saidDamaged }) => saidDamaged.has(subject))
    if (told.length === 0 || !isSound(this.#options.reader, subject)) return
    for (const peer of told) {
      peer.saidDamaged.delete(subject)
      this.sendSnapshot(peer, subject)
    }
  }

  #sendWhole(peer: Peer, subject: SubjectId, stored: StoredSubject, reach: VersionVector): number {
    // Whoever still wants it would store a piece of nothing, again and again.
    if (stored.snapshots.length === 0 && stored.updates.length === 0) return 0
    const snapshot = mergeStored(stored, reach, subject)
    // Whoever gets effects gets to know of what they are, or does it again when it is asked.
    snapshot.operations = this.#options.reader.operationsOf(subject, operationsPerSnapshotMax)
    this.#sayUntold(peer)
    this.#voice.send(peer.channel, { case: 'snapshot', value: snapshot })
    const bytes = snapshotBytes(snapshot)
    peer.sentPiece(bytes)
    return bytes
  }
}

function reachOf(updates: Update[]): VersionVector {
  const reach: VersionVector = new Map()
  raise(
    reach,
    updates.map(({ origin, seq }): [Origin, number] => [origin as Origin, seq]),
  )
  return reach
}

function* pages(updates: Update[]): Generator<Update[]> {
  let page: Update[] = []
  let bytes = 0
  for (const update of updates) {
    const size = updateBytes(update)
    if (page.length > 0 && bytes + size > updatesBytesMax) {
      yield page
      page = []
      bytes = 0
    }
    page.push(update)
    bytes += size
  }
  if (page.length > 0) yield page
}
