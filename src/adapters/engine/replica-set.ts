// The default engine: the mind of replication with its disk, its channels to the peers and its time.
//
//   ask, peers, disk, time ──> inbox ──(one turn)──> Replication ──> batches, messages, dials, events

import type { Origin, ReplicaId } from '../../core/model/ids.ts'
import { busyTickMs, idleTickMs, peerQueueBytesMax } from '../../core/model/limits.ts'
import type { PeerMessage } from '../../core/model/wire.ts'
import {
  CorruptError,
  type Batch,
  type Channel,
  type Engine,
  type EngineListener,
  type EngineReader,
  type EngineRequest,
  type ServerView,
  type Storage,
} from '../../core/ports.ts'
import {
  isHeartbeat,
  mayGetLost,
  type PeerChannel,
  type ReplicationInput,
  type ReplicationOutput,
} from '../../core/replication/messages.ts'
import type { Replication } from '../../core/replication/replication.ts'
import { orFailed } from '../storage/storage-error.ts'
import { untilTogether } from '../system.ts'
import { messageBytes } from '../channel/peer-frames.ts'
import { Turns } from '../turns.ts'
import { Withheld } from './withheld.ts'
import { WithheldMessages } from './withheld-messages.ts'

/** While so much waits for the disk, no more of what may get lost waits with it. */
export const heldMax = 1000

const takesNothing = 'this server takes nothing now'

interface Peer {
  channel: Channel<PeerMessage, PeerMessage>
  withheld: WithheldMessages<PeerMessage>
}

export interface ReplicaSetEngineOptions {
  replication: Replication
  storage: Storage
  origin: Origin
  /** Milliseconds since 1970 that never run backwards. */
  now: () => number
  /** A channel to another server, or a rejection by a deadline. */
  dial: (replica: ReplicaId) => Promise<Channel<PeerMessage, PeerMessage>>
  log: (level: 'info' | 'error', text: string) => void
}

export class ReplicaSetEngine implements Engine {
  readonly reader: EngineReader
  readonly origin: Origin
  readonly #options: ReplicaSetEngineOptions
  readonly #peers = new Map<PeerChannel, Peer>()
  #listener: EngineListener | undefined
  readonly #withheld = new Withheld()
  readonly #turns = new Turns(() => orFailed(() => this.#turn(), this.#fail))
  #inbox: ReplicationInput[] = []
  #nextChannel = 1
  #isWriting = false
  /** No channel to a peer is opened. */
  #isSuspended = false
  /** Nothing is stepped any more. */
  #isOver = false
  #ticker: NodeJS.Timeout | undefined
  #tickMs = 0

  constructor(options: ReplicaSetEngineOptions) {
    this.reader = options.replication.reader
    this.origin = options.origin
    this.#options = options
  }

  listen(listener: EngineListener): void {
    this.#listener = listener
    // Also while nobody waits for the disk: what is journalled is filed a moment later.
    void this.#options.storage.failed.then(this.#fail)
    this.#tickIn(0)
  }

  whenStored(release: () => void): void {
    this.#withheld.whenStored(release)
  }

  // What this server's own mind asks joins the turn at its end: no other work comes between.
  ask(request: EngineRequest): void {
    this.#inbox.push({ type: 'asked', request })
    this.#turns.next()
  }

  isBusy(): boolean {
    return this.#isWriting || this.#withheld.size > 0 || this.#options.replication.isBusy()
  }

  servers(now: number): ServerView[] {
    return this.#options.replication.servers(now)
  }

  warnings(now: number): string[] {
    return this.#options.replication.warnings(now)
  }

  suspend(): void {
    this.#isSuspended = true
    this.#closePeers('this server cannot save')
  }

  resume(): void {
    this.#isSuspended = false
  }

  async close(): Promise<void> {
    // What was asked before is told.
    this.#turns.take()
    await this.#withheld.settled()
    this.#stop('this server is stopping')
    await this.#options.storage.close()
  }

  // -------------------------------------------------------------------------------- peers

  /** Takes a channel that another server opened to this one. */
  addPeer(channel: Channel<PeerMessage, PeerMessage>): void {
    this.#open(channel)
  }

  #open(channel: Channel<PeerMessage, PeerMessage>, dialled?: ReplicaId): void {
    if (this.#isOver || this.#isSuspended) {
      channel.listen({ received: () => {}, closed: () => {} })
      channel.close(takesNothing)
      if (dialled) this.#put({ type: 'undialled', replica: dialled, why: takesNothing })
      return
    }
    const id = this.#nextChannel++
    const withheld = new WithheldMessages<PeerMessage>({
      whenStored: (release) => this.whenStored(release),
      send: (message) => channel.send(message),
      bytesOf: messageBytes,
    })
    this.#peers.set(id, { channel, withheld })
    this.#put({ type: 'opened', channel: id, ...(dialled && { dialled }) })
    channel.listen({
      received: (message) => this.#put({ type: 'received', channel: id, message }),
      progressed: () => this.#put({ type: 'progressed', channel: id }),
      closed: (why, isRefusal = false) => {
        withheld.drop()
        if (!this.#peers.delete(id)) return
        this.#put({ type: 'closed', channel: id, ...(isRefusal && { refusal: why }) })
      },
    })
  }

