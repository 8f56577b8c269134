// Asks servers by calls: one after the other, until one answers.

import type { CallOptions, Client as Rpc } from '@connectrpc/connect'
import type { Client } from '../client/api.ts'
import type { FolderService } from '../core/model/wire.ts'
import { folderAt } from './pass.ts'
import { waitFor } from './waiting.ts'

/** One server gets this long before the next is asked. */
export const askMs = 4000

/** Undefined: none answers. */
export async function ask<T>(
  client: Client,
  question: (folder: Rpc<typeof FolderService>, options: CallOptions) => Promise<T>,
): Promise<T | undefined> {
  // While a server is looked for, those that have just started may not serve yet.
  await waitFor(client, () => client.connection.name !== 'joining').promise
  if (client.connection.name === 'offline') return undefined
  for (const address of addresses(client)) {
    try {
      return await question(folderAt(address), { timeoutMs: askMs })
    } catch {
      // That server is down, behind, or does not let this page in: the next may answer.
    }
  }
  return undefined
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
