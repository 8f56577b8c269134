// Marks: points in what this server has stored, and how far along them each replica's disk is.

import { assert } from '../model/errors.ts'
import type { Origin } from '../model/ids.ts'
import type { Mark } from '../ports.ts'
import { missing, raise, type VersionVector } from '../model/version-vector.ts'

/** So many marks are told apart; older ones count as one. Ten minutes of 16 commits a second. */
const marksMax = 10_000

interface Step {
  mark: Mark
  at: number
  /** The logs that advanced with this mark; of the first step: the whole vector. */
  changed: VersionVector
}

/**
 * The version vector of this server as a list of steps. A replica covers a mark when its own vector
 * has all that the steps up to it changed: because the vector only grows, each step is looked at
 * once per replica, and a receipt costs no comparison of whole vectors.
 */
export class Marks {
  readonly #steps: Step[]

  /** `held`: all that is stored. */
  constructor(now: number, held: VersionVector) {
    this.#steps = [{ mark: 1, at: now, changed: new Map(held) }]
  }

  /** The newest mark. */
  get last(): Mark {
    return this.#steps.at(-1)!.mark
  }

  /** Adds a mark for logs that advanced. */
  add(now: number, changed: VersionVector): Mark {
    const mark = this.last + 1
    this.#steps.push({ mark, at: now, changed })
    if (this.#steps.length > marksMax) this.#dropFirst()
    return mark
  }

  /** The highest mark that a vector covers, when `known` is covered already; 0: none. */
  covered(vector: VersionVector, known: Mark): Mark {
    let mark = known
    for (let index = this.#indexAfter(known); index < this.#steps.length; index++) {
      const step = this.#steps[index]!
      for (const [origin, seq] of step.changed) {
        if ((vector.get(origin) ?? 0) < seq) return mark
      }
      mark = step.mark
    }
    return mark
  }

  /** When the first mark after this one was given; undefined when it is the last. */
  waitingSince(known: Mark): number | undefined {
    return this.#steps[this.#indexAfter(known)]?.at
  }

  /** Forgets the difference between marks that every connected replica covers. */
  forgetUpTo(mark: Mark): void {
    while (this.#steps.length > 1 && this.#steps[1]!.mark <= mark) this.#dropFirst()
  }

  /**
   * What is held beyond these logs, up to there, was said again in another log: instead of what nobody
   * may have any more, that is what others must have.
   */
  restate(upTo: VersionVector, vector: VersionVector, said: [Origin, number]): void {
    for (const { changed } of this.#steps) {
      const beyond = [...missing(vector, changed)]
      const restated = beyond.filter(([origin, seq]) => seq <= (upTo.get(origin) ?? 0))
      for (const [origin] of restated) changed.set(origin, vector.get(origin) ?? 0)
      if (restated.length > 0) raise(changed, [said])
    }
  }

  #indexAfter(mark: Mark): number {
    return Math.max(0, mark - this.#steps[0]!.mark + 1)
  }

  // The first step always stands for the whole vector up to it.
  #dropFirst(): void {
    const [first, second] = this.#steps
    assert(first && second, 'marks keep their last step')
    raise(first.changed, second.changed)
    second.changed = first.changed
    this.#steps.shift()
  }
}
