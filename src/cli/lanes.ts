// Several things at once, and not all of them.

import { StoppedError } from './command.ts'

/** A server waits for disks while it answers; so many answers share a wait. */
const lanesMax = 8

/** Of saves, which wait for the disks of other servers: most of their time is that. */
export const saveLanes = 32

interface Lanes<T> {
  /** At once, at the most. */
  lanes?: number
  /** Of what is under way together, so that memory does not grow with it; one goes in any case. */
  bytesMax?: number
  /** What an item holds in memory while it is under way; nothing that counts, unless told. */
  bytesOf?: (item: T) => number
  /** Once aborted, nothing begins any more, and what is under way is waited for. */
  ending?: AbortSignal | undefined
}

/**
 * Begins with the items in their order, some at once. Rejects with the first error after those under
 * way have ended, and with StoppedError when that was the signal; none begins after it.
 */
export async function inLanes<T>(
  items: readonly T[],
  act: (item: T) => Promise<void>,
  { lanes = lanesMax, bytesMax = Infinity, bytesOf = () => 0, ending }: Lanes<T> = {},
): Promise<void> {
  let next = 0
  let bytes = 0
  let running = 0
  let failure: { error: unknown } | undefined
  const { promise, resolve } = Promise.withResolvers<void>()
  const fits = () => running === 0 || (running < lanes && bytes + bytesOf(items[next]!) <= bytesMax)
  const begin = () => {
    while (next < items.length && !failure && fits()) {
      if (ending?.aborted) {
        failure = { error: new StoppedError('Stopped.') }
        break
      }
      const item = items[next++]!
      const held = bytesOf(item)
      running++
      bytes += held
      void act(item)
        .catch((error: unknown) => (failure ??= { error }))
        .finally(() => {
          running--
          bytes -= held
          begin()
        })
    }
    if (running === 0) resolve()
  }
  begin()
  await promise
  if (failure) throw failure.error
}
