// A conversation with a client's mind, written down line by line: what servers say and what it does.
//
//   dial 1 a              it dials server a, as connection 1
//   1> push 3 D "x"       it sends on connection 1; a push shows its ticket, document and new text
//   1< stored a3 b3       a server says something on connection 1
//   ada types "x" in D    the person does something
//   300 ms                time passes, with all the ticks that were asked for
//   * online a · saved on a b c d        what the page shows, whenever that changes

import assert from 'node:assert/strict'
import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { writerOf } from '../src/core/model/ids.ts'
import { decodeTextUpdate, offer, textRoot } from '../src/core/model/text-update.ts'
import type { Code } from '../src/core/model/wire.ts'
import {
  CaretSchema,
  HoldingSchema,
  ServerMessageSchema,
  ServerSchema,
  ServerState,
  type ClientMessage,
  type Done,
  type Hello,
  type Operation,
  type ServerMessage,
} from '../src/core/model/wire.ts'
import type { SessionInput, SessionOutput } from '../src/core/session/messages.ts'
import { relayOf, Relays } from '../src/core/session/relays.ts'
import { Roster } from '../src/core/session/roster.ts'
import { Session } from '../src/core/session/session.ts'

const addresses = ['a', 'b', 'c', 'd'].map((id) => `http://${id}`)

/** A key whose client tries a, b, c and d in this order. */
const key = keyFor(addresses)

/** A session that is awake more often in one wait does not come to rest. */
const stepsMax = 10_000

export class Talk {
  readonly session: Session
  readonly lines: string[] = []
  readonly #docs = new Map<string, Y.Doc>()
  readonly #servers = new Map<string, Y.Doc>()
  /** This person's Yjs client ids. */
  readonly #writers: ReadonlySet<number>
  /** Others' edits that came with a seal. */
  readonly relays = new Relays()
  #now = 1000
  #shown = ''
  /** The life that the servers say they are in. */
  life = ''
  /** Whether servers say that they answer where an operation is. */
  answersAsk = true
  /** The set that servers say they are of. */
  set = 'test'

