// Every operation has one effect (G8): no server carries one out whose effect lies on its disk.

import type { Origin } from '../src/core/model/ids.ts'
import type { VersionVector } from '../src/core/model/version-vector.ts'
import type { PeerMessage, Update } from '../src/core/model/wire.ts'
import type { Batch } from '../src/core/ports.ts'

type Place = Pick<Update, 'origin' | 'seq'>

/** Where operations are in the logs. */
export class Once {
  readonly #places = new Map<string, Place[]>()

  /** An update became durable. */
  kept({ operation, origin, seq }: Update): void {
    if (operation === '') return
    const places = this.#places.get(operation) ?? []
    if (places.every((place) => place.origin !== origin || place.seq !== seq)) {
      this.#places.set(operation, [...places, { origin, seq }])
    }
  }

  /** Whether an operation has its effect on a disk that holds all of this. */
  isDone(operation: string, held: VersionVector): boolean {
    const places = this.#places.get(operation) ?? []
    return places.some(({ origin, seq }) => (held.get(origin as Origin) ?? 0) >= seq)
  }
}

/** The same for what is on its way to the disk of one process: in its queue it stands in order. */
export class OnceInQueue {
  readonly #own: Origin
  #steps = 0
  /** In which step an update came, by its place. */
  readonly #cameAt = new Map<string, number>()
  readonly #askedAt = new Map<string, number>()
  /** Operations of others that are on the disk or before it, and when they came. */
  readonly #others = new Map<string, number>()

  constructor(own: Origin) {
    this.#own = own
  }

  /** The process took in what a peer sent. */
  received({ message }: PeerMessage): void {
    this.#steps++
    if (message.case !== 'updates') return
    for (const { operation, ...place } of message.value.updates) {
      const key = keyOf(place)
      if (operation !== '' && !this.#cameAt.has(key)) this.#cameAt.set(key, this.#steps)
    }
  }

  /** It carries out an operation. */
  asked(operation: string): void {
    this.#askedAt.set(operation, this.#steps)
  }

  /** A batch goes to the disk. Answers the operations that had come when they were carried out. */
  repeated({ updates }: Batch): string[] {
    return updates.flatMap(({ operation, ...place }) => {
      if (operation === '') return []
      if (place.origin !== this.#own) {
        this.#others.set(operation, this.#cameAt.get(keyOf(place)) ?? this.#steps)
        return []
      }
      const cameAt = this.#others.get(operation) ?? Infinity
      return cameAt <= this.#askedAt.get(operation)! ? [operation] : []
    })
  }
}

function keyOf({ origin, seq }: Place): string {
  return `${origin}/${seq}`
}
