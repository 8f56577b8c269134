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
  /** Where it was told last. */
  toldOn: ConnectionId | undefined
  /** The text was closed: each server to come is told so, for it may know of the caret by another. */
  closedAt: number | undefined
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
    const toldOn = this.#carets.get(document)?.toldOn
    this.#carets.set(document, { state, dueAt: now, toldOn, closedAt: undefined })
  }

  /**
   * Whoever is in a text that was closed is in it no more. `closedOn`: the connection on which the server
   * was told to close it, which says for itself that a caret is gone that it heard there.
   */
  forget(
    now: number,
    isFollowed: (document: string) => boolean,
    closedOn: (document: string) => ConnectionId | undefined,
  ): void {
    for (const [document, { toldOn, closedAt }] of this.#carets) {
      if (isFollowed(document)) continue
      if (closedAt === undefined) this.#clock += leap
      // By then nobody knows of it any more.
      const isOver = toldOn === undefined || now - (closedAt ?? now) > caretLifeMs
      if (isOver) this.#carets.delete(document)
      else if (closedAt === undefined) {
        const dueAt = toldOn === closedOn(document) ? Infinity : now
        this.#carets.set(document, { state: '', dueAt, toldOn, closedAt: now })
      }
    }
  }

  /** Another server: all is told again. */
  restart(now: number): void {
    if (this.#carets.size > 0) this.#clock += leap
    for (const caret of this.#carets.values()) caret.dueAt = now
  }

  /** Tells what is due in documents that are open on this connection, or closed. */
  advance(now: number, connection: ConnectionId, isOpen: (document: string) => boolean): void {
    for (const [document, caret] of this.#due(now, isOpen)) {
      if (now < this.#sentAt + pauseMs) return
      this.#sentAt = now
      caret.dueAt = nextAt(now, caret.state)
      caret.toldOn = connection
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

  /** Where the person is goes before where she was. */
  #due(now: number, isOpen: (document: string) => boolean): [string, OwnCaret][] {
    const due = [...this.#carets].filter(
      ([document, caret]) => caret.dueAt <= now && mayTell(document, caret, isOpen),
    )
    return due.sort(([, one], [, other]) => Number(isClosed(one)) - Number(isClosed(other)))
  }

  dueAt(isOpen: (document: string) => boolean): number {
    let at = Infinity
    for (const [document, caret] of this.#carets) {
      if (mayTell(document, caret, isOpen)) at = Math.min(at, caret.dueAt)
    }
    return Math.max(at, this.#sentAt + pauseMs)
  }
}

function mayTell(
  document: string,
  caret: OwnCaret,
  isOpen: (document: string) => boolean,
): boolean {
  return isClosed(caret) || isOpen(document)
}

function isClosed({ closedAt }: OwnCaret): boolean {
  return closedAt !== undefined
}

function nextAt(now: number, state: string): number {
  return state === '' ? Infinity : now + caretLifeMs / 3
}
