// Those who wait for a turn, in rounds: one of each network, and of a network one of each connection. So
// it does not matter to others how much somebody asks at once.

/** Where somebody waits. */
export interface Place {
  network: string
  connection: object
}

/** Of one network, by connection; who had a turn last is the last. */
interface Waiting<T> {
  connections: Map<object, T[]>
  count: number
}

export class Rounds<T> {
  /** Who had a turn last is the last. */
  readonly #networks = new Map<string, Waiting<T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add({ network, connection }: Place, item: T): void {
    const waiting = this.#networks.get(network) ?? { connections: new Map(), count: 0 }
    this.#networks.set(network, waiting)
    const items = waiting.connections.get(connection)
    if (items) items.push(item)
    else waiting.connections.set(connection, [item])
    waiting.count++
    this.#size++
  }

  /** Takes out whose turn it is. */
  next(): T | undefined {
    for (const [network, waiting] of this.#networks) {
      for (const connection of waiting.connections.keys()) {
        const item = this.#take({ network, connection }, (items) => items.shift()!)
        // Behind all others, with what is left of it.
        toEnd(waiting.connections, connection)
        toEnd(this.#networks, network)
        return item
      }
    }
    return undefined
  }

  /**
   * Takes out the last of those who have the most waiting, to make room for one more at `place`.
   * Undefined where `place` would then have as much waiting as they.
   */
  yields(place: Place): T | undefined {
    const network = most(this.#networks, ({ count }) => count)
    if (network === undefined) return undefined
    const own = this.#networks.get(place.network)
    const { connections, count } = this.#networks.get(network)!
    const connection = most(connections, ({ length }) => length)!
    const isOwn = network === place.network
    const theirs = isOwn ? connections.get(connection)!.length : count
    const ours = (isOwn ? own?.connections.get(place.connection)?.length : own?.count) ?? 0
    if (theirs <= ours + 1) return undefined
    return this.#take({ network, connection }, (items) => items.pop()!)
  }

  #take({ network, connection }: Place, taking: (items: T[]) => T): T {
    const waiting = this.#networks.get(network)!
    const items = waiting.connections.get(connection)!
    const item = taking(items)
    this.#size--
    if (items.length === 0) waiting.connections.delete(connection)
    if (--waiting.count === 0) this.#networks.delete(network)
    return item
  }
}

/** Puts a key behind the others, if it is there. */
function toEnd<K, V>(map: Map<K, V>, key: K): void {
  const value = map.get(key)
  if (value === undefined) return
  map.delete(key)
  map.set(key, value)
}

/** The key of the largest. */
function most<K, V>(map: Map<K, V>, sizeOf: (value: V) => number): K | undefined {
  let largest: [key: K, size: number] | undefined
  for (const [key, value] of map) {
    const size = sizeOf(value)
    if (!largest || size > largest[1]) largest = [key, size]
  }
  return largest?.[0]
}
