// Many things that wait for disks and servers, some at once.

/** At once: they wait for disks, and share calls and flushes. */
const lanes = 128
/** Of the files of these calls together, so that memory does not grow with them; one goes in any case. */
const lanesBytesMax = 2 * 1024 * 1024

/**
 * Some at once, in their order, as long as they hold not too many bytes together; all are ended before
 * it rejects with what one rejected with.
 */
export async function sideBySide<T>(
  items: T[],
  bytesOf: (item: T) => number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  let bytes = 0
  let running = 0
  let failure: { error: unknown } | undefined
  const { promise, resolve } = Promise.withResolvers<void>()
  const fits = () =>
    running === 0 || (running < lanes && bytes + bytesOf(items[next]!) <= lanesBytesMax)
  const begin = () => {
    while (next < items.length && !failure && fits()) {
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
