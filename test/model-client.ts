// The mind of one client over a network that loses connections, with its live documents.

import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { writerOf } from '../src/core/model/ids.ts'
import { deletesOf, offer, textRoot, type Deletes } from '../src/core/model/text-update.ts'
import {
  ServerMessageSchema,
  type ClientMessage,
  type ServerMessage,
} from '../src/core/model/wire.ts'
import type { ConnectionId, SessionOutput } from '../src/core/session/messages.ts'
import { relayOf, Relays } from '../src/core/session/relays.ts'
import { Session, type Documents } from '../src/core/session/session.ts'
import type { ModelServer } from './model-server.ts'
import type { World } from './session-world.ts'

/** One connection between a client and a server; what travels on it is lost when it is cut. */
export interface Connection {
  id: ConnectionId
  client: ModelClient
  server: ModelServer
  isOpen: boolean
  upMs: number
  downMs: number
  upAt: number
  downAt: number
}

export class ModelClient {
  readonly name: string
  readonly key: Uint8Array
  readonly session: Session
  readonly docs = new Map<string, Y.Doc>()
  readonly outputs: SessionOutput[] = []
  readonly #world: World
  readonly #relays = new Relays()
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
      relays: (document) => this.#relays.of(document),
    }
    this.session = new Session({
      key: this.key,
      earlierKeys: [],
      device: new Uint8Array(),
      name,
      agent: 'test',
      token: '',
      showsDirectories: false,
      life: '',
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
      case 'integrate': {
        const { document, update, seal } = output
        const doc = this.doc(document)
        if (seal) {
          const came = { document, at: this.#world.timeline.now, update, seal }
          this.#relays.keep(relayOf(came, doc, new Set([this.writer])))
        }
        Y.applyUpdate(doc, update, this)
        return
      }
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
