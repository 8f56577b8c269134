// SessionService: the same live channel as the WebSocket at /session, for gRPC clients.

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import {
  SessionRequestSchema,
  SessionResponseSchema,
  type SessionRequest,
  type SessionResponse,
  type SessionService,
} from '../../core/model/wire.ts'
import { StreamChannel, type Envelope } from '../../adapters/channel/grpc.ts'
import { joinFrames } from '../frames.ts'
import type { Runtime } from '../runtime.ts'
import { callerAddress } from './caller.ts'

const frames: Envelope<Uint8Array, Uint8Array, SessionResponse, SessionRequest> = {
  join: (sent) => fromBinary(SessionResponseSchema, joinFrames(sent)),
  split: (request) => [toBinary(SessionRequestSchema, request)],
  bytesOf: (frame) => frame.length,
}

export function sessionService(runtime: Runtime): ServiceImpl<typeof SessionService> {
  return {
    async *session(requests, context) {
      const channel = new StreamChannel(frames)
      const incoming = new Incoming(requests)
      void channel.read(incoming)
      runtime.addClient(channel, callerAddress(context))
      yield* channel.outgoing(context.signal)
      // What came was no message: that is how the call ends, and not as if all were well.
      if (incoming.error !== undefined) throw incoming.error
    },
  }
}

/** What the client sends, and the error that ended it, if one did. */
class Incoming implements AsyncIterable<SessionRequest> {
  error: unknown
  readonly #requests: AsyncIterable<SessionRequest>

  constructor(requests: AsyncIterable<SessionRequest>) {
    this.#requests = requests
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SessionRequest> {
    try {
      yield* this.#requests
    } catch (error) {
      this.error = error
      throw error
    }
  }
}
