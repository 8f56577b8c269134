// Files that the mirror took out of their places: gone after a while, unless somebody who still had
// one open wrote into it.
//
// It is looked at soon, because a program that writes again by its path must not come before what it
// wrote here; and again as long as something comes. An empty one is kept for as long as a program may
// take to fill it: that it was emptied says nothing of the file that is in its place.

import { changeOf, earlierLifeMs } from '../../core/mirror/base-choice.ts'
import { asidePath } from '../../core/mirror/paths.ts'
import { decoded, hash } from '../../adapters/mirror/look.ts'
import type { MirrorDirectory } from '../../adapters/mirror/directory.ts'
import { isSameContent } from '../../adapters/mirror/open-directory.ts'
import type { Displaced, MirrorStore, Stamp } from '../../adapters/mirror/store.ts'
import type { Rescued } from './outgoing.ts'

/** Somebody may still write into a file that was open when it was replaced, or when it last changed. */
const displacedMs = 3000
/** What was written at the moment of the replacement is there by then. */
const soonMs = 500
/** What changed less than this ago may not be whole. */
const restMs = 300
/** A long-empty one is looked at so often; before that, as often as its age says. */
const emptyLookMs = 10_000

export interface DisplacedOptions {
  directory: MirrorDirectory
  store: MirrorStore
  host: string
  /** Text that came into a file after it was replaced. */
  rescue: (late: Rescued) => void
}

interface Watched {
  displaced: Displaced
  lookAt: number
  /** It goes then, when nothing came; an empty one later. */
  goesAt: number
  emptyGoesAt: number
}

export class DisplacedFiles {
  readonly #options: DisplacedOptions
  readonly #all = new Map<string, Watched>()

  constructor(options: DisplacedOptions) {
    this.#options = options
    for (const displaced of options.store.displaced()) this.#watch(displaced)
  }

  get all(): Displaced[] {
    return [...this.#all.values()].map(({ displaced }) => displaced)
  }

  get nextAt(): number {
    return Math.min(Infinity, ...[...this.#all.values()].map(({ lookAt }) => lookAt))
  }

  add(displaced: Displaced): void {
    this.#options.store.addDisplaced(displaced)
    this.#watch(displaced)
  }

  forget(file: string): void {
    this.#options.store.removeDisplaced(file)
    this.#all.delete(file)
  }

  #watch(displaced: Displaced): void {
    const now = performance.now()
    const [goesAt, emptyGoesAt] = [now + displacedMs, now + earlierLifeMs]
    this.#all.set(displaced.file, { displaced, lookAt: now + soonMs, goesAt, emptyGoesAt })
  }

  /** Looks at those whose time has come, or at all. */
  settle({ isLast }: { isLast: boolean }): void {
    const now = performance.now()
    for (const watched of [...this.#all.values()]) {
      if (isLast) this.#settle(watched.displaced, 'last')
      else if (watched.lookAt <= now) this.#look(watched, now)
    }
  }

  #look(watched: Watched, now: number): void {
    const { displaced, goesAt, emptyGoesAt } = watched
    const there = this.#options.directory.stateAt(displaced.file)?.stamp
    const isEmpty = there?.size === 0 && !displaced.isRemoval
    const isOver = now >= (isEmpty ? emptyGoesAt : goesAt)
    const isChanged = there && !isEmpty && !isSameContent(displaced.stamp, there)
    const isResting = there && Date.now() - Number(there.changedNs / 1_000_000n) >= restMs
    watched.lookAt = Math.max(now + soonMs, goesAt)
    if (isChanged && !isResting) watched.lookAt = now + restMs
    else if (isEmpty) {
      const ageMs = now - (goesAt - displacedMs)
      watched.lookAt = now + Math.min(emptyLookMs, Math.max(soonMs, ageMs / 2))
    }
    if (isOver) this.#settle(displaced, 'over')
    else if (isChanged && isResting) this.#settle(displaced, 'early')
  }

  #settle(displaced: Displaced, time: 'early' | 'over' | 'last'): void {
    const { directory } = this.#options
    const there = directory.stateAt(displaced.file)?.stamp
    // That it was emptied here says nothing of the file that is in its place.
    const isEmptied = there?.size === 0 && !displaced.isRemoval
    if (there && !isEmptied && !directory.isStill(displaced.file, displaced)) {
      const isSaved = this.#rescue(displaced, there)
      // It is watched anew.
      if (isSaved && time !== 'last') return
      if (!isSaved && (time === 'early' || !this.#keep(displaced))) return
    }
    if (time === 'early') return
    directory.discard(displaced.file)
    this.forget(displaced.file)
  }

  /** Saves a text that came into it, which is watched further. False: it is none, or made from none. */
  #rescue(displaced: Displaced, stamp: Stamp): boolean {
    const { directory, store, rescue } = this.#options
    const { file, id, path, isRemoval } = displaced
    const bytes = isRemoval ? undefined : directory.bytesAt(file)
    const text = bytes && decoded(bytes)
    const earlier = store.earlier(id)
    const at = earlier.findIndex(({ version }) => version === displaced.version)
    const base = earlier[at]
    if (text === undefined || !base) return false
    // Who wrote into it may have read one of before.
    const older = earlier.slice(at + 1)
    const change = changeOf(text, base.text, older, base.replacedAt)
    const written = { ...displaced, version: hash(text), stamp }
    store.together(() => {
      rescue({ id, path, text, change })
      // Who wrote it may change it next.
      store.addEarlier(id, { version: written.version, text, replacedAt: Date.now() })
      store.addDisplaced(written)
    })
    this.#watch(written)
    return true
  }

  /** Nobody knows what it was made from: it becomes a file of its own. False: not at the moment. */
  #keep({ file, path, isRemoval }: Displaced): boolean {
    const { directory, host } = this.#options
    if (isRemoval && directory.putBack(file, path)) return true
    const isTaken = (aside: string) => directory.identityAt(aside) !== undefined
    return directory.putBack(file, asidePath(path, host, isTaken))
  }
}
