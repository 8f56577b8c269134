// What a caller goes on sending who has its answer: it may send so long, and read why, before it is cut.

import type { IncomingMessage } from 'node:http'

/** Enough for an answer to cross the world and back; who sends on is cut then. */
export const lastWordsMs = 2000

/** Throws away what still comes, and not for ever. */
export function drain(request: IncomingMessage): void {
  if (request.readableEnded || request.destroyed) return
  request.resume()
  const timer = setTimeout(() => request.destroy(), lastWordsMs)
  request.once('close', () => clearTimeout(timer))
}
