// A channel between two servers: one gRPC call, its messages framed by hand on its HTTP/2 stream.
//
// Servers tell each other something several times a second for as long as they live. A library that
// pulls each message through its layers costs three times the CPU of this, and the time it takes is
// in every edit that travels. On the wire nothing differs: any gRPC library can be the other side.

import {
  connect,
  type ClientHttp2Session,
  type Http2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
  type ServerHttp2Stream,
} from 'node:http2'
import { fromBinary } from '@bufbuild/protobuf'
import { Code } from '@connectrpc/connect'
import {
  firstPeerMessageBytesMax,
  heartbeatMs,
  joinedBytesMax,
  peerMessageBytesMax,
  peerMessageFieldsMax,
} from '../../core/model/limits.ts'
import {
  ExchangeRequestSchema,
  ExchangeResponseSchema,
  ReplicationService,
  type PeerMessage,
} from '../../core/model/wire.ts'
import type { Channel, ChannelListener, Ending } from '../../core/ports.ts'
import { isOfUnknownAuthority } from '../error-code.ts'
import { isCrowded } from './crowded.ts'
import { frameOf, messageBytes, prefixBytes } from './peer-frames.ts'

/** The path of the call that is a channel. */
export const exchangePath = `/${ReplicationService.typeName}/${ReplicationService.method.exchange.name}`

/** HTTP/2 windows: with Node's 64 KiB a long way between servers takes 10 times as long. */
export const streamWindowBytes = 1024 * 1024
export const connectionWindowBytes = 4 * 1024 * 1024

/** What a closing channel still wants to say gets this long. */
const lastWordsMs = 200

const unknownAuthority = 'its certificate is of an authority unknown here: see "tls.ca"'

const contentType = 'application/grpc+proto'

/** Whether headers are those of a gRPC call that this file can answer. */
export function isGrpc(headers: IncomingHttpHeaders): boolean {
  return /^application\/grpc(\+proto)?$/.test(headers['content-type'] ?? '')
}

/** The channel of a call that another server made. */
export function acceptPeer(stream: ServerHttp2Stream): Channel<PeerMessage, PeerMessage> {
  stream.respond({ ':status': 200, 'content-type': contentType }, { waitForTrailers: true })
  const channel = new PeerChannel(stream, {
    schema: ExchangeRequestSchema,
    dispose: () => stream.close(),
  })
  stream.once('wantTrailers', () => stream.sendTrailers(trailersOf(channel)))
  return channel
}

function trailersOf({ refused }: PeerChannel): OutgoingHttpHeaders {
  if (refused === undefined) return { 'grpc-status': '0' }
  // Some of the words are from outside, and not all of them a header may hold.
  const text = refused.replaceAll(/[^ -~]|%/g, '?')
  return { 'grpc-status': String(Code.FailedPrecondition), 'grpc-message': text }
}

/** Answers a call with nothing but why not. */
export function refusePeer(stream: ServerHttp2Stream, status: number, text: string): void {
  stream.respond(
    {
      ':status': 200,
      'content-type': contentType,
      'grpc-status': String(status),
      'grpc-message': text,
    },
    { endStream: true },
  )
}

export interface DialOptions {
  /** Milliseconds until the other server must have shown that it is alive. */
  deadlineMs: number
  /** For "https:" addresses: what `tls.connect` takes. */
  tls?: SecureClientSessionOptions
  /** Proof of who dials, if the set has one. */
  headers?: { [name: string]: string }
}

/**
 * A channel to another server. Resolves when that server's HTTP/2 has answered: the kernel of a
 * frozen process still accepts connections. Rejects when it has not done so by the deadline.
 */
export async function dialPeer(
  address: string,
  options: DialOptions,
): Promise<Channel<PeerMessage, PeerMessage>> {
  const session = await openSession(address, options)
  const stream = session.request({
    ':method': 'POST',
    ':path': exchangePath,
    'content-type': contentType,
    te: 'trailers',
    ...options.headers,
  })
  const channel = new PeerChannel(stream, {
    schema: ExchangeResponseSchema,
    dispose: () => session.destroy(),
  })
  const read = (headers: IncomingHttpHeaders) => channel.told(headers)
  stream.on('response', read)
  stream.on('trailers', read)
  return channel
}

// ---------------------------------------------------------------------------- both sides

interface Side {
  /** What the other side says. */
  schema: typeof ExchangeRequestSchema | typeof ExchangeResponseSchema
  /** Ends what lies below, when the other side does not. */
  dispose: () => void
}

class PeerChannel implements Channel<PeerMessage, PeerMessage> {
  readonly #stream: Http2Stream
  readonly #side: Side
  #listener: ChannelListener<PeerMessage> | undefined
  #queue: { message: PeerMessage; bytes: number }[] = []
  #queuedBytes = 0
  #isFlushing = false
  /** What came and is no whole message yet. */
  #chunks: Buffer[] = []
  #chunkBytes = 0
  #wantedBytes = prefixBytes
  /** Whoever is there: the mind hears first who it is. */
  #bytesMax = firstPeerMessageBytesMax
  /** When a message was whole, or it was told last that some of one has come. */
  #toldAt = -Infinity
  /** Why this side turned the other away. */
  refused: Ending | undefined
  /** Why the other side turned this one away. */
  #refusal: Ending | undefined
  #ending: Ending | undefined
  #isOver = false

