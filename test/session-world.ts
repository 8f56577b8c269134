// A tiny model of four servers and their network, for tests of the client's mind. Virtual time.
//
//   client ══ connection ══ server ── journal ──> every other server, in the order of storing
//
// It promises what the real servers do: nothing is told before it is stored, what is copied to a
// peer comes after its causes, receipts follow what peers say they stored. It knows nothing else.

import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { checksum } from '../src/core/model/checksum.ts'
import { gate } from '../src/core/model/gate.ts'
import { sessionOf, writerOf } from '../src/core/model/ids.ts'
import { deletesOf, offer, textRoot, type Deletes } from '../src/core/model/text-update.ts'
import {
  HoldingSchema,
  ServerMessageSchema,
  ServerSchema,
  ServerState,
  type ClientMessage,
  type ServerMessage,
} from '../src/core/model/wire.ts'
import type { ConnectionId, SessionOutput } from '../src/core/session/messages.ts'
import { Session, type Documents } from '../src/core/session/session.ts'
import type { Random } from '../sim/random.ts'
import { Timeline } from '../sim/timeline.ts'

export const ids = ['a', 'b', 'c', 'd'] as const

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

/** One connection between a client and a server; what travels on it is lost when it is cut. */
interface Connection {
  id: ConnectionId
  client: ModelClient
  server: ModelServer
  isOpen: boolean
  upMs: number
  downMs: number
  upAt: number
  downAt: number
}

export class World {
  readonly timeline = new Timeline()
  readonly random: Random
  readonly servers: ModelServer[]
  readonly clients: ModelClient[] = []
  /** Every message a client or server sent, when `isTraced`. */
  readonly trace: string[] = []
  isTraced = false
  /** Edits that somebody else than their author brought. */
  relays = 0

  constructor(random: Random) {
    this.random = random
    this.servers = ids.map((id) => new ModelServer(this, id))
    for (const server of this.servers) server.pump()
  }

  server(id: string): ModelServer {
    return this.servers.find((server) => server.id === id)!
  }

  addClient(name: string, options: { hasStandby?: boolean } = {}): ModelClient {
    const client = new ModelClient(this, name, options.hasStandby ?? true)
    this.clients.push(client)
    return client
  }

  note(line: string): void {
    if (this.isTraced) this.trace.push(`${this.timeline.now.toFixed(1)} ${line}`)
  }
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
    const verdict = gate(doc, update, writers, { textLengthUtf16: 0, structs: 0 })
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
      const value = { $typeName: 'fourfold.v1.Done' as const, ticket, entry: id }
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

export class ModelClient {
  readonly name: string
  readonly key: Uint8Array
  readonly session: Session
  readonly docs = new Map<string, Y.Doc>()
  readonly outputs: SessionOutput[] = []
  readonly #world: World
  readonly #connections = new Map<ConnectionId, Connection>()
  readonly #ownDeletes = new Map<string, Deletes[]>()
  #wakeAt = Infinity

  constructor(world: World, name: string, hasStandby: boolean) {
    this.#world = world
    this.name = name
    this.key = world.random.bytes(16)
    const writers = new Set([writerOf(this.key)])
    const documents: Documents = {
      stateVector: (document) => Y.encodeStateVector(this.doc(document)),
      offer: (document, stateVector, deletes) =>
        offer(this.doc(document), stateVector, deletes, writers),
    }
    this.session = new Session({
      key: this.key,
      earlierKeys: [],
      name,
      agent: 'test',
      token: '',
      showsDirectories: false,
      addresses: [world.servers[0]!.address],
      hasStandby,
      documents,
      random: () => world.random.next(),
    })
    this.step({ type: 'started' })
  }

  get writer(): number {
    return writerOf(this.key)
  }

