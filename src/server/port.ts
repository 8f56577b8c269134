// The one port: HTTP/1.1, HTTP/2, WebSocket, gRPC, Connect and the page, with and without TLS.
//
//   socket ─ TLS? ─┬─ ALPN h2, or 24 bytes that say HTTP/2 ──> HTTP/2 ──┐
//                  └─ anything else ───────────────────────> HTTP/1.1 ──┼─> RPC, health, blobs, WebDAV, page
//                                                               └── Upgrade ──> /session
//
// What is bounded here: time for headers and for a first request, sizes of headers and messages,
// streams of a connection, silence of a connection.

import * as http from 'node:http'
import * as http2 from 'node:http2'
import * as https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { Code, cors, type ConnectRouter } from '@connectrpc/connect'
import { WebSocketServer } from 'ws'
import {
  headerBytesMax,
  headersMs,
  idleClientMs,
  messageBytesMax,
  probeClientMs,
  streamsPerConnectionMax,
} from '../core/model/limits.ts'
import {
  connectionWindowBytes,
  exchangePath,
  refusePeer,
  streamWindowBytes,
} from '../adapters/channel/grpc-peer.ts'
import { acceptedWebSocket, type AcceptedWebSocket } from '../adapters/channel/websocket-server.ts'
import type { Addresses } from './addresses.ts'
import { blobsPath } from './blobs.ts'
import type { Listen } from './configuration.ts'
import { isDavPath } from './dav/paths.ts'
import type { Origins } from './origins.ts'
import { sendText, type Page } from './page.ts'
import { rpcHandlers, type Rpc } from './rpc.ts'
import type { PeerCall } from './services/replication.ts'

/** What every HTTP/2 client says first (RFC 9113 section 3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** How often time limits of HTTP/1.1 are looked at. */
const lookMs = 1000
/** Where browsers open their WebSocket. */
const sessionPath = '/session'
/** Where Windows asks whether there is any WebDAV at all. */
const isAbove: ReadonlySet<string> = new Set(['/', '*'])

/** What scripts of known pages may do where they ask from another origin. */
const rpcCors = {
  methods: 'POST',
  headers: [...cors.allowedHeaders, 'authorization'].join(', '),
  exposed: cors.exposedHeaders.join(', '),
}
const blobCors = {
  methods: 'GET, HEAD, PATCH',
  headers: 'authorization, content-type, range, if-range, upload-offset',
  exposed: 'accept-ranges, blob-servers, content-length, content-range, etag, upload-offset',
}

export interface PortTls extends SecureContextOptions {
  /** Whether callers are asked for a certificate: servers have one, browsers need none. */
  asksForCertificate: boolean
}

export interface PortOptions {
  listen: Listen
  tls?: PortTls
  routes: (router: ConnectRouter) => void
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
  /** Instead of the usual limits of time. */
  patience?: Patience
  /** A client's open WebSocket. */
  accept: (channel: AcceptedWebSocket, address: string) => void
}

export interface Patience {
  /** For headers, and for the first bytes of a connection. */
  headersMs: number
  /** For a whole request over HTTP/1.1, unless it brings a file: a text at its limit, a slow line. */
  requestMs: number
  /** Between two looks at whether an HTTP/2 connection is alive. */
  probeMs: number
  /** For one that is not, and for one that nobody uses. */
  idleMs: number
}

const usualPatience: Patience = {
  headersMs,
  requestMs: 60_000,
  probeMs: probeClientMs,
  idleMs: idleClientMs,
}

export interface Port {
  /** The number it got, where 0 was asked for; 0 on a Unix socket. */
  readonly number: number
  /** Ends all connections. */
  close(): Promise<void>
}

/** Listens. Rejects with the system's error when that fails. */
export async function openPort(options: PortOptions): Promise<Port> {
  const door = new Door(options)
  await door.listen(options.listen)
  return door
}

