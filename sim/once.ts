// Every operation has one effect (G8): no server carries one out whose effect lies on its disk.

import type { Origin } from '../src/core/model/ids.ts'
import type { VersionVector } from '../src/core/model/version-vector.ts'
import type { Update } from '../src/core/model/wire.ts'

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
