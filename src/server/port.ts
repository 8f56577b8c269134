// The one port: HTTP/1.1, HTTP/2, WebSocket, gRPC, Connect and the page, with and without TLS.
//
//   socket ─ TLS? ─┬─ ALPN h2, or 24 bytes that say HTTP/2 ──> HTTP/2 ──┐
//                  └─ anything else ───────────────────────> HTTP/1.1 ──┼─> RPC, health, blobs, WebDAV, page
//                                                               └── Upgrade ──> /session
//
// What is bounded here: time for headers and for a first request, sizes of headers and messages,
// streams or unanswered requests of a connection, silence of a connection.

import { rmSync, statSync } from 'node:fs'
import * as http from 'node:http'
import * as http2 from 'node:http2'
import * as https from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import {
  headerBytesMax,
  headersMs,
  idleClientMs,
  probeClientMs,
  streamsPerConnectionMax,
} from '../core/model/limits.ts'
import { streamWindowBytes } from '../adapters/channel/grpc-peer.ts'
import type { Listen } from './configuration.ts'
import { Http2Sessions, type Http2Patience } from './http2-sessions.ts'
import { Requests, type Answerers } from './requests.ts'

/** What every HTTP/2 client says first (RFC 9113 section 3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** How often time limits of HTTP/1.1 are looked at. */
const lookMs = 1000

export interface PortTls extends SecureContextOptions {
  /** Whether callers are asked for a certificate: servers have one, browsers need none. */
  asksForCertificate: boolean
}

export interface PortOptions extends Answerers {
  listen: Listen
  tls?: PortTls
  /** Instead of the usual limits of time. */
  patience?: Patience
}

export interface Patience extends Http2Patience {
  /** For headers, and for the first bytes of a connection. */
  headersMs: number
  /** For a whole request, unless it brings a file or is a stream: a text at its limit, a slow line. */
  requestMs: number
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
  if ('path' in options.listen) await removeDeserted(options.listen.path)
  await door.listen(options.listen)
  return door
}

/** A killed server leaves its Unix socket, which would be in the way of the next for ever. */
async function removeDeserted(path: string): Promise<void> {
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const caller = connect(path, () => resolve(false))
  caller.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  const isDeserted = await promise
  caller.destroy()
  if (isDeserted) rmSync(path, { force: true })
}

class Door implements Port {
  readonly #options: PortOptions
  readonly #patience: Patience
  readonly #http1: http.Server | https.Server
  readonly #http2: http2.Http2Server
  readonly #sockets = new Set<Duplex>()
  readonly #http2Sessions: Http2Sessions
  readonly #requests: Requests
  /** By connection of HTTP/1.1, requests whose answers have not gone. */
  readonly #unanswered = new WeakMap<Socket, number>()

  constructor(options: PortOptions) {
    this.#options = options
    this.#patience = options.patience ?? usualPatience
    this.#http2Sessions = new Http2Sessions(this.#patience)
    this.#requests = new Requests({ ...options, requestMs: this.#patience.requestMs })
    this.#http2 = this.#createHttp2()
    this.#http1 = this.#createHttp1()
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
    this.#http2Sessions.close()
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
    server.on('request', (request, response) => this.#answerOnHttp1(request, response))
    server.on('upgrade', (request, socket, head) => this.#requests.upgrade(request, socket, head))
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

  /** Node takes all requests that have come on a connection, and begins them all at once. */
  #answerOnHttp1(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { socket } = request
    const count = this.#unanswered.get(socket) ?? 0
    if (count >= streamsPerConnectionMax) {
      socket.destroy()
      return
    }
    this.#unanswered.set(socket, count + 1)
    response.once('close', () => this.#unanswered.set(socket, this.#unanswered.get(socket)! - 1))
    this.#requests.answer(request, response)
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
    const answer = (request: unknown, response: unknown) =>
      this.#requests.answer(request as http.IncomingMessage, response as http.ServerResponse)
    server.on('request', (request, response) => {
      if (!isOver(response)) answer(request, response)
    })
    server.on('checkContinue', (request, response) => {
      // By itself Node writes this also to who is gone, which throws where nobody catches it.
      if (isOver(response)) return
      response.writeContinue()
      answer(request, response)
    })
    server.on('session', (session) => this.#http2Sessions.add(session))
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
}

/** Whether a request was taken back before it was told of: to answer it throws. */
function isOver({ stream }: http2.Http2ServerResponse): boolean {
  return stream.destroyed || stream.closed
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
