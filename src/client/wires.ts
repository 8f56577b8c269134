// The connections of one client: dialled and hung up as its session says, and what is heard on them.

import { fromBinary } from '@bufbuild/protobuf'
import { whyOf } from '../core/model/errors.ts'
import { readShortResponse } from '../core/model/short-reading.ts'
import { SessionResponseSchema, type ServerMessage } from '../core/model/wire.ts'
import type { Dial, Wire } from '../core/ports.ts'
import type { ConnectionId, SessionInput } from '../core/session/messages.ts'
import { Frames } from './frames.ts'

export class Wires {
  readonly #dial: Dial
  readonly #heard: (input: SessionInput) => void
  readonly #wires = new Map<ConnectionId, Wire>()

  /** `heard`: a connection opened, ended, or a message came on it. */
  constructor(dial: Dial, heard: (input: SessionInput) => void) {
    this.#dial = dial
    this.#heard = heard
  }

  /** For what one step says. */
  frames(): Frames {
    return new Frames((connection, frame) => this.#wires.get(connection)?.send(frame))
  }

  dial(connection: ConnectionId, address: string): void {
    const closed = (why: string) => {
      this.#wires.delete(connection)
      this.#heard({ type: 'closed', connection, why })
    }
    try {
      const wire = this.#dial(address, {
        opened: () => this.#heard({ type: 'opened', connection }),
        received: (frame) => this.#received(connection, frame),
        closed,
      })
      this.#wires.set(connection, wire)
    } catch (error) {
      // Not an address: as a server that never answers. Told later, for steps do not nest.
      const why = whyOf(error)
      queueMicrotask(() => closed(why))
    }
  }

  hangUp(connection: ConnectionId, why: 'done' | 'malformed' = 'done'): void {
    this.#wires.get(connection)?.close(why)
    this.#wires.delete(connection)
  }

  #received(connection: ConnectionId, frame: Uint8Array): void {
    let messages: ServerMessage[]
    try {
      messages = decoded(frame)
    } catch {
      // Whatever the decoder says, that is no server of ours: as if it had hung up.
      this.hangUp(connection, 'malformed')
      this.#heard({ type: 'closed', connection, why: 'malformed' })
      return
    }
    messages.forEach((message, index) => {
      const bytes = index === 0 ? frame.length : 0
      this.#heard({ type: 'received', connection, message, bytes })
    })
  }
}

function decoded(frame: Uint8Array): ServerMessage[] {
  const short = readShortResponse(frame)
  return short?.map(({ message }) => message) ?? fromBinary(SessionResponseSchema, frame).messages
}
