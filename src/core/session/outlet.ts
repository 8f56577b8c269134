// The outputs of one step, in the order in which they must be performed.

import type { ClientMessage } from '../model/wire.ts'
import type { ConnectionId, SessionOutput } from './messages.ts'

export class Outlet {
  #outputs: SessionOutput[] = []
  #hasChanged = false

  put(output: SessionOutput): void {
    // Once, and last: when everything is as it will be.
    if (output.type === 'changed') this.#hasChanged = true
    else this.#outputs.push(output)
  }

  send(connection: ConnectionId, body: ClientMessage['message']): void {
    const message: ClientMessage = { $typeName: 'fourfold.v1.ClientMessage', message: body }
    this.#outputs.push({ type: 'send', connection, message })
  }

  /** Everything put since the last call. */
  take(): SessionOutput[] {
    const outputs = this.#outputs
    if (this.#hasChanged) outputs.push({ type: 'changed' })
    this.#outputs = []
    this.#hasChanged = false
    return outputs
  }
}
