// What strangers do to a server's port, each thing from a seed: HTTP of both kinds, gRPC, sessions,
// channels of servers, and bytes that are none of these. Each resolves when it is over.

import * as http2 from 'node:http2'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DescMethod } from '@bufbuild/protobuf'
import { WebSocket } from 'ws'
import type { Random } from '../../sim/random.ts'
import { exchangePath } from '../../src/adapters/channel/grpc-peer.ts'
import { preface } from '../http2-frames.ts'
import { enveloped, Messages, spoilt, type Known } from './messages.ts'
import { peerMessages, sessionFrames, type Peer } from './talk.ts'
import { anyRequest, asHttp1 } from './requests.ts'

export interface Target {
  port: number
  /** Whom the server takes a channel from. */
  peer: Peer
  rpcs: DescMethod[]
  known: Known
}

export interface Act {
  random: Random
  target: Target
  /** For whoever looks for what ended a server. */
  tell: (text: string) => void
}

export type ActName = keyof typeof acts

/** How often each is done: what goes deep more often than what is refused at the door. */
export const shares: Record<ActName, number> = {
  http1: 4,
  http2: 4,
  frames: 2,
  call: 4,
  session: 6,
  grpcSession: 2,
  webSocket: 1,
  exchange: 4,
}

export const acts = {
  /** Requests of HTTP/1 on one connection, whole or not, without waiting for answers. */
  async http1({ random, target, tell }: Act): Promise<void> {
    const parts: Uint8Array[] = []
    for (let left = random.pick([1, 1, 2, 4]); left > 0; left--) {
      const whole = asHttp1(random, anyRequest(random, target.rpcs.map(pathOf)))
      parts.push(random.chance(0.15) ? spoilt(random, whole) : whole)
    }
    const bytes = Buffer.concat(parts)
    tell(bytes.toString('latin1'))
    await spoken(random, target.port, bytes)
  },

  /** Requests on one connection of HTTP/2, ended in any way. */
  async http2({ random, target, tell }: Act): Promise<void> {
    await onSession(target.port, async (session) => {
      for (let left = random.between(1, 4); left > 0; left--) {
        const { method, path, headers, body } = anyRequest(random, target.rpcs.map(pathOf))
        const head: http2.OutgoingHttpHeaders = { ':method': method, ':path': path }
        for (const [name, value] of headers) if (!isOfHttp1(name)) head[name] = value
        if (method === 'CONNECT' && random.chance(0.5)) {
          delete head[':path']
          head[':authority'] = 'x'
        }
        tell(`${JSON.stringify(head)} ${body.toString('latin1')}`)
        await requested(random, session, head, body)
      }
    })
  },

  /** Frames of HTTP/2 that no library would send. */
  async frames({ random, target, tell }: Act): Promise<void> {
    const parts: Buffer[] = [preface, frame(4, 0, 0, Buffer.alloc(0))]
    for (let left = random.between(1, 12); left > 0; left--) parts.push(anyFrame(random, target))
    const bytes = Buffer.concat(parts)
    tell(bytes.toString('hex'))
    await spoken(random, target.port, bytes)
  },

  /** A call of any service, with a message of its own schema, in any of its protocols. */
  async call({ random, target, tell }: Act): Promise<void> {
    const method = random.pick(target.rpcs)
    const message = new Messages(random, target.known).bytes(method.input)
    const isEnveloped = random.chance(0.7)
    const type = random.pick(
      isEnveloped
        ? ['grpc', 'grpc+proto', 'grpc-web+proto', 'connect+proto']
        : ['proto', 'proto', 'grpc'],
    )
    const body = isEnveloped ? enveloped(random, message) : message
    tell(`${pathOf(method)} ${type} ${Buffer.from(body).toString('hex')}`)
    const head = {
      ':method': 'POST',
      ':path': pathOf(method),
      'content-type': `application/${type}`,
    }
    await onSession(target.port, (session) => requested(random, session, head, body))
  },

  /** A session over a WebSocket: a greeting, mostly a good one, and then anything. */
  async session({ random, target, tell }: Act): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${target.port}/session`)
    await opened(socket)
    for (const bytes of sessionFrames(random, target.known)) {
      tell(`session ${Buffer.from(bytes).toString('hex')}`)
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes, { binary: random.chance(0.98) })
      if (random.chance(0.2)) await moment(random)
    }
    await moment(random)
    if (random.chance(0.5)) socket.close(random.pick([1000, 3000, 4999]))
    await moment(random)
    socket.terminate()
  },

  async grpcSession({ random, target, tell }: Act): Promise<void> {
    const messages = sessionFrames(random, target.known).map((bytes) => enveloped(random, bytes))
    await streamed({ random, target, tell }, '/fourfold.v1.SessionService/Session', messages)
  },

  /** Frames of a WebSocket that no library would send, after a good upgrade. */
  async webSocket({ random, target, tell }: Act): Promise<void> {
    const lines = ['GET /session HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket']
    lines.push('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', '', '')
    const parts: Buffer[] = [Buffer.from(lines.join('\r\n'))]
    for (let left = random.between(1, 8); left > 0; left--) parts.push(anyWebSocketFrame(random))
    const bytes = Buffer.concat(parts)
    tell(bytes.toString('latin1'))
    await spoken(random, target.port, bytes)
  },

  /** The channel of another server: a hello, mostly a good one, and then anything. */
  async exchange({ random, target, tell }: Act): Promise<void> {
    const messages = peerMessages(random, target.known, target.peer)
    const bodies = messages.map((bytes) => enveloped(random, bytes))
    await streamed({ random, target, tell }, exchangePath, bodies)
  },
}

// ----------------------------------------------------------------------------- what is said

function anyFrame(random: Random, { rpcs }: Target): Buffer {
  const type = random.pick([0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99])
  const stream = random.pick([0, 1, 1, 3, 3, 5, 2, 2 ** 31 - 1])
  const flags = random.pick([0, 1, 4, 4, 5, 5, 8, 0x20, 0x24, 255])
  if (type !== 1 || random.chance(0.1)) {
    return frame(type, flags, stream, Buffer.from(random.bytes(random.pick([0, 4, 5, 8, 6, 30]))))
  }
  const { method, path, headers } = anyRequest(random, rpcs.map(pathOf))
  const pairs: [string, string][] = [
    [':method', method],
    [':scheme', 'http'],
    [':path', path],
  ]
  if (random.chance(0.9)) pairs.push([':authority', 'x'])
  const block = [...pairs, ...headers].map(([name, value]) => literal(name, value))
  return frame(type, flags, stream, Buffer.concat(block))
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A header without Huffman coding or a table (RFC 7541). */
function literal(name: string, value: string): Buffer {
  const text = (each: string) => {
    const bytes = Buffer.from(each, 'latin1').subarray(0, 126)
    return Buffer.concat([Buffer.of(bytes.length), bytes])
  }
  return Buffer.concat([Buffer.of(0), text(name), text(value)])
}

function anyWebSocketFrame(random: Random): Buffer {
  const payload = Buffer.from(random.bytes(random.pick([0, 1, 2, 10, 125])))
  const head = Buffer.of(
    random.pick([0x82, 0x81, 0x80, 0x02, 0x00, 0x88, 0x89, 0x8a, 0x83, 0xf2]),
    (random.chance(0.9) ? 0x80 : 0) | random.pick([payload.length, payload.length, 126, 127]),
  )
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

// ------------------------------------------------------------------------------ how it is said

/** Some of these bytes, or all, and an end of the connection. */
async function spoken(random: Random, port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  const cut = random.chance(0.3) ? random.below(bytes.length + 1) : bytes.length
  socket.write(bytes.subarray(0, cut))
  await moment(random)
  if (random.chance(0.3)) socket.write(bytes.subarray(cut))
  await left(random, socket)
}

async function left(random: Random, socket: Socket): Promise<void> {
  const roll = random.next()
  if (roll < 0.3) socket.resetAndDestroy()
  else if (roll < 0.6) socket.end()
  await moment(random)
  socket.destroy()
}

/** One request, whole or not, on a connection that may be over. */
async function requested(
  random: Random,
  session: http2.ClientHttp2Session,
  head: http2.OutgoingHttpHeaders,
  body: Uint8Array,
): Promise<void> {
  let stream: http2.ClientHttp2Stream
  try {
    stream = session.request(head, { endStream: random.chance(0.1) })
  } catch {
    // Some things the library itself refuses to send.
    return
  }
  stream.on('error', () => {})
  if (random.chance(0.9)) stream.resume()
  if (stream.writable && !stream.writableEnded) {
    if (random.chance(0.7)) stream.end(body)
    else stream.write(body)
  }
  await moment(random)
  if (random.chance(0.4)) stream.close(random.pick([0, 2, 5, 8]))
  if (random.chance(0.5)) await moment(random)
}

/** A call that goes on, with these bodies one after the other. */
async function streamed(
  { random, target, tell }: Act,
  path: string,
  bodies: Buffer[],
): Promise<void> {
  const head = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc+proto' }
  await onSession(target.port, async (session) => {
    const stream = session.request({ ...head, te: 'trailers' })
    stream.on('error', () => {})
    if (random.chance(0.9)) stream.resume()
    for (const body of bodies) {
      tell(`${path} ${body.toString('hex')}`)
      if (!stream.destroyed && stream.writable) stream.write(body)
      if (random.chance(0.2)) await moment(random)
    }
    await moment(random)
    if (random.chance(0.5)) stream.close(random.pick([0, 2, 8]))
    await moment(random)
  })
}

async function onSession(
  port: number,
  use: (session: http2.ClientHttp2Session) => Promise<void>,
): Promise<void> {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  try {
    await use(session)
  } finally {
    session.destroy()
  }
}

/** Resolves also when it never will be. */
function opened(socket: WebSocket): Promise<void> {
  socket.on('error', () => {})
  return new Promise((resolve) => {
    socket.once('open', () => resolve())
    socket.once('close', () => resolve())
  })
}

/** Nothing, or a while: in which the other side gets to different places. */
async function moment(random: Random): Promise<void> {
  await sleep(random.pick([0, 0, 1, 5, 20]))
}

/** What a connection says, and a request over HTTP/2 may not. */
function isOfHttp1(name: string): boolean {
  return ['transfer-encoding', 'upgrade', 'host'].includes(name)
}

export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`
}
