// One server's mind towards clients, with an engine whose disk stores when the test says so.

import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { MemoryDisk, MemoryStorage } from '../src/adapters/storage/memory.ts'
import { base64url, writerOf, type Origin, type ReplicaId } from '../src/core/model/ids.ts'
import { sealUpdate } from '../src/core/model/snapshot.ts'
import {
  ClientMessageSchema,
  ServerState,
  UpdateSchema,
  type ClientMessage,
  type ServerMessage,
  type Update,
} from '../src/core/model/wire.ts'
import type { EngineRequest } from '../src/core/ports.ts'
import type { Answer, Call, ReplicaInput, ReplicaOutput } from '../src/core/replica/messages.ts'
import { Replica, type ReplicaOptions } from '../src/core/replica/replica.ts'
import { OnTheWay } from '../src/core/replication/on-the-way.ts'

export const origin = 'a.0123456789abc' as Origin
export const here = 'a' as ReplicaId
export const there = 'b' as ReplicaId

export const none: Uint8Array = new Uint8Array()
let ids = 0
export const freshId = () => base64url(new Uint8Array(16).fill(++ids))

/** A server of a set of two whose engine keeps what it is asked until `store()`. */
export class Desk {
  /** How many texts were deflated. */
  deflated = 0
  now = 1000
  readonly sent = new Map<number, ServerMessage['message'][]>()
  readonly hungUp = new Set<number>()
  readonly answers: { call: number; answer: Answer }[] = []
  readonly asked: EngineRequest[] = []
  readonly alarms: string[] = []
  readonly storage: MemoryStorage
  readonly replica: Replica
  readonly #onTheWay: OnTheWay
  /** Without a tag: of another server. */
  #queue: { tag?: number; update?: Update }[] = []
  #seq = 0
  #mark = 1
  readonly #origin: Origin

  /** Each life on one disk has an origin of its own. */
  constructor(disk = new MemoryDisk(), life = origin, more: Partial<ReplicaOptions> = {}) {
    this.#origin = life
    this.storage = new MemoryStorage(disk)
    this.#onTheWay = new OnTheWay(this.storage.reader, disk.vector)
    this.replica = new Replica({
      now: this.now,
      replica: here,
      set: 'test',
      version: '0',
      origin: life,
      reader: this.#onTheWay.reader,
      safeCount: 2,
      rates: { pushesPerSecond: 50, pushBurst: 500, caretsPerSecond: 20 },
      random: () => 0.5,
      seal: (document, update) =>
        createHash('sha256').update(document).update(update).digest().subarray(0, 16),
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      deflate: (text) => {
        this.deflated++
        return deflateRawSync(text)
      },
      ...more,
    })
    const view = { lag: 0, heardAt: 0, state: ServerState.LIVE }
    const servers = [here, there].map((id) => ({ id, address: `http://${id}`, ...view }))
    this.input({ type: 'event', event: { type: 'servers', servers, isServing: true } })
  }

  input(input: ReplicaInput): void {
    for (const output of this.replica.step(this.now, input)) this.perform(output)
  }

  perform(output: ReplicaOutput): void {
    if (output.type === 'send') {
      for (const channel of output.channels) this.messages(channel).push(output.message.message)
    }
    if (output.type === 'hangUp') this.hungUp.add(output.channel)
    if (output.type === 'answer') this.answers.push(output)
    if (output.type === 'ask') this.#ask(output.request)
    if (output.type === 'log' && output.level === 'error') this.alarms.push(output.text)
  }

  #ask(request: EngineRequest): void {
    this.asked.push(request)
    if (request.type === 'barrier') this.#queue.push({ tag: request.tag })
    if (request.type !== 'append') return
    const update = create(UpdateSchema, {
      ...request.update,
      origin: this.#origin,
      seq: ++this.#seq,
    })
    this.#queue.push({ tag: request.tag, update: sealUpdate(update) })
  }

  /** What another server carried out has come here; it waits for what it builds on. */
  come(update: Update): void {
    this.#onTheWay.came(update)
  }

  /** It is in the queue for this disk. */
  gather(update: Update): void {
    this.#onTheWay.gathers(update)
    this.#queue.push({ update })
  }

  /** Everything that was asked is on this disk. */
  store(): void {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0)
      const updates = batch.flatMap(({ update }) => (update ? [update] : []))
      this.storage.commit({ updates, snapshots: [] })
      this.#onTheWay.stored(batch)
      if (updates.length > 0) this.#mark++
      for (const { tag, update } of batch) {
        if (tag !== undefined) {
          const stored = { mark: this.#mark, tag, ...(update && { update }) }
          this.input({ type: 'event', event: { type: 'appended', ...stored } })
        } else if (update) this.input({ type: 'event', event: { type: 'changed', update } })
      }
    }
    this.input({ type: 'settle' })
  }

  /** The other server's disk has it too. */
  cover(): void {
    const event = { type: 'covered' as const, replica: there, mark: this.#mark }
    this.input({ type: 'event', event })
    this.input({ type: 'settle' })
  }

  messages(channel: number): ServerMessage['message'][] {
    const messages = this.sent.get(channel) ?? []
    this.sent.set(channel, messages)
    return messages
  }

  last<C extends NonNullable<ServerMessage['message']['case']>>(channel: number, name: C) {
    const found = this.messages(channel).findLast((message) => message.case === name)
    return found?.value as Extract<ServerMessage['message'], { case: C }>['value'] | undefined
  }

  say(channel: number, message: ClientMessage['message'], bytes = 100): void {
    const said = create(ClientMessageSchema, { message })
    this.input({ type: 'received', channel, message: said, bytes })
  }

  call(call: number, request: Call): void {
    this.input({ type: 'called', call, author: 'cli', request })
  }
}

