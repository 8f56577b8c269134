// One channel to a client: who it is, what it follows, how much it may still send.

import { Allowance } from '../model/allowance.ts'
import {
  deviceOf,
  sessionOf,
  writerOf,
  type DeviceId,
  type SessionId,
  type SubjectId,
} from '../model/ids.ts'
import {
  gateStepsPerPush,
  helloBurstMax,
  hellosPerSecondMax,
  sessionBurstBytesMax,
  sessionBytesPerSecondMax,
} from '../model/limits.ts'
import type { Place } from '../model/directory.ts'
import type { Extent, Hello } from '../model/wire.ts'
import type { ClientChannel } from './messages.ts'
import { Tickets } from './tickets.ts'

export interface Rates {
  pushesPerSecond: number
  pushBurst: number
  caretsPerSecond: number
}

/** Where the listing of a directory goes on: first come directories, then files. */
export interface Listing {
  /** After this one; undefined: from the start. */
  after: Place[] | undefined
  isOfFiles: boolean
  /** Messages that were told, and not read as far as is known. */
  ahead: number
}

/** How a client shows an entry. */
export interface Showing {
  extent: Extent
  /** That of its Show. */
  number: number
  /** Undefined: all is told. */
  listing: Listing | undefined
}

/** A client after its first hello. */
export class Visitor {
  readonly channel: ClientChannel
  readonly session: SessionId
  readonly key: Uint8Array
  /** Its other sessions are the same person. Empty: not known. */
  readonly device: DeviceId | ''
  /** The Yjs client ids under which this client may write. */
  readonly writers: ReadonlySet<number>
  /** Earlier sessions of the same person. */
  readonly earlier: readonly SessionId[]
  readonly follows = new Set<SubjectId>()
  readonly tickets = new Tickets()
  /** What it shows of the folder, by id; empty: the top. */
  readonly shows = new Map<string, Showing>()
  /** It is told only of that; else of the whole folder. */
  showsDirectories = false
  name = ''
  isStandby = true
  lastTicket = 0
  offences = 0

  readonly #pushes: Allowance
  readonly #carets: Allowance
  readonly #bytes: Allowance
  readonly #hellos: Allowance

  constructor(now: number, channel: ClientChannel, hello: Hello, rates: Rates) {
    this.channel = channel
    this.key = hello.key
    this.session = sessionOf(hello.key)
    this.device = hello.device.length > 0 ? deviceOf(hello.device) : ''
    this.earlier = hello.earlierKeys.map(sessionOf)
    this.writers = new Set([hello.key, ...hello.earlierKeys].map(writerOf))
    this.#pushes = new Allowance(now, rates.pushesPerSecond, rates.pushBurst)
    this.#carets = new Allowance(now, rates.caretsPerSecond, rates.caretsPerSecond)
    this.#bytes = new Allowance(now, sessionBytesPerSecondMax, sessionBurstBytesMax)
    this.#hellos = new Allowance(now, hellosPerSecondMax, helloBurstMax)
  }

  /** Whether this key, which its holder says again, is its own. */
  hasKey(key: Uint8Array): boolean {
    return key.length === this.key.length && key.every((byte, index) => byte === this.key[index])
  }

  mayGreet(now: number): boolean {
    return this.#hellos.take(now, 1)
  }

  mayPush(now: number, pushes: number): boolean {
    return this.#pushes.take(now, pushes)
  }

  /** What it asked for took so many steps of the gate, or as much time. */
  hasTaken(now: number, steps: number): void {
    this.#pushes.spend(now, Math.floor(steps / gateStepsPerPush))
  }

  mayMove(now: number): boolean {
    return this.#carets.take(now, 1)
  }

  maySend(now: number, bytes: number): boolean {
    return this.#bytes.take(now, bytes)
  }
}
