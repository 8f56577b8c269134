// Wrong passwords: who gave too many waits.

import { FourfoldError } from '../../core/model/errors.ts'
import { signInAddressesMax, signInFailuresMax, signInWindowMs } from '../../core/model/limits.ts'
import { networkOf } from '../addresses.ts'

/** Keeps somebody from trying passwords: by address, because names are free to choose. */
export class SignInFailures {
  /** The address that failed last stands last. */
  readonly #failedAt = new Map<string, number[]>()

  /** To be asked before a password is looked at. Throws FourfoldError 'too-large'. */
  check(address: string, now: number): void {
    const recent = this.#recent(address, now)
    if (recent.length < signInFailuresMax) return
    const minutes = Math.ceil((recent[0]! + signInWindowMs - now) / 60_000)
    throw new FourfoldError('too-large', `Too many wrong passwords; try again in ${minutes} min.`)
  }

  add(address: string, now: number): void {
    const network = networkOf(address)
    const failedAt = [...this.#recent(address, now), now]
    this.#failedAt.delete(network)
    this.#failedAt.set(network, failedAt)
    if (this.#failedAt.size <= signInAddressesMax) return
    const [oldest] = this.#failedAt.keys()
    if (oldest !== undefined) this.#failedAt.delete(oldest)
  }

  #recent(address: string, now: number): number[] {
    return (this.#failedAt.get(networkOf(address)) ?? []).filter((at) => now - at < signInWindowMs)
  }
}
