// A process of one person with a client of the SDK, and a place at the relay: types, or watches.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import * as Y from 'yjs'

import { connect, type Client, type LiveDocument } from '../src/client/index.ts'
import { answerQuestions, sharedNow } from '../test/companion.ts'

/** A line to the set, or to the relay, under this name. */
export type Line = string

export interface TypistQuestions {
  /** A client that begins at this server; answers with the id of the server it is with. */
  join: {
    given: { line: Line; servers: string[]; hasStandby: boolean }
    answer: { server: string }
  }
  create: { given: { line: Line; name: string }; answer: { id: string } }
  open: { given: { line: Line; document: string }; answer: undefined }
  dialRelay: { given: { line: Line; address: string }; answer: undefined }
  /** A text of Yjs and nothing else, whose updates go through the relay as they are. */
  dialPlain: { given: { line: Line; address: string }; answer: undefined }
  /** One keystroke; when it was made. */
  keystroke: { given: { line: Line }; answer: { at: number } }
  /** When the next keystroke of somebody else is seen on this line. */
  see: { given: { line: Line }; answer: { at: number } }
  /** One keystroke; when it was made, and when some server was known to hold it. */
  keystrokeHeld: { given: { line: Line; boundMs: number }; answer: { at: number; heldAt: number } }
  /** The server of the moment; empty: none. */
  server: { given: { line: Line }; answer: { id: string } }
}

/** A keystroke's push is about as long: the frame, the document's id, an update of one character. */
const relayedBytes = 66
const joinMs = 10_000
/** How often a receipt is looked at: no figure is better known than this. */
const lookMs = 1

const clients = new Map<Line, Client>()
const texts = new Map<Line, Y.Text>()
const documents = new Map<Line, LiveDocument>()
const relays = new Map<Line, WebSocket>()
const seen = new Map<Line, () => void>()

answerQuestions<TypistQuestions>({
  async join({ line, servers, hasStandby }) {
    const client = connect({ servers, name: `${line} ${process.pid}`, agent: 'bench', hasStandby })
    clients.set(line, client)
    await client.joined()
    return { server: serverOf(client) }
  },
  async create({ line, name }) {
    const { id } = await clients.get(line)!.create(name, '')
    return { id }
  },
  async open({ line, document }) {
    const live = clients.get(line)!.open(document)
    documents.set(line, live)
    watch(line, live.text)
    await Promise.race([live.loaded, failAfter(joinMs, 'the document does not open')])
    return undefined
  },
  async dialRelay({ line, address }) {
    const socket = new WebSocket(address, { perMessageDeflate: false })
    relays.set(line, socket)
    socket.on('message', () => seen.get(line)?.())
    await once(socket, 'open')
    return undefined
  },
  async dialPlain({ line, address }) {
    const doc = new Y.Doc()
    const socket = new WebSocket(address, { perMessageDeflate: false })
    doc.on('update', (update, _, __, { local }) => {
      if (local) socket.send(update)
    })
    socket.on('message', (update: Uint8Array) => Y.applyUpdate(doc, update))
    watch(line, doc.getText())
    await once(socket, 'open')
    return undefined
  },
  keystroke: ({ line }) => ({ at: keystroke(line) }),
  async see({ line }) {
    await new Promise<void>((resolve) => seen.set(line, resolve))
    const at = sharedNow()
    seen.delete(line)
    return { at }
  },
  async keystrokeHeld({ line, boundMs }) {
    const live = documents.get(line)!
    const at = keystroke(line)
    while (live.receipt().servers.length === 0) {
      if (sharedNow() - at > boundMs) return { at, heldAt: Infinity }
      await sleep(lookMs)
    }
    return { at, heldAt: sharedNow() }
  },
  server: ({ line }) => ({ id: serverOf(clients.get(line)!) }),
})

function keystroke(line: Line): number {
  const relay = relays.get(line)
  const at = sharedNow()
  if (relay) relay.send(new Uint8Array(relayedBytes))
  else {
    const text = texts.get(line)!
    text.insert(text.length, 'x')
  }
  return at
}

function watch(line: Line, text: Y.Text): void {
  texts.set(line, text)
  text.observe((_, { local }) => {
    if (!local) seen.get(line)?.()
  })
}

function serverOf({ connection }: Client): string {
  return connection.name === 'online' ? connection.server : ''
}

async function failAfter(ms: number, text: string): Promise<never> {
  await sleep(ms, undefined, { ref: false })
  throw new Error(text)
}
