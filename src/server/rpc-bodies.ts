// What comes with calls, bounded while it comes: a call that never ends fills no memory.

import { Code, ConnectError } from '@connectrpc/connect'
import { helloBytesMax, rpcBytesMax } from '../core/model/limits.ts'
import { compressedFlag, envelopeBytes } from './rpc-messages.ts'

type Pieces = AsyncIterable<Uint8Array>

/** The bodies of all calls of one server. */
export class RpcBodies {
  /** Of requests that are not here as a whole. */
  #bytes = 0

  /**
   * The body of a call with one request. It throws ConnectError where somebody who is not signed in
   * sends more than a stranger may, where too much is on its way, and where it breaks off.
   */
  async *one(body: Pieces, isSignedIn: boolean): AsyncGenerator<Uint8Array> {
    let bytes = 0
    try {
      for await (const piece of toItsEnd(body)) {
        bytes += piece.length
        this.#bytes += piece.length
        // What is small is let in: it is how people type, look and sign in.
        if (bytes > helloBytesMax) this.#checkLong(isSignedIn)
        yield piece
      }
    } finally {
      this.#bytes -= bytes
    }
  }

  #checkLong(isSignedIn: boolean): void {
    if (!isSignedIn) throw signInFirst()
    if (this.#bytes <= rpcBytesMax) return
    throw new ConnectError(
      'Too much comes in at this moment. Try another server.',
      Code.Unavailable,
    )
  }
}

/** The same pieces, with words for whoever still listens where they break off. */
async function* toItsEnd(body: Pieces): Pieces {
  try {
    yield* body
  } catch (error) {
    if (error instanceof ConnectError) throw error
    // It was too slow, or its caller is gone: whatever of it came is not a call.
    const text = 'The call did not come as a whole, or too slowly. Nothing was done; send it again.'
    throw new ConnectError(text, Code.Unavailable)
  }
}

/** The body of a call with a stream of requests: who is no stranger shows in the first of them. */
export async function* streamed(body: Pieces, isSignedIn: boolean): AsyncGenerator<Uint8Array> {
  let head = Buffer.alloc(0)
  for await (const piece of body) {
    if (!isSignedIn && head.length < envelopeBytes) {
      head = Buffer.concat([head, piece.subarray(0, envelopeBytes - head.length)])
      const isLong = head.length === envelopeBytes && head.readUInt32BE(1) > helloBytesMax
      // How long it is shows only when it swells.
      const isCompressed = head.length > 0 && (head[0]! & compressedFlag) !== 0
      if (isLong || isCompressed) throw signInFirst()
    }
    yield piece
  }
}

function signInFirst(): ConnectError {
  const most = `a message before that may have ${helloBytesMax / 1024} KiB, and the first of a stream is not compressed`
  return new ConnectError(`Sign in first: ${most}.`, Code.Unauthenticated)
}
