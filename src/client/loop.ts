// The loop around a session: what happened goes in, one after the other, what the session says is
// performed in order, and time passes for it as soon as it asks for that.
//
//   program, servers, time ─> inbox ── step ──> outputs ── perform ──> next input ─> … ─> stepped ─> timer

import type { SessionInput, SessionOutput } from '../core/session/messages.ts'
import type { Session } from '../core/session/session.ts'

/** A step that would be due at once waits at least this long: no loop starves the program. */
const stepAfterMsMin = 1
/** Timers of browsers overflow at 24 days. */
const stepAfterMsMax = 3_600_000

export interface LoopOptions {
  /** Performs what one step says. */
  perform: (outputs: SessionOutput[]) => void
  /** All that had happened is stepped. */
  stepped: (session: Session) => void
  /** When something else than the session waits for time to pass; Infinity: nothing does. */
  nextAt: (now: number, session: Session) => number
}

export class Loop {
  readonly #options: LoopOptions
  /** What happened and was not stepped yet: while a step is performed, or before the beginning. */
  readonly #inbox: SessionInput[] = []
  #session: Session | undefined
  #isStepping = false
  #isOver = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: LoopOptions) {
    this.#options = options
  }

  /** Undefined before the beginning. */
  get session(): Session | undefined {
    return this.#session
  }

  /** `first`: what comes before all that happened until now. */
  begin(session: Session, first: readonly SessionInput[]): void {
    this.#session = session
    this.#inbox.unshift(...first)
    this.#run()
  }

  /** Steps do not nest: what a listener does while outputs are performed comes after them. */
  step(...inputs: SessionInput[]): void {
    if (this.#isOver) return
    this.#inbox.push(...inputs)
    this.#run()
  }

  /** Edits of a document that wait for the end of a step, or for the beginning. */
  unstepped(document: string): number {
    return this.#inbox.filter((each) => each.type === 'edited' && each.document === document).length
  }

  /** Nothing more goes in. */
  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  #run(): void {
    const session = this.#session
    if (this.#isStepping || !session) return
    this.#isStepping = true
    try {
      for (let next = this.#inbox.shift(); next; next = this.#inbox.shift()) {
        this.#options.perform(session.step(now(), next))
      }
    } finally {
      this.#isStepping = false
    }
    this.#options.stepped(session)
    this.look()
  }

  /** Plans the next step. To be called when `nextAt` would answer otherwise than after the last one. */
  look(): void {
    const session = this.#session
    if (!session || this.#isOver) return
    const nextAt = Math.min(session.wakeAt, this.#options.nextAt(now(), session))
    clearTimeout(this.#timer)
    if (nextAt === Infinity) return
    const afterMs = Math.min(stepAfterMsMax, Math.max(stepAfterMsMin, nextAt - now()))
    this.#timer = setTimeout(() => this.step({ type: 'tick' }), afterMs)
  }
}

/** Milliseconds since 1970, that never jump: a wall clock set back must not stop any timer. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