class Door implements Port {
  readonly #options: PortOptions
  readonly #patience: Patience
  readonly #rpc: Map<string, Rpc>
  readonly #http1: http.Server | https.Server
  readonly #http2: http2.Http2Server
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
  })
  readonly #sockets = new Set<Duplex>()
  readonly #sessions = new Map<http2.ServerHttp2Session, { streams: number; usedAt: number }>()
  readonly #prober: NodeJS.Timeout

  constructor(options: PortOptions) {
    this.#options = options
    this.#patience = options.patience ?? usualPatience
    this.#rpc = rpcHandlers(options.routes, options.addresses)
    this.#http2 = this.#createHttp2()
    this.#http1 = this.#createHttp1()
    this.#prober = setInterval(() => this.#probe(), this.#patience.probeMs).unref()
  }

  get number(): number {
    const address = this.#http1.address()
    return typeof address === 'object' ? (address as AddressInfo).port : 0
  }

  listen(listen: Listen): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#http1.once('error', reject)
    this.#http1.listen(listen, () => {
      this.#http1.off('error', reject)
      resolve()
    })
    return promise
  }

  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    clearInterval(this.#prober)
    this.#http1.close(() => resolve())
    for (const socket of this.#sockets) socket.destroy()
    return promise
  }

  // ------------------------------------------------------------------ which HTTP it is

  #createHttp1(): http.Server | https.Server {
    const { tls } = this.#options
    const bounds: http.ServerOptions = {
      maxHeaderSize: headerBytesMax,
      headersTimeout: this.#patience.headersMs,
      // Files may take longer; all else is hurried.
      requestTimeout: 0,
      keepAliveTimeout: this.#patience.idleMs,
      connectionsCheckingInterval: lookMs,
      noDelay: true,
    }
    const server = tls
      ? https.createServer({
          ...tls,
          ...bounds,
          ALPNProtocols: ['h2', 'http/1.1'],
          handshakeTimeout: this.#patience.headersMs,
          requestCert: tls.asksForCertificate,
          // Browsers have none; where one is needed, the service says so.
          rejectUnauthorized: false,
        })
      : http.createServer(bounds)
    server.on('request', (request, response) => this.#answer(request, response))
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    // Its own connections go to it only after a look at what they speak.
    const event = tls ? 'secureConnection' : 'connection'
    const serve = server.listeners(event) as ((socket: Socket) => void)[]
    server.removeAllListeners(event)
    server.on(event, (socket: Socket) => {
      this.#track(socket)
      const serveHttp1 = () => serve.forEach((listener) => listener.call(server, socket))
      const serveHttp2 = () => this.#http2.emit('connection', socket)
      if (!tls) sniff(socket, this.#patience.headersMs, serveHttp1, serveHttp2)
      else if ((socket as TLSSocket).alpnProtocol === 'h2') serveHttp2()
      else serveHttp1()
    })
    return server
  }

  #createHttp2(): http2.Http2Server {
    const server = http2.createServer({
      settings: {
        initialWindowSize: streamWindowBytes,
        maxConcurrentStreams: streamsPerConnectionMax,
        maxHeaderListSize: headerBytesMax,
      },
    })
    // Node's HTTP/2 gives requests and responses the shape of HTTP/1.1 ones.
    server.on('request', (request: unknown, response: unknown) =>
      this.#answer(request as http.IncomingMessage, response as http.ServerResponse),
    )
    server.on('session', (session) => this.#watch(session))
    // Its sockets are ours to end; an error on one has ended that one.
    server.on('sessionError', () => {})
    return server
  }

  #track(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // Without a listener a reset by the other end would end this process.
    socket.on('error', () => socket.destroy())
  }

  #watch(session: http2.ServerHttp2Session): void {
    const use = { streams: 0, usedAt: performance.now() }
    this.#sessions.set(session, use)
    session.setLocalWindowSize(connectionWindowBytes)
    session.once('close', () => this.#sessions.delete(session))
    session.on('stream', (stream) => {
      use.streams++
      stream.once('close', () => {
        use.streams--
        use.usedAt = performance.now()
      })
    })
  }

  /** Ends HTTP/2 connections that answer no ping, and those nobody uses. */
  #probe(): void {
    const { probeMs, idleMs } = this.#patience
    for (const [session, use] of this.#sessions) {
      // Ended, and its end is yet to be told: a ping would throw.
      if (session.destroyed) continue
      if (use.streams === 0 && performance.now() - use.usedAt > idleMs) {
        session.close()
        continue
      }
      let isAnswered = false
      // An answer that came while this process did something else is read before its connection ends.
      const end = () => setImmediate(() => isAnswered || session.destroy())
      const timer = setTimeout(end, idleMs - probeMs).unref()
      const answered = () => {
        isAnswered = true
        clearTimeout(timer)
      }
      if (!session.ping(answered)) answered()
    }
  }

  // ------------------------------------------------------------------------- requests

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const [path = ''] = (request.url ?? '').split('?', 1)
    const rpc = this.#rpc.get(path)
    const isBlob = path.startsWith(blobsPath)
    const isDav = isDavPath(path) || (request.method === 'OPTIONS' && isAbove.has(path))
    const isFile = isBlob || (isDav && request.method === 'PUT')
    if (!isFile) hurry(request, this.#patience.requestMs)
    if (path === exchangePath) this.#answerPeer(request, response)
    else if (rpc) {
      if (this.#admit(request, response)) rpc(request, response)
    } else if (isBlob) {
      if (this.#admit(request, response, blobCors)) this.#answerBlob(request, response)
    } else if (isDav) {
      this.#answerDav(request, response)
    } else if (isGrpc(request)) {
      // What gRPC clients understand; a status of HTTP would tell them nothing.
      refusePeer(request.stream, Code.Unimplemented, 'This server has no such method.')
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
      sendText(response, 426, 'This is for WebSockets.\n', { upgrade: 'websocket' })
    } else {
      this.#options.page.answer(request, response).catch(() => response.destroy())
    }
  }

  #answerPeer(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (!('stream' in request)) {
      sendText(response, 415, 'Only gRPC over HTTP/2 here.\n')
      return
    }
    const stream = request.stream as http2.ServerHttp2Stream
    // The response object is not used: it must not send its trailers.
    stream.removeAllListeners('wantTrailers')
    const isCertified = (request.socket as TLSSocket).authorized === true
    this.#options.answerPeer({ stream, headers: request.headers, isCertified })
  }

  #answerBlob(request: http.IncomingMessage, response: http.ServerResponse): void {
    const isCertified = (request.socket as TLSSocket).authorized === true
    this.#options.answerBlob(request, response, isCertified).catch(() => response.destroy())
  }

  #answerDav(request: http.IncomingMessage, response: http.ServerResponse): void {
    const address = this.#options.addresses.of(request)
    this.#options.answerDav(request, response, address).catch(() => response.destroy())
  }

  /** Lets scripts of known pages call; answers the questions browsers ask before they do. */
  #admit(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    { methods, headers, exposed } = rpcCors,
  ): boolean {
    const { origin } = request.headers
    if (this.#options.origins.verdict(request.headers) === 'foreign') {
      sendText(response, 403, 'Scripts of this page may not call this server.\n')
      return false
    }
    if (origin !== undefined) {
      response.setHeader('access-control-allow-origin', origin)
      response.setHeader('access-control-expose-headers', exposed)
      response.setHeader('vary', 'origin')
    }
    if (request.method !== 'OPTIONS') return true
    response.writeHead(204, {
      'access-control-allow-methods': methods,
      'access-control-allow-headers': headers,
      'access-control-max-age': '7200',
    })
    response.end()
    return false
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path] = (request.url ?? '').split('?', 1)
    if (path !== sessionPath) refuseUpgrade(socket, '404 Not Found', 'Nothing is here.')
    else if (this.#options.origins.verdict(request.headers) !== 'allowed') {
      refuseUpgrade(socket, '403 Forbidden', 'Scripts of this page may not connect here.')
    } else {
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        const address = this.#options.addresses.of(request)
        this.#options.accept(acceptedWebSocket(webSocket, socket), address)
      })
    }
  }
}

