// Who is here, on this server and on the others, and who holds which screen name.

import { create } from '@bufbuild/protobuf'
import type { DeviceId, Origin, ReplicaId, SessionId } from '../model/ids.ts'
import { presenceLifeMs, screenNameMax } from '../model/limits.ts'
import { likeness } from '../model/names.ts'
import { counted } from '../model/stamps.ts'
import { PresenceSchema, type Presence } from '../model/wire.ts'
import type { ServerView } from '../ports.ts'

interface Person {
  session: SessionId
  /** Sessions of one device are one person with several pages. Empty: not known. */
  device: DeviceId | ''
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
  /**
   * By session, what each server says of it, the latest at the end. One that changes its server is at
   * both for a while: it has its name until each has said that it left.
   */
  readonly #bySession = new Map<SessionId, Map<ReplicaId, Person>>()
  // When a server dies, its people come here at once, and each asks for a name among thousands.
  readonly #byLikeness = new Map<string, Set<Person>>()
  readonly #silentSince = new Map<ReplicaId, number>()
  readonly #met = new Map<ReplicaId, { origin: Origin; channel: number }>()
  /** Who was on a server when a channel to it began, and was not told of over that one yet. */
  readonly #doubts = new Map<ReplicaId, { sessions: Set<SessionId>; since: number }>()
  /** Sessions that are at no server any more, since they were last taken. */
  #gone: SessionId[] = []
  #counter = 0

  constructor(here: ReplicaId) {
    this.#here = here
  }

  /** Somebody who holds this name or one too like it: no session of those given, or of this device. */
  holder(
    name: string,
    except: readonly SessionId[],
    device: DeviceId | '' = '',
  ): Person | undefined {
    for (const person of this.#namesakes(likeness(name))) {
      if (!except.includes(person.session) && !isOf(person, device)) return person
    }
    return undefined
  }

  /** Whether a session has this name already, here or on the server that it comes from. */
  has(session: SessionId, name: string): boolean {
    return this.#claims(session).some((claim) => claim.likeness === likeness(name))
  }

