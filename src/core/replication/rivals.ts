// Servers of the set that hold what is of another life, and whether this one serves people beside them.
//
//   alone ── met one of its life, or nobody for a second ──> serving
//   alone, serving ── met one of another life that stands above it ──> yielding
//   yielding ── stands above all of them that it met ──> serving
//
// Above stands who has met more servers of its own life; of as many who serves; then the smaller name.
// So one old disk yields to the set, be it there first, and of two lives one serves where they meet.
// Who yields does so though the other is gone meanwhile, for it may come back.
//
// Safety: nobody hears of another life at a server that knows of more servers in this one.

import type { ReplicaId } from '../model/ids.ts'
import { liveMs } from '../model/limits.ts'
import type { Voice } from './voice.ts'

/** A server that has just started waits so long for another of its life before it serves alone. */
const aloneMs = liveMs

/** What decides between two lives. */
export interface Standing {
  life: string
  /** Servers of that life that it has met since it started, itself among them. */
  companions: number
  isServing: boolean
}

export interface RivalsOptions {
  now: number
  replica: ReplicaId
  /** Whether nobody is to be waited for: it is the only server, or the first of a new set. */
  mayBeAlone: boolean
  isComplete: () => boolean
  life: () => string
  voice: Voice
}

export class Rivals {
  readonly #options: RivalsOptions
  /** Until when this server waits for another of its life. */
  #aloneUntil: number
  readonly #companions: Set<ReplicaId>
  readonly #rivals = new Map<ReplicaId, Standing>()
  #isYielding = false
  #now: number

  constructor(options: RivalsOptions) {
    const { now, mayBeAlone, isComplete, life, replica } = options
    this.#options = options
    this.#now = now
    // Who fills an empty disk meets others by that, and who knows no life has no other.
    const waits = isComplete() && life() !== '' && !mayBeAlone
    this.#aloneUntil = waits ? now + aloneMs : now
    this.#companions = new Set([replica])
  }

  /** Whether this server lets people in. */
  get isServing(): boolean {
    return this.#options.isComplete() && !this.isWaiting && !this.#isYielding
  }

  /** Whether it waits for another of its life. */
  get isWaiting(): boolean {
    return this.#now < this.#aloneUntil
  }

  get standing(): Standing {
    const companions = this.#companions.size
    return { life: this.#options.life(), companions, isServing: this.isServing }
  }

  /** A server is here from which all is taken that it has. */
  met(now: number, replica: ReplicaId, life: string): void {
    this.#rivals.delete(replica)
    if (life !== '' && life === this.#options.life()) {
      this.#companions.add(replica)
      this.#aloneUntil = now
    }
    this.tick(now)
  }

  /** A server is here that holds what is of another life. */
  heard(now: number, replica: ReplicaId, standing: Standing): void {
    const isNew = this.#rivals.get(replica)?.life !== standing.life
    this.#rivals.set(replica, standing)
    this.#companions.delete(replica)
    if (isNew) {
      const text = `${replica} holds another life of the set than this server: nothing is joined`
      this.#options.voice.log('error', text)
    }
    this.tick(now)
  }

  tick(now: number): void {
    this.#now = now
    const above = [...this.#rivals].filter(([, each]) => isAbove(each, this.standing))
    const isYielding = above.length > 0
    if (isYielding === this.#isYielding) return
    this.#isYielding = isYielding
    if (isYielding) this.#options.voice.log('error', yieldingText(above.map(([id]) => id)))
    else this.#options.voice.log('info', 'the set is in the life of this server: serving')
  }
}

/** No two of different lives stand above each other. */
function isAbove(one: Standing, other: Standing): boolean {
  if (one.companions !== other.companions) return one.companions > other.companions
  if (one.isServing !== other.isServing) return one.isServing
  return one.life < other.life
}

function yieldingText(ids: ReplicaId[]): string {
  return (
    `this disk holds another life of the set than ${ids.join(', ')}, and serves nobody: ` +
    'move its directory away to have it filled from the others, or, if this is the life that is ' +
    'to go on, move theirs away; then start again'
  )
}
