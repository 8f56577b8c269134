// Several things at once, and not all of them.

import { StoppedError } from './command.ts'

/** A server waits for disks while it answers; so many answers share a wait. */
const lanesMax = 8

/** Of saves, which wait for the disks of other servers: most of their time is that. */
export const saveLanes = 32

interface Lanes {
  lanes?: number
  /** Once aborted, nothing begins any more, and what is under way is waited for. */
  ending?: AbortSignal | undefined
}

/**
 * Begins with the items in their order, some at once. Rejects with the first error after those under
 * way have ended, and with StoppedError when that was the signal; none begins after it.
 */
export async function inLanes<T>(
  items: Iterable<T>,
  act: (item: T) => Promise<void>,
  { lanes = lanesMax, ending }: Lanes = {},
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failure: { error: unknown } | undefined
  const lane = async () => {
    while (!failure) {
      const { done, value } = iterator.next()
      if (done) return
      if (ending?.aborted) {
        failure = { error: new StoppedError('Stopped.') }
        return
      }
      try {
        await act(value)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  if (failure) throw (failure as { error: unknown }).error
}
