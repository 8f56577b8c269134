// A process that relays messages between WebSockets, each after it is appended to a file and flushed;
// to other relays too, which flush it before they relay it in their turn.

import { once } from 'node:events'
import { fdatasyncSync, openSync, writeSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

import { answerQuestions } from '../test/companion.ts'

export interface RelayQuestions {
  listen: { given: { file: string }; answer: { address: string } }
  /** From now on what clients send goes to these relays, too. */
  dialPeers: { given: { addresses: string[] }; answer: undefined }
}

/** Where other relays come in. */
const peerPath = '/peer'

const clients = new Set<WebSocket>()
let peers: WebSocket[] = []

answerQuestions<RelayQuestions>({
  async listen({ file }) {
    const log = openSync(file, 'a')
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
    server.on('connection', (socket: WebSocket, { url }: IncomingMessage) => {
      const isPeer = url === peerPath
      if (!isPeer) clients.add(socket)
      socket.on('close', () => clients.delete(socket))
      socket.on('message', (message: Buffer) => {
        writeSync(log, message)
        fdatasyncSync(log)
        for (const other of clients) if (other !== socket) other.send(message)
        if (!isPeer) for (const peer of peers) peer.send(message)
      })
    })
    await once(server, 'listening')
    return { address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
  async dialPeers({ addresses }) {
    peers = addresses.map((address) => {
      return new WebSocket(`${address}${peerPath}`, { perMessageDeflate: false })
    })
    await Promise.all(peers.map((peer) => once(peer, 'open')))
    return undefined
  },
})
