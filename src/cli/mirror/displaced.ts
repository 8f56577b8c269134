// Files that the mirror took out of their places: gone after a while, unless somebody who still had
// one open wrote into it.

import { baseOf } from '../../core/mirror/base-choice.ts'
import { asidePath } from '../../core/mirror/paths.ts'
import { decoded } from '../../adapters/mirror/look.ts'
import type { MirrorDirectory } from '../../adapters/mirror/directory.ts'
import type { Displaced, MirrorStore } from '../../adapters/mirror/store.ts'

/** Somebody may still write into a file that was open when it was replaced. */
const displacedMs = 3000

export interface DisplacedOptions {
  directory: MirrorDirectory
  store: MirrorStore
  host: string
  /** Text that came into a file after it was replaced. */
  rescue: (late: { id: string; path: string; text: string; base: string }) => void
}

export class DisplacedFiles {
  readonly #options: DisplacedOptions
  readonly #all = new Map<string, { displaced: Displaced; lookAt: number }>()

  constructor(options: DisplacedOptions) {
    this.#options = options
    for (const displaced of options.store.displaced()) this.#watch(displaced, 0)
  }

  get all(): Displaced[] {
    return [...this.#all.values()].map(({ displaced }) => displaced)
  }

  get nextAt(): number {
    return Math.min(Infinity, ...[...this.#all.values()].map(({ lookAt }) => lookAt))
  }

  add(displaced: Displaced): void {
    this.#options.store.addDisplaced(displaced)
    this.#watch(displaced, displacedMs)
  }

  forget(file: string): void {
    this.#options.store.removeDisplaced(file)
    this.#all.delete(file)
  }

  #watch(displaced: Displaced, afterMs: number): void {
    const lookAt = performance.now() + afterMs
    this.#all.set(displaced.file, { displaced, lookAt })
  }

  /** Looks at those whose time has come, or at all. */
  settle({ isLast }: { isLast: boolean }): void {
    const now = performance.now()
    for (const { displaced, lookAt } of [...this.#all.values()]) {
      if (isLast || lookAt <= now) this.#settle(displaced)
    }
  }

  #settle(displaced: Displaced): void {
    const { directory } = this.#options
    const { file } = displaced
    const isThere = directory.identityAt(file) !== undefined
    if (isThere && !directory.isStill(file, displaced) && !this.#save(displaced)) return
    directory.discard(file)
    this.forget(file)
  }

  /** False: not at the moment. */
  #save({ file, id, path, version, isRemoval }: Displaced): boolean {
    const { directory, store, rescue, host } = this.#options
    const bytes = directory.bytesAt(file)
    const text = bytes && decoded(bytes)
    const earlier = store.earlier(id)
    const at = earlier.findIndex((each) => each.version === version)
    const base = earlier[at]
    if (!isRemoval && text !== undefined && base) {
      // Who wrote into it may have read one of before.
      const older = earlier.slice(at + 1)
      rescue({ id, path, text, base: baseOf(text, base.text, older, base.replacedAt) })
      return true
    }
    // Nobody knows what it was made from: it becomes a file of its own.
    if (isRemoval && directory.putBack(file, path)) return true
    const isTaken = (aside: string) => directory.identityAt(aside) !== undefined
    return directory.putBack(file, asidePath(path, host, isTaken))
  }
}
