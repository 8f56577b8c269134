// What many measurements come to.

/** The middle one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value that this part of all values does not exceed. */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) return Number.NaN
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]!
}
