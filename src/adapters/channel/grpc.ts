// A channel over one bidirectional gRPC stream, from either side of it.
//
// What is sent waits here until the stream is pulled, which happens when the network took what was
// before; then all that waits travels as one message.

import { connect, type ClientHttp2Session, type SecureClientSessionOptions } from 'node:http2'
import { createClient, type CallOptions } from '@connectrpc/connect'
import { createGrpcTransport, type GrpcTransportOptions } from '@connectrpc/connect-node'
import { create } from '@bufbuild/protobuf'
import { messageBytesMax } from '../../core/model/limits.ts'
import {
  ExchangeRequestSchema,
  ExchangeResponseSchema,
  ReplicationService,
  type ExchangeRequest,
  type ExchangeResponse,
  type PeerMessage,
} from '../../core/model/wire.ts'
import type { Channel, ChannelListener, Ending } from '../../core/ports.ts'

/** One message of a stream is filled up to this: stock gRPC clients refuse more than 4 MiB. */
const joinedBytesMax = 2 * 1024 * 1024

/** Compressing what is mostly small and already dense costs five times the CPU of sending it. */
export const compressMinBytes = 64 * 1024

/** HTTP/2 windows: with Node's 64 KiB a long way between servers takes 10 times as long. */
export const streamWindowBytes = 1024 * 1024
export const connectionWindowBytes = 4 * 1024 * 1024

/** How the messages of a channel become messages of a stream. */
export interface Envelope<Sent, Received, Out, In> {
  /** One message of the stream that holds all of these, in order. */
  join(sent: Sent[]): Out
  split(message: In): Received[]
  /** About how many bytes it is. */
  bytesOf(sent: Sent): number
}

/**
 * A channel whose two halves are given to a gRPC call: `outgoing()` to be pulled by it, and what
 * comes to `read`.
 */
export class StreamChannel<Sent, Received, Out, In> implements Channel<Sent, Received> {
  readonly #envelope: Envelope<Sent, Received, Out, In>
  #listener: ChannelListener<Received> | undefined
  #listening = Promise.withResolvers<void>()
  #queue: { message: Sent; bytes: number }[] = []
  #queuedBytes = 0
  #wake: (() => void) | undefined
  #ending: Ending | undefined
  #isOver = false

  constructor(envelope: Envelope<Sent, Received, Out, In>) {
    this.#envelope = envelope
  }

