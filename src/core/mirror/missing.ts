// When it is believed that something is missing on the disk.

import type { OnDisk } from './messages.ts'

/**
 * It is when it is not there so much later either: programs take files away and put them back, and what
 * is moved while a look goes on may be seen in neither place.
 */
const missingMs = 400
/**
 * A look in which directories changed proves nothing, and is made again; but for so many in a row, since
 * some programs never rest. What is there and moves is not missed by every one of them.
 */
const tornMax = 8

export interface Looked {
  expected: Iterable<string>
  items: { has(each: string): boolean }
  isTorn: () => boolean
}

type Signed = Pick<OnDisk, 'path' | 'kind' | 'identity'>

/**
 * By what it is known that something is there: its path, and of a directory what it is. While two of them
 * change places a look may find one at both paths.
 */
export function* signsOf(items: Iterable<Signed>): Generator<string> {
  for (const { path, kind, identity } of items) {
    yield path
    if (kind === 'directory') yield identity
  }
}

/** The same of a look, by path, without a copy of all its paths. */
export function signsIn(items: ReadonlyMap<string, Signed>): Looked['items'] {
  const directories = [...items.values()].filter(({ kind }) => kind === 'directory')
  const identities = new Set(directories.map(({ identity }) => identity))
  return { has: (each) => items.has(each) || identities.has(each) }
}

export class Missing {
  #lookedAt: number | undefined
  /** When something was missing for the first time. */
  #vanishedAt = -Infinity
  #torn = 0
  #lacking = new Set<string>()

  /**
   * A look that began at `now`. `expected`: signs of what was seen by the look before, or was put there
   * since. `isTorn`: whether directories changed meanwhile; asked of a look that would confirm what is
   * missing.
   */
  looked(now: number, { expected, items, isTorn }: Looked): void {
    const wouldConfirm = !this.isBelieved && now >= this.sureAt
    const lacking = new Set<string>()
    for (const each of expected) if (!items.has(each)) lacking.add(each)
    const isNew = [...lacking].some((each) => !this.#lacking.has(each))
    this.#lacking = lacking
    if (isNew || this.#lookedAt === undefined) {
      this.#vanishedAt = now
      this.#torn = 0
    } else if (wouldConfirm && this.#torn < tornMax && isTorn()) {
      this.#vanishedAt = now
      this.#torn++
    }
    this.#lookedAt = now
  }

  /** Whatever is missing has been missing for long enough. */
  get isBelieved(): boolean {
    return this.#lookedAt !== undefined && this.#lookedAt >= this.#vanishedAt + missingMs
  }

  /** When a look may confirm it; Infinity: there is nothing to confirm. */
  get sureAt(): number {
    return this.isBelieved ? Infinity : this.#vanishedAt + missingMs
  }
}
