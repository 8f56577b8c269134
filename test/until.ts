// How tests wait: for what has to come, never for a while.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../src/client/index.ts'

/** What has to come may take so long on a busy machine; after that it counts as never. */
export const patienceMs = 120_000
const lookMs = 10
/** What takes long is looked at less often: to look takes time from what is waited for. */
const lookMsMax = 50

/**
 * Resolves when `holds` does, which is asked again and again. Rejects when that takes longer than
 * `boundMs`; then `why` says what was waited for, or what is there instead.
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  why: string | (() => string | Promise<string>) = 'what was waited for',
  boundMs = patienceMs,
): Promise<void> {
  const end = performance.now() + boundMs
  let pauseMs = lookMs
  while (!(await holds())) {
    if (performance.now() > end) {
      const text = typeof why === 'string' ? why : await why()
      throw new Error(`not within ${boundMs} ms: ${text}`)
    }
    await sleep(pauseMs)
    pauseMs = Math.min(lookMsMax, pauseMs * 1.1)
  }
}

/** Resolves as soon as this holds of what a client shows: for figures, to which 10 ms are much. */
export async function untilShown(client: Client, isSo: () => boolean): Promise<void> {
  if (isSo()) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = client.onChange(() => isSo() && resolve())
  await promise
  end()
}
