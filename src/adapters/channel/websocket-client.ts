// A channel to a server over the WebSocket of a browser, or in Node that of `ws`: a frame is a message.

import type { DialListener, Ending, Wire } from '../../core/ports.ts'

/** Why servers are told of a closing: the code for "normal". */
const normal = 1000
/** How long a server may take to answer a goodbye. */
const farewellMs = 1000

/** Only that of `ws` can be given up without the server's help. */
type Socket = WebSocket & { terminate?: () => void }

export class DialledWebSocket implements Wire {
  readonly #socket: Socket
  #isOver = false

  /** `address` is a server's: "http://127.0.0.1:4400". Throws SyntaxError when it is none. */
  constructor(address: string, listener: DialListener) {
    const url = new URL('/session', address)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = newSocket(url)
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', () => {
      if (!this.#isOver) listener.opened()
    })
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (!this.#isOver && data instanceof ArrayBuffer) listener.received(new Uint8Array(data))
    })
    socket.addEventListener('close', ({ reason }) => {
      if (this.#isOver) return
      this.#isOver = true
      listener.closed(reason === '' ? 'the connection broke' : reason)
    })
    // Every error is followed by a close; without a listener Node would end the process.
    socket.addEventListener('error', () => {})
    this.#socket = socket
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frame)
  }

  close(why: Ending): void {
    this.#isOver = true
    const socket = this.#socket
    // A reason has at most 123 bytes.
    socket.close(normal, why.slice(0, 40))
    if (!socket.terminate) return
    // A frozen server never says goodbye, and would keep this process alive.
    const timer = setTimeout(() => socket.terminate?.(), farewellMs)
    socket.addEventListener('close', () => clearTimeout(timer))
  }
}

/** Not imported: a page's bundle must not have it. */
const node = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:module')
const ws = node && (node.createRequire(import.meta.url)('ws') as typeof import('ws'))

function newSocket(url: URL): Socket {
  if (!ws) return new WebSocket(url)
  return new ws.WebSocket(url, { perMessageDeflate: false }) as unknown as Socket
}
