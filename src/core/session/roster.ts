// The servers a client knows: where they are, how they are, which to try next and when.

import { digest as sha256 } from 'lib0/hash/sha256'
import { encodeUtf8 } from 'lib0/string'
import { doubling } from '../model/doubling.ts'
import { base64url } from '../model/ids.ts'
import { backOffFirstMs, backOffMaxMs, placesMax } from '../model/limits.ts'
import { ServerState, type Server } from '../model/wire.ts'

/** A server that has just failed or asked to be left is tried after all others for this long. */
const avoidMs = 2000

/** Where a server can be dialled. */
interface Place {
  readonly address: string
  /** Known once it was announced, or said Welcome. */
  id: string | undefined
  /** The servers name it themselves; else it only stands in this client's configuration. */
  isAnnounced: boolean
  readonly isSeed: boolean
  /** This client's own order of places, so that the clients of a dead server spread over the rest. */
  readonly rank: string
  /** Failures in a row. */
  attempt: number
  /** Not to be dialled before. */
  retryAt: number
  /** Not preferred before. */
  avoidUntil: number
}

/** Places in use already: no second connection to the same server. */
export interface Taken {
  addresses: ReadonlySet<string>
  ids: ReadonlySet<string>
}

export class Roster {
  readonly #key: Uint8Array
  readonly #random: () => number
  readonly #places = new Map<string, Place>()
  #servers: Server[] = []
  #safeCount = 2

  /** `key` makes the order of places; `random` is uniform in [0, 1). */
  constructor(key: Uint8Array, addresses: Iterable<string>, random: () => number) {
    this.#key = key
    this.#random = random
    for (const address of addresses) this.#add(address.replace(/\/$/, ''), true)
  }

  /** In the order of the configuration; empty before the first Welcome. */
  get servers(): readonly Server[] {
    return this.#servers
  }

  get addresses(): string[] {
    return [...this.#places.keys()]
  }

  /** How many servers there are, as far as known; at least 1. */
  get count(): number {
    return Math.max(1, this.#servers.length)
  }

  /** On how many servers an edit must be to count as safe. */
  get safeCount(): number {
    return Math.min(this.#safeCount, this.count)
  }

  /** The ids of the servers that were live when last heard of. */
  live(): string[] {
    return this.#servers.filter(({ state }) => state === ServerState.LIVE).map(({ id }) => id)
  }

  isKnown(id: string): boolean {
    return this.#servers.some((server) => server.id === id)
  }

  requireSafe(count: number): void {
    this.#safeCount = Math.max(1, count)
  }

  /** A server said how all are. False: it said nothing of use. */
  announce(servers: readonly Server[]): boolean {
    const valid = servers.filter(({ address }) => isAddress(address)).slice(0, placesMax)
    if (valid.length === 0) return false
    const wasLive = new Set(this.live())
    this.#servers = valid
    const announced = new Set(valid.map(({ address }) => address))
    for (const place of this.#places.values()) {
      place.isAnnounced = announced.has(place.address)
      if (!place.isAnnounced && !place.isSeed) this.#places.delete(place.address)
    }
    for (const { id, address, state } of valid) {
      const place = this.#places.get(address) ?? this.#add(address, false)
      place.id = id
      place.isAnnounced = true
      if (state === ServerState.LIVE && !wasLive.has(id)) forgive(place)
    }
    return true
  }

  /** The server at this address said Welcome. Its failures are forgotten by `proved`. */
  welcomed(address: string, id: string): void {
    const place = this.#places.get(address)
    if (place) place.id = id
  }

  /** A connection to this address lived for a while. */
  proved(address: string): void {
    const place = this.#places.get(address)
    if (place) forgive(place)
  }

  /** A dial failed, or a connection lived only for a moment. */
  failed(now: number, address: string): void {
    const place = this.#places.get(address)
    if (!place) return
    const backOffMs = doubling(backOffFirstMs, backOffMaxMs, place.attempt)
    place.attempt++
    place.retryAt = now + (backOffMs * (1 + this.#random())) / 2
  }

  /** Others are preferred to this address for a while. */
  avoid(now: number, address: string): void {
    const place = this.#places.get(address)
    if (place) place.avoidUntil = now + avoidMs
  }

  /** Everything may be dialled at once. */
  forgive(): void {
    for (const place of this.#places.values()) forgive(place)
  }

  /** The address to dial now; undefined when none is ready. */
  next(now: number, taken: Taken): string | undefined {
    let best: Place | undefined
    for (const place of this.#free(taken)) {
      if (place.retryAt > now) continue
      if (!best || this.#isBefore(now, place, best)) best = place
    }
    return best?.address
  }

  /** When the next address is ready; Infinity when there is none. */
  readyAt(taken: Taken): number {
    return this.#free(taken).reduce((least, { retryAt }) => Math.min(least, retryAt), Infinity)
  }

  #free({ addresses, ids }: Taken): Place[] {
    return [...this.#places.values()].filter(
      ({ address, id }) => !addresses.has(address) && (id === undefined || !ids.has(id)),
    )
  }

  #isBefore(now: number, a: Place, b: Place): boolean {
    const order = this.#weight(now, a) - this.#weight(now, b)
    return order < 0 || (order === 0 && a.rank < b.rank)
  }

  #weight(now: number, { id, isAnnounced, avoidUntil }: Place): number {
    const state = id === undefined ? ServerState.UNSPECIFIED : this.#state(id)
    const isDown = state === ServerState.DOWN ? 8 : 0
    const isAvoided = avoidUntil > now ? 4 : 0
    const isBehind = state === ServerState.BEHIND ? 2 : 0
    const isUnnamed = !isAnnounced && this.#servers.length > 0 ? 1 : 0
    return isDown + isAvoided + isBehind + isUnnamed
  }

  #state(id: string): ServerState {
    return this.#servers.find((server) => server.id === id)?.state ?? ServerState.UNSPECIFIED
  }

  #add(address: string, isSeed: boolean): Place {
    const place: Place = {
      address,
      id: undefined,
      isAnnounced: false,
      isSeed,
      rank: rank(this.#key, address),
      attempt: 0,
      retryAt: 0,
      avoidUntil: 0,
    }
    if (this.#places.size < 2 * placesMax) this.#places.set(address, place)
    return place
  }
}

/** Whether a text from outside is an address that a client may dial. */
export function isAddress(address: string): boolean {
  return address.length <= 256 && /^https?:\/\/[^\s/?#]+$/.test(address)
}

function forgive(place: Place): void {
  place.attempt = 0
  place.retryAt = 0
}

// Rendezvous hashing: every client ranks the places by its own draw.
function rank(key: Uint8Array, address: string): string {
  const name = encodeUtf8(address)
  const whole = new Uint8Array(key.length + name.length)
  whole.set(key)
  whole.set(name, key.length)
  return base64url(sha256(whole))
}
