// How slowly a body may come: one that trickles would keep the place of others for ever.

import { uploadLookMs, uploadPerLookBytesMin } from '../core/model/limits.ts'

/** So many bytes, at least, come between two looks. */
export interface Pace {
  lookMs: number
  bytesMin: number
}

export const uploadPace: Pace = { lookMs: uploadLookMs, bytesMin: uploadPerLookBytesMin }

/** Calls `cut` at each look at which it was slower. Whoever called calls what it returns at the end. */
export function keepPace(pace: Pace, bytesSoFar: () => number, cut: () => void): () => void {
  let before = bytesSoFar()
  const timer = setInterval(() => {
    const bytes = bytesSoFar()
    if (bytes - before < pace.bytesMin) cut()
    before = bytes
  }, pace.lookMs).unref()
  return () => clearInterval(timer)
}
