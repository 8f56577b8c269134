// Asks a server for the named versions of a file.

import type { Client } from '../client/api.ts'
import type { NamedVersion } from '../core/model/wire.ts'
import { folderAt } from './pass.ts'

export type { NamedVersion }

/** One server gets this long before the next is asked. */
const askMs = 4000

/**
 * The named versions of a file, newest first: from the server this page is connected to, or from
 * any other that answers. Rejects with a sentence when none does.
 */
export async function namedVersions(client: Client, file: string): Promise<NamedVersion[]> {
  for (const address of addresses(client)) {
    try {
      const { versions } = await folderAt(address).listVersions({ file }, { timeoutMs: askMs })
      return versions.toReversed()
    } catch {
      // That server is down or does not let this page in: the next may.
    }
  }
  throw new Error('No server answers. The versions are kept there and can be seen again then.')
}

/** Where to ask: the server this page talks to, the one it came from, then all others that live. */
export function addresses(client: Client): Set<string> {
  const { connection, servers } = client
  const current = connection.name === 'online' ? connection.server : ''
  const first = servers.filter((server) => server.id === current)
  const live = servers.filter((server) => server.state !== 'down')
  return new Set([
    ...first.map(({ address }) => address),
    location.origin,
    ...live.map(({ address }) => address),
  ])
}
