// The name of the life that the set is in: from the moment when all servers stood there without a name
// until all their disks are lost.
//
//   unnamed ── a peer has a name, or all are there ──> being stored ── on disk ──> named
//                                                                          │ holds something
//                                                                          v
//                                                                        fixed
//
// A server whose disk was emptied hears the name from the others: the life goes on while one of them
// has it. Of two names of servers that hold nothing the smaller one wins, so that those that named it
// at once agree. What is held in one life is never joined with what is held in another.

import { isOrigin, type Origin } from '../model/ids.ts'
import type { VersionVector } from '../model/version-vector.ts'
import type { PeerHello } from '../model/wire.ts'
import type { StorageReader } from '../ports.ts'
import type { Item } from './gathering.ts'
import type { Links } from './links.ts'

export interface SetLifeOptions {
  origin: Origin
  isFirst: boolean
  reader: StorageReader
  /** What is on this disk. */
  vector: VersionVector
  isComplete: () => boolean
}

export class SetLife {
  readonly #options: SetLifeOptions
  /** On this disk. */
  #name: string
  /** On this disk, or on its way there. */
  #chosen: string
  /** Whether something was there when this process began, be it of a transfer that did not end. */
  readonly #heldSome: boolean
  /** Whether it was taken from a server that holds something. */
  #isTaken = false

  constructor(options: SetLifeOptions) {
    const { reader } = options
    this.#options = options
    this.#name = reader.life()
    this.#chosen = this.#name
    this.#heldSome = reader.entries('', 1).length > 0
  }

  /** Empty: none is on this disk. */
  get name(): string {
    return this.#name
  }

  /** Whether this server is in one life, and in no other until its disk is emptied. */
  get #isFixed(): boolean {
    const { vector, isComplete } = this.#options
    return (
      this.#chosen !== '' && (isComplete() || this.#heldSome || vector.size > 0 || this.#isTaken)
    )
  }

  /**
   * Whether nothing may be taken from whoever says this, or not yet: it holds something of another
   * life, or this server holds nothing and that one does not know whether it may serve.
   */
  isApart({ life, vector, isRecovering, isWaiting }: PeerHello): boolean {
    const seen = vector?.seen ?? {}
    const holds = isHeld(life, isRecovering, Object.keys(seen).length)
    if (!holds || life === this.#chosen) return false
    if (this.isRival(life)) return true
    return isWaiting && !this.#options.isComplete()
  }

  /** Whether what this server holds is of another life than this. */
  isRival(life: string): boolean {
    return this.#isFixed && life !== this.#chosen
  }

  /** Whether a peer took another name, when it was here. */
  hasLeft(life: string, isRecovering: boolean, have: VersionVector): boolean {
    return this.isRival(life) && isHeld(life, isRecovering, have.size)
  }

  /** A name that is to be stored now. */
  next(links: Links): string | undefined {
    if (this.#isFixed) return undefined
    const { origin, isFirst } = this.#options
    const peers = [...links.peers()]
    const held = peers.filter((peer) => isHeld(peer.life, peer.isRecovering, peer.have.size))
    const names = [this.#chosen, ...peers.map(({ life }) => life)].filter(isOrigin)
    // Every start of a server draws a fresh one: the smallest was never a name before.
    const origins = [origin, ...peers.map((peer) => peer.origin)]
    const mayName = links.areAllOpen || isFirst
    const known = held.length > 0 ? held.map(({ life }) => life) : names
    const [chosen] = (known.length > 0 || !mayName ? known : origins).toSorted()
    this.#isTaken = held.length > 0
    if (chosen === undefined || chosen === this.#chosen) return undefined
    this.#chosen = chosen
    return chosen
  }

  /** Whether a name came onto this disk. */
  stored(items: readonly Item[]): boolean {
    const named = items.findLast(({ life }) => life !== undefined)
    if (named?.life === undefined) return false
    this.#name = named.life
    return true
  }
}

/** Whether somebody holds something, and of a life that has a name. */
function isHeld(life: string, isRecovering: boolean, logs: number): boolean {
  return isOrigin(life) && (!isRecovering || logs > 0)
}
