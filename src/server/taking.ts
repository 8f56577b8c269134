// Answers are given piece by piece, and whoever takes none for too long is cut off: what waits for a
// caller takes memory here, and a place that others could have.

import type { ServerResponse } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { pieceBytes, untakenMs } from '../core/model/limits.ts'

/** Gives a piece. Resolves when the network has taken it, or its caller is gone. */
export function give(
  response: ServerResponse,
  piece: Uint8Array,
  patienceMs = untakenMs,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const tooLong = setTimeout(() => cut(response), patienceMs)
  const over = () => {
    clearTimeout(tooLong)
    response.off('close', over)
    resolve()
  }
  response.on('close', over)
  response.write(piece, over)
  return promise
}

/** Gives these bytes as the end of an answer. Resolves with whether all were taken. */
export async function giveAll(
  response: ServerResponse,
  bytes: Uint8Array,
  patienceMs = untakenMs,
): Promise<boolean> {
  for (const piece of piecesOf(bytes)) {
    if (isGone(response)) return false
    await give(response, piece, patienceMs)
  }
  if (isGone(response)) return false
  response.end()
  return true
}

/** The same bytes for somebody else to write, who asks for the next piece when one was taken. */
export async function* inPieces(
  body: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  patienceMs = untakenMs,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of body) {
    for (const piece of piecesOf(bytes)) {
      const tooLong = setTimeout(() => cut(response), patienceMs)
      try {
        yield piece
      } finally {
        clearTimeout(tooLong)
      }
    }
  }
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** Ends an answer in such a way that nobody takes what came of it for all of it. */
export function cut(response: ServerResponse): void {
  const stream = streamOf(response)
  // HTTP/2 ends what is destroyed without an error as if it were whole.
  if (stream) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  else response.destroy()
}

/** Whether nobody can get more of an answer. */
export function isGone(response: ServerResponse): boolean {
  return streamOf(response)?.destroyed ?? response.destroyed
}

/** Of an answer over HTTP/2, which has the shape of one over HTTP/1.1. */
function streamOf(response: ServerResponse): ServerHttp2Stream | undefined {
  return 'stream' in response ? (response.stream as ServerHttp2Stream) : undefined
}
