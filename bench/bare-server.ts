// A process that stores what comes over WebSockets in bare SQLite, and says so: the least a server is.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

import { answerQuestions } from '../test/companion.ts'
import { BareLog } from './bare.ts'

export interface BareServerQuestions {
  listen: { given: { file: string }; answer: { address: string } }
}

answerQuestions<BareServerQuestions>({
  async listen({ file }) {
    const log = new BareLog(file)
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
    const stored = new Uint8Array(16)
    server.on('connection', (socket) => {
      socket.on('message', (record: Buffer) => log.append(record, () => socket.send(stored)))
    })
    await once(server, 'listening')
    return { address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
})