  constructor(
    options: {
      addresses?: string[]
      hasStandby?: boolean
      life?: string
      earlierKeys?: Uint8Array[]
    } = {},
  ) {
    this.#writers = new Set([key, ...(options.earlierKeys ?? [])].map(writerOf))
    this.session = new Session({
      key,
      earlierKeys: options.earlierKeys ?? [],
      device: new Uint8Array(),
      name: 'ada',
      agent: 'test',
      token: '',
      showsDirectories: false,
      life: options.life ?? '',
      addresses: options.addresses ?? addresses,
      hasStandby: options.hasStandby ?? true,
      random: () => 0.5,
      documents: {
        stateVector: (document) => Y.encodeStateVector(this.doc(document)),
        offer: (document, stateVector, deletes) =>
          offer(this.doc(document), stateVector, deletes, this.#writers),
        relays: (document) => this.relays.of(document),
      },
    })
  }

  get now(): number {
    return this.#now
  }

  /** What was said and done since the last call is exactly this, one line each. */
  heard(conversation: string): void {
    const lines = conversation.split('\n').map((line) => line.trim())
    assert.deepEqual(this.lines.splice(0), lines.slice(1, -1))
  }

  doc(document: string): Y.Doc {
    const known = this.#docs.get(document)
    if (known) return known
    const doc = new Y.Doc()
    doc.clientID = writerOf(key)
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== this) this.step({ type: 'edited', document, update })
    })
    this.#docs.set(document, doc)
    return doc
  }

  step(input: SessionInput): void {
    for (const output of this.session.step(this.#now, input)) this.#perform(output)
    this.#show()
  }

  start(): void {
    this.step({ type: 'started' })
  }

  /** Starts, follows D, and has an active connection to a and a standby to b. */
  join(): void {
    this.start()
    this.step({ type: 'follow', document: 'D' })
    this.welcome(1, 'a')
    this.open(1, 'D')
    this.welcome(2, 'b')
    this.lines.length = 0
  }

  /** A server says that an operation took effect. */
  done(connection: number, ticket: number, entry: string, more: Partial<Done> = {}): void {
    const none = { undone: [], changedNothing: false }
    const value = { $typeName: 'fourfold.v1.Done' as const, ticket, entry, ...none, ...more }
    this.says(connection, `done ${ticket}`, { case: 'done', value })
  }

  /** Joins, and types a letter that all servers get but d, which is away. */
  typeWithoutFourth(): void {
    this.join()
    this.servers(1, 'd')
    this.type('D', 'x')
    this.stored(1, 'a1', 'b1', 'c1')
  }

  /** Time passes. */
  wait(ms: number): void {
    this.lines.push(`${ms} ms`)
    const until = this.#now + ms
    for (let steps = 0; ; steps++) {
      assert.ok(steps < stepsMax, 'time stands still')
      const { wakeAt } = this.session
      if (wakeAt > until) break
      this.#now = Math.max(this.#now, wakeAt)
      this.step({ type: 'tick' })
    }
    this.#now = until
  }

  /** The program stands still: time passes, and then a tick comes that was due long ago. */
  stall(ms: number): void {
    this.lines.push(`${ms} ms without a step`)
    this.#now += ms
    this.step({ type: 'tick' })
  }

  // -------------------------------------------------------------------------------- the person

  type(document: string, text: string): void {
    this.lines.push(`ada types ${shortened(text)} in ${document}`)
    const root = this.doc(document).getText(textRoot)
    root.insert(root.length, text)
  }

  /** What the session with this key wrote at the end is read from the device. */
  recall(document: string, earlier: Uint8Array, text: string): void {
    this.lines.push(`${shortened(text)} of before comes to be in ${document}`)
    const doc = this.other(document)
    doc.clientID = writerOf(earlier)
    const root = doc.getText(textRoot)
    root.insert(root.length, text)
    Y.applyUpdate(this.doc(document), Y.encodeStateAsUpdate(doc), this)
    this.step({ type: 'recalled', document })
  }

  /** Letters that end the text. */
  delete(document: string, count: number): void {
    this.lines.push(`ada deletes ${count} in ${document}`)
    const root = this.doc(document).getText(textRoot)
    root.delete(root.length - count, count)
  }

  operate(id: string, operation: Operation['operation']): void {
    this.lines.push(`ada asks: ${operation.case}`)
    this.step({ type: 'operate', operation: { id, operation } })
  }

  // -------------------------------------------------------------------------------- the network

  /** The connection opens, and its server says Welcome. */
  welcome(connection: number, server: string, down = ''): void {
    this.step({ type: 'opened', connection })
    this.welcomeAgain(connection, server, down)
  }

  /** The answer to a Hello on an open connection. */
  welcomeAgain(connection: number, server: string, down = ''): void {
    this.says(connection, `welcome ${server}${down && `, ${down} down`}`, {
      case: 'welcome',
      value: {
        $typeName: 'fourfold.v1.Welcome',
        server,
        servers: { $typeName: 'fourfold.v1.Servers', servers: serversBut(down), life: this.life },
        name: 'ada',
        session: 'session',
        safeCount: 2,
        set: this.set,
        version: '1',
        answersAsk: this.answersAsk,
      },
    })
  }

  servers(connection: number, down: string): void {
    this.says(connection, `servers, ${down || 'none'} down`, {
      case: 'servers',
      value: { $typeName: 'fourfold.v1.Servers', servers: serversBut(down), life: this.life },
    })
  }

  /** The server gives all it has of a document: what `write` put there. */
  open(connection: number, document: string, number = 0): void {
    const doc = this.#server(document)
    this.says(connection, `opened ${document}`, {
      case: 'opened',
      value: {
        $typeName: 'fourfold.v1.Opened',
        document,
        piece: Y.encodeStateAsUpdate(doc),
        isLast: true,
        stateVector: Y.encodeStateVector(doc),
        number,
      },
    })
  }

  /** What the next `open` gives: everything that was pushed so far. */
  write(document: string): void {
    Y.applyUpdate(this.#server(document), Y.encodeStateAsUpdate(this.doc(document)))
  }

  /** What the next `open` gives: somebody else's text, beside what was there. */
  writeOther(document: string, text: string): void {
    this.#server(document).getText(textRoot).insert(0, text)
  }

  /** What the next `open` gives: nothing, as a server that knows nothing of all this. */
  forget(document: string): void {
    this.#servers.delete(document)
  }

  /** Somebody else, who has seen all that is here. */
  other(document: string): Y.Doc {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(this.doc(document)))
    return doc
  }

  /** A server tells what somebody else wrote, as far as it is not here; `again`: all of it. */
  changed(
    connection: number,
    document: string,
    number: number,
    whole: Uint8Array,
    again = false,
  ): void {
    const known = Y.encodeStateVector(this.doc(document))
    const update = again ? whole : Y.diffUpdate(whole, known)
    const seal = new Uint8Array([number])
    this.says(connection, `changed ${document} ${number} ${shortened(textOf(update))}`, {
      case: 'changed',
      value: { $typeName: 'fourfold.v1.Changed', document, number, update, seal },
    })
  }

  /** A server tells where somebody is; `state` empty: in it no more. */
  caret(connection: number, document: string, writer: number, clock: number, state: string): void {
    const value = create(CaretSchema, { document, writer, clock, state })
    this.says(connection, `caret ${document} ${clock}`, { case: 'caret', value })
  }

  stored(connection: number, ...holdings: string[]): void {
    this.says(connection, `stored ${holdings.join(' ')}`, {
      case: 'stored',
      value: {
        $typeName: 'fourfold.v1.Stored',
        holdings: holdings.map((holding) =>
          create(HoldingSchema, { server: holding[0]!, ticket: Number(holding.slice(1)) }),
        ),
      },
    })
  }

  rejected(connection: number, ticket: number, text: string, code: Code): void {
    this.says(connection, `rejected ${ticket}: ${text}`, {
      case: 'rejected',
      value: { $typeName: 'fourfold.v1.Rejected', ticket, code, text },
    })
  }

  resync(connection: number, document: string, ticket: number): void {
    this.says(connection, `resync ${document} ${ticket}`, {
      case: 'resync',
      value: { $typeName: 'fourfold.v1.Resync', document, ticket },
    })
  }

  refuse(connection: number, code: Code, text: string): void {
    this.says(connection, `refused: ${text}`, {
      case: 'refused',
      value: { $typeName: 'fourfold.v1.Refused', code, text },
    })
  }

  says(connection: number, line: string, message: ServerMessage['message'], bytes = 100): void {
    this.lines.push(`${connection}< ${line}`)
    const whole = create(ServerMessageSchema, { message })
    this.step({ type: 'received', connection, message: whole, bytes })
  }

  close(connection: number): void {
    this.lines.push(`${connection}< closed`)
    this.step({ type: 'closed', connection, why: 'lost' })
  }

  // --------------------------------------------------------------------------------------- lines

  #server(document: string): Y.Doc {
    const doc = this.#servers.get(document) ?? new Y.Doc()
    doc.clientID = 1
    this.#servers.set(document, doc)
    return doc
  }

  #perform(output: SessionOutput): void {
    switch (output.type) {
      case 'dial':
        this.lines.push(`dial ${output.connection} ${output.address.slice('http://'.length)}`)
        return
      case 'hangUp':
        this.lines.push(`hang up ${output.connection}`)
        return
      case 'send':
        this.lines.push(`${output.connection}> ${sentence(output.message.message)}`)
        return
      case 'integrate': {
        const { document, update, seal } = output
        const came = seal && { document, at: this.#now, update, seal }
        if (came) this.relays.keep(relayOf(came, this.doc(document), this.#writers))
        Y.applyUpdate(this.doc(document), update, this)
        return
      }
      case 'unsealed':
        this.relays.forget(output.document)
        this.lines.push(`* unsealed ${output.document}`)
        return
      case 'done':
        this.lines.push(`* done ${output.operation} on ${output.servers.join(' ')}`)
        return
      case 'failed':
        this.lines.push(`* failed ${output.operation}: ${output.error.message}`)
        return
      case 'turnedDown':
        this.lines.push(`* turned down ${output.document}: ${output.error.message}`)
        return
      case 'unavailable':
        this.lines.push(`* unavailable ${output.document}: ${output.text}`)
        return
      case 'gone':
        this.lines.push(`* gone ${output.document}${output.isOwed ? ', edits are owed' : ''}`)
        return
      case 'life':
        this.lines.push(`* life ${output.life}`)
        return
      case 'named':
        this.lines.push(`* named ${output.name}`)
        return
      case 'caret': {
        const { document, writer, state } = output.caret
        this.lines.push(`* ${writer} is ${state || 'gone'} in ${document}`)
        return
      }
      case 'caughtUp':
      case 'entries':
      case 'servers':
      case 'changed':
        return
    }
  }

  #show(): void {
    const { state, save } = this.session
    const where = state.name === 'online' ? `online ${state.server}` : state.name
    const shown = `* ${where} · ${saved(save)}`
    if (shown !== this.#shown) this.lines.push(shown)
    this.#shown = shown
  }
}

/** Four servers, all live but those named. */
function serversBut(down: string) {
  return ['a', 'b', 'c', 'd'].map((id) => {
    const state = down.includes(id) ? ServerState.DOWN : ServerState.LIVE
    return create(ServerSchema, { id, address: `http://${id}`, state })
  })
}

function saved(save: Session['save']): string {
  if (save.name === 'saved') return `saved on ${save.servers.join(' ') || 'none'}`
  return `${save.name} (${save.waiting})`
}

function sentence(message: ClientMessage['message']): string {
  switch (message.case) {
    case 'hello':
      return helloWords(message.value)
    case 'open':
    case 'close':
      return `${message.case} ${message.value.document}`
    case 'push': {
      const { ticket, document, update } = message.value
      return `push ${ticket} ${document} ${shortened(textOf(update))}`
    }
    case 'operation':
      return `operation ${message.value.ticket} ${message.value.operation.case} ${message.value.id}`
    case 'caret':
      return `caret ${message.value.document} ${message.value.clock} ${message.value.state || 'gone'}`
    case 'ping':
      return `ping ${message.value.number}`
    case 'credit':
      return `credit ${message.value.bytesRead}`
    case 'show': {
      const { entry, extent } = message.value
      return `show ${entry || 'the top'} ${['not', 'alone', 'open'][extent]}`
    }
    case 'ask':
      return `ask ${message.value.ticket} ${message.value.operation}`
    case 'more':
      return `more of ${message.value.entry || 'the top'}`
    case undefined:
      return 'nothing'
  }
}

/** What an update inserts. */
function textOf(update: Uint8Array): string {
  const structs = [...decodeTextUpdate(update).structs.values()].flat()
  return structs.map((struct) => struct.text).join('')
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.length} characters` : JSON.stringify(text)
}

function keyFor(order: string[]): Uint8Array {
  for (let number = 0; ; number++) {
    const tried = Uint8Array.from({ length: 16 }, (_, index) =>
      index === 0 ? number >> 8 : number,
    )
    const roster = new Roster(tried, order, () => 0.5)
    const taken = new Set<string>()
    const isInOrder = order.every((address) => {
      const next = roster.next(0, { addresses: taken, ids: new Set() })
      taken.add(address)
      return next === address
    })
    if (isInOrder) return tried
  }
}

function helloWords({ isStandby, name, earlierKeys }: Hello): string {
  const keys = earlierKeys.length > 0 ? `, further keys: ${earlierKeys.length}` : ''
  return `hello ${isStandby ? 'as standby' : name}${keys}`
}
