// RPC over HTTP: every service answers gRPC, gRPC-Web and Connect, on HTTP/1.1 and HTTP/2.

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextValues,
  type ConnectRouter,
  type HandlerContext,
} from '@connectrpc/connect'
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node'
import type { UniversalHandler } from '@connectrpc/connect/protocol'
import { helloBytesMax, messageBytesMax } from '../core/model/limits.ts'
import { compressMinBytes } from '../adapters/channel/grpc.ts'
import type { Unfinished } from '../adapters/channel/unfinished.ts'
import { networkOf, type Addresses } from './addresses.ts'
import { drain } from './last-words.ts'
import { sendText } from './plain-answer.ts'
import { RpcBodies, streamed } from './rpc-bodies.ts'
import { compressions, uncrowded } from './rpc-messages.ts'
import { addressKey, connectionKey, cutKey, takenKey, tooLateKey } from './services/caller.ts'
import { cut, inPieces } from './taking.ts'
import { type Recipient, UntakenAnswers } from './untaken.ts'

export interface Rpc {
  answer: (request: IncomingMessage, response: ServerResponse) => void
  /** It may bring one request after the other for as long as its connection lives. */
  isStream: boolean
}

export interface RpcOptions {
  routes: (router: ConnectRouter) => void
  addresses: Addresses
  /** Whether who calls with this header is no stranger. */
  isSignedIn: (authorization: string | undefined) => boolean
  /** Of messages in streams. */
  unfinished: Unfinished
}

/** By path, what answers it. */
export function rpcHandlers(options: RpcOptions): Map<string, Rpc> {
  const { routes, addresses, isSignedIn, unfinished } = options
  const handlers = handlersOf(routes, messageBytesMax)
  const forStrangers = new Map(
    handlersOf(routes, helloBytesMax).map((handler) => [handler.requestPath, handler]),
  )
  const bodies = new RpcBodies()
  const untaken = new UntakenAnswers()
  const rpc = (handler: UniversalHandler): Rpc => {
    const isStream = ['client_streaming', 'bidi_streaming'].includes(handler.method.methodKind)
    // Of texts their service sees to it that there is room.
    const isCounted = handler.method.methodKind === 'unary' && handler.method.name !== 'ReadFile'
    const answered: Answered = async (request, response) => {
      const call = universal(request, response, addresses.of(request))
      const isKnown = isSignedIn(request.headers.authorization)
      // What comes is counted, which says why it is too long.
      if (!isKnown) call.header.delete('content-length')
      const counted = isStream
        ? streamed(call.body as AsyncIterable<Uint8Array>, isKnown)
        : // Who is refused in the middle of it can still be answered.
          bodies.one(inTime(request, call), isKnown)
      const { header } = call
      const { input: schema } = handler.method
      const bytesMax = isStream || isKnown ? messageBytesMax : helloBytesMax
      const begun = isStream ? countedIn(unfinished, response) : undefined
      const body = uncrowded({ header, body: counted, schema, bytesMax, begun })
      // Of a stream it shows in its first message who comes.
      const known = isStream || isKnown ? handler : forStrangers.get(handler.requestPath)!
      const answer = await known({ ...call, body })
      // Of a stream both ways its service sees to it that somebody reads.
      const whole = isStream ? undefined : answer.body
      const bounded = whole && isCounted ? untaken.counted(whole, recipientOf(call)) : whole
      const given = bounded ? { ...answer, body: inPieces(bounded, response) } : answer
      await universalResponseToNodeResponse(given, response)
      if (!isStream) drain(request)
    }
    return { answer: (...call) => settle(answered, ...call), isStream }
  }
  return new Map(handlers.map((handler) => [handler.requestPath, rpc(handler)]))
}

/** A message has so many bytes at most, counted after decompression: a bomb is refused while it swells. */
function handlersOf(routes: RpcOptions['routes'], readMaxBytes: number): UniversalHandler[] {
  const router = createConnectRouter({
    acceptCompression: compressions,
    compressMinBytes,
    readMaxBytes,
    // Two bytes of a field that nobody knows would be kept as an object of a hundred.
    binaryOptions: { readUnknownFields: false },
    requestGate: (call) => {
      // A deadline of nothing is over before any code of ours could wait for it.
      call.signal.throwIfAborted()
      const { signal, values } = call
      signal.addEventListener('abort', () => values.get(tooLateKey)(signal.reason), { once: true })
      blameCaller(call)
    },
  })
  routes(router)
  return router.handlers
}

