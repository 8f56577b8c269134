// Who is here: admission, screen names, receipts of what each channel pushed.

import { create } from '@bufbuild/protobuf'
import { codeOf } from '../model/error-codes.ts'
import { FourfoldError } from '../model/errors.ts'
import type { ReplicaId, SessionId } from '../model/ids.ts'
import { earlierKeysMax } from '../model/limits.ts'
import { checkScreenName } from '../model/names.ts'
import {
  Code,
  ServerSchema,
  ServersSchema,
  ServerState,
  sessionProtocol,
  type Hello,
  type Presence,
  type Servers,
} from '../model/wire.ts'
import type { Mark, ServerView } from '../ports.ts'
import type { ClientChannel } from './messages.ts'
import type { People } from './people.ts'
import { Visitor, type Rates } from './visitor.ts'
import type { Voice } from './voice.ts'

/** A client that goes on writing under a foreign id after so many refusals is cut. */
const offencesMax = 3
/** Changes of a lag alone are told this seldom. */
const lagToldMs = 1000

export interface VisitorsOptions {
  replica: ReplicaId
  set: string
  version: string
  safeCount: number
  /** Name of the life that the set is in, as it is on this disk. */
  life: () => string
  rates: Rates
  voice: Voice
  people: People
  /** The mark that each server's disk covers. */
  covered: ReadonlyMap<ReplicaId, Mark>
}

export class Visitors {
  readonly #options: VisitorsOptions
  readonly #voice: Voice
  readonly #people: People
  readonly #byChannel = new Map<ClientChannel, Visitor>()
  /** Those with new tickets. */
  readonly #fresh = new Set<Visitor>()
  /** By server, those whose tickets wait for its disk. */
  readonly #awaiting = new Map<ReplicaId, Set<Visitor>>()
  /** The marks that were covered when receipts were told. */
  readonly #toldMarks = new Map<ReplicaId, Mark>()
  #servers: ServerView[] = []
  #lagToldAt = 0
  /** A lag has changed since the servers were told, and so soon after it that it waits. */
  #isLagUntold = false
  #isServing = false
  /** The name of the set's life that was told to all last. */
  #toldLife = ''

  constructor(options: VisitorsOptions) {
    this.#options = options
    this.#voice = options.voice
    this.#people = options.people
  }

  get size(): number {
    return this.#byChannel.size
  }

  get isServing(): boolean {
    return this.#isServing
  }

  get servers(): ServerView[] {
    return this.#servers
  }

  get(channel: ClientChannel): Visitor | undefined {
    return this.#byChannel.get(channel)
  }

  /** The channels of those who hear of the whole folder, without those only kept warm. */
  hearingAll(): ClientChannel[] {
    return [...this.#byChannel.values()]
      .filter(({ isStandby, showsDirectories }) => !isStandby && !showsDirectories)
      .map(({ channel }) => channel)
  }

  /**
   * The visitor when the hello was taken; an answer was given either way. Who is here already may
   * say hello again, with the same key: for another name, or to be no standby any more.
   */
  hello(now: number, channel: ClientChannel, hello: Hello): Visitor | undefined {
    try {
      const known = this.#byChannel.get(channel)
      const visitor = known ?? this.#admit(now, channel, hello)
      if (known && !known.hasKey(hello.key)) {
        throw new FourfoldError('invalid', 'One channel is for one key; connect again for another.')
      }
      if (!visitor.mayGreet(now)) {
        throw new FourfoldError('unavailable', 'You say hello too often; wait a moment.')
      }
      if (!hello.isStandby) {
        visitor.name = this.#takeName(visitor, hello.name)
        visitor.isStandby = false
        visitor.showsDirectories = hello.showsDirectories
      }
      this.#byChannel.set(channel, visitor)
      this.#welcome(visitor)
      return visitor
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      this.#voice.refuse(channel, codeOf(error), error.message)
      return undefined
    }
  }

  #admit(now: number, channel: ClientChannel, hello: Hello): Visitor {
    if (hello.protocol !== sessionProtocol) {
      const age = hello.protocol > sessionProtocol ? 'older' : 'newer'
      const both = `it speaks revision ${sessionProtocol}, not ${hello.protocol}`
      throw new FourfoldError('protocol', `This server is ${age} than your client: ${both}.`)
    }
    if (!this.#isServing) {
      throw new FourfoldError('unavailable', 'This server is catching up. Trying another.')
    }
    const { key, earlierKeys, device } = hello
    if (earlierKeys.length > earlierKeysMax || [key, ...earlierKeys].some((k) => k.length !== 16)) {
      const most = `at most ${earlierKeysMax} earlier ones`
      throw new FourfoldError('invalid', `A session has one key of 16 bytes and ${most}.`)
    }
    if (device.length !== 0 && device.length !== 16) {
      throw new FourfoldError('invalid', 'The secret of a device is 16 bytes, or none is said.')
    }
    return new Visitor(now, channel, hello, this.#options.rates)
  }

  #takeName(visitor: Visitor, asked: string): string {
    const name = checkScreenName(asked)
    const { session, device } = visitor
    const holder = this.#people.holder(name, [session, ...visitor.earlier], device)
    // Who was let in beside it brought its key: another page of the same person.
    if (holder && !this.#people.has(session, name)) {
      throw new FourfoldError('taken', `"${holder.name}" is here already; choose another name.`)
    }
    this.#voice.toPeers({ case: 'presence', value: this.#people.claim(session, name, device) })
    return name
  }

