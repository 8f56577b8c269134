// The longest common subsequence of two sequences of numbers, in time bounded by their difference.

/** Equal items: where in the first sequence, where in the second, how many. */
export type Run = [from: number, to: number, length: number]

/**
 * The runs of a longest common subsequence, in order (Myers' greedy algorithm). Undefined when more
 * than `distanceMax` items must be taken out and put in; time and memory are bounded by its square.
 */
export function commonRuns(
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  distanceMax: number,
): Run[] | undefined {
  const most = Math.min(from.length + to.length, distanceMax)
  // By diagonal (place in `from` minus place in `to`), the furthest place reached in `from`.
  const furthest = new Int32Array(2 * most + 3)
  const middle = most + 1
  // What `furthest` was before each distance, from its diagonal -distance - 1 on.
  const trace: Int32Array[] = []
  for (let distance = 0; distance <= most; distance++) {
    trace.push(furthest.slice(middle - distance - 1, middle + distance + 2))
    // Diagonals outside of the two sequences are left out.
    const low = -distance + 2 * Math.max(0, distance - to.length)
    const high = distance - 2 * Math.max(0, distance - from.length)
    for (let diagonal = low; diagonal <= high; diagonal += 2) {
      const here = middle + diagonal
      let x =
        diagonal === -distance ||
        (diagonal !== distance && furthest[here - 1]! < furthest[here + 1]!)
          ? furthest[here + 1]!
          : furthest[here - 1]! + 1
      let y = x - diagonal
      while (x < from.length && y < to.length && from[x] === to[y]) {
        x++
        y++
      }
      furthest[here] = x
      if (x >= from.length && y >= to.length) return walkBack(from.length, to.length, trace)
    }
  }
  return undefined
}

function walkBack(fromEnd: number, toEnd: number, trace: Int32Array[]): Run[] {
  const runs: Run[] = []
  let [x, y] = [fromEnd, toEnd]
  for (let distance = trace.length - 1; distance >= 0; distance--) {
    const before = trace[distance]!
    const at = (diagonal: number) => before[diagonal + distance + 1]!
    const diagonal = x - y
    const isPut =
      diagonal === -distance || (diagonal !== distance && at(diagonal - 1) < at(diagonal + 1))
    // Where the equal items of this distance begin.
    const start = distance === 0 ? 0 : isPut ? at(diagonal + 1) : at(diagonal - 1) + 1
    if (x > start) runs.push([start, start - diagonal, x - start])
    x = isPut ? start : start - 1
    y = x - (isPut ? diagonal + 1 : diagonal - 1)
  }
  return runs.reverse()
}