/** A person with a document of their own. */
export class Writer {
  readonly desk: Desk
  readonly channel: number
  readonly key: Uint8Array<ArrayBuffer>
  readonly device: Uint8Array<ArrayBuffer>
  readonly doc = new Y.Doc()
  ticket = 0

  constructor(
    desk: Desk,
    channel: number,
    name: string,
    { isStandby = false, device = new Uint8Array(), key = new Uint8Array(16).fill(channel) } = {},
  ) {
    this.desk = desk
    this.channel = channel
    this.key = key
    this.device = device
    this.doc.clientID = writerOf(this.key)
    desk.input({ type: 'opened', channel, address: '127.0.0.1' })
    this.hello(name, isStandby)
  }

  hello(name: string, isStandby = false, protocol = 1): void {
    this.desk.say(this.channel, {
      case: 'hello',
      value: {
        $typeName: 'fourfold.v1.Hello',
        key: this.key,
        name,
        protocol,
        earlierKeys: [],
        device: this.device,
        isStandby,
        token: '',
        showsDirectories: false,
        agent: 'test',
      },
    })
  }

  create(name: string, text: string, id = freshId()): string {
    const value = { $typeName: 'fourfold.v1.Create' as const, name, text, parent: '' }
    this.operate(id, { case: 'create', value })
    return id
  }

  operate(
    id: string,
    operation: Extract<ClientMessage['message'], { case: 'operation' }>['value']['operation'],
  ): void {
    const ticket = ++this.ticket
    const isLate = false
    const value = { $typeName: 'fourfold.v1.Operation' as const, ticket, id, isLate, operation }
    this.desk.say(this.channel, { case: 'operation', value })
  }

  open(document: string): void {
    const stateVector = Y.encodeStateVector(this.doc)
    const value = { $typeName: 'fourfold.v1.Open' as const, document, stateVector }
    this.desk.say(this.channel, { case: 'open', value })
  }

  type(document: string, at: number, text: string): Uint8Array {
    const before = Y.encodeStateVector(this.doc)
    this.doc.getText('text').insert(at, text)
    const update = Y.encodeStateAsUpdate(this.doc, before)
    this.push(document, update)
    return update
  }

  push(document: string, update: Uint8Array, ticket = ++this.ticket, seal = none): void {
    const value = { $typeName: 'fourfold.v1.Push' as const, ticket, document, update, seal }
    this.desk.say(this.channel, { case: 'push', value })
  }

  /** Integrates everything that was sent of the document. */
  read(): string {
    const pieces: Uint8Array[] = []
    for (const message of this.desk.messages(this.channel)) {
      if (message.case === 'opened') {
        pieces.push(message.value.piece)
        if (!message.value.isLast) continue
        const whole = Buffer.concat(pieces.splice(0))
        if (whole.length > 0) Y.applyUpdate(this.doc, whole)
      }
      if (message.case === 'changed' && message.value.update.length > 0) {
        Y.applyUpdate(this.doc, message.value.update)
      }
    }
    return this.doc.getText('text').toString()
  }
}

/** Two people who have one file open. */
export function two(more: Partial<ReplicaOptions> = {}): {
  desk: Desk
  ana: Writer
  ben: Writer
  file: string
} {
  const desk = new Desk(undefined, undefined, more)
  const ana = new Writer(desk, 1, 'ana')
  const ben = new Writer(desk, 2, 'ben')
  const file = ana.create('plan.md', 'hello ')
  desk.store()
  for (const writer of [ana, ben]) {
    writer.open(file)
    writer.read()
  }
  return { desk, ana, ben, file }
}