  #dial(replica: ReplicaId): void {
    if (this.#isSuspended) {
      this.#put({ type: 'undialled', replica, why: takesNothing })
      return
    }
    this.#options.dial(replica).then(
      (channel) => this.#open(channel, replica),
      ({ message: why }: Error) => this.#put({ type: 'undialled', replica, why }),
    )
  }

  #send(id: PeerChannel, message: PeerMessage): void {
    const peer = this.#peers.get(id)
    if (!peer) return
    const { channel, withheld } = peer
    // A slow disk makes no server a dead one.
    if (isHeartbeat(message)) channel.send(message)
    else if (mayGetLost(message) && this.#withheld.size > heldMax) return
    else withheld.add(message)
    const bytes = withheld.bytes + channel.queuedBytes()
    if (bytes > peerQueueBytesMax) channel.close('too much waits to be sent to it')
  }

  // --------------------------------------------------------------------------------- loop

  #put(input: ReplicationInput): void {
    this.#inbox.push(input)
    this.#turns.soon()
  }

  #turn(): void {
    if (this.#isOver || this.#inbox.length === 0) return
    const now = this.#options.now()
    const inputs = this.#inbox
    this.#inbox = []
    for (const input of inputs) this.#step(now, input)
    this.#step(now, { type: 'settle' })
    if (this.isBusy() && this.#tickMs > busyTickMs) this.#tickIn(busyTickMs)
  }

  #step(now: number, input: ReplicationInput): void {
    for (const output of this.#options.replication.step(now, input)) this.#perform(output)
  }

  #perform(output: ReplicationOutput): void {
    const { storage, log } = this.#options
    switch (output.type) {
      case 'store':
        this.#store(output.batch)
        return
      case 'compact': {
        const { subject, upTo, isPurge } = output
        const compacted = (isPurged = isPurge) => {
          this.#put({ type: 'compacted', subject, isPurged })
        }
        const act = isPurge ? storage.purge(subject, upTo) : storage.compact(subject, upTo)
        act.then(
          () => compacted(),
          (error: Error) => {
            // A store that failed says so itself.
            if (this.#isOver) return
            // It changed nothing, and what a peer sends whole takes the place of what is damaged.
            if (error instanceof CorruptError) {
              log('error', `${error.message}; asking a peer for it`)
              this.#put({ type: 'asked', request: { type: 'want', subject } })
            } else log('error', `${subject} is merged later, and takes more room: ${error.message}`)
            compacted(false)
          },
        )
        return
      }
      case 'dial':
        this.#dial(output.replica)
        return
      case 'send':
        this.#send(output.channel, output.message)
        return
      case 'hangUp':
        this.#peers.get(output.channel)?.channel.close(output.why, output.isRefusal)
        return
      case 'event':
        this.#listener?.event(output.event)
        return
      case 'log':
        log(output.level, output.text)
        return
    }
  }

  // What can be taken in at once counts as stored for the minds, and what follows from it is withheld
  // until it is: they work while the disk does.
  #store(batch: Batch): void {
    const { storage } = this.#options
    const taken = storage.take(batch)
    if (taken) {
      this.#withheld.until(taken).catch(this.#fail)
      this.#wrote()
      return
    }
    this.#isWriting = true
    storage.write(batch).then(() => this.#wrote(), this.#fail)
  }

  #wrote(): void {
    this.#isWriting = false
    this.#inbox.push({ type: 'stored' })
    this.#turns.next()
  }

  // Fail stop: after one failed write nothing that this process says of its disk can be believed.
  readonly #fail = (error: Error): void => {
    if (this.#isOver) return
    this.#stop('this server cannot save')
    this.#listener?.failed(error)
  }

  #stop(why: string): void {
    this.#isOver = true
    this.#withheld.end()
    clearTimeout(this.#ticker)
    this.#closePeers(why)
  }

  #closePeers(why: string): void {
    for (const { channel } of this.#peers.values()) channel.close(why)
  }

  #tickIn(ms: number): void {
    clearTimeout(this.#ticker)
    this.#tickMs = ms
    const delayMs = ms === idleTickMs ? untilTogether(ms) : ms
    this.#ticker = setTimeout(() => {
      this.#inbox.push({ type: 'tick' })
      this.#turns.take()
      if (!this.#isOver) this.#tickIn(this.isBusy() ? busyTickMs : idleTickMs)
    }, delayMs)
  }
}
