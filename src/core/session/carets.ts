// Where this person is in each document, told often enough and not too often.

import { caretLifeMs, caretsPerSecondMax } from '../model/limits.ts'
import type { SessionId } from '../model/ids.ts'
import type { ConnectionId } from './messages.ts'
import type { Outlet } from './outlet.ts'

/** A little slower than a server allows. */
const pauseMs = Math.ceil(1100 / caretsPerSecondMax)

/** The clock leaps over what a server says in this session's name when that leaves a text or the server. */
const leap = 10

interface OwnCaret {
  state: string
  /** Not told yet: since when; told: to be renewed then. */
  dueAt: number
}

export class Carets {
  readonly #session: SessionId
  readonly #writer: number
  readonly #outlet: Outlet
  readonly #carets = new Map<string, OwnCaret>()
  #sentAt = -Infinity
  /** Of all texts: a text that is opened again goes on where others know it to be. */
  #clock = 0

  constructor(session: SessionId, writer: number, outlet: Outlet) {
    this.#session = session
    this.#writer = writer
    this.#outlet = outlet
  }

  /** `state` empty: the person is not in this document any more. */
  moved(now: number, document: string, state: string): void {
    this.#carets.set(document, { state, dueAt: now })
  }

  forget(isFollowed: (document: string) => boolean): void {
    for (const document of this.#carets.keys()) {
      if (isFollowed(document)) continue
      this.#carets.delete(document)
      this.#clock += leap
    }
  }

  /** Another server: all is told again. */
  restart(now: number): void {
    if (this.#carets.size > 0) this.#clock += leap
    for (const [document, { state }] of this.#carets) {
      this.#carets.set(document, { state, dueAt: now })
    }
  }

  /** Tells what is due in documents that are open on this connection. */
  advance(now: number, connection: ConnectionId, isOpen: (document: string) => boolean): void {
    for (const [document, caret] of this.#carets) {
      if (now < this.#sentAt + pauseMs) return
      if (caret.dueAt > now || !isOpen(document)) continue
      this.#sentAt = now
      this.#carets.set(document, { ...caret, dueAt: nextAt(now, caret.state) })
      const value = {
        $typeName: 'fourfold.v1.Caret' as const,
        document,
        session: this.#session,
        writer: this.#writer,
        clock: ++this.#clock,
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
