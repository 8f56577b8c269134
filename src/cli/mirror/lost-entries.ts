// Files and directories that no server knows any more: their records were given up as damaged, or
// older copies were put in the place of all disks. Nobody deleted them, so they are given back.

import { filesPerPageMax } from '../../core/model/limits.ts'
import { inLanes } from '../lanes.ts'
import type { CallOptions, ServerClients } from '../set-client.ts'
import { knows } from './everybody.ts'
import type { Parts } from './parts.ts'

/** How often it is looked whether what one server does not know is lost: another may be behind. */
const lookMs = 5000

export class LostEntries {
  readonly #options: Parts
  #lookAt = -Infinity

  constructor(options: Parts) {
    this.#options = options
  }

  /** When it is to be looked again. */
  get nextAt(): number {
    return this.#options.folder.unheard.size > 0 ? this.#lookAt : Infinity
  }

  /** Takes what no server knows for nobody's: it is new then. Rejects with NoServerError. */
  async look(): Promise<void> {
    const { folder, commons, everybody, report } = this.#options
    const now = performance.now()
    if (folder.unheard.size === 0 || now < this.#lookAt) return
    this.#lookAt = now + lookMs
    const unheard = [...folder.unheard].filter((id) => commons.get(id))
    const known = await everybody.ask((clients, call) => knownOf(unheard, clients, call))
    if (!known) return
    for (const id of unheard) {
      // A server may have told of it meanwhile.
      if (!folder.unheard.has(id) || known.some((ids) => ids.has(id))) continue
      const { path } = commons.get(id)!
      folder.unheard.delete(id)
      commons.forget(id)
      report.warn('lost', `${path}: the servers have lost it. What is here is given to them again.`)
    }
  }
}

/** Those of which a server knows, be it that they were deleted for good. */
async function knownOf(
  ids: string[],
  clients: ServerClients,
  call: CallOptions,
): Promise<Set<string>> {
  const known = new Set<string>()
  for (let from = 0; from < ids.length; from += filesPerPageMax) {
    const { files } = await clients.folder.listErased(
      { files: ids.slice(from, from + filesPerPageMax) },
      call,
    )
    for (const id of files) known.add(id)
  }
  await inLanes(ids, async (file) => {
    if (await knows(file)(clients, call)) known.add(file)
  })
  return known
}
