// Anchors: pieces that two texts have exactly once each, in one order. They tell large texts apart.

import type { Run } from './common-runs.ts'

/** How many ways to cut there are, from coarse to fine: at lines, between words, anywhere. */
export const cutsMax = 3

/** Anchors among the pieces that the texts are cut into in one way (0 to cutsMax - 1). */
export function anchorsOf(from: string, to: string, way: number): Run[] {
  const [ours, theirs] = [cut(from, way), cut(to, way)]
  const anchors: Run[] = []
  // In the order of `from`.
  for (const [hash, piece] of ours.singles) {
    const other = piece < 0 ? undefined : theirs.singles.get(hash)
    if (other === undefined || other < 0) continue
    const [start, end] = [ours.starts[piece]!, ours.starts[piece + 1]!]
    const [place, placeEnd] = [theirs.starts[other]!, theirs.starts[other + 1]!]
    // Unequal pieces may have one hash.
    const isEqual = from.slice(start, end) === to.slice(place, placeEnd)
    if (isEqual) anchors.push([start, place, end - start])
  }
  return longestAscending(anchors)
}

interface Pieces {
  /** Where each begins, and where the text ends. */
  starts: number[]
  /** By hash, the piece that has it; -1 when several have. */
  singles: Map<number, number>
}

/** A piece not at line ends has at least this many units; as many decide where it ends. */
const markUnits = 8

/**
 * Cuts after each line, or after every eight units of a certain kind, whatever stands before them,
 * so that the pieces of two texts are the same again soon after a difference. Of that kind is one
 * of 32, or one of eight that end with a space.
 */
function cut(text: string, way: number): Pieces {
  const pieces: Pieces = { starts: [0], singles: new Map() }
  let start = 0
  let hash = 0
  let mark = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    hash = (Math.imul(hash ^ unit, 0x01000193) + 1) | 0
    // Each unit is shifted out after eight.
    mark = ((mark << 4) + Math.imul(unit, 0x9e3779b1)) | 0
    const isEnd =
      way === 0
        ? unit === lineEnd
        : index - start >= markUnits - 1 &&
          (way === 2 || unit === space || unit === lineEnd) &&
          Math.imul(mark, 0x85ebca6b) >>> (way === 1 ? 29 : 27) === 0
    if (!isEnd && index + 1 < text.length) continue
    const piece = pieces.starts.length - 1
    pieces.singles.set(hash, pieces.singles.has(hash) ? -1 : piece)
    pieces.starts.push(index + 1)
    start = index + 1
    hash = 0
  }
  return pieces
}

const lineEnd = 10
const space = 32

/** The most runs that have one order in both texts (patience sorting). */
function longestAscending(anchors: Run[]): Run[] {
  /** By length of a sequence, the last anchor of the one that ends earliest in `to`. */
  const ends: number[] = []
  const before = new Int32Array(anchors.length)
  for (let index = 0; index < anchors.length; index++) {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (anchors[ends[middle]!]![1] < anchors[index]![1]) low = middle + 1
      else high = middle
    }
    before[index] = low > 0 ? ends[low - 1]! : -1
    ends[low] = index
  }
  const longest: Run[] = []
  for (let index = ends.at(-1) ?? -1; index >= 0; index = before[index]!) {
    longest.push(anchors[index]!)
  }
  return longest.reverse()
}
