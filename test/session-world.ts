// A tiny model of four servers and their network, for tests of the client's mind. Virtual time.
//
//   client ══ connection ══ server ── journal ──> every other server, in the order of storing
//
// It promises what the real servers do: nothing is told before it is stored, what is copied to a
// peer comes after its causes, receipts follow what peers say they stored. It knows nothing else.

import * as Y from 'yjs'
import { deletesOf, type Deletes } from '../src/core/model/text-update.ts'
import type { Random } from '../sim/random.ts'
import { Timeline } from '../sim/timeline.ts'
import { ModelClient } from './model-client.ts'
import { ModelServer } from './model-server.ts'

export const ids = ['a', 'b', 'c', 'd'] as const

export class World {
  readonly timeline = new Timeline()
  readonly random: Random
  readonly servers: ModelServer[]
  readonly clients: ModelClient[] = []
  /** Every message a client or server sent, when `isTraced`. */
  readonly trace: string[] = []
  isTraced = false
  /** Edits that somebody else than their author brought. */
  relays = 0

  constructor(random: Random) {
    this.random = random
    this.servers = ids.map((id) => new ModelServer(this, id))
    for (const server of this.servers) server.pump()
  }

  server(id: string): ModelServer {
    return this.servers.find((server) => server.id === id)!
  }

  addClient(name: string, options: { hasStandby?: boolean } = {}): ModelClient {
    const client = new ModelClient(this, name, options.hasStandby ?? true)
    this.clients.push(client)
    return client
  }

  note(line: string): void {
    if (this.isTraced) this.trace.push(`${this.timeline.now.toFixed(1)} ${line}`)
  }
}

/**
 * What is wrong with the receipts of a client now: for every server that it believes to hold all its
 * edits of a document, whether the disk of that server does.
 */
export function falseReceipts(world: World, client: ModelClient, document: string): string[] {
  const holders = client.session.holders(document, client.session.edits(document))
  const written = Y.getState(client.doc(document).store, client.writer)
  return holders.filter((id) => {
    const disk = world.server(id).stored(document)
    if (Y.getState(disk.store, client.writer) < written) return true
    return client.ownDeletes(document).some((deletes) => !areDeleted(disk, deletes))
  })
}

function areDeleted(doc: Y.Doc, deletes: Deletes): boolean {
  const known = deletesOf(Y.encodeStateAsUpdate(doc))
  for (const [writer, ranges] of deletes) {
    for (const [clock, length] of ranges) {
      const isThere = known
        .get(writer)
        ?.some(([from, count]) => from <= clock && clock + length <= from + count)
      if (!isThere) return false
    }
  }
  return true
}
