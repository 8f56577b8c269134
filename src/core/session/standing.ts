// Which server a client stands with, under which name, and how that goes over from one to another.
//
//   Welcome ──> active ── lost, leaving, or overtaken ──> the standby is greeted anew, and active
//
// Everything that is owed is compared and sent at once on the new one, before it has answered.

import { earlierKeysMax, movesMax } from '../model/limits.ts'
import { sessionProtocol, type Server, type Welcome } from '../model/wire.ts'
import type { Carets } from './carets.ts'
import type { Connections } from './connections.ts'
import type { Follows } from './follows.ts'
import type { Link } from './link.ts'
import type { Others } from './others.ts'
import type { Outlet } from './outlet.ts'
import type { Roster } from './roster.ts'
import type { Shows } from './shows.ts'

/** Who a client says it is. */
export interface Person {
  /** Secret, 16 random bytes, never used before. */
  key: Uint8Array
  /** Keys of this person's earlier sessions whose edits may not be safe; the newest first. */
  earlierKeys: readonly Uint8Array[]
  /** Secret of this device, 16 random bytes: its sessions may have one name. None: empty. */
  device: Uint8Array
  /** The screen name asked for. */
  name: string
  /** What this is, for people to read: "page", "cli". */
  agent: string
  token: string
  /** Asks for what it shows of the folder, and hears of nothing else of it. */
  showsDirectories: boolean
}

/** One change of server. */
export interface Move {
  at: number
  from: string
  to: string
  tookMs: number
}

export interface StandingParts {
  roster: Roster
  connections: Connections
  follows: Follows
  shows: Shows
  carets: Carets
  others: Others
  outlet: Outlet
}

export class Standing {
  readonly #person: Person
  readonly #parts: StandingParts
  readonly #moves: Move[] = []
  #name: string
  #token: string
  #earlierKeys: readonly Uint8Array[]
  #toldName: string | undefined
  /** Name of the set, from the first Welcome: edits go nowhere else. */
  #set: string | undefined
  /** The server of before, until another one has answered. */
  #moving: { from: string; since: number } | undefined

  constructor(person: Person, parts: StandingParts) {
    this.#person = person
    this.#parts = parts
    this.#name = person.name
    this.#token = person.token
    this.#earlierKeys = person.earlierKeys.slice(0, earlierKeysMax)
  }

  /** The name asked for, or held. */
  get name(): string {
    return this.#name
  }

  get moves(): readonly Move[] {
    return this.#moves
  }

  /** From now on asks for this name, and shows this token. */
  askFor({ name = this.#name, token = this.#token }: { name?: string; token?: string }): void {
    this.#name = name
    this.#token = token
  }

  /** Says these keys, too, in every Hello from now on. The oldest of too many are let go of. */
  learn(keys: readonly Uint8Array[]): void {
    this.#earlierKeys = [...keys, ...this.#earlierKeys].slice(0, earlierKeysMax)
  }

  // ------------------------------------------------------------------------------------ greeting

  /** A connection is open. */
  opened(now: number, link: Link): void {
    if (link.state.name !== 'dialling') return
    link.heard(now, 0)
    link.state = { name: 'greeting' }
    this.#greet(link, !link.claims)
  }

  #greet(link: Link, isStandby: boolean): void {
    const { key, device, agent, showsDirectories } = this.#person
    this.#parts.outlet.send(link.id, {
      case: 'hello',
      value: {
        $typeName: 'fourfold.v1.Hello',
        key,
        name: this.#name,
        protocol: sessionProtocol,
        earlierKeys: [...this.#earlierKeys],
        isStandby,
        token: this.#token,
        agent,
        showsDirectories,
        device,
      },
    })
  }

  /** Whether another set speaks than that which this person came to first. */
  isForeign({ set }: Welcome): boolean {
    return this.#set !== undefined && set !== this.#set
  }

  welcomed(now: number, link: Link, welcome: Welcome, wantsStandby: boolean): void {
    const { connections, roster } = this.#parts
    if (this.isForeign(welcome)) {
      connections.end(now, link, 'failed')
      return
    }
    this.#set = welcome.set
    link.answersAsk = welcome.answersAsk
    const place = connections.welcomed(now, link, welcome.server, wantsStandby)
    if (place === 'surplus') {
      // A second Welcome on a standby says nothing new.
      if (link !== connections.standby) connections.end(now, link, 'left')
      return
    }
    if (place === 'standby') return
    roster.requireSafe(welcome.safeCount)
    if (place === 'active') this.#takeOver(now, link, !link.claims)
    this.heardServers(welcome.servers?.servers ?? [])
    // A standby was not asked for a name.
    if (place === 'active' && !link.claims) return
    this.#arrived(now, link)
    this.named(welcome.name, '')
  }

  /** Servers gave this person a name. `text`: why, when it is not the one asked for. */
  named(name: string, text: string): void {
    if (name === this.#toldName && text === '') return
    this.#toldName = name
    this.#name = name
    this.#parts.outlet.put({ type: 'named', name, text })
    this.#changed()
  }

  heardServers(servers: Server[]): void {
    const { roster, outlet } = this.#parts
    if (!roster.announce(servers)) return
    outlet.put({ type: 'servers', servers: [...roster.servers] })
    this.#changed()
  }

  // ------------------------------------------------------------------------------ going over

  /** A connection ended by itself, or has to. */
  lose(now: number, link: Link, how: 'closed' | 'failed'): void {
    const { connections, follows, shows } = this.#parts
    if (link === connections.active) {
      this.#moving = { from: link.server, since: now }
      follows.restart(undefined)
      shows.restart(undefined)
    }
    connections.end(now, link, how)
  }

  /** The standby takes over where that is better, or there is nothing else. */
  succeed(now: number): void {
    const { connections } = this.#parts
    const { active, standby } = connections
    if (!standby || (active && active.leaving === undefined)) return
    if (active) {
      this.#moving = { from: active.server, since: now }
      connections.end(now, active, 'failed')
    }
    this.#takeOver(now, connections.promote(now), true)
  }

  /** The standby was the first to answer what waited since then. */
  swap(now: number, since: number): void {
    const { connections } = this.#parts
    if (connections.active) this.#moving = { from: connections.active.server, since }
    this.#takeOver(now, connections.promote(now), true)
  }

  /** There is no server any more, and none is looked for. */
  end(now: number): void {
    this.#parts.connections.endAll(now)
    this.#parts.follows.restart(undefined)
    this.#parts.shows.restart(undefined)
    this.#moving = undefined
  }

  #takeOver(now: number, link: Link, mustGreet: boolean): void {
    const { follows, shows, carets, others } = this.#parts
    if (mustGreet) this.#greet(link, false)
    link.forgetTurnedBack()
    follows.restart(link)
    shows.restart(link.id)
    carets.restart(now)
    others.restart(now)
  }

  #arrived(now: number, { server }: Link): void {
    if (this.#moving && this.#moving.from !== server) {
      const { from, since } = this.#moving
      const tookMs = Math.round(now - since)
      this.#moves.push({ at: Math.round(now), from, to: server, tookMs })
      if (this.#moves.length > movesMax) this.#moves.shift()
      this.#changed()
    }
    this.#moving = undefined
  }

  #changed(): void {
    this.#parts.outlet.put({ type: 'changed' })
  }
}
