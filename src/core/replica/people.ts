// Who is here, on this server and on the others, and who holds which screen name.

import { create } from '@bufbuild/protobuf'
import type { Origin, ReplicaId, SessionId } from '../model/ids.ts'
import { presenceLifeMs, screenNameMax } from '../model/limits.ts'
import { likeness } from '../model/names.ts'
import { PresenceSchema, type Presence } from '../model/wire.ts'

interface Person {
  session: SessionId
  name: string
  /** What all names have in common that are too like this one. */
  likeness: string
  /** Lamport counter of the claim: the older claim keeps the name. */
  counter: number
  at: ReplicaId
}

/** Claims of screen names. Unique among connected servers; a clash after a partition is settled. */
export class People {
  readonly #here: ReplicaId
  readonly #bySession = new Map<SessionId, Person>()
  // When a server dies, its people come here at once, and each asks for a name among thousands.
  readonly #byLikeness = new Map<string, Set<Person>>()
  readonly #silentSince = new Map<ReplicaId, number>()
  readonly #lives = new Map<ReplicaId, Origin>()
  #counter = 0

  constructor(here: ReplicaId) {
    this.#here = here
  }

  /** The session that holds this name or one too like it, other than those given. */
  holder(name: string, except: readonly SessionId[]): Person | undefined {
    for (const person of this.#namesakes(likeness(name))) {
      if (!except.includes(person.session)) return person
    }
    return undefined
  }

  /** Whether a session has this name already, here or on the server that it comes from. */
  has(session: SessionId, name: string): boolean {
    return this.#bySession.get(session)?.likeness === likeness(name)
  }

  /** A session on this server takes a name; the statement to make to the others. */
  claim(session: SessionId, name: string): Presence {
    const known = this.#bySession.get(session)
    const counter = known?.name === name ? known.counter : ++this.#counter
    this.#put({ session, name, likeness: likeness(name), counter, at: this.#here })
    return presence(session, name, counter, true)
  }

  /** A session left this server; the statement to make, when it was not elsewhere already. */
  leave(session: SessionId): Presence | undefined {
    const person = this.#bySession.get(session)
    if (person?.at !== this.#here) return undefined
    this.#remove(session)
    return presence(session, person.name, person.counter, false)
  }

  /** Everybody on this server, for a server that has just come. */
  here(): Presence[] {
    return [...this.#bySession.values()]
      .filter(({ at }) => at === this.#here)
      .map(({ session, name, counter }) => presence(session, name, counter, true))
  }

  /**
   * Another server's statement. When it shows that two hold one name, the session on this server
   * that has to give way is returned.
   */
  heard(from: ReplicaId, said: Presence): SessionId | undefined {
    const session = said.session as SessionId
    const known = this.#bySession.get(session)
    this.#counter = Math.max(this.#counter, said.counter)
    if (!said.isHere) {
      if (known?.at === from) this.#remove(session)
      return undefined
    }
    // A session that is on this server has left the other one, whatever that still believes.
    if (known?.at === this.#here) return undefined
    const { name, counter } = said
    const other: Person = { session, name, likeness: likeness(name), counter, at: from }
    this.#put(other)
    const mine = this.#twin(other)
    return mine && isOlder(other, mine) ? mine.session : undefined
  }

  /** Whether a session is last known at this server. */
  isAt(session: SessionId, replica: ReplicaId): boolean {
    return this.#bySession.get(session)?.at === replica
  }

  /**
   * Another server is in this life. Who was on it in an earlier one has no channel to it any more:
   * it tells of those who come again.
   */
  met(replica: ReplicaId, life: Origin): void {
    const before = this.#lives.get(replica)
    this.#lives.set(replica, life)
    if (before !== undefined && before !== life) this.#forget(replica)
  }

  /** Another server is silent, or heard again. Its people are forgotten after a while. */
  silent(now: number, replica: ReplicaId, isSilent: boolean): void {
    if (!isSilent) this.#silentSince.delete(replica)
    else if (!this.#silentSince.has(replica)) this.#silentSince.set(replica, now)
  }

  tick(now: number): void {
    for (const [replica, since] of this.#silentSince) {
      if (now - since < presenceLifeMs) continue
      this.#silentSince.delete(replica)
      this.#forget(replica)
    }
  }

  /** A free name for somebody who has to give way: "ana~2", and "ana~3" to who was that already. */
  freeName(before: string): string {
    const name = before.replace(/~\d+$/, '')
    for (let number = 2; ; number++) {
      const suffix = `~${number}`
      const free = [...name].slice(0, screenNameMax - suffix.length).join('') + suffix
      if (!this.holder(free, [])) return free
    }
  }

  #forget(replica: ReplicaId): void {
    for (const person of this.#bySession.values()) {
      if (person.at === replica) this.#remove(person.session)
    }
  }

  #twin(other: Person): Person | undefined {
    for (const person of this.#namesakes(other.likeness)) {
      if (person.at === this.#here) return person
    }
    return undefined
  }

  #namesakes(key: string): Iterable<Person> {
    return this.#byLikeness.get(key) ?? []
  }

  #put(person: Person): void {
    this.#remove(person.session)
    this.#bySession.set(person.session, person)
    const namesakes = this.#byLikeness.get(person.likeness)
    if (namesakes) namesakes.add(person)
    else this.#byLikeness.set(person.likeness, new Set([person]))
  }

  #remove(session: SessionId): void {
    const person = this.#bySession.get(session)
    if (!person) return
    this.#bySession.delete(session)
    const namesakes = this.#byLikeness.get(person.likeness)
    namesakes?.delete(person)
    if (namesakes?.size === 0) this.#byLikeness.delete(person.likeness)
  }
}

function isOlder(a: Person, b: Person): boolean {
  return a.counter < b.counter || (a.counter === b.counter && a.session < b.session)
}

function presence(session: SessionId, name: string, counter: number, isHere: boolean): Presence {
  return create(PresenceSchema, { session, name, counter, isHere })
}
