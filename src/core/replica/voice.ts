// What this mind says: messages to clients, requests to the engine, lines for the operator.

import { create } from '@bufbuild/protobuf'
import { codeOf } from '../model/error-codes.ts'
import type { FourfoldError } from '../model/errors.ts'
import { heldBytesMax } from '../model/limits.ts'
import type { EngineRequest } from '../ports.ts'
import {
  Code,
  EphemeralSchema,
  type Content,
  type Ephemeral,
  type ServerMessage,
} from '../model/wire.ts'
import type { Answer, CallId, ClientChannel, ReplicaOutput } from './messages.ts'

/** About what a message takes besides the bytes in it. */
const frameBytes = 200
/** An entry in a message is the one that the folder holds anyway. */
const entryBytes = 8

interface Held {
  /** How many conditions its messages wait for. */
  conditions: number
  messages: ServerMessage[]
  bytes: number
}

/**
 * Collects the outputs of a step. Messages to a held channel wait, and keep their order; when more
 * wait than may, the client is sent elsewhere.
 */
export class Voice {
  #outputs: ReplicaOutput[] = []
  readonly #held = new Map<ClientChannel, Held>()

  /** The outputs since the last call. */
  take(): ReplicaOutput[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  send(channels: ClientChannel[], body: ServerMessage['message']): void {
    if (channels.length === 0) return
    const message: ServerMessage = { $typeName: 'fourfold.v1.ServerMessage', message: body }
    const isNoneHeld = this.#held.size === 0
    const free = isNoneHeld ? channels : channels.filter((channel) => !this.#held.has(channel))
    if (free.length > 0) this.#outputs.push({ type: 'send', channels: free, message })
    if (free.length === channels.length) return
    for (const channel of channels) this.#keep(channel, message)
  }

  #keep(channel: ClientChannel, message: ServerMessage): void {
    const held = this.#held.get(channel)
    if (!held) return
    if (held.bytes > heldBytesMax && !isWithinDocument(held.messages.at(-1))) {
      this.refuse(channel, Code.UNAVAILABLE, 'This server saves too slowly. Trying another.')
      return
    }
    held.messages.push(message)
    held.bytes += bytesOf(message)
  }

  /** From here on nothing is sent to this channel until `release` was called as often as this. */
  hold(channel: ClientChannel): void {
    const held = this.#held.get(channel)
    if (held) held.conditions++
    else this.#held.set(channel, { conditions: 1, messages: [], bytes: 0 })
  }

  release(channel: ClientChannel): void {
    const held = this.#held.get(channel)
    if (!held || --held.conditions > 0) return
    this.#held.delete(channel)
    for (const message of held.messages) {
      this.#outputs.push({ type: 'send', channels: [channel], message })
    }
  }

  /** The channel is closed. */
  forget(channel: ClientChannel): void {
    this.#held.delete(channel)
  }

  refuse(channel: ClientChannel, code: Code, text: string): void {
    this.#held.delete(channel)
    this.send([channel], {
      case: 'refused',
      value: { $typeName: 'fourfold.v1.Refused', code, text },
    })
    this.#outputs.push({ type: 'hangUp', channel, why: text })
  }

  reject(channel: ClientChannel, ticket: number, error: FourfoldError): void {
    const { message: text } = error
    this.send([channel], {
      case: 'rejected',
      value: { $typeName: 'fourfold.v1.Rejected', ticket, code: codeOf(error), text },
    })
  }

  resync(channels: ClientChannel[], document: string, ticket: number): void {
    const value = { $typeName: 'fourfold.v1.Resync' as const, document, ticket }
    this.send(channels, { case: 'resync', value })
  }

  unavailable(channel: ClientChannel, document: string, text: string): void {
    const value = { $typeName: 'fourfold.v1.Unavailable' as const, document, text, isGone: false }
    this.send([channel], { case: 'unavailable', value })
  }

  gone(channel: ClientChannel, document: string): void {
    const text = 'This file was deleted for good.'
    const value = { $typeName: 'fourfold.v1.Unavailable' as const, document, text, isGone: true }
    this.send([channel], { case: 'unavailable', value })
  }

  toPeers(topic: Ephemeral['topic']): void {
    this.ask({ type: 'send', ephemeral: create(EphemeralSchema, { topic }) })
  }

  ask(request: EngineRequest): void {
    this.#outputs.push({ type: 'ask', request })
  }

  answer(call: CallId, answer: Answer): void {
    this.#outputs.push({ type: 'answer', call, answer })
  }

  named(contents: Content[]): void {
    if (contents.length > 0) this.#outputs.push({ type: 'named', contents })
  }

  log(level: 'info' | 'error', text: string): void {
    this.#outputs.push({ type: 'log', level, text })
  }
}

/** Whether more pieces of its document follow. */
function isWithinDocument(last: ServerMessage | undefined): boolean {
  return last?.message.case === 'opened' && !last.message.value.isLast
}

function bytesOf({ message }: ServerMessage): number {
  switch (message.case) {
    case 'opened':
      return frameBytes + message.value.piece.length + message.value.stateVector.length
    case 'changed':
      return frameBytes + message.value.update.length
    case 'caret':
      return frameBytes + message.value.state.length
    case 'entries':
      return frameBytes + entryBytes * message.value.entries.length
    default:
      return frameBytes
  }
}
