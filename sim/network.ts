// A simulated network: ordered, whole channels that break visibly, between hosts that may be
// slow, cut off from each other, frozen, killed or without power.
//
//   dial ── open ──▶ accept            a message waits while its direction is blocked or its
//        ◀─ open ───                   receiver frozen; it is never lost without `closed`,
//        ── message ▶ ◀ message ──     except that a machine without power says nothing at all:
//        ── closed ─▶                  its channels stay half open until somebody sends on them.

import { dialPeerMs } from '../src/core/model/limits.ts'
import type { Channel, ChannelListener, Ending } from '../src/core/ports.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

export type HostName = string
/** What a channel is for: the two doors of a server. */
export type Service = 'peer' | 'session'

/** Called for each channel that arrives at a process; it must `listen` at once. */
export type Accept = (channel: Channel<object, object>, from: HostName, service: Service) => void

export interface DialListener extends ChannelListener<object> {
  /** The other process has accepted; before it, nothing arrives. */
  opened(): void
}

export interface NetworkOptions {
  timeline: Timeline
  random: Random
  trace: Trace
  /** Mean time of one way between two hosts. */
  latencyMs: (from: HostName, to: HostName) => number
  /** What a message looks like after the wire: the same, or encoded and decoded. */
  carry: (message: object) => object
  /** For the trace. */
  describe: (message: object) => string
}

/** A dial that nobody answers for this long is closed: by a server, or by an operating system. */
const dialTimeoutMs: Record<Service, number> = { peer: dialPeerMs, session: 3000 }
/** A dial that met a machine without power is repeated after this, the next time twice as late: TCP. */
const dialAgainMs = 1000
/** After a partition heals, a stalled sender tries again within this. */
const retransmitMs = 100

export class Network {
  readonly #options: NetworkOptions
  readonly #accepts = new Map<HostName, Accept>()
  readonly #unpowered = new Set<HostName>()
  readonly #frozen = new Set<HostName>()
  /** "from>to" → how many faults block this direction. */
  readonly #blocks = new Map<string, number>()
  readonly #ends = new Set<End>()

  constructor(options: NetworkOptions) {
    this.#options = options
  }

  /** A process is up at this host and accepts channels. */
  listen(host: HostName, accept: Accept): void {
    this.#unpowered.delete(host)
    this.#accepts.set(host, accept)
  }