  constructor(stream: Http2Stream, side: Side) {
    this.#stream = stream
    this.#side = side
    stream.on('error', (error) => (this.#ending ??= error.message))
    stream.on('drain', () => this.#flush(false))
  }

  send(message: PeerMessage): void {
    if (this.#ending !== undefined) return
    const bytes = messageBytes(message)
    this.#queue.push({ message, bytes })
    this.#queuedBytes += bytes
    if (this.#isFlushing) return
    this.#isFlushing = true
    // What is sent in one turn travels as one message.
    queueMicrotask(() => this.#flush(false))
  }

  queuedBytes(): number {
    return this.#queuedBytes + this.#stream.writableLength
  }

  close(why: Ending, isRefusal = false): void {
    if (this.#ending !== undefined) return
    if (isRefusal) this.refused = why
    this.#flush(true)
    this.#ending = why
    this.#stream.end()
    setTimeout(() => this.#side.dispose(), lastWordsMs).unref()
    queueMicrotask(() => this.#finish())
  }

  listen(listener: ChannelListener<PeerMessage>): void {
    this.#listener = listener
    this.#stream.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#stream.once('end', () => this.close(this.#refusal ?? 'the other side ended the call'))
    this.#stream.once('close', () => {
      this.#ending ??= 'the connection broke'
      this.#side.dispose()
      this.#finish()
    })
  }

  /** What the called server says of the call as a whole. */
  told(headers: IncomingHttpHeaders): void {
    const status = headers['grpc-status'] ?? '0'
    if (status === '0') return
    this.#refusal = String(headers['grpc-message'] ?? `status ${String(status)}`)
  }

  /** Gives the network what is queued; what it has no room for waits, unless these are last words. */
  #flush(areLast: boolean): void {
    this.#isFlushing = false
    while (this.#queue.length > 0 && (areLast || !this.#stream.writableNeedDrain)) {
      if (this.#stream.destroyed || this.#stream.writableEnded) return
      const frame = frameOf(this.#takeQueued())
      // In one go, or each piece would be sent by itself.
      this.#stream.cork()
      for (const piece of frame) this.#stream.write(piece)
      this.#stream.uncork()
    }
  }

  #takeQueued(): PeerMessage[] {
    let count = 0
    let bytes = 0
    for (const next of this.#queue) {
      if (count > 0 && bytes + next.bytes > joinedBytesMax) break
      bytes += next.bytes
      count++
    }
    this.#queuedBytes -= bytes
    return this.#queue.splice(0, count).map(({ message }) => message)
  }

  #read(chunk: Buffer): void {
    if (this.#ending !== undefined) return
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    while (this.#chunkBytes >= this.#wantedBytes && this.#ending === undefined) {
      const whole = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
      const rest = whole.subarray(this.#takeMessage(whole))
      this.#chunks = [rest]
      this.#chunkBytes = rest.length
    }
    const now = performance.now()
    if (now - this.#toldAt < heartbeatMs || this.#ending !== undefined) return
    this.#toldAt = now
    this.#listener?.progressed?.()
  }

  /** Takes a message, or learns how long it will be; the bytes that are done with. */
  #takeMessage(bytes: Buffer): number {
    if (bytes[0] !== 0) {
      this.close('sends compressed messages')
      return bytes.length
    }
    const end = prefixBytes + bytes.readUInt32BE(1)
    if (end > prefixBytes + this.#bytesMax) {
      this.close('sends messages over the limit')
      return bytes.length
    }
    if (bytes.length < end) {
      this.#wantedBytes = end
      return 0
    }
    this.#wantedBytes = prefixBytes
    this.#received(bytes.subarray(prefixBytes, end))
    return end
  }

  #received(body: Buffer): void {
    if (isCrowded(this.#side.schema, body, peerMessageFieldsMax)) {
      this.close('sends messages that list too much at once')
      return
    }
    let messages: PeerMessage[]
    try {
      messages = fromBinary(this.#side.schema, body).messages
    } catch {
      // Whatever the decoder says, the other side is no server of ours.
      this.close('sends malformed messages')
      return
    }
    this.#toldAt = performance.now()
    if (messages.length > 0) this.#bytesMax = peerMessageBytesMax
    for (const message of messages) {
      if (this.#ending === undefined) this.#listener?.received(message)
    }
  }

  #finish(): void {
    if (this.#isOver || !this.#listener) return
    this.#isOver = true
    this.#queue = []
    this.#queuedBytes = 0
    const isRefusal = this.#refusal !== undefined && this.#ending === this.#refusal
    this.#listener.closed(this.#ending ?? '', isRefusal)
  }
}

function openSession(address: string, options: DialOptions): Promise<ClientHttp2Session> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>()
  const session = connect(address, {
    ...options.tls,
    settings: { initialWindowSize: streamWindowBytes, enablePush: false },
  })
  const failed = (error: Error) => {
    clearTimeout(timer)
    session.destroy()
    const isUnknown = isOfUnknownAuthority(error.message)
    reject(isUnknown ? new Error(unknownAuthority) : error)
  }
  const timer = setTimeout(
    () => failed(new Error(`no answer within ${options.deadlineMs} ms`)),
    options.deadlineMs,
  )
  session.on('error', failed)
  session.once('close', () => failed(new Error('the connection was closed')))
  session.once('connect', () => {
    // Node tells it of a session that the deadline has ended, too, when this process was busy.
    if (!session.destroyed) session.setLocalWindowSize(connectionWindowBytes)
  })
  session.once('remoteSettings', () => {
    clearTimeout(timer)
    resolve(session)
  })
  return promise
}
