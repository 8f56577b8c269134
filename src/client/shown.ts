// Which entries of the folder a program shows, and how much of each: as much as any of its parts asks.

import { FourfoldError } from '../core/model/errors.ts'
import { shownMax } from '../core/model/limits.ts'
import { Extent } from '../core/model/wire.ts'

interface Users {
  alone: number
  open: number
}

export class Shown {
  readonly #users = new Map<string, Users>()
  readonly #changed: (entry: string, extent: Extent) => void

  /** `changed`: more or less of an entry is shown from here on. */
  constructor(changed: (entry: string, extent: Extent) => void) {
    this.#changed = changed
  }

  /**
   * One more user of an entry; empty: the top. Returns the function that ends it.
   * @throws FourfoldError too-large
   */
  show(entry: string, extent: keyof Users): () => void {
    const users = this.#users.get(entry) ?? { alone: 0, open: 0 }
    if (extentOf(users) === Extent.UNSPECIFIED && this.#users.size >= shownMax) {
      const text = `At most ${shownMax} files and directories can be shown at once; close some.`
      throw new FourfoldError('too-large', text)
    }
    this.#users.set(entry, users)
    this.#alter(entry, users, extent, 1)
    let isOver = false
    return () => {
      if (!isOver) this.#alter(entry, users, extent, -1)
      isOver = true
    }
  }

  #alter(entry: string, users: Users, extent: keyof Users, by: number): void {
    const before = extentOf(users)
    users[extent] += by
    const now = extentOf(users)
    if (now === Extent.UNSPECIFIED) this.#users.delete(entry)
    if (now !== before) this.#changed(entry, now)
  }
}

function extentOf({ alone, open }: Users): Extent {
  if (open > 0) return Extent.OPEN
  return alone > 0 ? Extent.ALONE : Extent.UNSPECIFIED
}
