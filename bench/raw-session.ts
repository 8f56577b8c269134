// A session without any cleverness: the protocol's messages over one WebSocket, for load and idleness.

import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { once } from 'node:events'
import { WebSocket } from 'ws'

import { FourfoldError } from '../src/core/model/errors.ts'
import { readShortResponse } from '../src/core/model/short-reading.ts'
import { subjectId, type SubjectId } from '../src/core/model/ids.ts'
import {
  ClientMessageSchema,
  SessionRequestSchema,
  SessionResponseSchema,
  type ServerMessage,
} from '../src/core/model/wire.ts'

type Said = MessageInitShape<typeof ClientMessageSchema>['message']
type Heard = ServerMessage['message']

export class RawSession {
  readonly key: Uint8Array
  /** The server it is with, from Welcome. */
  server = ''
  readonly #socket: WebSocket
  readonly #listeners = new Set<(message: Heard) => void>()
  #lastTicket = 0

  private constructor(socket: WebSocket, key: Uint8Array) {
    this.key = key
    this.#socket = socket
    socket.on('message', (bytes: Buffer) => this.#received(bytes))
  }

  /** Resolves when the server said Welcome. */
  static async join(address: string, name: string, isStandby = false): Promise<RawSession> {
    const socket = new WebSocket(`${address.replace(/^http/, 'ws')}/session`, {
      perMessageDeflate: false,
    })
    await once(socket, 'open')
    const key = crypto.getRandomValues(new Uint8Array(16))
    const session = new RawSession(socket, key)
    const hello = { key, name, protocol: 1, isStandby, agent: 'bench' }
    const welcomed = session.heard('welcome')
    session.say({ case: 'hello', value: hello })
    session.server = (await welcomed).server
    return session
  }

  /** A number for the next push or operation. */
  nextTicket(): number {
    return ++this.#lastTicket
  }

  say(message: Said): void {
    this.sendFrame(frameOf(message))
  }

  sendFrame(frame: Uint8Array): void {
    this.#socket.send(frame)
  }

  /** Calls for every message; the answer ends that. */
  listen(listener: (message: Heard) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The next message of this kind. Rejects when the server turns away the session or what it sent. */
  heard<K extends NonNullable<Heard['case']>>(
    kind: K,
  ): Promise<Extract<Heard, { case: K }>['value']> {
    return new Promise((resolve, reject) => {
      const end = this.listen((message) => {
        if (message.case === 'refused' || message.case === 'rejected') {
          reject(new FourfoldError('unavailable', message.value.text))
        } else if (message.case === kind) resolve(message.value as never)
        else return
        end()
      })
    })
  }

  /** Makes a file; resolves when it is on this server's disk. */
  async create(name: string, text = ''): Promise<SubjectId> {
    const id = subjectId(crypto.getRandomValues(new Uint8Array(16)))
    const ticket = this.nextTicket()
    const done = this.heard('done')
    const value = { ticket, id, operation: { case: 'create' as const, value: { name, text } } }
    this.say({ case: 'operation', value })
    await done
    return id
  }

  close(): void {
    this.#socket.terminate()
  }

  #received(bytes: Buffer): void {
    for (const { message } of messagesOf(bytes)) {
      for (const listener of this.#listeners) listener(message)
    }
  }
}

/** Read as the SDK reads them. */
function messagesOf(frame: Uint8Array): ServerMessage[] {
  const short = readShortResponse(frame)
  return short?.map(({ message }) => message) ?? fromBinary(SessionResponseSchema, frame).messages
}

/** One message as it travels. */
export function frameOf(message: Said): Uint8Array {
  const messages = [create(ClientMessageSchema, { message })]
  return toBinary(SessionRequestSchema, create(SessionRequestSchema, { messages }))
}
