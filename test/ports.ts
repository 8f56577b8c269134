// Ports for the servers of tests, which are killed and come back to where they were.

import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/**
 * Systems give higher ones to connections. A server that is down must find its port as it left it, and
 * whoever dials it meanwhile must not get that very port for the other end. Those below include some at
 * which fetch and browsers ask nobody (src/server/unsafe-ports.ts).
 */
const lowest = 10_100

/** Files run at once: each process chooses among ports of its own, in turn. */
const slices = 1000
const sliceSize = 20
const slice = await claimSlice()

let next = 1

/**
 * The first port of a slice that nobody else has: who listens there has the others, too, also while the
 * servers that belong there are down.
 */
async function claimSlice(): Promise<number> {
  for (let tried = 0; tried < slices; tried++) {
    const first = lowest + ((process.pid + tried) % slices) * sliceSize
    const claim = await listening(first)
    if (!claim) continue
    claim.unref()
    return first
  }
  throw new Error('all ports for tests are taken')
}

/** So many in a row that nothing listens on. */
export async function freePorts(count: number): Promise<number[]> {
  for (let tries = 0; tries < sliceSize; tries++) {
    if (next + count > sliceSize) next = 1
    const ports = Array.from({ length: count }, (_, index) => slice + next + index)
    next += count
    const outcomes = await Promise.all(ports.map(isFree))
    if (outcomes.every(Boolean)) return ports
  }
  throw new Error(`no ${count} ports in a row are free from ${slice} to ${slice + sliceSize - 1}`)
}

/** The first of four in a row. */
export async function fourPorts(): Promise<number> {
  const [first] = await freePorts(4)
  return first!
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening(port)
  if (server) await once(server.close(), 'close')
  return server !== undefined
}

/** Undefined: another program listens there, or the system does not give it. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch {
    return undefined
  }
  return server
}
