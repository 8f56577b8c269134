// The HTTP/2 connections of one port: each has a window of its own, and ends when nobody uses it.

import type * as http2 from 'node:http2'
import { connectionWindowBytes } from '../adapters/channel/grpc-peer.ts'

export interface Http2Patience {
  /** Between two looks at whether a connection is alive. */
  probeMs: number
  /** For one that is not, and for one that nobody uses. */
  idleMs: number
}

export class Http2Sessions {
  readonly #patience: Http2Patience
  readonly #sessions = new Map<http2.ServerHttp2Session, { streams: number; usedAt: number }>()
  readonly #prober: NodeJS.Timeout

  constructor(patience: Http2Patience) {
    this.#patience = patience
    this.#prober = setInterval(() => this.#probe(), patience.probeMs).unref()
  }

  /** Looks no more. The connections are ended by whoever owns their sockets. */
  close(): void {
    clearInterval(this.#prober)
  }

  /** A connection was opened. */
  add(session: http2.ServerHttp2Session): void {
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
}