  /** A session on this server takes a name; the statement to make to the others. */
  claim(session: SessionId, name: string, device: DeviceId | '' = ''): Presence {
    const known = this.#claims(session).find((claim) => claim.name === name)
    const counter = (known ?? this.#sibling(name, device))?.counter ?? ++this.#counter
    const person = { session, device, name, likeness: likeness(name), counter, at: this.#here }
    this.#put(person)
    return presence(person, true)
  }

  /** A session left this server; the statement to make, if it was here. */
  leave(session: SessionId): Presence | undefined {
    const person = this.#remove(session, this.#here)
    return person && presence(person, false)
  }

  /** Everybody on this server, for a server that has just come. */
  here(): Presence[] {
    return this.#allAt(this.#here).map((person) => presence(person, true))
  }

  /**
   * Another server's statement. When it shows that two hold one name, the sessions on this server that
   * have to give way are returned.
   */
  heard(from: ReplicaId, said: Presence): SessionId[] {
    const session = said.session as SessionId
    this.#doubts.get(from)?.sessions.delete(session)
    this.#counter = Math.max(this.#counter, counted(said.counter))
    if (!said.isHere) {
      this.#remove(session, from)
      return []
    }
    const { name, counter } = said
    const device = said.device as DeviceId | ''
    const other: Person = { session, device, name, likeness: likeness(name), counter, at: from }
    this.#put(other)
    // A session that is on this server has left the other one, whatever that still believes.
    if (this.isAt(session, this.#here)) return []
    return [...this.#namesakes(other.likeness)]
      .filter((mine) => mine.at === this.#here && !isOf(mine, device) && isOlder(other, mine))
      .map((mine) => mine.session)
  }

  /** Whether a session is at this server, as far as is known: where it came last, but for this one. */
  isAt(session: SessionId, replica: ReplicaId): boolean {
    const claims = this.#bySession.get(session)
    if (!claims) return false
    return replica === (claims.has(this.#here) ? this.#here : [...claims.keys()].at(-1))
  }

  /**
   * Another server is here in this life, over this channel; whether that is a new one. Who was on it in
   * an earlier life has no channel to it any more. Of who left while there was no channel to it nothing
   * came here: it tells of everybody again over the new one, and the others are forgotten after a while.
   */
  met(
    now: number,
    { id, origin, channel }: Pick<ServerView, 'id' | 'origin' | 'channel'>,
  ): boolean {
    if (origin === undefined || channel === undefined) return false
    const before = this.#met.get(id)
    if (before?.channel === channel) return false
    this.#met.set(id, { origin, channel })
    if (before && before.origin !== origin) this.#forget(id)
    else {
      const sessions = new Set(this.#allAt(id).map(({ session }) => session))
      this.#doubts.set(id, { sessions, since: now })
    }
    return true
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
    for (const [replica, { sessions, since }] of this.#doubts) {
      if (now - since < presenceLifeMs) continue
      this.#doubts.delete(replica)
      for (const session of sessions) this.#remove(session, replica)
    }
  }

  /** Who is at no server any more, since the last call. */
  takeGone(): SessionId[] {
    if (this.#gone.length === 0) return []
    const gone = this.#gone.filter((session) => !this.#bySession.has(session))
    this.#gone = []
    return gone
  }

  /** A free name for somebody who has to give way: "ana~2", and "ana~3" to who was that already. */
  freeName(before: string, device: DeviceId | '' = ''): string {
    const name = before.replace(/~\d+$/, '')
    for (let number = 2; ; number++) {
      const suffix = `~${number}`
      const free = [...name].slice(0, screenNameMax - suffix.length).join('') + suffix
      if (!this.holder(free, [], device)) return free
    }
  }

  #forget(replica: ReplicaId): void {
    for (const { session } of this.#allAt(replica)) this.#remove(session, replica)
  }

  #allAt(replica: ReplicaId): Person[] {
    return [...this.#bySession.values()].flatMap((claims) => claims.get(replica) ?? [])
  }

  #claims(session: SessionId): Person[] {
    return [...(this.#bySession.get(session)?.values() ?? [])]
  }

  // What one page of a person was first to have, all of them were.
  #sibling(name: string, device: DeviceId | ''): Person | undefined {
    for (const person of this.#namesakes(likeness(name))) {
      if (person.name === name && isOf(person, device)) return person
    }
    return undefined
  }

  #namesakes(key: string): Iterable<Person> {
    return this.#byLikeness.get(key) ?? []
  }

  #put(person: Person): void {
    const { session, at } = person
    this.#remove(session, at)
    const claims = this.#bySession.get(session)
    if (claims) claims.set(at, person)
    else this.#bySession.set(session, new Map([[at, person]]))
    const namesakes = this.#byLikeness.get(person.likeness)
    if (namesakes) namesakes.add(person)
    else this.#byLikeness.set(person.likeness, new Set([person]))
  }

  #remove(session: SessionId, at: ReplicaId): Person | undefined {
    const claims = this.#bySession.get(session)
    const person = claims?.get(at)
    if (!claims || !person) return undefined
    claims.delete(at)
    if (claims.size === 0) {
      this.#bySession.delete(session)
      this.#gone.push(session)
    }
    const namesakes = this.#byLikeness.get(person.likeness)
    namesakes?.delete(person)
    if (namesakes?.size === 0) this.#byLikeness.delete(person.likeness)
    return person
  }
}

function isOf(person: Person, device: DeviceId | ''): boolean {
  return device !== '' && person.device === device
}

function isOlder(a: Person, b: Person): boolean {
  return a.counter < b.counter || (a.counter === b.counter && who(a) < who(b))
}

// All pages of one person keep the name, or give way.
function who({ device, session }: Person): string {
  return device || session
}

function presence({ session, device, name, counter }: Person, isHere: boolean): Presence {
  return create(PresenceSchema, { session, device, name, counter, isHere })
}
