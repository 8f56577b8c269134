// A process that relays messages between WebSockets, each after it is appended to a file and flushed.

import { once } from 'node:events'
import { fdatasyncSync, openSync, writeSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

import { answerQuestions } from '../test/companion.ts'

export interface RelayQuestions {
  listen: { given: { file: string }; answer: { address: string } }
}

answerQuestions<RelayQuestions>({
  async listen({ file }) {
    const log = openSync(file, 'a')
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
    server.on('connection', (socket) => {
      socket.on('message', (message: Buffer) => {
        writeSync(log, message)
        fdatasyncSync(log)
        for (const other of server.clients) if (other !== socket) other.send(message)
      })
    })
    await once(server, 'listening')
    return { address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
})
