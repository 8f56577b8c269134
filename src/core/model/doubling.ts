// Tries that wait twice as long each time.

/**
 * How long the next try waits, in ms: `firstMs` after no try in vain, after each twice as long, at most
 * `maxMs`. `tries`: how many were in vain, from 0.
 */
export function doubling(firstMs: number, maxMs: number, tries: number): number {
  return Math.min(maxMs, firstMs * 2 ** tries)
}