  doc(document: string): Y.Doc {
    const known = this.docs.get(document)
    if (known) return known
    const doc = new Y.Doc({ guid: '' })
    doc.clientID = this.writer
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === this) return
      this.#ownDeletes.set(document, [...this.ownDeletes(document), deletesOf(update)])
      this.step({ type: 'edited', document, update })
    })
    this.docs.set(document, doc)
    return doc
  }

  /** What this client itself deleted, in any order. */
  ownDeletes(document: string): Deletes[] {
    return this.#ownDeletes.get(document) ?? []
  }

  follow(document: string): void {
    this.doc(document)
    this.step({ type: 'follow', document })
  }

  text(document: string): Y.Text {
    return this.doc(document).getText(textRoot)
  }

  step(input: Parameters<Session['step']>[1]): void {
    const { now } = this.#world.timeline
    for (const output of this.session.step(now, input)) this.#perform(output)
    this.#wake()
  }

  #wake(): void {
    const { wakeAt } = this.session
    if (wakeAt >= this.#wakeAt) return
    this.#wakeAt = wakeAt
    this.#world.timeline.at(wakeAt, () => {
      if (this.#wakeAt !== wakeAt) return
      this.#wakeAt = Infinity
      this.step({ type: 'tick' })
    })
  }

  #perform(output: SessionOutput): void {
    switch (output.type) {
      case 'dial':
        this.#dial(output.connection, output.address)
        return
      case 'hangUp': {
        const connection = this.#connections.get(output.connection)
        if (connection) this.#end(connection)
        return
      }
      case 'send': {
        const connection = this.#connections.get(output.connection)
        if (connection) this.#send(connection, output.message.message)
        return
      }
      case 'integrate':
        Y.applyUpdate(this.doc(output.document), output.update, this)
        return
      default:
        this.outputs.push(output)
    }
  }

  #dial(id: ConnectionId, address: string): void {
    const { timeline, random, servers } = this.#world
    const server = servers.find((each) => each.address === address)!
    const upMs = 0.2 + random.span(1)
    const downMs = 0.2 + random.span(1)
    this.#world.note(`${this.name} dials ${server.id} (${id})`)
    timeline.after(upMs + downMs, () => {
      if (!server.isUp) {
        this.step({ type: 'closed', connection: id, why: 'refused' })
        return
      }
      const connection = {
        id,
        client: this,
        server,
        isOpen: true,
        upMs,
        downMs,
        upAt: 0,
        downAt: 0,
      }
      this.#connections.set(id, connection)
      this.step({ type: 'opened', connection: id })
    })
  }

  #send(connection: Connection, message: ClientMessage['message']): void {
    this.#world.note(`${this.name}>${connection.server.id} ${message.case}`)
    const { timeline } = this.#world
    connection.upAt = Math.max(connection.upAt, timeline.now + connection.upMs)
    timeline.at(connection.upAt, () => {
      if (connection.isOpen) connection.server.received(connection, message)
    })
  }

  /** A server says something. */
  reply(connection: Connection, message: ServerMessage['message']): void {
    this.#world.note(`${connection.server.id}>${this.name} ${message.case}`)
    const { timeline } = this.#world
    connection.downAt = Math.max(connection.downAt, timeline.now + connection.downMs)
    timeline.at(connection.downAt, () => {
      if (!connection.isOpen) return
      this.step({
        type: 'received',
        connection: connection.id,
        message: create(ServerMessageSchema, { message }),
        bytes: 100,
      })
    })
  }

  /** The network loses a connection: both ends see it, what was on its way is lost. */
  cut(connection: Connection): void {
    if (!connection.isOpen) return
    this.#world.note(`${this.name} loses ${connection.server.id} (${connection.id})`)
    this.#end(connection)
    this.#world.timeline.after(this.#world.random.span(5), () => {
      this.step({ type: 'closed', connection: connection.id, why: 'lost' })
    })
  }

  cutOne(): void {
    const connections = [...this.#connections.values()]
    if (connections.length > 0) this.cut(this.#world.random.pick(connections))
  }

  #end(connection: Connection): void {
    connection.isOpen = false
    connection.server.closed(connection)
    this.#connections.delete(connection.id)
  }
}

/**
 * What is wrong with the receipts of a client now: for every server that it believes to hold all its
 * edits of a document, whether the disk of that server does.
 */
export function falseReceipts(world: World, client: ModelClient, document: string): string[] {
  const holders = client.session.holders(document, client.session.edits(document))
  const written = Y.getState(client.doc(document).store, client.writer)
  return holders.filter((id) => {
    const disk = world.server(id).stored(document)
    if (Y.getState(disk.store, client.writer) < written) return true
    return client.ownDeletes(document).some((deletes) => !areDeleted(disk, deletes))
  })
}

function areDeleted(doc: Y.Doc, deletes: Deletes): boolean {
  const known = deletesOf(Y.encodeStateAsUpdate(doc))
  for (const [writer, ranges] of deletes) {
    for (const [clock, length] of ranges) {
      const isThere = known
        .get(writer)
        ?.some(([from, count]) => from <= clock && clock + length <= from + count)
      if (!isThere) return false
    }
  }
  return true
}
