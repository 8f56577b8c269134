// SessionService: the same live channel as the WebSocket at /session, for gRPC clients.

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { ConnectError, type ServiceImpl } from '@connectrpc/connect'
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
      let broken: Error | undefined
      const incoming = noting(requests, (error) => (broken = error))
      void channel.read(incoming)
      runtime.addClient(channel, callerAddress(context))
      yield* channel.outgoing(context.signal)
      // What came was no message: that is how the call ends, and not as if all were well.
      if (broken !== undefined) throw broken
    },
  }
}

/** The same requests; `noted` gets the error that ends them, if one does. */
async function* noting(
  requests: AsyncIterable<SessionRequest>,
  noted: (error: Error) => void,
): AsyncGenerator<SessionRequest> {
  try {
    yield* requests
  } catch (error) {
    noted(ConnectError.from(error))
    throw error
  }
}
