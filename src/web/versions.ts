// Asks a server for the named versions of a file.

import type { Client } from '../client/api.ts'
import type { NamedVersion } from '../core/model/wire.ts'
import { ask } from './asking.ts'

export type { NamedVersion }

const nobody = 'No server answers. The versions are kept there and can be seen again then.'

/**
 * The named versions of a file, newest first, some of them perhaps without their text: from the server
 * this page is connected to, or from any other that answers. Rejects with a sentence when none does.
 */
export async function namedVersions(client: Client, file: string): Promise<NamedVersion[]> {
  const answer = await ask(client, (folder, options) => folder.listVersions({ file }, options))
  if (answer) return answer.versions.toReversed()
  throw new Error(nobody)
}

/** This version, which came without it, with its text. Rejects with a sentence when no server answers. */
export async function withText(
  client: Client,
  file: string,
  { id }: NamedVersion,
): Promise<NamedVersion> {
  const answer = await ask(client, (folder, options) =>
    folder.listVersions({ file, version: id }, options),
  )
  const [whole] = answer?.versions ?? []
  if (whole) return whole
  throw new Error(nobody)
}
