// A set of real servers on a network of our own, which can be parted: every server reaches every other
// through a relay of its own, and clients learn of the others by these addresses.

import { Fleet } from '../fleet.ts'
import { Relay } from '../relay.ts'

export class PartableSet {
  readonly fleet: Fleet
  /** By the server that calls and the one that is called. */
  readonly #relays: ReadonlyMap<string, Relay>

  private constructor(fleet: Fleet, relays: ReadonlyMap<string, Relay>) {
    this.fleet = fleet
    this.#relays = relays
  }

  static async start(ids?: string[]): Promise<PartableSet> {
    const fleet = await Fleet.create({ ...(ids && { ids }) })
    const relays = new Map<string, Relay>()
    const set = new PartableSet(fleet, relays)
    try {
      for (const from of fleet.ids) {
        const addresses: { [other: string]: string } = {}
        for (const to of fleet.ids.filter((id) => id !== from)) {
          const relay = await Relay.to(fleet.address(to))
          relays.set(`${from}>${to}`, relay)
          addresses[to] = relay.address
        }
        fleet.route(from, addresses)
      }
      await fleet.startAll()
      await fleet.well()
      return set
    } catch (error) {
      await set.end()
      throw error
    }
  }

  /** Servers of different groups hear nothing of each other, and neither do the clients of a group. */
  part(...groups: string[][]): void {
    for (const [way, relay] of this.#relays) {
      const [from, to] = way.split('>') as [string, string]
      if (!groups.some((group) => group.includes(from) && group.includes(to))) relay.cut()
    }
  }

  heal(): void {
    for (const relay of this.#relays.values()) relay.heal()
  }

  async end(): Promise<void> {
    await this.fleet.end()
    for (const relay of this.#relays.values()) relay.close()
  }
}
