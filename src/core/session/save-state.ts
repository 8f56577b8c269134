// What is told to a person about their edits: true, and calm. Getting worse waits, better is instant.

import { localAfterMs, savingAfterMs } from '../model/limits.ts'

/** What is true of this person's edits. `waiting`: edits that no server is known to hold. */
export type SaveState =
  /** The last edit is on `servers`, `of` are configured. isThin: fewer than the safe count. */
  | { name: 'saved'; servers: string[]; of: number; isThin: boolean }
  /** Edits wait for an answer for longer than `savingAfterMs`, the oldest since `since`. */
  | { name: 'saving'; waiting: number; since: number }
  /** No server for `localAfterMs`. */
  | { name: 'local'; waiting: number; since: number }
  /** Turned away: the edits here will not be taken. */
  | { name: 'ended'; waiting: number; why: string }

/** What a save state is made of. */
export interface SaveFacts {
  /** Edits that no server holds, and since when the oldest waits. */
  waiting: { count: number; since: number }
  /** Without a server since; undefined: there is one. */
  offlineSince: number | undefined
  /** Why this client, or one of its documents, was turned away. */
  refused: string | undefined
  /** The servers that hold the last edits, apart from those that wait; undefined: not known yet. */
  servers: string[] | undefined
  /** When the first of these edits was made that fewer than so many servers hold; -Infinity: there is none. */
  lackedSince: (count: number) => number
  /** How many servers there are, and how many are enough. */
  of: number
  safeCount: number
}

const nothingKnown: SaveState = { name: 'saved', servers: [], of: 0, isThin: false }

export class SaveWatch {
  #shown = nothingKnown
  /** Since when another number of servers hold the last edits than is shown. */
  #newsSince: number | undefined
  #nextAt = Infinity

  get shown(): SaveState {
    return this.#shown
  }

  /** When to look again though nothing happened. */
  get nextAt(): number {
    return this.#nextAt
  }

  look(now: number, facts: SaveFacts): void {
    this.#nextAt = Infinity
    const next = this.#next(now, facts)
    if (!isSame(this.#shown, next)) this.#shown = next
  }

  #next(now: number, facts: SaveFacts): SaveState {
    const { waiting, offlineSince, refused } = facts
    if (refused !== undefined) return { name: 'ended', waiting: waiting.count, why: refused }
    if (offlineSince !== undefined) {
      if (now >= offlineSince + localAfterMs) {
        return { name: 'local', waiting: waiting.count, since: offlineSince }
      }
      this.#lookAt(offlineSince + localAfterMs)
    }
    if (waiting.count > 0) {
      if (now >= waiting.since + savingAfterMs) {
        return { name: 'saving', waiting: waiting.count, since: waiting.since }
      }
      this.#lookAt(waiting.since + savingAfterMs)
    }
    return this.#saved(now, facts)
  }

  #saved(now: number, facts: SaveFacts): SaveState {
    const { waiting, offlineSince, servers, of, safeCount } = facts
    const shown = this.#shown
    if (!servers) return shown.name === 'saved' ? shown : nothingKnown
    const next: SaveState = { name: 'saved', servers, of, isThin: servers.length < safeCount }
    // Nothing is learned without a server; what was learned before is shown when it is time.
    const isNews = this.#newsSince !== undefined
    if (offlineSince !== undefined && shown.name === 'saved' && !isNews) return shown
    const isAtOnce =
      shown.name !== 'saved' || shown.of !== of || isCertain(shown.servers, servers, waiting.count)
    if (!isAtOnce) {
      this.#newsSince ??= now
      // Of who types there are always letters that are not everywhere yet: none of them for that long.
      const since = Math.max(this.#newsSince, facts.lackedSince(shown.servers.length))
      if (now < since + savingAfterMs) {
        this.#lookAt(since + savingAfterMs)
        return shown
      }
    }
    this.#newsSince = undefined
    return next
  }

  #lookAt(at: number): void {
    this.#nextAt = Math.min(this.#nextAt, at)
  }
}

/** Whether it may be shown at once: as many servers, or more that hold everything. */
function isCertain(shown: readonly string[], next: readonly string[], waiting: number): boolean {
  return next.length === shown.length || (next.length > shown.length && waiting === 0)
}

function isSame(a: SaveState, b: SaveState): boolean {
  if (a.name === 'saved' && b.name === 'saved') {
    const hasSameServers = a.servers.join() === b.servers.join()
    return hasSameServers && a.of === b.of && a.isThin === b.isThin
  }
  if (a.name === 'ended' && b.name === 'ended') return a.waiting === b.waiting && a.why === b.why
  if (a.name === 'saved' || b.name === 'saved' || a.name === 'ended' || b.name === 'ended') {
    return false
  }
  return a.name === b.name && a.waiting === b.waiting && a.since === b.since
}
