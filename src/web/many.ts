// One thing that is done to many entries, before people's eyes: how far it is, a way to stop, and what
// was not done.

import type { Client, FileInfo, SharedChange, Undone } from '../client/api.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { carry } from './carry-out.ts'
import { inParts, type Act } from './in-parts.ts'
import { notify } from './toasts.tsx'

/** So many take long enough to be counted before people's eyes. */
const countedMin = 50

interface Words {
  /** Said while it takes long. */
  waiting: string
  /** It was done to these. */
  done: (entries: FileInfo[]) => void
}

/** Does it to all, and says what could not be done. */
export async function many(entries: readonly FileInfo[], act: Act, words: Words): Promise<void> {
  const stopping = new AbortController()
  const progress = { done: 0, total: entries.length }
  const isCounted = entries.length >= countedMin
  const problem = await carry(inParts(entries, act, progress, stopping.signal), {
    waiting: words.waiting,
    ...(isCounted && { progress, stop: () => stopping.abort() }),
    done({ done, undone, left }) {
      if (done.length > 0) words.done(done)
      if (undone.length > 0) {
        const count = undone.length.toLocaleString('en')
        notify(`${count} of ${progress.total.toLocaleString('en')} could not be. ${first(undone)}`)
      }
      if (left > 0) notify(`Stopped: ${left.toLocaleString('en')} are as they were.`)
    },
  })
  if (problem !== undefined) notify(problem)
}

/** Never rejects with FourfoldError: what is refused as a whole is not done to any of them. */
export async function changed(
  client: Client,
  entries: readonly FileInfo[],
  change: SharedChange,
): Promise<Undone[]> {
  const ids = entries.map(({ id }) => id)
  try {
    return await client.changeSeveral(ids, change)
  } catch (error) {
    if (!(error instanceof FourfoldError)) throw error
    return ids.map((id) => ({ id, error }))
  }
}

function first(undone: readonly Undone[]): string {
  return `The first: ${undone[0]!.error.message}`
}
