// Several things at once, and not all of them.

/** A server waits for disks while it answers; so many answers share a wait. */
const lanesMax = 8

/**
 * Begins with the items in their order, some at once. Rejects with the first error after those under
 * way have ended; none begins after it.
 */
export async function inLanes<T>(
  items: Iterable<T>,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failure: { error: unknown } | undefined
  const lane = async () => {
    while (!failure) {
      const { done, value } = iterator.next()
      if (done) return
      try {
        await act(value)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: lanesMax }, lane))
  if (failure) throw (failure as { error: unknown }).error
}
