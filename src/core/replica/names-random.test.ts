// Screen names on three servers whose people come, move, leave and are cut off from each other: in the
// end who is here has a name of their own, every server knows it, and no server knows anybody else.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../../sim/random.ts'
import { Desk, Writer } from '../../../test/replica-desk.ts'
import { MemoryDisk } from '../../adapters/storage/memory.ts'
import { originOf, type ReplicaId } from '../model/ids.ts'
import { presenceLifeMs } from '../model/limits.ts'
import { likeness } from '../model/names.ts'
import { ServerState, type Ephemeral } from '../model/wire.ts'
import type { ServerView } from '../ports.ts'

const ids = ['a', 'b', 'c'] as ReplicaId[]
const names = ['ana', 'Ana', 'ben', 'cid']
const steps = 120

/** A page of somebody, with a channel to one server; while it moves, to two. */
interface Page {
  writer: Writer
  server: Server
  name: string
}

class Server {
  readonly id: ReplicaId
  desk: Desk
  origin
  /** How many of the requests of its mind were looked at. */
  #asked = 0

  constructor(id: ReplicaId, random: Random, now: number) {
    this.id = id
    this.origin = originOf(id, random.bytes(10))
    this.desk = new Desk(new MemoryDisk(), this.origin, { replica: id, now })
    this.desk.now = now
  }

  /** What it said to the other servers since. */
  takeSaid(): Ephemeral[] {
    const said = this.desk.asked.slice(this.#asked)
    this.#asked = this.desk.asked.length
    return said.flatMap((request) => (request.type === 'send' ? [request.ephemeral] : []))
  }
}

/** What one server told another and that one has not heard yet. */
interface Link {
  from: Server
  to: ReplicaId
  waiting: Ephemeral[]
}

class World {
  readonly #random: Random
  readonly #servers = new Map<ReplicaId, Server>()
  /** By "from>to". */
  readonly #links = new Map<string, Link>()
  /** The same, the channels as the servers name them. */
  readonly #channelOf = new Map<string, number>()
  readonly #pages = new Set<Page>()
  /** Channels whose other end is gone, and that does not know it yet. */
  readonly #dead: { server: Server; channel: number }[] = []
  #channels = 0
  #now = 1000

  constructor(random: Random) {
    this.#random = random
    for (const id of ids) this.#servers.set(id, new Server(id, random, this.#now))
    for (const id of ids) for (const other of ids) if (id < other) this.#join(id, other)
  }

  act(): void {
    const { rest, page, pair } = this.#picked()
    const acts = [
      () => this.#comes(),
      () => page && this.#moves(page),
      () => page && this.#leaves(page),
      () => this.#cut(...pair),
      () => this.#join(...pair),
      () => this.#random.chance(0.2) && this.#restarts(pair[0]),
      () => this.#buries(),
      () => this.#passes(this.#random.pick([100, 1000, presenceLifeMs])),
      () => rest && this.#hears(rest),
      () => rest && this.#hears(rest),
    ]
    this.#random.pick(acts)()
    this.#post()
  }

