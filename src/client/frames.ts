// Messages on their way out: what one step says on a connection travels as one frame.

import { create, toBinary } from '@bufbuild/protobuf'
import { shortRequest } from '../core/model/short-messages.ts'
import { SessionRequestSchema, type ClientMessage } from '../core/model/wire.ts'
import type { ConnectionId } from '../core/session/messages.ts'

/** A frame is sent when it has come to this size: a server takes 16 MiB at most. */
const frameBytes = 1024 * 1024

/** What is to be sent on each connection, in order; `flush` sends what does not fill a frame. */
export class Frames {
  readonly #send: (connection: ConnectionId, frame: Uint8Array<ArrayBuffer>) => void
  readonly #parts = new Map<ConnectionId, { encoded: Uint8Array[]; bytes: number }>()

  constructor(send: (connection: ConnectionId, frame: Uint8Array<ArrayBuffer>) => void) {
    this.#send = send
  }

  add(connection: ConnectionId, message: ClientMessage): void {
    // Encodings of requests in a row are the encoding of one with all their messages.
    const encoded = shortRequest(message, copied) ?? usualRequest(message)
    const parts = this.#parts.get(connection) ?? { encoded: [], bytes: 0 }
    this.#parts.set(connection, parts)
    parts.encoded.push(encoded)
    parts.bytes += encoded.length
    if (parts.bytes >= frameBytes) this.#flushOne(connection)
  }

  flush(): void {
    for (const connection of [...this.#parts.keys()]) this.#flushOne(connection)
  }

  #flushOne(connection: ConnectionId): void {
    const { encoded, bytes } = this.#parts.get(connection)!
    this.#parts.delete(connection)
    const frame = new Uint8Array(bytes)
    let at = 0
    for (const part of encoded) {
      frame.set(part, at)
      at += part.length
    }
    this.#send(connection, frame)
  }
}

function usualRequest(message: ClientMessage): Uint8Array {
  return toBinary(SessionRequestSchema, create(SessionRequestSchema, { messages: [message] }))
}

const copied = (written: Uint8Array) => written.slice()
