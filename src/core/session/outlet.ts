// The outputs of one step, in the order in which they must be performed.

import { create } from '@bufbuild/protobuf'
import { ClientMessageSchema, type ClientMessage } from '../model/wire.ts'
import type { ConnectionId, SessionOutput } from './messages.ts'

export class Outlet {
  #outputs: SessionOutput[] = []

  put(output: SessionOutput): void {
    this.#outputs.push(output)
  }

  send(connection: ConnectionId, body: ClientMessage['message']): void {
    const message = create(ClientMessageSchema, { message: body })
    this.#outputs.push({ type: 'send', connection, message })
  }

  /** Everything put since the last call. */
  take(): SessionOutput[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }
}
