// Whether files that turn up were made from texts that vanished: read, compared, and remembered.

import { isMadeFrom } from '../../core/mirror/kin.ts'
import type { Common } from '../../core/mirror/messages.ts'
import type { MirrorDirectory } from '../../adapters/mirror/directory.ts'
import type { Found } from '../../adapters/mirror/look.ts'
import type { MirrorStore } from '../../adapters/mirror/store.ts'

/** Of a longer text a comparison takes too long to be made between a look and a plan. */
const comparedBytesMax = 256 * 1024
/** Answers that are remembered, since every plan asks again. */
const rememberedMax = 10_000

export class Kinship {
  readonly #directory: MirrorDirectory
  readonly #store: MirrorStore
  readonly #answers = new Map<string, boolean>()

  constructor({ directory, store }: { directory: MirrorDirectory; store: MirrorStore }) {
    this.#directory = directory
    this.#store = store
  }

  isMadeFrom(known: Common, item: Found): boolean {
    const key = `${known.version} ${item.version}`
    const before = this.#answers.get(key)
    if (before !== undefined) return before
    if (this.#answers.size >= rememberedMax) this.#answers.clear()
    const answer = this.#compare(known, item)
    this.#answers.set(key, answer)
    return answer
  }

  #compare({ id }: Common, item: Found): boolean {
    if (!item.stamp || item.stamp.size > comparedBytesMax) return false
    const before = this.#store.text(id)
    if (before === undefined || before.length > comparedBytesMax) return false
    try {
      const text = this.#directory.text(item)
      return text !== undefined && isMadeFrom(text, before)
    } catch {
      // Why it cannot be read is told by who looks or reads next.
      return false
    }
  }
}
