// Who answers a request that came in at the port: RPC, blobs, WebDAV, a peer's call, health, the page.

import type * as http from 'node:http'
import type * as http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { Code, type ConnectRouter } from '@connectrpc/connect'
import { WebSocketServer } from 'ws'
import { messageBytesMax } from '../core/model/limits.ts'
import { exchangePath, refusePeer } from '../adapters/channel/grpc-peer.ts'
import { Unfinished } from '../adapters/channel/unfinished.ts'
import { acceptedWebSocket, type AcceptedWebSocket } from '../adapters/channel/websocket-server.ts'
import { networkOf, type Addresses } from './addresses.ts'
import { admits, blobScripts, rpcScripts, sessionScripts } from './admission.ts'
import { blobsPath } from './blobs.ts'
import { CallTurns } from './call-turns.ts'
import { isDavPath } from './dav/paths.ts'
import { drain, lastWordsMs } from './last-words.ts'
import type { Origins } from './origins.ts'
import type { Page } from './page.ts'
import { sendText } from './plain-answer.ts'
import { connectionOf, rpcHandlers, type Rpc } from './rpc.ts'
import type { PeerCall } from './services/replication.ts'
import { cut, isGone } from './taking.ts'

/** Where browsers open their WebSocket. */
const sessionPath = '/session'
/** Where Windows asks whether there is any WebDAV at all. */
const isAbove: ReadonlySet<string> = new Set(['/', '*'])
/** Where a method of a service would be. */
const rpcPath = /^\/(\w+\.)+\w+\/\w+$/
const noMethod = 'This server has no such method.'

/** What is behind the port. */
export interface Answerers {
  /** Adds the services that are called by RPC. */
  routes: (router: ConnectRouter) => void
  /** Whether who calls with this header is no stranger. */
  isSignedIn: (authorization: string | undefined) => boolean
  /** Answers another server's call over HTTP/2. */
  answerPeer: (call: PeerCall) => void
  /** Answers a request below /blobs/. Never rejects. */
  answerBlob: (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    isCertified: boolean,
  ) => Promise<void>
  /** Answers a request of WebDAV that comes from this address. Never rejects. */
  answerDav: (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    address: string,
  ) => Promise<void>
  page: Page
  origins: Origins
  addresses: Addresses
  /** For /healthz: the body, and whether this server takes work. */
  health: () => { isWell: boolean; body: object }
  /** A client's open WebSocket. */
  accept: (channel: AcceptedWebSocket, address: string) => void
  /** For the operator: a request met a mistake of ours. */
  log: (text: string) => void
}

/** What the two HTTP servers of a port give their requests to. */
export class Requests {
  readonly #options: Answerers & { requestMs: number }
  readonly #rpc: Map<string, Rpc>
  readonly #unfinished = new Unfinished()
  /** Of what asks this server's mind. */
  readonly #turns = new CallTurns()
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
  })

  /** `requestMs`: for a whole request, unless it brings a file or is a stream. */
  constructor(options: Answerers & { requestMs: number }) {
    this.#options = options
    this.#rpc = rpcHandlers({ ...options, unfinished: this.#unfinished })
  }

  /** Answers a request of HTTP/1.1, or one of HTTP/2 in its shape. */
  answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    // Of one that breaks off Node tells whoever reads it, a step later: when that reader has just
    // left, nobody hears of it, which would end this process.
    request.on('error', () => {})
    if (isOfHttp2(request)) endAnswered(request, this.#options.requestMs)
    try {
      this.#answer(request, response)
    } catch (error) {
      // Sent to one server after the other, that request would end all of them (13).
      this.#options.log(`a request met a mistake of ours: ${traceOf(error)}`)
      cut(response)
    }
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { origins, requestMs } = this.#options
    const path = pathOf(request)
    const rpc = this.#rpc.get(path)
    const isBlob = path.startsWith(blobsPath)
    const isDav = isDavPath(path) || (request.method === 'OPTIONS' && isAbove.has(path))
    const isFile = isBlob || (isDav && request.method === 'PUT')
    if (isCoded(request)) {
      sendText(response, 501, 'Only "chunked" is understood as a Transfer-Encoding.\n')
      drain(request)
      return
    }
    if (!isFile && path !== exchangePath && !rpc?.isStream) hurry(request, requestMs)
    if (path === exchangePath) this.#answerPeer(request, response)
    else if (rpc) {
      if (admits(origins, request, response, rpcScripts)) {
        this.#inTurn(request, response, () => rpc.answer(request, response))
      }
    } else if (isBlob) {
      if (admits(origins, request, response, blobScripts)) this.#answerBlob(request, response)
    } else if (isDav) {
      this.#inTurn(request, response, () => this.#answerDav(request, response))
    } else if (isGrpc(request)) {
      // What gRPC clients understand; a status of HTTP would tell them nothing.
      refusePeer(request.stream, Code.Unimplemented, noMethod)
    } else if (rpcPath.test(path) && (request.method === 'POST' || request.method === 'OPTIONS')) {
      // Which Connect and gRPC-Web take for the same: clients are newer than servers for a while.
      if (admits(origins, request, response, rpcScripts)) sendText(response, 404, `${noMethod}\n`)
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendText(response, 405, 'Only GET and HEAD here.\n', { allow: 'GET, HEAD' })
    } else if (path === '/healthz') {
      const { isWell, body } = this.#options.health()
      response.writeHead(isWell ? 200 : 503, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
      })
      response.end(JSON.stringify(body))
    } else if (path === sessionPath) {
      if (admits(origins, request, response, sessionScripts)) answerUnopened(request, response)
    } else {
      this.#options.page.answer(request, response).catch(() => cut(response))
    }
  }

  #inTurn(request: http.IncomingMessage, response: http.ServerResponse, begin: () => void): void {
    const network = networkOf(this.#options.addresses.of(request))
    this.#turns.take({ network, connection: connectionOf(request) }, () => {
      // Nobody is told any more that it is over.
      if (!isGone(response)) begin()
    })
  }

  #answerPeer(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (!isOfHttp2(request)) {
      sendText(response, 415, 'Only gRPC over HTTP/2 here.\n')
      return
    }
    const { stream } = request
    // The response object is not used: it must not send its trailers.
    stream.removeAllListeners('wantTrailers')
    this.#options.answerPeer({
      stream,
      headers: request.headers,
      isCertified: isCertified(request),
    })
  }

  #answerBlob(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { answerBlob } = this.#options
    answerBlob(request, response, isCertified(request)).catch(() => cut(response))
  }

  #answerDav(request: http.IncomingMessage, response: http.ServerResponse): void {
    const address = this.#options.addresses.of(request)
    this.#options.answerDav(request, response, address).catch(() => cut(response))
  }

  /** Opens a WebSocket for a session, or refuses it. */
  upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    if (pathOf(request) !== sessionPath) refuseUpgrade(socket, '404 Not Found', 'Nothing is here.')
    else if (this.#options.origins.verdict(request.headers) !== 'allowed') {
      refuseUpgrade(socket, '403 Forbidden', 'Scripts of this page may not connect here.')
    } else {
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        const address = this.#options.addresses.of(request)
        this.#options.accept(acceptedWebSocket(webSocket, socket, this.#unfinished), address)
      })
    }
  }
}

