// Locks of WebDAV: kept in memory, and advisory. They hold for those who come through this door of
// this server; whoever types in the page, or comes another way, is not held up and merges as ever.

import { parentOf } from '../../core/model/path.ts'
import { davLockMsMax, davLocksMax, davLockUsualMs } from '../../core/model/limits.ts'
import { hrefOf, isWithin, keyOf } from './paths.ts'
import { Refusal } from './refusal.ts'

export interface Lock {
  token: string
  /** What it was taken on, as it is spelled for people and for comparing. */
  path: string
  key: string
  isExclusive: boolean
  /** It holds for all that lies in it, too. */
  isDeep: boolean
  /** An element of XML: who has it, in the words of their program. */
  owner: string
  author: string
  timeoutMs: number
  until: number
}

export type LockRequest = Pick<Lock, 'path' | 'isExclusive' | 'isDeep' | 'owner' | 'author'> & {
  timeoutMs: number | undefined
}

/** What a request changes, and by which right. */
export interface Change {
  path: string
  /** It comes or goes: the directory that it lies in changes too. */
  isMembership: boolean
  /** All that lies in it changes too. */
  isDeep: boolean
}

export interface Holder {
  author: string
  tokens: string[]
}

export class Locks {
  readonly #now: () => number
  readonly #newToken: () => string
  readonly #locks = new Map<string, Lock>()

  constructor(now: () => number, newToken: () => string) {
    this.#now = now
    this.#newToken = newToken
  }

  /** Throws Refusal when another lock is in the way, or there are too many. */
  take({ path, timeoutMs, ...request }: LockRequest): Lock {
    const key = keyOf(path)
    const others = [...this.covering(path), ...(request.isDeep ? this.#below(key) : [])]
    const inTheWay = others.find((lock) => request.isExclusive || lock.isExclusive)
    if (inTheWay) throw isLocked(inTheWay, 'no-conflicting-lock')
    if (this.#locks.size >= davLocksMax) {
      throw new Refusal(503, 'There are too many locks on this server.')
    }
    const bounded = Math.min(timeoutMs ?? davLockUsualMs, davLockMsMax)
    const until = this.#now() + bounded
    const lock = { ...request, path, key, token: this.#newToken(), timeoutMs: bounded, until }
    this.#locks.set(lock.token, lock)
    return lock
  }

  /** The lock of this token that holds for a path. */
  find(token: string, path: string): Lock | undefined {
    return this.covering(path).find((lock) => lock.token === token)
  }

  renew(lock: Lock, timeoutMs: number | undefined): void {
    lock.timeoutMs = Math.min(timeoutMs ?? lock.timeoutMs, davLockMsMax)
    lock.until = this.#now() + lock.timeoutMs
  }

  release(lock: Lock): void {
    this.#locks.delete(lock.token)
  }

  /** What was there is not there any more. */
  releaseWithin(path: string): void {
    const key = keyOf(path)
    for (const lock of this.#locks.values()) if (isWithin(lock.key, key)) this.release(lock)
  }

  /** The locks that hold for a path: its own, and deep ones from above. */
  covering(path: string): Lock[] {
    const key = keyOf(path)
    return this.#alive().filter((lock) => {
      return lock.key === key || (lock.isDeep && isWithin(key, lock.key))
    })
  }

  /** Throws Refusal when a lock forbids the change. */
  check({ path, isMembership, isDeep }: Change, holder: Holder): void {
    this.#checkHeld(this.covering(path), holder)
    if (isMembership) {
      const above = keyOf(parentOf(path))
      this.#checkHeld(
        this.#alive().filter(({ key }) => key === above),
        holder,
      )
    }
    if (!isDeep) return
    const below = Map.groupBy(this.#below(keyOf(path)), ({ key }) => key)
    for (const locks of below.values()) this.#checkHeld(locks, holder)
  }

  /** Of several shared locks one is enough. */
  #checkHeld(locks: Lock[], { author, tokens }: Holder): void {
    const [first] = locks
    if (!first) return
    const isHeld = locks.some((lock) => lock.author === author && tokens.includes(lock.token))
    if (!isHeld) throw isLocked(first, 'lock-token-submitted')
  }

  #below(above: string): Lock[] {
    return this.#alive().filter(({ key }) => key !== above && isWithin(key, above))
  }

  #alive(): Lock[] {
    const now = this.#now()
    for (const lock of this.#locks.values()) if (lock.until <= now) this.release(lock)
    return [...this.#locks.values()]
  }
}

function isLocked({ path, author }: Lock, condition: string): Refusal {
  const href = `<D:href>${hrefOf(path, false)}</D:href>`
  return new Refusal(423, `"${path}" is locked by ${author}.`, {
    condition: `<D:${condition}>${href}</D:${condition}>`,
  })
}
