// How long what is done again and again rests, so that it takes only a part of the time.

/** What of the time work may take. */
export interface Pace {
  /** The rest is so many times what the work took. */
  times: number
  /** In ms. */
  leastMs: number
  /** In ms. A computer that slept during the work, or a page that stood still, would rest for days. */
  mostMs: number
}

/** The rest in ms after work that took `tookMs`. */
export function restAfter(tookMs: number, { times, leastMs, mostMs }: Pace): number {
  return Math.min(mostMs, Math.max(leastMs, tookMs * times))
}
