// HTTP/2 spoken byte by byte, for what no library would say.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export const frameTypes = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  continuation: 9,
}
export const flags = { endHeaders: 4 }

export interface Frame {
  type: number
  flags: number
  stream: number
  payload: Buffer
}

/** A connection that sends what it is told and keeps the frames that come. */
export class RawHttp2 {
  readonly frames: Frame[] = []
  readonly #socket: Socket
  readonly ended: Promise<void>
  #rest = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => {})
    socket.on('data', (chunk) => this.#read(chunk))
  }

  static async open(port: number): Promise<RawHttp2> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(preface)
    const raw = new RawHttp2(socket)
    raw.send({ type: frameTypes.settings, flags: 0, stream: 0, payload: Buffer.alloc(0) })
    return raw
  }

  send({ type, flags: bits, stream, payload }: Frame): void {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt8(bits, 4)
    head.writeUInt32BE(stream, 5)
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat([head, payload]))
  }

  /** Resolves with the first frame that fits; rejects when the connection ends before. */
  async frame(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits)
      if (found) return found
      if (this.#socket.destroyed) throw new Error('the connection ended')
      await Promise.race([once(this.#socket, 'data'), this.ended])
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3)
      if (this.#rest.length < end) return
      const [type, bits] = [this.#rest.readUInt8(3), this.#rest.readUInt8(4)]
      const stream = this.#rest.readUInt32BE(5)
      this.frames.push({ type, flags: bits, stream, payload: this.#rest.subarray(9, end) })
      this.#rest = this.#rest.subarray(end)
    }
  }
}

/** The header block of a POST without Huffman coding or a table (RFC 7541). */
export function postHeaders(path: string, more: [name: string, value: string][] = []): Buffer {
  return Buffer.concat([Buffer.from([0x83]), headersAfterMethod(path, more)])
}

/** The same of a PUT. */
export function putHeaders(path: string, more: [name: string, value: string][] = []): Buffer {
  return Buffer.concat([literal(':method', 'PUT'), headersAfterMethod(path, more)])
}

function headersAfterMethod(path: string, more: [name: string, value: string][]): Buffer {
  const rest = [[':path', path], [':authority', 'localhost'], ...more] as [string, string][]
  return Buffer.concat([Buffer.from([0x86]), ...rest.map(([name, value]) => literal(name, value))])
}

function literal(name: string, value: string): Buffer {
  const text = (each: string) => Buffer.concat([Buffer.from([each.length]), Buffer.from(each)])
  return Buffer.concat([Buffer.from([0]), text(name), text(value)])
}