  /** Never fails at once: `opened` or `closed` follows. */
  dial(
    from: HostName,
    to: HostName,
    service: Service,
    listener: DialListener,
  ): Channel<object, object> {
    const near = new End(this, from)
    const far = new End(this, to)
    join(near, far, service)
    near.dialling = listener
    near.listener = listener
    near.isKnown = true
    this.#ends.add(near).add(far)
    near.dialledAt = this.#options.timeline.now
    this.push(near, { type: 'open' })
    this.#options.timeline.after(dialTimeoutMs[service], () => {
      if (near.dialling) this.#breakEnd(near, 'timed out')
    })
    return near
  }

  /** The process dies: what it had sent may arrive in part, then its channels are closed. */
  kill(host: HostName): void {
    this.#accepts.delete(host)
    this.#frozen.delete(host)
    for (const end of this.#endsOf(host)) {
      this.#truncate(end)
      this.push(end, { type: 'closed', why: 'killed' })
      this.#drop(end, 'dead')
    }
  }

  /** The machine loses power: nobody is told. */
  unplug(host: HostName): void {
    this.#accepts.delete(host)
    this.#frozen.delete(host)
    this.#unpowered.add(host)
    for (const end of this.#endsOf(host)) {
      this.#truncate(end)
      // Of a dial that is still on its way it knows nothing yet.
      if (end.isKnown) this.#drop(end, 'gone')
    }
  }

  /** The process stops without dying: its channels stay open and silent. */
  freeze(host: HostName): void {
    this.#frozen.add(host)
  }

  thaw(host: HostName): void {
    if (this.#frozen.delete(host)) this.#resume((end) => end.far.host === host, 0)
  }

  isFrozen(host: HostName): boolean {
    return this.#frozen.has(host)
  }

  /** Nothing passes in this direction until the returned function is called. */
  block(from: HostName, to: HostName): () => void {
    const way = `${from}>${to}`
    this.#blocks.set(way, (this.#blocks.get(way) ?? 0) + 1)
    return () => {
      const left = this.#blocks.get(way)! - 1
      if (left > 0) this.#blocks.set(way, left)
      else {
        this.#blocks.delete(way)
        this.#resume((end) => end.host === from && end.far.host === to, retransmitMs)
      }
    }
  }

  isBlocked(from: HostName, to: HostName): boolean {
    return this.#blocks.has(`${from}>${to}`)
  }

  /** Whether in one direction at least nothing passes. */
  isCut(one: HostName, other: HostName): boolean {
    return this.isBlocked(one, other) || this.isBlocked(other, one)
  }

  /** Breaks every channel between two hosts; `isHalf`: only `one` hears of it by itself. */
  cut(one: HostName, other: HostName, isHalf: boolean): void {
    for (const end of this.#endsOf(one)) {
      if (end.far.host !== other) continue
      this.#truncate(end)
      this.#truncate(end.far)
      if (!isHalf) this.#breakEnd(end.far, 'reset')
      this.#breakEnd(end, 'reset')
      if (isHalf) end.state = 'gone'
    }
  }

  /** What a process finds by pings in a while: the other ends of its half open channels are gone. */
  probe(): void {
    for (const end of this.#ends) {
      if (end.state === 'open' && end.far.state === 'gone') this.#breakEnd(end, 'silent')
    }
  }

  /** How many channels are open or half open. */
  get openCount(): number {
    let count = 0
    for (const end of this.#ends) if (end.state === 'open') count++
    return count
  }

  // ------------------------------------------------------------------ for ends alone

  /** Puts something on the way from this end. */
  push(end: End, what: Parcel['what']): void {
    const { timeline, random, latencyMs } = this.#options
    // What a server tells a client in one turn travels as one frame.
    if (end.service !== 'session' || end.sentAt !== timeline.now) {
      const delayMs = random.span(latencyMs(end.host, end.far.host))
      end.lastAt = Math.max(end.lastAt, timeline.now + delayMs)
      end.sentAt = timeline.now
      end.frame++
    }
    end.parcels.push({ what, dueAt: end.lastAt, frame: end.frame })
    if (end.parcels.length === 1) this.#schedule(end, end.lastAt)
  }

  send(end: End, message: object): void {
    if (end.state !== 'open') return
    if (end.far.state !== 'gone') {
      this.push(end, { type: 'message', message: this.#options.carry(message) })
    } else if (!this.#unpowered.has(end.far.host)) {
      // The other machine knows nothing of this channel any more, and says so.
      this.push(end.far, { type: 'closed', why: 'reset' })
    }
  }

  close(end: End, why: Ending): void {
    if (end.state !== 'open') return
    const { listener } = end
    this.push(end, { type: 'closed', why })
    this.#drop(end, 'dead')
    // As with a socket, whoever closes hears of it too, a little later.
    this.#options.timeline.after(0, () => listener?.closed(why))
  }

  // ------------------------------------------------------------------ movement

  #schedule(end: End, at: number): void {
    if (end.isScheduled) return
    end.isScheduled = true
    this.#options.timeline.at(at, () => {
      end.isScheduled = false
      this.#move(end)
    })
  }

  /** Delivers what is due from this end to the other. */
  #move(end: End): void {
    const { timeline } = this.#options
    while (end.parcels.length > 0) {
      const { dueAt, what } = end.parcels[0]!
      if (dueAt > timeline.now) return this.#schedule(end, dueAt)
      if (this.isBlocked(end.host, end.far.host)) return
      if (this.#frozen.has(end.far.host)) return
      end.parcels.shift()
      this.#deliver(end.far, what)
    }
  }

  #resume(isMeant: (end: End) => boolean, withinMs: number): void {
    const { timeline, random } = this.#options
    for (const end of this.#ends) {
      if (!isMeant(end) || end.parcels.length === 0) continue
      const at = timeline.now + random.next() * withinMs
      this.#schedule(end, Math.max(at, end.parcels[0]!.dueAt))
    }
  }

  #deliver(end: End, what: Parcel['what']): void {
    const { timeline, trace, describe } = this.#options
    if (what.type === 'message') {
      if (end.state !== 'open') return
      if (!end.listener) throw new Error(`nobody listens at ${end.host}`)
      trace.note(timeline.now, `${end.far.host}>${end.host} ${describe(what.message)}`)
      end.listener.received(what.message)
    } else if (what.type === 'open') this.#open(end)
    else this.#breakEnd(end, what.why)
  }

  #open(end: End): void {
    if (end.dialling) {
      const { dialling } = end
      end.dialling = undefined
      dialling.opened()
      return
    }
    if (end.state !== 'open') return
    const accept = this.#accepts.get(end.host)
    if (accept) {
      end.isKnown = true
      this.push(end, { type: 'open' })
      accept(end, end.far.host, end.service)
    } else if (this.#unpowered.has(end.host)) this.#dialAgain(end.far)
    else {
      this.push(end, { type: 'closed', why: 'refused' })
      this.#drop(end, 'dead')
    }
  }

  #dialAgain(near: End): void {
    const { timeline } = this.#options
    timeline.after(timeline.now - near.dialledAt + dialAgainMs, () => {
      if (near.dialling) this.push(near, { type: 'open' })
      else this.#drop(near.far, 'gone')
    })
  }

  /** This end hears that the channel is over. */
  #breakEnd(end: End, why: Ending): void {
    if (end.state !== 'open') return
    const { listener } = end
    const { timeline, trace } = this.#options
    trace.note(timeline.now, `${end.far.host}>${end.host} closed: ${why}`)
    this.#drop(end, 'dead')
    listener?.closed(why)
  }

  #drop(end: End, state: 'dead' | 'gone'): void {
    end.state = state
    end.dialling = undefined
    end.listener = undefined
    if (end.far.state !== 'open') {
      this.#ends.delete(end)
      this.#ends.delete(end.far)
    }
  }

  /** Of what is on the way from this end, only the beginning will arrive; of a frame, nothing. */
  #truncate(end: End): void {
    const { parcels } = end
    let length = this.#options.random.below(parcels.length + 1)
    const isTorn = () =>
      length < parcels.length && parcels[length - 1]?.frame === parcels[length]!.frame
    while (isTorn()) length--
    parcels.length = length
  }

  #endsOf(host: HostName): End[] {
    return [...this.#ends].filter((end) => end.host === host && end.state === 'open')
  }
}