function traceOf(error: unknown): string {
  return (error instanceof Error && error.stack) || String(error)
}

const forWebSockets = 'This is for WebSockets.\n'

// A page whose server was down asks whether it is back before it opens a WebSocket.
function answerUnopened(request: http.IncomingMessage, response: http.ServerResponse): void {
  if (request.method === 'HEAD') response.writeHead(204, { 'cache-control': 'no-store' }).end()
  else if (isOfHttp2(request)) sendText(response, 426, forWebSockets)
  else sendText(response, 426, forWebSockets, { upgrade: 'websocket' })
}

function pathOf({ url = '' }: http.IncomingMessage): string {
  return url.split('?', 1)[0]!
}

/** Whether its body would have to be unpacked: taken as it comes, it would not be what was sent. */
function isCoded({ headers }: http.IncomingMessage): boolean {
  return (headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked'
}

/** Whether the caller has a certificate that this server trusts: it is another server of the set. */
function isCertified({ socket }: http.IncomingMessage): boolean {
  return (socket as TLSSocket).authorized === true
}

/** Ends a request whose body does not come. */
function hurry(request: http.IncomingMessage, requestMs: number): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const timer = setTimeout(() => {
    request.destroy()
    if (isOfHttp2(request)) closeIn(lastWordsMs, request.stream)
  }, requestMs)
  for (const over of ['end', 'close']) request.once(over, () => clearTimeout(timer))
}

/** Over HTTP/2 an answered request, or a destroyed one, goes on for as long as its sender likes. */
function endAnswered(request: OfHttp2, requestMs: number): void {
  const { stream } = request
  if (request.method !== 'HEAD') {
    stream.once('finish', () => closeIn(lastWordsMs, stream))
    return
  }
  // Its answer is over from the beginning, and what came with it would be kept.
  request.resume()
  closeIn(requestMs, stream)
}

function closeIn(ms: number, stream: http2.ServerHttp2Stream): void {
  const timer = setTimeout(() => stream.close(), ms)
  stream.once('close', () => clearTimeout(timer))
}

type OfHttp2 = http.IncomingMessage & { stream: http2.ServerHttp2Stream }

function isOfHttp2(request: http.IncomingMessage): request is OfHttp2 {
  return 'stream' in request
}

function isGrpc(request: http.IncomingMessage): request is OfHttp2 {
  const type = request.headers['content-type'] ?? ''
  return isOfHttp2(request) && /^application\/grpc($|[+;])/.test(type)
}

function refuseUpgrade(socket: Duplex, status: string, text: string): void {
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n`
  // Nobody else ends it: its client may leave it half open for ever.
  socket.once('finish', () => socket.destroy())
  socket.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
}