  send(message: Sent): void {
    if (this.#ending !== undefined) return
    const bytes = this.#envelope.bytesOf(message)
    this.#queue.push({ message, bytes })
    this.#queuedBytes += bytes
    this.#wake?.()
  }

  queuedBytes(): number {
    return this.#queuedBytes
  }

  close(why: Ending): void {
    if (this.#ending !== undefined) return
    this.#ending = why
    this.#wake?.()
    queueMicrotask(() => this.#finish(why))
  }

  listen(listener: ChannelListener<Received>): void {
    this.#listener = listener
    this.#listening.resolve()
  }

  /** What is sent, until the channel is closed or `signal` says that nobody pulls any more. */
  async *outgoing(signal: AbortSignal): AsyncGenerator<Out> {
    const aborted = () => this.#wake?.()
    signal.addEventListener('abort', aborted)
    try {
      while (!signal.aborted) {
        if (this.#queue.length > 0) {
          const { sent, bytes } = this.#take()
          yield this.#envelope.join(sent)
          this.#queuedBytes -= bytes
        } else if (this.#ending !== undefined) return
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      signal.removeEventListener('abort', aborted)
      this.#finish('the stream ended')
    }
  }

  /** Hands on what comes, until it ends. Never rejects: an error is the end of the channel. */
  async read(incoming: AsyncIterable<In>): Promise<void> {
    await this.#listening.promise
    try {
      for await (const message of incoming) {
        if (this.#ending !== undefined) break
        for (const received of this.#envelope.split(message)) this.#listener?.received(received)
      }
      this.#finish('the other side ended the stream')
    } catch (error) {
      this.#finish(error instanceof Error ? error.message : String(error))
    }
  }

  #take(): { sent: Sent[]; bytes: number } {
    let count = 0
    let bytes = 0
    for (const next of this.#queue) {
      if (count > 0 && bytes + next.bytes > joinedBytesMax) break
      bytes += next.bytes
      count++
    }
    return { sent: this.#queue.splice(0, count).map(({ message }) => message), bytes }
  }

  #finish(why: Ending): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#ending ??= why
    this.#wake?.()
    void this.#listening.promise.then(() => this.#listener?.closed(why))
  }
}

// --------------------------------------------------------------------------- between servers

/** The envelope of the server that was dialled. */
export const acceptedPeer: Envelope<PeerMessage, PeerMessage, ExchangeResponse, ExchangeRequest> = {
  join: (messages) => create(ExchangeResponseSchema, { messages }),
  split: ({ messages }) => messages,
  bytesOf: peerMessageBytes,
}

const dialledPeer: Envelope<PeerMessage, PeerMessage, ExchangeRequest, ExchangeResponse> = {
  join: (messages) => create(ExchangeRequestSchema, { messages }),
  split: ({ messages }) => messages,
  bytesOf: peerMessageBytes,
}

/** About how many bytes a message is on the wire, without encoding it. */
function peerMessageBytes({ message }: PeerMessage): number {
  const perMessage = 100
  switch (message.case) {
    case 'updates':
      return message.value.updates.reduce(
        (bytes, { body }) => bytes + perMessage + (body.value?.length ?? 0),
        perMessage,
      )
    case 'snapshot': {
      const { text, entry, versions } = message.value
      return perMessage + text.length + entry.length + versions.length
    }
    default:
      return perMessage
  }
}

export interface DialOptions {
  /** Milliseconds until the other server must have shown that it is alive. */
  deadlineMs: number
  /** For "https:" addresses: what `tls.connect` takes. */
  tls?: SecureClientSessionOptions
  /** Proof of who dials, if the set has one. */
  headers?: CallOptions['headers']
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
  const stopped = new AbortController()
  const client = createClient(ReplicationService, createGrpcTransport(transport(address, session)))
  const channel = new StreamChannel(dialledPeer)
  const incoming = client.exchange(channel.outgoing(stopped.signal), {
    signal: stopped.signal,
    ...(options.headers && { headers: options.headers }),
  })
  void channel.read(incoming).then(() => {
    stopped.abort()
    session.destroy()
  })
  return endingChannel(channel, session)
}

// The other side may be frozen: its end of the stream is not waited for.
function endingChannel(
  channel: Channel<PeerMessage, PeerMessage>,
  session: ClientHttp2Session,
): Channel<PeerMessage, PeerMessage> {
  const lastWordsMs = 200
  return {
    send: (message) => channel.send(message),
    queuedBytes: () => channel.queuedBytes(),
    listen: (listener) => channel.listen(listener),
    close(why) {
      channel.close(why)
      setTimeout(() => session.destroy(), lastWordsMs).unref()
    },
  }
}

function transport(address: string, session: ClientHttp2Session): GrpcTransportOptions {
  return {
    baseUrl: address,
    compressMinBytes,
    readMaxBytes: messageBytesMax,
    sessionManager: {
      authority: address,
      request: async (method, path, headers, options) =>
        session.request({ ...headers, ':method': method, ':path': path }, options),
      notifyResponseByteRead: () => {},
    },
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
    reject(error)
  }
  const timer = setTimeout(
    () => failed(new Error(`no answer within ${options.deadlineMs} ms`)),
    options.deadlineMs,
  )
  session.on('error', failed)
  session.once('close', () => failed(new Error('the connection was closed')))
  session.once('connect', () => session.setLocalWindowSize(connectionWindowBytes))
  session.once('remoteSettings', () => {
    clearTimeout(timer)
    resolve(session)
  })
  return promise
}