  #picked() {
    const waiting = [...this.#links.values()].filter((link) => link.waiting.length > 0)
    const pages = [...this.#pages]
    const [one, other] = this.#random.pick([
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'c'],
    ]) as [ReplicaId, ReplicaId]
    return {
      rest: waiting.length > 0 ? this.#random.pick(waiting) : undefined,
      page: pages.length > 0 ? this.#random.pick(pages) : undefined,
      pair: [one, other] as [ReplicaId, ReplicaId],
    }
  }

  /** All heals, and what is to be known is known. */
  settle(): void {
    for (const id of ids) for (const other of ids) if (id < other) this.#join(id, other)
    while (this.#dead.length > 0) this.#buries()
    for (let round = 0; round < 2; round++) {
      for (this.#post(); this.#hearAll();) this.#post()
      this.#passes(presenceLifeMs)
    }
  }

  check(): void {
    const held = new Map<string, Page>()
    for (const page of this.#pages) {
      const other = held.get(likeness(this.#nameOf(page)))
      const isOne = other?.writer.device.length && isSame(other.writer.device, page.writer.device)
      assert.ok(!other || isOne, `two are "${this.#nameOf(page)}"`)
      held.set(likeness(this.#nameOf(page)), page)
    }
    const asked = new Set([...names, ...[...this.#pages].map((page) => this.#nameOf(page))])
    for (const { id, desk } of this.#servers.values()) {
      for (const name of asked) {
        desk.call(++this.#channels, { type: 'signIn', name, key: new Uint8Array(16) })
        const { answer } = desk.answers.at(-1)!
        const isFree = answer.type === 'signedIn'
        assert.equal(isFree, !held.has(likeness(name)), `"${name}" is free at ${id}: ${isFree}`)
      }
    }
  }

  // -------------------------------------------------------------------------------- people

  #comes(): void {
    const server = this.#random.pick([...this.#servers.values()])
    // Few, so that somebody has several pages.
    const device = new Uint8Array(this.#random.chance(0.5) ? 16 : 0).fill(
      this.#random.pick([1, 2, 3]),
    )
    const name = this.#random.pick(names)
    const key = Uint8Array.from(this.#random.bytes(16))
    const writer = new Writer(server.desk, ++this.#channels, name, { device, key })
    if (this.#isIn(writer)) this.#pages.add({ writer, server, name })
  }

  /** It has its key on the new channel; the old one may be known to be gone only later. */
  #moves(page: Page): void {
    const server = this.#random.pick([...this.#servers.values()])
    if (server === page.server) return
    const { writer: before } = page
    const name = this.#nameOf(page)
    this.#ends(page)
    const writer = new Writer(server.desk, ++this.#channels, name, {
      device: before.device,
      key: before.key,
    })
    if (this.#isIn(writer)) Object.assign(page, { writer, server, name })
    else this.#pages.delete(page)
  }

  #leaves(page: Page): void {
    this.#pages.delete(page)
    this.#ends(page)
  }

  #ends({ server, writer: { channel } }: Page): void {
    this.#dead.push({ server, channel })
    if (this.#random.chance(0.5)) this.#buries()
  }

  /** A server finds that a channel is gone. */
  #buries(): void {
    const found = this.#dead.shift()
    if (found) found.server.desk.input({ type: 'closed', channel: found.channel })
  }

  #isIn({ desk, channel }: Writer): boolean {
    return desk.last(channel, 'welcome') !== undefined && !desk.hungUp.has(channel)
  }

  #nameOf({ writer: { desk, channel } }: Page): string {
    const renamed = desk.last(channel, 'renamed')
    return renamed?.name ?? desk.last(channel, 'welcome')!.name
  }

  // ------------------------------------------------------------------------------- servers

  #restarts(id: ReplicaId): void {
    for (const other of ids) if (other !== id) this.#cut(id, other)
    for (const page of [...this.#pages]) if (page.server.id === id) this.#pages.delete(page)
    this.#servers.set(id, new Server(id, this.#random, this.#now))
  }

  #cut(one: ReplicaId, other: ReplicaId): void {
    for (const way of [`${one}>${other}`, `${other}>${one}`]) this.#links.delete(way)
    for (const id of [one, other]) this.#tellViews(id)
  }

  #join(one: ReplicaId, other: ReplicaId): void {
    this.#cut(one, other)
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const link = { from: this.#servers.get(from)!, to, waiting: [] }
      this.#links.set(`${from}>${to}`, link)
    }
    const channel = ++this.#channels
    for (const way of [`${one}>${other}`, `${other}>${one}`]) this.#channelOf.set(way, channel)
    for (const id of [one, other]) this.#tellViews(id)
  }

  #tellViews(id: ReplicaId): void {
    const views = ids.map((other): ServerView => {
      const server = { id: other, address: `http://${other}`, lag: 0, heardAt: 0 }
      if (other === id) return { ...server, state: ServerState.LIVE }
      if (!this.#links.has(`${id}>${other}`)) return { ...server, state: ServerState.DOWN }
      const { origin } = this.#servers.get(other)!
      const channel = this.#channelOf.get(`${id}>${other}`)!
      return { ...server, state: ServerState.LIVE, origin, channel }
    })
    const event = { type: 'servers' as const, servers: views, isServing: true }
    this.#servers.get(id)!.desk.input({ type: 'event', event })
    this.#post()
  }

  /** What was said is on its way to whom there is a channel. */
  #post(): void {
    for (const server of this.#servers.values()) {
      const said = server.takeSaid()
      for (const link of this.#links.values()) if (link.from === server) link.waiting.push(...said)
    }
  }

  #hears({ from, to, waiting }: Link): void {
    const ephemeral = waiting.shift()!
    const event = { type: 'ephemeral' as const, from: from.id, ephemeral }
    this.#servers.get(to)!.desk.input({ type: 'event', event })
  }

  #hearAll(): boolean {
    const waiting = [...this.#links.values()].filter((link) => link.waiting.length > 0)
    for (const link of waiting) this.#hears(link)
    return waiting.length > 0
  }

  #passes(ms: number): void {
    this.#now += ms
    for (const { desk } of this.#servers.values()) {
      desk.now = this.#now
      desk.input({ type: 'tick' })
    }
    this.#post()
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

test('in the end every name is held by one, known everywhere, and no other is', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const world = new World(new Random(`names ${seed}`))
    for (let count = 0; count < steps; count++) world.act()
    world.settle()
    try {
      world.check()
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
    }
  }
})
