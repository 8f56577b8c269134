// A channel over one accepted WebSocket: each binary message is one frame.

import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { helloBytesMax } from '../../core/model/limits.ts'
import type { Channel, ChannelListener, Ending } from '../../core/ports.ts'
import type { Unfinished } from './unfinished.ts'

/** How long a client may take to answer the closing handshake before its socket is destroyed. */
const farewellMs = 1000

/** Closing codes of RFC 6455 section 7.4.1. */
const goingAway = 1001
const unsupported = 1003

export interface AcceptedWebSocket extends Channel<Uint8Array, Uint8Array> {
  /** Asks the client's WebSocket, not its program, whether it is there; `alive` when it is. */
  ping(alive: () => void): void
}

/** The header of a frame, and of the ping frames that may come before a first message. */
const framingBytesMax = 1024

/** The channel of an open `ws` socket; `stream` is what it reads from. */
export function acceptedWebSocket(
  socket: WebSocket,
  stream: Duplex,
  unfinished: Unfinished,
): AcceptedWebSocket {
  boundMessages(socket, stream, unfinished)
  return new ServerWebSocket(socket)
}

// `ws` itself knows only one limit. Strangers may not make this server hold more than a Hello, and all
// clients together no more than a few messages that do not end.
function boundMessages(socket: WebSocket, stream: Duplex, unfinished: Unfinished): void {
  const sender = { cut: () => socket.terminate() }
  let bytes = 0
  let isFirstHere = false
  let isWhole = false
  const count = (chunk: Buffer) => {
    // What follows a message in its chunk is little.
    bytes = isWhole ? 0 : bytes + chunk.length
    isWhole = false
    if (!isFirstHere && bytes > helloBytesMax + framingBytesMax) socket.terminate()
    else unfinished.count(sender, bytes)
  }
  // `ws` listens longer: it has taken the message out of a chunk before that is counted.
  stream.on('data', count)
  socket.on('message', () => (isFirstHere = isWhole = true))
  socket.once('close', () => {
    stream.off('data', count)
    unfinished.count(sender, 0)
  })
}

class ServerWebSocket implements AcceptedWebSocket {
  readonly #socket: WebSocket
  #ending: Ending | undefined

  constructor(socket: WebSocket) {
    this.#socket = socket
    // Paused until somebody listens: nothing may arrive before.
    socket.pause()
    socket.on('error', (error) => (this.#ending ??= error.message))
  }

  send(frame: Uint8Array): void {
    if (this.#ending !== undefined) return
    this.#socket.send(frame, { binary: true })
  }

  queuedBytes(): number {
    return this.#socket.bufferedAmount
  }

  close(why: Ending): void {
    this.#end(goingAway, why)
  }

  listen(listener: ChannelListener<Uint8Array>): void {
    this.#socket.on('message', (frame: RawData, isBinary: boolean) => {
      if (this.#ending !== undefined) return
      if (isBinary) listener.received(frame as Buffer)
      else this.#end(unsupported, 'only binary messages are understood')
    })
    this.#socket.once('close', () => listener.closed(this.#ending ?? 'the client closed'))
    this.#socket.resume()
  }

  ping(alive: () => void): void {
    this.#socket.once('pong', alive)
    this.#socket.ping()
  }

  #end(code: number, why: Ending): void {
    if (this.#ending !== undefined) return
    this.#ending = why
    // A reason of a closing frame has room for 123 bytes.
    this.#socket.close(code, Buffer.from(why).subarray(0, 123).toString())
    const timer = setTimeout(() => this.#socket.terminate(), farewellMs)
    this.#socket.once('close', () => clearTimeout(timer))
  }
}
