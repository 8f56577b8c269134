// When the loops of a simulated process take their turns, as those of the runtime and its engine do.

import { busyTickMs } from '../src/core/model/limits.ts'
import type { Timeline } from './timeline.ts'

/** Not that of real servers (400): the kept schedules found what they found with this one. */
const idleTickMs = 150
/** What arrives within this is one turn. */
const turnMs = 0.1

interface Turning {
  turn(now: number): void
}

export interface TurnsOptions {
  timeline: Timeline
  /** What the clock of the process says. */
  now: () => number
  /** Whether the process is over, or frozen. */
  isStopped: () => boolean
}

/** The turns of all loops of one process. */
export class Turns {
  readonly #options: TurnsOptions
  /** Turns that follow the present one at once. */
  readonly #following: Turning[] = []

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  get isStopped(): boolean {
    return this.#options.isStopped()
  }

  /** Happens also when the process is frozen by then: whoever asks looks at `isStopped`. */
  after(ms: number, action: () => void): void {
    this.#options.timeline.after(ms, action)
  }

  /** A turn of this loop belongs to the one at hand: it comes at its end. */
  follow(loop: Turning): void {
    this.#following.push(loop)
  }

  /** A turn, and those that it made follow. */
  turn(loop: Turning): void {
    const { now } = this.#options
    loop.turn(now())
    for (let next = this.#following.shift(); next; next = this.#following.shift()) next.turn(now())
  }
}

export interface LoopOptions<Input> {
  turns: Turns
  /** What is put at the end of a turn, and when time passes. */
  settle: Input
  tick: Input
  take: (now: number, inputs: Input[]) => void
  isBusy: () => boolean
}

/** Gather, step, perform: one mind's inbox, a turn at a time. */
export class Loop<Input> implements Turning {
  readonly #options: LoopOptions<Input>
  #inbox: Input[] = []
  #isScheduled = false
  #isNext = false
  /** Counts the timers set: only the newest one is heard. */
  #tickNumber = 0
  #tickMs = 0

  constructor(options: LoopOptions<Input>) {
    this.#options = options
  }

  /** It is taken with what else arrives within a moment. */
  put(input: Input): void {
    this.#inbox.push(input)
    this.schedule()
  }

  /** For the turn that follows the present one at once. */
  putNext(input: Input): void {
    this.#inbox.push(input)
    if (this.#isNext) return
    this.#isNext = true
    this.#options.turns.follow(this)
  }

  /** Plans a turn for what waits; also after one fell due while the process was frozen. */
  schedule(): void {
    if (this.#isScheduled || this.#inbox.length === 0) return
    this.#isScheduled = true
    this.#options.turns.after(turnMs, () => {
      this.#isScheduled = false
      this.#options.turns.turn(this)
    })
  }

  turn(now: number): void {
    const { turns, take, settle, isBusy } = this.#options
    this.#isNext = false
    if (turns.isStopped || this.#inbox.length === 0) return
    const inputs = this.#inbox
    this.#inbox = []
    take(now, [...inputs, settle])
    if (isBusy() && this.#tickMs > busyTickMs) this.tickIn(busyTickMs)
  }

  /** Lets time pass after so long, and from then on again and again; the last call counts. */
  tickIn(ms: number): void {
    const { turns, tick, isBusy } = this.#options
    const number = ++this.#tickNumber
    this.#tickMs = ms
    turns.after(ms, () => {
      if (number !== this.#tickNumber || turns.isStopped) return
      this.#inbox.push(tick)
      turns.turn(this)
      this.tickIn(isBusy() ? busyTickMs : idleTickMs)
    })
  }
}
