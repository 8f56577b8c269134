// What this mind says: messages to clients, requests to the engine, lines for the operator.

import { create } from '@bufbuild/protobuf'
import { codeOf } from '../model/error-codes.ts'
import type { FourfoldError } from '../model/errors.ts'
import type { EngineRequest } from '../ports.ts'
import {
  EphemeralSchema,
  ServerMessageSchema,
  type Code,
  type Ephemeral,
  type ServerMessage,
} from '../model/wire.ts'
import type { Answer, CallId, ClientChannel, ReplicaOutput } from './messages.ts'

interface Held {
  /** How many conditions its messages wait for. */
  conditions: number
  messages: ServerMessage[]
}

/** Collects the outputs of a step. Messages to a held channel wait, and keep their order. */
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
    const message = create(ServerMessageSchema, { message: body })
    const free = channels.filter((channel) => {
      const held = this.#held.get(channel)
      held?.messages.push(message)
      return !held
    })
    if (free.length > 0) this.#outputs.push({ type: 'send', channels: free, message })
  }

  /** From here on nothing is sent to this channel until `release` was called as often as this. */
  hold(channel: ClientChannel): void {
    const held = this.#held.get(channel)
    if (held) held.conditions++
    else this.#held.set(channel, { conditions: 1, messages: [] })
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
    const value = { $typeName: 'fourfold.v1.Unavailable' as const, document, text }
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

  log(level: 'info' | 'error', text: string): void {
    this.#outputs.push({ type: 'log', level, text })
  }
}
