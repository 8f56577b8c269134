// A TCP relay on loopback: a way between two programs that can be cut, as a network is, and healed.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** One way to one port. Cut, it is silent: nothing is refused and nothing gets through. */
export class Relay {
  readonly #server: Server
  readonly #pairs = new Set<[Socket, Socket]>()
  /** How long what comes back is on its way. */
  readonly #backMs: number
  readonly #bytesPerMs: number
  #isCut = false

  private constructor(server: Server, backMs: number, bytesPerMs: number) {
    this.#server = server
    this.#backMs = backMs
    this.#bytesPerMs = bytesPerMs
  }

  /** `target`: where it leads, "http://127.0.0.1:4400". */
  static async to(target: string, backMs = 0, bytesPerMs = Infinity): Promise<Relay> {
    const { hostname, port } = new URL(target)
    const server = createServer({ pauseOnConnect: true })
    const relay = new Relay(server, backMs, bytesPerMs)
    server.on('connection', (near) => {
      relay.#join(near, connect({ host: hostname, port: Number(port) }))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return relay
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** From now on what is sent stays where it is, in both directions. */
  cut(): void {
    this.#isCut = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  heal(): void {
    this.#isCut = false
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
  }

  close(): void {
    this.#server.close()
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }

  #join(near: Socket, far: Socket): void {
    const pair: [Socket, Socket] = [near, far]
    this.#pairs.add(pair)
    far.pause()
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.setNoDelay(true)
      const goOn = () => {
        if (!this.#isCut) from.resume()
      }
      const pass = (chunk: Buffer) => {
        // On its way when the line was cut: it never arrives.
        if (this.#isCut) return
        const hasRoom = to.write(chunk)
        const takesMs = chunk.length / this.#bytesPerMs
        if (hasRoom && takesMs === 0) return
        from.pause()
        if (takesMs > 0) setTimeout(goOn, takesMs)
        else to.once('drain', goOn)
      }
      const waitMs = from === far ? this.#backMs : 0
      from.on('data', (chunk) => {
        if (waitMs > 0) setTimeout(pass, waitMs, chunk)
        else pass(chunk)
      })
      from.on('end', () => to.end())
      // Broken on one side is broken on the other; why is nobody's matter here.
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#pairs.delete(pair)
        to.destroy()
      })
    }
    if (!this.#isCut) for (const socket of pair) socket.resume()
  }
}
