// A channel to a server over the WebSocket of a browser, or in Node that of `ws`: a frame is a message.

import type { Dial, DialListener, Ending, Wire } from '../../core/ports.ts'
import { Unanswered } from './unanswered.ts'

/** Why servers are told of a closing: the code for "normal". */
const normal = 1000
/** How long a server may take to answer a goodbye. */
const farewellMs = 1000

/** Only that of `ws` can be given up without the server's help. */
type Socket = WebSocket & { terminate?: () => void }

/**
 * Dials servers. In a browser, one that did not answer the last time is asked over plain HTTP first:
 * browsers delay all WebSockets of a page by seconds once a dozen of them failed, and while no server
 * is alive a page would soon have failed that often. (Chromium: services/network/websocket_throttler.h.)
 * A page with a policy of its own must allow both, "http://…" and "ws://…", as `connect-src`.
 */
export function webSockets(): Dial {
  const unanswered = ws ? undefined : new Unanswered()
  return (address, listener) => new DialledWebSocket(address, listener, unanswered)
}

class DialledWebSocket implements Wire {
  readonly #address: string
  readonly #listener: DialListener
  /** In a browser. */
  readonly #unanswered: Unanswered | undefined
  readonly #knock = new AbortController()
  #socket: Socket | undefined
  #wasOpen = false
  #isOver = false

  /** `address` is a server's: "http://127.0.0.1:4400". Throws SyntaxError when it is none. */
  constructor(address: string, listener: DialListener, unanswered: Unanswered | undefined) {
    this.#address = address
    this.#listener = listener
    this.#unanswered = unanswered
    const url = new URL('/session', address)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    if (unanswered?.has(address) !== true) this.#open(url)
    else {
      knock(address, this.#knock.signal)
        .then(() => this.#open(url))
        .catch(() => this.#closed(''))
    }
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame)
  }

  close(why: Ending): void {
    this.#end()
    this.#knock.abort()
    const socket = this.#socket
    // A reason has at most 123 bytes.
    socket?.close(normal, why.slice(0, 40))
    if (!socket?.terminate) return
    // A frozen server never says goodbye, and would keep this process alive.
    const timer = setTimeout(() => socket.terminate?.(), farewellMs)
    socket.addEventListener('close', () => clearTimeout(timer))
  }

  #open(url: URL): void {
    if (this.#isOver) return
    const socket = newSocket(url)
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', () => {
      if (this.#isOver) return
      this.#wasOpen = true
      this.#unanswered?.delete(this.#address)
      this.#listener.opened()
    })
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (!this.#isOver && data instanceof ArrayBuffer) {
        this.#listener.received(new Uint8Array(data))
      }
    })
    socket.addEventListener('close', ({ reason }) => this.#closed(reason))
    // Every error is followed by a close; without a listener Node would end the process.
    socket.addEventListener('error', () => {})
    this.#socket = socket
  }

  #closed(reason: string): void {
    if (this.#isOver) return
    this.#end()
    this.#listener.closed(reason === '' ? 'the connection broke' : reason)
  }

  #end(): void {
    this.#isOver = true
    if (!this.#wasOpen) this.#unanswered?.add(this.#address)
  }
}

/** Resolves when a server answers there; rejects when nothing does, or only a proxy for it. */
async function knock(address: string, signal: AbortSignal): Promise<void> {
  const url = new URL('/session', address)
  const answer = await fetch(url, { method: 'HEAD', cache: 'no-store', signal })
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
}

/** Not imported: a page's bundle must not have it. */
const node = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:module')
const ws = node && (node.createRequire(import.meta.url)('ws') as typeof import('ws'))

function newSocket(url: URL): Socket {
  if (!ws) return new WebSocket(url)
  return new ws.WebSocket(url, { perMessageDeflate: false }) as unknown as Socket
}
