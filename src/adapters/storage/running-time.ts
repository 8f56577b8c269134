// Time by which operations grow old: only that in which the store is open passes.

/**
 * Goes on from the newest operation that is stored, and then as `now` does, which must not jump while
 * the store is open. What the clock says when it is opened again, and how long that took, adds nothing:
 * a clock that was set forward by a month would have all forgotten that was done just now.
 */
export function runningTime(newestAt: number, now: () => number): () => number {
  const openedAt = now()
  return () => newestAt + (now() - openedAt)
}
