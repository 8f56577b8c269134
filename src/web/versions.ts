// Asks a server for the named versions of a file.

import type { Client } from '../client/api.ts'
import type { NamedVersion } from '../core/model/wire.ts'
import { ask } from './asking.ts'

export type { NamedVersion }

/**
 * The named versions of a file, newest first: from the server this page is connected to, or from
 * any other that answers. Rejects with a sentence when none does.
 */
export async function namedVersions(client: Client, file: string): Promise<NamedVersion[]> {
  const answer = await ask(client, (folder, options) => folder.listVersions({ file }, options))
  if (answer) return answer.versions.toReversed()
  throw new Error('No server answers. The versions are kept there and can be seen again then.')
}
