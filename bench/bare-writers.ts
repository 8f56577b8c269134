// A process of many writers at a bare server, each of which sends its next record after an answer.

import { once } from 'node:events'
import { WebSocket } from 'ws'

import { answerQuestions } from '../test/companion.ts'

export interface BareWritersQuestions {
  write: {
    given: { address: string; writers: number; recordBytes: number; forMs: number }
    answer: { updates: number; tookMs: number }
  }
}

answerQuestions<BareWritersQuestions>({
  async write({ address, writers, recordBytes, forMs }) {
    const sockets = await Promise.all(
      Array.from({ length: writers }, async () => {
        const socket = new WebSocket(address, { perMessageDeflate: false })
        await once(socket, 'open')
        return socket
      }),
    )
    const startedAt = performance.now()
    const counts = await Promise.all(
      sockets.map((socket) => writeOne(socket, recordBytes, startedAt + forMs)),
    )
    const tookMs = performance.now() - startedAt
    for (const socket of sockets) socket.terminate()
    return { updates: counts.reduce((sum, count) => sum + count, 0), tookMs }
  },
})

function writeOne(socket: WebSocket, bytes: number, until: number): Promise<number> {
  const record = crypto.getRandomValues(new Uint8Array(bytes))
  let stored = 0
  return new Promise((resolve) => {
    socket.on('message', () => {
      stored++
      if (performance.now() < until) socket.send(record)
      else resolve(stored)
    })
    socket.send(record)
  })
}
