// Many entries, changed some at a time: until all are, or somebody says stop.

import type { FileInfo, Undone } from '../client/api.ts'
import { severalMax } from '../core/model/limits.ts'

/** Operations on their way at once: while the disks have one, the next is there. More would only wait. */
const atOnceMax = 3

/** What is done to some of them; resolves with those to which it was not done. */
export type Act = (entries: FileInfo[]) => Promise<Undone[]>

export interface Ended {
  done: FileInfo[]
  undone: Undone[]
  /** So many were not begun with. */
  left: number
}

/**
 * Does it to all, in their order, counting in `progress`; begins with no more once `stopping` is aborted.
 * Rejects with FourfoldError when it could be done to none.
 */
export async function inParts(
  entries: readonly FileInfo[],
  act: Act,
  progress: { done: number },
  stopping: AbortSignal,
): Promise<Ended> {
  const ended: Ended = { done: [], undone: [], left: entries.length }
  let next = 0
  const work = async () => {
    while (next < entries.length && !stopping.aborted) {
      const some = entries.slice(next, next + severalMax)
      next += some.length
      ended.left -= some.length
      const undone = await act(some)
      const isUndone = new Set(undone.map(({ id }) => id))
      ended.undone.push(...undone)
      ended.done.push(...some.filter(({ id }) => !isUndone.has(id)))
      progress.done += some.length
    }
  }
  await Promise.all(Array.from({ length: atOnceMax }, work))
  if (ended.done.length === 0 && ended.undone.length > 0) throw ended.undone[0]!.error
  return ended
}
