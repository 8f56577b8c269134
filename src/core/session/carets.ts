// Where this person is in each document, told often enough and not too often.

import { caretLifeMs, caretsPerSecondMax } from '../model/limits.ts'
import type { SessionId } from '../model/ids.ts'
import type { ConnectionId } from './messages.ts'
import type { Outlet } from './outlet.ts'

/** A little slower than a server allows. */
const pauseMs = Math.ceil(1100 / caretsPerSecondMax)

/** On another server the clock leaps over what the one before says in this session's name. */
const leap = 10

interface OwnCaret {
  state: string
  clock: number
  /** Not told yet: since when; told: to be renewed then. */
  dueAt: number
}

export class Carets {
  readonly #session: SessionId
  readonly #writer: number
  readonly #outlet: Outlet
  readonly #carets = new Map<string, OwnCaret>()
  #sentAt = -Infinity

  constructor(session: SessionId, writer: number, outlet: Outlet) {
    this.#session = session
    this.#writer = writer
    this.#outlet = outlet
  }

  /** `state` empty: the person is not in this document any more. */
  moved(now: number, document: string, state: string): void {
    const clock = this.#carets.get(document)?.clock ?? 0
    this.#carets.set(document, { state, clock, dueAt: now })
  }

  forget(isFollowed: (document: string) => boolean): void {
    for (const document of this.#carets.keys()) {
      if (!isFollowed(document)) this.#carets.delete(document)
    }
  }

  /** Another server: all is told again. */
  restart(now: number): void {
    for (const [document, { state, clock }] of this.#carets) {
      this.#carets.set(document, { state, clock: clock + leap, dueAt: now })
    }
  }

  /** Tells what is due in documents that are open on this connection. */
  advance(now: number, connection: ConnectionId, isOpen: (document: string) => boolean): void {
    for (const [document, caret] of this.#carets) {
      if (now < this.#sentAt + pauseMs) return
      if (caret.dueAt > now || !isOpen(document)) continue
      this.#sentAt = now
      const clock = caret.clock + 1
      this.#carets.set(document, { ...caret, clock, dueAt: nextAt(now, caret.state) })
      const value = {
        $typeName: 'fourfold.v1.Caret' as const,
        document,
        session: this.#session,
        writer: this.#writer,
        clock,
        state: caret.state,
      }
      this.#outlet.send(connection, { case: 'caret', value })
    }
  }

  dueAt(isOpen: (document: string) => boolean): number {
    let at = Infinity
    for (const [document, { dueAt }] of this.#carets) if (isOpen(document)) at = Math.min(at, dueAt)
    return Math.max(at, this.#sentAt + pauseMs)
  }
}

function nextAt(now: number, state: string): number {
  return state === '' ? Infinity : now + caretLifeMs / 3
}