interface Parcel {
  dueAt: number
  /** Parcels of one number travel as one. */
  frame: number
  what: { type: 'open' } | { type: 'message'; message: object } | { type: 'closed'; why: Ending }
}

/** One side of a channel, with what is on the way from it. */
class End implements Channel<object, object> {
  readonly #network: Network
  readonly host: HostName
  service: Service = 'peer'
  far: End = this
  /** gone: its machine forgot it without a word. */
  state: 'open' | 'dead' | 'gone' = 'open'
  /** Until the other process has accepted. */
  dialling: DialListener | undefined
  listener: ChannelListener<object> | undefined
  readonly parcels: Parcel[] = []
  /** When the last parcel will arrive, and when it was sent. */
  lastAt = 0
  sentAt = -1
  /** Number of the frame that was begun last. */
  frame = 0
  /** Of the end that dials. */
  dialledAt = 0
  /** Whether the machine it lies on has heard of the channel. */
  isKnown = false
  isScheduled = false

  constructor(network: Network, host: HostName) {
    this.#network = network
    this.host = host
  }

  send(message: object): void {
    this.#network.send(this, message)
  }

  queuedBytes(): number {
    return 0
  }

  close(why: Ending): void {
    this.#network.close(this, why)
  }

  listen(listener: ChannelListener<object>): void {
    this.listener = listener
  }
}

function join(near: End, far: End, service: Service): void {
  near.far = far
  far.far = near
  near.service = service
  far.service = service
}