/**
 * The body of a request, as long as its call is not over: Connect reads it to its end before it looks at
 * the deadline. It throws what ended the call.
 */
async function* inTime(
  request: IncomingMessage,
  { contextValues }: ReturnType<typeof universal>,
): AsyncGenerator<Uint8Array> {
  const { promise: over, reject } = Promise.withResolvers<never>()
  // Mostly it comes after all that came was read, and nobody waits for it.
  over.catch(() => {})
  contextValues!.set(tooLateKey, reject)
  const pieces = request.iterator({ destroyOnReturn: false })
  try {
    for (;;) {
      const next = pieces.next()
      // Nor for a piece that comes, or does not, when it is over.
      next.catch(() => {})
      const { value, done } = await Promise.race([next, over])
      if (done) return
      yield value as Uint8Array
    }
  } finally {
    // What still comes is thrown away elsewhere. It would wait for the next piece.
    void pieces.return?.()
  }
}

/** Counts what a stream has begun to send and not finished, as long as there is one. */
function countedIn(unfinished: Unfinished, response: ServerResponse): (bytes: number) => void {
  const sender = { cut: () => cut(response) }
  response.once('close', () => unfinished.count(sender, 0))
  return (bytes) => unfinished.count(sender, bytes)
}

/** Whom the answer to a call is for. */
function recipientOf({ contextValues }: ReturnType<typeof universal>): Recipient {
  const values = contextValues!
  return {
    network: networkOf(values.get(addressKey)),
    taken: values.get(takenKey),
    cut: values.get(cutKey),
  }
}

type Answered = (request: IncomingMessage, response: ServerResponse) => Promise<void>

function settle(answered: Answered, request: IncomingMessage, response: ServerResponse): void {
  answered(request, response).catch(() => {
    // The caller went away, or its HTTP is broken: nobody is left to tell.
    if (response.headersSent) cut(response)
    else sendText(response, 400, 'The request is malformed.\n')
  })
}

/** A call as Connect knows it. Throws where its HTTP is broken. */
function universal(request: IncomingMessage, response: ServerResponse, address: string) {
  const taken = new Promise<void>((resolve) => response.once('close', resolve))
  // Connect waits for this, or an error, where a piece did not go at once. Of one that was under way when
  // its connection broke Node tells neither: the answer, and all it holds, would wait for ever.
  response.once('close', () => response.emit('drain'))
  const values = createContextValues()
    .set(addressKey, address)
    .set(connectionKey, connectionOf(request))
    .set(takenKey, taken)
    .set(cutKey, () => cut(response))
  const addTrailers = response.addTrailers.bind(response)
  response.addTrailers = (trailers) =>
    addTrailers(withPlainMessage(trailers as OutgoingHttpHeaders))
  const call = universalRequestFromNodeRequest(request, response, undefined, values)
  forgetFarDeadlines(call.header)
  return call
}

/** What calls of one connection have in common. */
export function connectionOf(request: IncomingMessage): object {
  const stream = 'stream' in request ? (request.stream as ServerHttp2Stream) : undefined
  return stream?.session ?? request.socket
}

/** The longest that a timer waits: a longer one would be over at once. */
const timerMsMax = 2 ** 31 - 1

const unitMs: { [unit: string]: number } = { H: 3_600_000, M: 60_000, S: 1000 }

/** A deadline further off than any timer goes is none: callers that mean to wait for ever name one. */
function forgetFarDeadlines(header: Headers): void {
  const [, count, unit = ''] = /^(\d{1,8})([HMS])$/.exec(header.get('grpc-timeout') ?? '') ?? []
  if (Number(count) * unitMs[unit]! > timerMsMax) header.delete('grpc-timeout')
  const connect = header.get('connect-timeout-ms') ?? ''
  if (/^\d{1,10}$/.test(connect) && Number(connect) > timerMsMax)
    header.delete('connect-timeout-ms')
}

/**
 * Bytes that are no message are a mistake of the caller. Connect calls them an internal error, in the
 * words of its decoder, before any code of ours is asked; of too many it speaks in the words of its
 * options. It tells the context of each error before it writes it down: here the error is put right, for
 * all protocols at once.
 */
function blameCaller({ signal }: HandlerContext): void {
  const amend = () => {
    const error: unknown = signal.reason
    if (!(error instanceof ConnectError)) return
    if (error.rawMessage.includes('readMaxBytes')) {
      const rawMessage = `A message has at most ${messageBytesMax / 1024 / 1024} MiB.`
      Object.assign(error, { rawMessage })
    }
    if (error.code !== Code.Internal) return
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
