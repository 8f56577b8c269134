// A channel to a server over the standard WebSocket of browsers and Node: a frame is a message.

import type { DialListener, Ending, Wire } from '../../core/ports.ts'

/** Why browsers are told of a closing: the code for "normal". */
const normal = 1000

export class DialledWebSocket implements Wire {
  readonly #socket: WebSocket
  #isOver = false

  /** `address` is a server's: "http://127.0.0.1:4400". Throws SyntaxError when it is none. */
  constructor(address: string, listener: DialListener) {
    const url = new URL('/session', address)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url)
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
    // A reason has at most 123 bytes.
    this.#socket.close(normal, why.slice(0, 40))
  }
}