/** Ends a request of HTTP/1.1 whose body does not come; one of HTTP/2 may be a stream for life. */
function hurry(request: http.IncomingMessage, requestMs: number): void {
  if ('stream' in request || request.method === 'GET' || request.method === 'HEAD') return
  const timer = setTimeout(() => request.destroy(), requestMs)
  for (const over of ['end', 'close']) request.once(over, () => clearTimeout(timer))
}

function isGrpc(
  request: http.IncomingMessage,
): request is http.IncomingMessage & { stream: http2.ServerHttp2Stream } {
  const type = request.headers['content-type'] ?? ''
  return 'stream' in request && /^application\/grpc($|[+;])/.test(type)
}

function refuseUpgrade(socket: Duplex, status: string, text: string): void {
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n`
  socket.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
}

/** Reads until the first bytes tell which HTTP it is, puts them back, and goes on accordingly. */
function sniff(
  socket: Socket,
  patienceMs: number,
  serveHttp1: () => void,
  serveHttp2: () => void,
): void {
  const timer = setTimeout(() => socket.destroy(), patienceMs)
  let seen: Buffer = Buffer.alloc(0)
  const look = () => {
    const chunk = socket.read() as Buffer | null
    if (chunk) seen = Buffer.concat([seen, chunk])
    const length = Math.min(seen.length, preface.length)
    const isHttp2 = seen.subarray(0, length).equals(preface.subarray(0, length))
    if (seen.length === 0 || (isHttp2 && length < preface.length)) return
    clearTimeout(timer)
    socket.off('readable', look)
    socket.unshift(seen)
    if (isHttp2) serveHttp2()
    else serveHttp1()
  }
  socket.on('readable', look)
  socket.once('close', () => clearTimeout(timer))
}
