// Waits for something to be true of what a client knows.

import type { Client } from '../client/api.ts'

/**
 * Resolves when it is true, now or after a change, and when the signal is aborted. Whoever waits for
 * something else as well calls `end` after that.
 */
export function waitFor(
  client: Pick<Client, 'onChange'>,
  isTrue: () => boolean,
  signal?: AbortSignal,
): { promise: Promise<void>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = () => {
    if (signal?.aborted || isTrue()) resolve()
  }
  const unlisten = client.onChange(look)
  signal?.addEventListener('abort', look)
  const end = () => {
    unlisten()
    signal?.removeEventListener('abort', look)
  }
  look()
  return { promise: promise.finally(end), end }
}