  #welcome({ channel, name, session }: Visitor): void {
    const { replica, set, version, safeCount } = this.#options
    this.#voice.send([channel], {
      case: 'welcome',
      value: {
        $typeName: 'fourfold.v1.Welcome',
        server: replica,
        servers: this.#serversMessage(),
        name,
        session,
        safeCount: Math.min(safeCount, this.#servers.length),
        set,
        version,
        answersAsk: true,
      },
    })
  }

  closed(visitor: Visitor): void {
    this.#byChannel.delete(visitor.channel)
    this.#fresh.delete(visitor)
    for (const awaiting of this.#awaiting.values()) awaiting.delete(visitor)
    this.#voice.forget(visitor.channel)
    const { session } = visitor
    const isStillHere = [...this.#byChannel.values()].some(
      (other) => other.session === session && !other.isStandby,
    )
    if (visitor.isStandby || isStillHere) return
    const farewell = this.#people.leave(session)
    if (farewell) this.#voice.toPeers({ case: 'presence', value: farewell })
  }

  /** It wrote under the id of somebody else. */
  offended(visitor: Visitor): void {
    if (++visitor.offences < offencesMax) return
    const text = 'This client writes in the name of others.'
    this.#voice.refuse(visitor.channel, Code.FORBIDDEN, text)
  }

  // -------------------------------------------------------------------------------- receipts

  /** A push or operation is on this disk, with all that this disk holds at `mark`. */
  stored(visitor: Visitor, ticket: number, mark: Mark): void {
    visitor.tickets.add(ticket, mark)
    if (this.#byChannel.has(visitor.channel)) this.#fresh.add(visitor)
  }

  /** To be called at the end of each turn. */
  tellReceipts(): void {
    const due = new Set(this.#fresh)
    this.#fresh.clear()
    for (const [server, mark] of this.#options.covered) {
      // While a server is away everybody who wrote waits for it: they are not looked at.
      if (this.#toldMarks.get(server) === mark) continue
      this.#toldMarks.set(server, mark)
      for (const visitor of this.#awaiting.get(server) ?? []) due.add(visitor)
    }
    for (const visitor of due) this.#tellReceipt(visitor)
  }

  #tellReceipt(visitor: Visitor): void {
    const { channel, tickets } = visitor
    const holdings = tickets.holdings(this.#options.covered)
    for (const server of this.#options.covered.keys()) {
      if (tickets.areHeldBy(server)) this.#awaiting.get(server)?.delete(visitor)
      else this.#await(visitor, server)
    }
    if (holdings.length === 0) return
    const value = { $typeName: 'fourfold.v1.Stored' as const, holdings }
    this.#voice.send([channel], { case: 'stored', value })
  }

  #await(visitor: Visitor, server: ReplicaId): void {
    const awaiting = this.#awaiting.get(server)
    if (awaiting) awaiting.add(visitor)
    else this.#awaiting.set(server, new Set([visitor]))
  }

  // --------------------------------------------------------------------------- other servers

  heardPresence(from: ReplicaId, presence: Presence): void {
    for (const loser of this.#people.heard(from, presence)) {
      this.#giveWay(loser, presence.session as SessionId)
    }
  }

  #giveWay(session: SessionId, other: SessionId): void {
    for (const visitor of this.#byChannel.values()) {
      // One brought the key of the other: both are one person.
      const isOther = visitor.session === session && !visitor.earlier.includes(other)
      if (!isOther || visitor.isStandby) continue
      const { name: old, device } = visitor
      const name = this.#people.freeName(old, device)
      visitor.name = name
      this.#voice.toPeers({ case: 'presence', value: this.#people.claim(session, name, device) })
      const text = `Somebody else was here first as "${old}"; you are "${name}" now.`
      const value = { $typeName: 'fourfold.v1.Renamed' as const, name, text }
      this.#voice.send([visitor.channel], { case: 'renamed', value })
    }
  }

  /** Whether a channel to one of them has begun: who is here is told to all. */
  heardServers(now: number, servers: ServerView[], isServing: boolean): boolean {
    const states = (views: ServerView[]) => views.map(({ id, state }) => `${id}${state}`).join()
    const isNews =
      states(servers) !== states(this.#servers) || this.#options.life() !== this.#toldLife
    let hasMet = false
    for (const view of servers) {
      if (this.#people.met(now, view)) hasMet = true
      // While there is a channel it may only be at work for long, and will say nothing of them again.
      const isGone = view.state === ServerState.DOWN && view.channel === undefined
      this.#people.silent(now, view.id, isGone)
    }
    if (hasMet) this.#introduceEverybody()
    this.#servers = servers
    const mayStay = isServing || !this.#isServing
    this.#isServing = isServing
    if (!mayStay) {
      this.#sendAway()
      return hasMet
    }
    this.#isLagUntold = true
    if (isNews || now - this.#lagToldAt >= lagToldMs) this.#tellServers(now)
    return hasMet
  }

  tick(now: number): void {
    if (this.#isLagUntold && now - this.#lagToldAt >= lagToldMs) this.#tellServers(now)
  }

  #tellServers(now: number): void {
    this.#isLagUntold = false
    this.#lagToldAt = now
    this.#toldLife = this.#options.life()
    this.#voice.send([...this.#byChannel.keys()], {
      case: 'servers',
      value: this.#serversMessage(),
    })
  }

  // Its disk is of another life than the set: nobody may take it for that.
  #sendAway(): void {
    const text = 'This server holds another life of the set. Trying another.'
    for (const channel of this.#byChannel.keys())
      this.#voice.refuse(channel, Code.UNAVAILABLE, text)
  }

  #introduceEverybody(): void {
    for (const value of this.#people.here()) this.#voice.toPeers({ case: 'presence', value })
  }

  #serversMessage(): Servers {
    const servers = this.#servers.map((view) => create(ServerSchema, { ...view }))
    return create(ServersSchema, { servers, life: this.#options.life() })
  }
}
