// Where callers come from, and how many sessions each address has.

import type { IncomingMessage } from 'node:http'
import { isIP, SocketAddress } from 'node:net'

/** Stands for whoever calls over a Unix socket, in a list of proxies. */
export const unixCallers = 'unix'

/** Tells the address of a caller, also behind proxies that the operator listed. */
export class Addresses {
  readonly #proxies: ReadonlySet<string>

  /** `proxies` are numbers of hosts, or `unixCallers`. */
  constructor(proxies: readonly string[] = []) {
    this.#proxies = new Set(proxies.map((proxy) => plainAddress(proxy)))
  }

  /**
   * The number of the host from which a request comes; '' over a Unix socket. What X-Forwarded-For
   * says counts only as far as listed proxies wrote it: anybody can send such a header.
   */
  of(request: IncomingMessage): string {
    const nearest = plainAddress(request.socket.remoteAddress ?? unixCallers)
    const forwarded = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((text) => plainAddress(text.trim()))
    let address = nearest
    while (this.#proxies.has(address)) {
      const before = forwarded.pop()
      if (before === undefined || isIP(before) === 0) break
      address = before
    }
    return address === unixCallers ? '' : address
  }
}

/** The sessions at one server by where they come from. */
export class AddressCounts {
  readonly #most: number
  readonly #byNetwork = new Map<string, number>()

  /** `most` for one address. */
  constructor(most: number) {
    this.#most = most
  }

  /** Counts one more, if it may be. Each that was counted has to `leave`. */
  enter(address: string): boolean {
    if (isThisMachine(address)) return true
    const network = networkOf(address)
    const count = this.#byNetwork.get(network) ?? 0
    if (count >= this.#most) return false
    this.#byNetwork.set(network, count + 1)
    return true
  }

  leave(address: string): void {
    if (isThisMachine(address)) return
    const network = networkOf(address)
    const count = this.#byNetwork.get(network)! - 1
    if (count > 0) this.#byNetwork.set(network, count)
    else this.#byNetwork.delete(network)
  }
}

/** Whether only a program of this machine can come from it. */
function isThisMachine(address: string): boolean {
  return address === '' || address === '::1' || address.startsWith('127.')
}

/** Whose an address is: one household or machine has 2^64 addresses of IPv6 to choose from. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':')
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':')
    while (groups.length + last.length < 8) groups.push('0')
    groups.push(...last)
  }
  return groups.slice(0, 4).join(':')
}

// A socket for both families tells IPv4 in the words of IPv6; zones name a port of this machine.
function plainAddress(text: string): string {
  const [number = ''] = text.split('%')
  if (isIP(number) !== 6) return number
  const { address } = new SocketAddress({ family: 'ipv6', address: number.toLowerCase() })
  return address.replace(/^::ffff:(?=\d+\.)/, '')
}
