// A model of one server, for tests of the client's mind: a disk, its peers, and who is connected.

import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { checksum } from '../src/core/model/checksum.ts'
import { gate } from '../src/core/model/gate.ts'
import { sessionOf, writerOf } from '../src/core/model/ids.ts'
import {
  HoldingSchema,
  ServerSchema,
  ServerState,
  type ClientMessage,
  type ServerMessage,
} from '../src/core/model/wire.ts'
import type { Connection } from './model-client.ts'
import type { World } from './session-world.ts'

type Item =
  | { type: 'text'; document: string; update: Uint8Array; operation: '' }
  | { type: 'made'; document: string; operation: string }

interface Visitor {
  connection: Connection
  writers: ReadonlySet<number>
  isStandby: boolean
  follows: Set<string>
  /** Stored tickets, by the length of the journal then. */
  tickets: { ticket: number; mark: number }[]
  told: Map<string, number>
  /** Waits until the journal on disk has this length. */
  queue: { message: ServerMessage['message']; mark: number }[]
}

/** Not a secret, but different for every update. */
function sealOf(update: Uint8Array): Uint8Array {
  return Uint8Array.from(checksum(update).toString(16), (digit) => digit.charCodeAt(0))
}

const areEqual = (a: Uint8Array, b: Uint8Array) => a.join() === b.join()

export class ModelServer {
  readonly id: string
  readonly #world: World
  isUp = true
  isFrozen = false
  /** On disk, in the order of storing. */
  readonly journal: Item[] = []
  /** In memory only, on its way to the disk. */
  #ahead: { item: Item; done: (mark: number) => void }[] = []
  #isWriting = false
  /** How far each peer's journal was copied, and how far it is on disk here, too. */
  #copied = new Map<string, number>()
  readonly #kept = new Map<string, number>()
  /** How much of this journal each server has stored, as far as known here. */
  readonly #covered = new Map<string, number>()
  #docs = new Map<string, Y.Doc>()
  #numbers = new Map<string, number>()
  readonly #visitors = new Map<Connection, Visitor>()
  readonly #states = new Map<string, ServerState>()
  #view = ''
  #life = 0
  #late: (() => void)[] = []

  constructor(world: World, id: string) {
    this.#world = world
    this.id = id
    this.#states.set(id, ServerState.LIVE)
  }

  get address(): string {
    return `http://${this.id}`
  }

  /** The text on disk. */
  stored(document: string): Y.Doc {
    const doc = new Y.Doc({ guid: '' })
    for (const item of this.journal) {
      if (item.type === 'text' && item.document === document) Y.applyUpdate(doc, item.update)
    }
    return doc
  }

  countOperations(operation: string): number {
    return this.journal.filter((item) => item.operation === operation).length
  }

  // ------------------------------------------------------------------------------------ faults

  crash(): void {
    this.isUp = false
    this.isFrozen = false
    this.#life++
    this.#ahead = []
    this.#late = []
    this.#isWriting = false
    this.#copied = new Map(this.#kept)
    this.#docs = new Map()
    this.#numbers = new Map()
    for (const connection of [...this.#visitors.keys()]) connection.client.cut(connection)
    this.#visitors.clear()
  }

  start(): void {
    this.isUp = true
    this.#covered.clear()
    this.#covered.set(this.id, this.journal.length)
    this.#states.clear()
    this.#states.set(this.id, ServerState.LIVE)
    this.#view = ''
  }

  freeze(): void {
    this.isFrozen = this.isUp
  }

  thaw(): void {
    this.isFrozen = false
    for (const action of this.#late.splice(0)) action()
  }

  /** Runs when the server runs: at once, or when it is thawed; never after a crash. */
  #later(ms: number, action: () => void): void {
    const life = this.#life
    this.#world.timeline.after(ms, () => {
      if (life !== this.#life) return
      if (this.isFrozen) this.#late.push(action)
      else action()
    })
  }

  // ---------------------------------------------------------------------------------- the disk

  #doc(document: string): Y.Doc {
    const doc = this.#docs.get(document) ?? this.stored(document)
    this.#docs.set(document, doc)
    return doc
  }

