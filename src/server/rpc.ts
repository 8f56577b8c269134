// RPC over HTTP: every service answers gRPC, gRPC-Web and Connect, on HTTP/1.1 and HTTP/2.

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextValues,
  type ConnectRouter,
  type HandlerContext,
} from '@connectrpc/connect'
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node'
import type { UniversalHandler } from '@connectrpc/connect/protocol'
import { messageBytesMax } from '../core/model/limits.ts'
import { compressMinBytes } from '../adapters/channel/grpc.ts'
import type { Addresses } from './addresses.ts'
import { sendText } from './plain-answer.ts'
import { addressKey } from './services/caller.ts'

export type Rpc = (request: IncomingMessage, response: ServerResponse) => void

/** By path, what answers it. */
export function rpcHandlers(
  routes: (router: ConnectRouter) => void,
  addresses: Addresses,
): Map<string, Rpc> {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    compressMinBytes,
    // Counted after decompression: a bomb is refused while it swells.
    readMaxBytes: messageBytesMax,
    requestGate: blameCaller,
  })
  routes(router)
  return new Map(router.handlers.map((handler) => [handler.requestPath, rpc(handler, addresses)]))
}

function rpc(handler: UniversalHandler, addresses: Addresses): Rpc {
  return (request, response) => {
    answer(handler, request, response, addresses.of(request)).catch(() => {
      // The caller went away, or its HTTP is broken: nobody is left to tell.
      if (response.headersSent) response.destroy()
      else sendText(response, 400, 'The request is malformed.\n')
    })
  }
}

async function answer(
  handler: UniversalHandler,
  request: IncomingMessage,
  response: ServerResponse,
  address: string,
): Promise<void> {
  const values = createContextValues().set(addressKey, address)
  const addTrailers = response.addTrailers.bind(response)
  response.addTrailers = (trailers) =>
    addTrailers(withPlainMessage(trailers as OutgoingHttpHeaders))
  const universal = universalRequestFromNodeRequest(request, response, undefined, values)
  await universalResponseToNodeResponse(await handler(universal), response)
}

/**
 * Bytes that are no message are a mistake of the caller. Connect calls them an internal error, in the
 * words of its decoder, before any code of ours is asked. It tells the context of each error before
 * it writes it down: here the error is put right, for all protocols at once.
 */
function blameCaller({ signal }: HandlerContext): void {
  const amend = () => {
    const error: unknown = signal.reason
    if (!(error instanceof ConnectError) || error.code !== Code.Internal) return
    if (!error.rawMessage.startsWith('parse binary:')) return
    Object.assign(error, { code: Code.InvalidArgument, rawMessage: 'The message is malformed.' })
  }
  signal.addEventListener('abort', amend, { once: true })
}

/**
 * gRPC wants only "%" and what is no printable ASCII percent-encoded. Connect encodes punctuation
 * too, and grpc-js does not decode that: its users would read "%3B" in our sentences.
 */
function withPlainMessage(trailers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  if (typeof trailers['grpc-message'] !== 'string') return trailers
  const plain = (encoded: string, hex: string) => {
    const code = parseInt(hex, 16)
    return code >= 0x20 && code < 0x7f && code !== 0x25 ? String.fromCharCode(code) : encoded
  }
  const message = trailers['grpc-message'].replace(/%([0-9a-f]{2})/gi, plain)
  return { ...trailers, 'grpc-message': message }
}