  #append(item: Item, done: (mark: number) => void): void {
    this.#ahead.push({ item, done })
    this.#write()
  }

  #write(): void {
    if (this.#isWriting || this.#ahead.length === 0) return
    this.#isWriting = true
    const batch = [...this.#ahead]
    this.#later(this.#world.random.span(2), () => {
      this.#isWriting = false
      this.#ahead = this.#ahead.slice(batch.length)
      for (const { item, done } of batch) {
        this.journal.push(item)
        this.#covered.set(this.id, this.journal.length)
        done(this.journal.length)
      }
      this.#tell()
      this.#write()
    })
  }

  /** Copies what is new in each peer's journal; forever. */
  pump(): void {
    this.#world.timeline.after(5 + this.#world.random.span(5), () => {
      if (this.isUp && !this.isFrozen) for (const peer of this.#world.servers) this.#copy(peer)
      this.lookAround()
      this.pump()
    })
  }

  #copy(peer: ModelServer): void {
    if (peer === this || !peer.isUp || peer.isFrozen) return
    const from = this.#copied.get(peer.id) ?? 0
    const items = peer.journal.slice(from, from + 20)
    if (items.length === 0) {
      // Said again, in case it was lost with a crash.
      peer.#heard(this.id, this.#kept.get(peer.id) ?? 0)
      return
    }
    this.#copied.set(peer.id, from + items.length)
    const upTo = from + items.length
    items.forEach((item, index) => {
      const isLast = index === items.length - 1
      const done = () => {
        if (!isLast) return
        this.#kept.set(peer.id, upTo)
        peer.#heard(this.id, upTo)
      }
      if (this.#has(item)) {
        if (isLast) this.#barrier(done)
        return
      }
      if (item.type === 'text') Y.applyUpdate(this.#doc(item.document), item.update)
      this.#append(item, (mark) => {
        this.#changed(item, mark)
        done()
      })
    })
  }

  #has(item: Item): boolean {
    return this.journal.includes(item) || this.#ahead.some((ahead) => ahead.item === item)
  }

  #barrier(done: (mark: number) => void): void {
    const mark = this.journal.length + this.#ahead.length
    const look = () => {
      if (this.journal.length >= mark) done(mark)
      else this.#later(1, look)
    }
    look()
  }

  #heard(peer: string, upTo: number): void {
    if (!this.isUp || this.isFrozen || upTo <= (this.#covered.get(peer) ?? 0)) return
    this.#covered.set(peer, upTo)
    this.#tell()
  }

  // -------------------------------------------------------------------------------- the clients

  received(connection: Connection, message: ClientMessage['message']): void {
    this.#later(0, () => {
      if (connection.isOpen) this.#take(connection, message)
    })
  }

  closed(connection: Connection): void {
    this.#visitors.delete(connection)
  }

  #take(connection: Connection, message: ClientMessage['message']): void {
    const visitor = this.#visitors.get(connection)
    if (message.case === 'hello') this.#hello(connection, message.value, visitor)
    else if (message.case === 'ping') {
      const { number } = message.value
      connection.client.reply(connection, {
        case: 'pong',
        value: { $typeName: 'fourfold.v1.Pong', number },
      })
    } else if (!visitor) throw new Error('the client did not say hello')
    else if (message.case === 'open') this.#open(visitor, message.value)
    else if (message.case === 'close') visitor.follows.delete(message.value.document)
    else if (message.case === 'push') this.#push(visitor, message.value)
    else if (message.case === 'operation') this.#operation(visitor, message.value)
  }

  #hello(
    connection: Connection,
    hello: Extract<ClientMessage['message'], { case: 'hello' }>['value'],
    known: Visitor | undefined,
  ): void {
    const visitor = known ?? {
      connection,
      writers: new Set([writerOf(hello.key)]),
      isStandby: hello.isStandby,
      follows: new Set(),
      tickets: [],
      told: new Map(),
      queue: [],
    }
    visitor.isStandby &&= hello.isStandby
    this.#visitors.set(connection, visitor)
    this.#say(visitor, {
      case: 'welcome',
      value: {
        $typeName: 'fourfold.v1.Welcome',
        server: this.id,
        servers: { $typeName: 'fourfold.v1.Servers', servers: this.#servers(), life: '' },
        name: visitor.isStandby ? '' : hello.name,
        session: sessionOf(hello.key),
        safeCount: 2,
        set: 'model',
        version: '1',
        answersAsk: false,
      },
    })
  }

  #servers() {
    return this.#world.servers.map(({ id, address }) =>
      create(ServerSchema, { id, address, state: this.#states.get(id) ?? ServerState.DOWN }),
    )
  }

  /** Looks how the others are, and tells it when that changed. */
  lookAround(): void {
    if (!this.isUp || this.isFrozen) return
    const before = this.#view
    for (const { id, isUp, isFrozen } of this.#world.servers) {
      const wasLive = this.#states.get(id) === ServerState.LIVE
      const hasAll = id === this.id || (this.#covered.get(id) ?? 0) >= this.journal.length
      const heard = wasLive || hasAll ? ServerState.LIVE : ServerState.BEHIND
      this.#states.set(id, isUp && !isFrozen ? heard : ServerState.DOWN)
    }
    this.#view = this.#servers()
      .map(({ id, state }) => `${id}${state}`)
      .join()
    if (this.#view === before) return
    for (const visitor of this.#visitors.values()) {
      const value = {
        $typeName: 'fourfold.v1.Servers' as const,
        servers: this.#servers(),
        life: '',
      }
      this.#say(visitor, { case: 'servers', value })
    }
  }

  #open(
    visitor: Visitor,
    { document, stateVector }: { document: string; stateVector: Uint8Array },
  ) {
    const doc = this.#doc(document)
    visitor.follows.add(document)
    const update = Y.encodeStateAsUpdate(doc, stateVector)
    const half = Math.ceil(update.length / 2)
    for (const isLast of [false, true]) {
      this.#say(visitor, {
        case: 'opened',
        value: {
          $typeName: 'fourfold.v1.Opened',
          document,
          piece: isLast ? update.subarray(half) : update.subarray(0, half),
          isLast,
          stateVector: isLast ? Y.encodeStateVector(doc) : new Uint8Array(),
          number: isLast ? (this.#numbers.get(document) ?? 0) : 0,
        },
      })
    }
  }

  #push(
    visitor: Visitor,
    {
      ticket,
      document,
      update,
      seal,
    }: Extract<ClientMessage['message'], { case: 'push' }>['value'],
  ): void {
    const doc = this.#doc(document)
    if (seal.length > 0) this.#world.relays++
    const writers = seal.length > 0 && areEqual(seal, sealOf(update)) ? 'any' : visitor.writers
    const verdict = gate(doc, update, writers, { bytes: 0, structs: 0 })
    if (verdict.type === 'gap') {
      const value = { $typeName: 'fourfold.v1.Resync' as const, document, ticket }
      this.#say(visitor, { case: 'resync', value })
    } else if (verdict.type === 'refused') {
      throw new Error(`an honest push was refused: ${verdict.error.message}`)
    } else if (verdict.isNoop) {
      this.#barrier((mark) => this.#keep(visitor, ticket, mark))
    } else {
      Y.applyUpdate(doc, update)
      const item: Item = { type: 'text', document, update, operation: '' }
      this.#append(item, (mark) => {
        this.#keep(visitor, ticket, mark)
        this.#changed(item, mark, visitor)
      })
    }
  }

  #operation(visitor: Visitor, { ticket, id }: { ticket: number; id: string }): void {
    const finish = (mark: number) => {
      this.#keep(visitor, ticket, mark)
      const none = { undone: [], changedNothing: false }
      const value = { $typeName: 'fourfold.v1.Done' as const, ticket, entry: id, ...none }
      this.#say(visitor, { case: 'done', value })
    }
    const all = [...this.journal, ...this.#ahead.map(({ item }) => item)]
    if (all.some(({ operation }) => operation === id)) this.#barrier(finish)
    else this.#append({ type: 'made', document: id, operation: id }, finish)
  }

  #keep(visitor: Visitor, ticket: number, mark: number): void {
    visitor.tickets.push({ ticket, mark })
    this.#later(0, () => this.#tell())
  }

  #changed(item: Item, mark: number, author?: Visitor): void {
    if (item.type !== 'text') return
    const { document, update } = item
    const number = (this.#numbers.get(document) ?? 0) + 1
    this.#numbers.set(document, number)
    for (const visitor of this.#visitors.values()) {
      if (!visitor.follows.has(document)) continue
      const isOwn = visitor === author
      const value = {
        $typeName: 'fourfold.v1.Changed' as const,
        document,
        number,
        update: isOwn ? new Uint8Array() : update,
        seal: isOwn ? new Uint8Array() : sealOf(update),
      }
      this.#say(visitor, { case: 'changed', value }, mark)
    }
  }

  #tell(): void {
    for (const visitor of this.#visitors.values()) {
      const holdings = [...this.#covered].flatMap(([server, mark]) => {
        const ticket = Math.max(
          0,
          ...visitor.tickets.filter((stored) => stored.mark <= mark).map((stored) => stored.ticket),
        )
        if (ticket <= (visitor.told.get(server) ?? 0)) return []
        visitor.told.set(server, ticket)
        return [create(HoldingSchema, { server, ticket })]
      })
      if (holdings.length === 0) continue
      this.#say(visitor, { case: 'stored', value: { $typeName: 'fourfold.v1.Stored', holdings } })
    }
    for (const visitor of this.#visitors.values()) this.#flush(visitor)
  }

  /** Goes out when all that is in memory now is on disk. */
  #say(
    visitor: Visitor,
    message: ServerMessage['message'],
    mark = this.journal.length + this.#ahead.length,
  ) {
    visitor.queue.push({ message, mark })
    this.#flush(visitor)
  }

  #flush(visitor: Visitor): void {
    while (visitor.queue[0] && visitor.queue[0].mark <= this.journal.length) {
      const { message } = visitor.queue.shift()!
      visitor.connection.client.reply(visitor.connection, message)
    }
  }
}
