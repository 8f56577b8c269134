// Differences of texts: few and small edits, told in the way that people would tell them.
//
// Texts are trimmed at both ends. A small rest is compared word by word, and words that resemble
// each other unit by unit. A large rest is told apart by anchors, and what lies between two of them
// is compared by itself.

import { anchorsOf, cutsMax } from './anchors.ts'
import { commonRuns, type Run } from './common-runs.ts'
import { isHigh, isLow } from './surrogates.ts'

/** Replaces `remove` UTF-16 units at `at` of the text before any edit by `insert`. */
export interface Edit {
  at: number
  remove: number
  insert: string
}

/**
 * Edits that make `from` into `to`: few and small, ascending, apart from each other, never inside a
 * surrogate pair. The work is bounded: texts with little in common are replaced in larger parts.
 * Differences that belong together share one `work`.
 */
export function smallestDiff(
  from: string,
  to: string,
  work: Work = { stepsLeft: stepsMax },
): Edit[] {
  const edits: Edit[] = []
  compare({ from, to, at: 0, level: 0 }, work, edits)
  return outsidePairs(from, settled(from, to, edits))
}

/** A middle of the texts of up to so many pairs of units is not cut: the result is the smallest. */
const middlePairsMax = 1_000_000
/** Between anchors, up to this it does not pay to look for finer ones. */
const gapPairsMax = 16_384
/** Words or units taken out and put in, in one part; beyond it, the part is replaced. */
const distanceMax = 1500
/**
 * Steps in all, of which a part takes the square of its distance, and its units where it is cut into
 * words: about 0.2 s, within which others take their server for alive.
 */
export const stepsMax = 20_000_000
/** Of a unit that is cut into words. */
const stepsPerUnit = 8

interface Block {
  from: string
  to: string
  /** Where `from` begins in the whole text. */
  at: number
  /** The first way to cut that may find anchors in it. */
  level: number
}

/** What may still be done; beyond it, parts are replaced. */
export interface Work {
  stepsLeft: number
}

function compare(block: Block, work: Work, edits: Edit[]): void {
  const { from, to, at, level } = trimmed(block)
  const pairsMax = level === 0 ? middlePairsMax : gapPairsMax
  if (from.length * to.length > pairsMax) {
    for (let finer = level; finer < cutsMax; finer++) {
      const anchors = anchorsOf(from, to, finer)
      if (anchors.length === 0) continue
      for (const gap of gapsBetween(anchors, { from, to, at, level: finer + 1 })) {
        compare(gap, work, edits)
      }
      return
    }
  }
  compareWords({ from, to, at, level }, work, edits)
}

/** Without what both begin and end with, but for the words that the rest begins and ends in. */
function trimmed({ from, to, at, level }: Block): Block {
  const most = Math.min(from.length, to.length)
  let start = 0
  while (start < most && from.charCodeAt(start) === to.charCodeAt(start)) start++
  if (start < from.length || start < to.length) start = wordStart(from, start)
  let [ours, theirs] = [from.length, to.length]
  while (
    ours > start &&
    theirs > start &&
    from.charCodeAt(ours - 1) === to.charCodeAt(theirs - 1)
  ) {
    ours--
    theirs--
  }
  const rest = wordEnd(from, ours) - ours
  return {
    from: from.slice(start, ours + rest),
    to: to.slice(start, theirs + rest),
    at: at + start,
    level,
  }
}

/** How far the ends of a word are looked for. */
const wordMax = 64

function wordStart(text: string, place: number): number {
  for (let start = place; start >= 0 && place - start <= wordMax; start--) {
    if (start === 0 || isSpace(text.charCodeAt(start - 1))) return start
  }
  return place
}

function wordEnd(text: string, place: number): number {
  for (let end = place; end <= text.length && end - place <= wordMax; end++) {
    if (end === text.length || isSpace(text.charCodeAt(end))) return end
  }
  return place
}

function compareWords(block: Block, work: Work, edits: Edit[]): void {
  const units = block.from.length + block.to.length
  // Words take more than their comparison: each is looked up.
  const steps = stepsPerUnit * units
  if (block.from === '' || block.to === '' || steps > work.stepsLeft) {
    addEdit(edits, replacement(block))
    return
  }
  work.stepsLeft -= steps
  const ids = new Map<string, number>()
  const [ours, theirs] = [wordsOf(block.from, ids), wordsOf(block.to, ids)]
  const runs = runsWithin(ours.ids, theirs.ids, work)
  if (runs === undefined) {
    addEdit(edits, replacement(block))
    return
  }
  const anchors: Run[] = []
  let [our, their] = [0, 0]
  const end: Run = [ours.words.length, theirs.words.length, 0]
  for (const [here, there, count] of [...runs, end]) {
    // As many words there as here: each is compared with the one in its place.
    for (; here - our === there - their && our < here; our++, their++) {
      anchors.push([ours.words[our]!.start, theirs.words[their]!.start, 0])
    }
    for (let index = 0; index < count; index++) {
      const [word, other] = [ours.words[here + index]!, theirs.words[there + index]!]
      // Equal words may have unequal spaces after them.
      const isWhole =
        block.from.slice(word.end, word.next) === block.to.slice(other.end, other.next)
      anchors.push([word.start, other.start, (isWhole ? word.next : word.end) - word.start])
    }
    our = here + count
    their = there + count
  }
  for (const gap of gapsBetween(anchors, block)) compareUnits(gap, work, edits)
}

/**
 * Two unlike words share some letters by chance. Unless they have more than two thirds in common, or one
 * is the other with something in it, all is replaced: else the new word would lose those letters
 * when somebody else deletes the old one, and could get another's text between them.
 */
function compareUnits(gap: Block, work: Work, edits: Edit[]): void {
  const block = withoutSpaces(gap)
  const { from, to } = block
  const isBoth = from !== '' && to !== ''
  const runs = isBoth ? runsWithin(codesOf(from), codesOf(to), work) : undefined
  if (runs === undefined) {
    addEdit(edits, replacement(block))
    return
  }
  let kept = 0
  for (const [, , count] of runs) kept += count
  const gaps = [...gapsBetween(runs, block)]
  const isWithin = gaps.length === 1 && (gaps[0]!.from === '' || gaps[0]!.to === '')
  if (isWithin || 3 * kept > 2 * Math.max(from.length, to.length)) {
    for (const gap of gaps) addEdit(edits, replacement(gap))
  } else {
    addEdit(edits, replacement(block))
  }
}

function replacement({ from, to, at }: Block): Edit {
  return { at, remove: from.length, insert: to }
}

/** Without the spaces that both end with: they are no part of words. */
function withoutSpaces(block: Block): Block {
  const { from, to } = block
  let [ours, theirs] = [from.length, to.length]
  while (ours > 0 && theirs > 0 && isSpace(from.charCodeAt(ours - 1))) {
    if (from.charCodeAt(ours - 1) !== to.charCodeAt(theirs - 1)) break
    ours--
    theirs--
  }
  return { ...block, from: from.slice(0, ours), to: to.slice(0, theirs) }
}

function runsWithin(from: ArrayLike<number>, to: ArrayLike<number>, work: Work): Run[] | undefined {
  const most = Math.min(distanceMax, Math.floor(Math.sqrt(work.stepsLeft)))
  const runs = commonRuns(from, to, most)
  let distance = from.length + to.length
  for (const [, , count] of runs ?? []) distance -= 2 * count
  work.stepsLeft -= Math.min(distance, most) ** 2
  return runs
}

/** A word and the spaces after it, at most to the end of its line. */
interface Word {
  start: number
  /** Where its spaces begin. */
  end: number
  next: number
}

/**
 * Spaces belong to the words before them: if they stood alone, many of them would count for more
 * than the words. Equal words have one id, whatever their spaces.
 */
function wordsOf(text: string, known: Map<string, number>): { words: Word[]; ids: number[] } {
  const words: Word[] = []
  const ids: number[] = []
  for (let start = 0, next = 0; start < text.length; start = next) {
    while (next < text.length && !isSpace(text.charCodeAt(next))) next++
    let end = next
    while (next < text.length && isSpace(text.charCodeAt(next))) {
      if (text.charCodeAt(next++) === lineEnd) break
    }
    if (end === start) end = next
    const word = text.slice(start, end)
    const id = known.get(word) ?? known.size
    known.set(word, id)
    words.push({ start, end, next })
    ids.push(id)
  }
  return { words, ids }
}

function codesOf(text: string): Uint16Array {
  const codes = new Uint16Array(text.length)
  for (let index = 0; index < text.length; index++) codes[index] = text.charCodeAt(index)
  return codes
}

/** Adds what changes something. */
export function addEdit(edits: Edit[], edit: Edit): void {
  if (edit.remove > 0 || edit.insert !== '') edits.push(edit)
}

function* gapsBetween(anchors: Run[], { from, to, at, level }: Block): Iterable<Block> {
  let [ours, theirs] = [0, 0]
  const end: Run = [from.length, to.length, 0]
  for (const [here, there, length] of [...anchors, end]) {
    if (here > ours || there > theirs) {
      yield { from: from.slice(ours, here), to: to.slice(theirs, there), at: at + ours, level }
    }
    ours = here + length
    theirs = there + length
  }
}

/** How far an edit is moved to a better place. */
const slideMax = 500

/**
 * Where equal units follow each other, one change can be told in several ways: "the [the ]cat" or
 * "the[ the] cat". Each insert and each delete is moved to where lines or words begin, so that two
 * people's changes are told in one way.
 */
function settled(from: string, to: string, edits: Edit[]): Edit[] {
  const result: Edit[] = []
  let end = 0
  // How far `to` is ahead of `from` after the edits so far.
  let ahead = 0
  for (let index = 0; index < edits.length; index++) {
    const { at, remove, insert } = edits[index]!
    const next = edits[index + 1]?.at ?? from.length
    let start = at
    if (insert === '') {
      start = bestStart({ text: from, start: at, length: remove, low: end, high: next })
    } else if (remove === 0) {
      const length = insert.length
      const [low, high] = [end + ahead, next + ahead + length]
      start = bestStart({ text: to, start: at + ahead, length, low, high }) - ahead
    }
    const moved = remove === 0 ? to.slice(start + ahead, start + ahead + insert.length) : insert
    result.push({ at: start, remove, insert: moved })
    end = start + remove
    ahead += insert.length - remove
  }
  return result
}

/** A part of a text, that may be told as another one between `low` and `high`. */
interface Slide {
  text: string
  start: number
  length: number
  low: number
  high: number
}

function bestStart({ text, start, length, low, high }: Slide): number {
  let [first, last] = [start, start]
  const isAlike = (place: number) => text.charCodeAt(place) === text.charCodeAt(place + length)
  while (first > low && start - first < slideMax && isAlike(first - 1)) first--
  while (last + length < high && last - start < slideMax && isAlike(last)) last++
  let best = start
  let bestRank = -1
  for (let place = first; place <= last; place++) {
    const rank = boundaryRank(text, place) + boundaryRank(text, place + length)
    if (rank >= bestRank) [best, bestRank] = [place, rank]
  }
  return best
}

/** How natural it is to part a text here. */
function boundaryRank(text: string, place: number): number {
  if (place === 0 || place === text.length) return 4
  const [before, after] = [text.charCodeAt(place - 1), text.charCodeAt(place)]
  if (before === lineEnd) return 4
  if (isSpace(before)) return isSpace(after) ? 1 : 3
  if (isSpace(after)) return 2
  return isLetter(before) && isLetter(after) ? 0 : 1
}

const lineEnd = 10
const isSpace = (unit: number) =>
  unit === 32 || (unit >= 9 && unit <= 13) || unit === 0xa0 || unit === 0x3000
/** Of ASCII only punctuation is none; beyond it, nearly all are. */
const isLetter = (unit: number) =>
  unit > 127 || (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 122)

/** Widens edits that begin or end inside a surrogate pair, and joins those that then meet. */
function outsidePairs(from: string, edits: Edit[]): Edit[] {
  const result: Edit[] = []
  for (const edit of edits) {
    let { at, remove, insert } = edit
    const last = result.at(-1)
    const lastEnd = last ? last.at + last.remove : 0
    if (at > lastEnd && isHigh(from.charCodeAt(at - 1))) {
      at--
      remove++
      insert = from[at]! + insert
    }
    if (isLow(from.charCodeAt(at + remove))) {
      insert += from[at + remove]!
      remove++
    }
    if (last && at <= lastEnd) {
      // The widening of the last edit may have taken a unit that this one removes, or keeps.
      const overlap = lastEnd - at
      last.remove += remove - overlap
      last.insert = last.insert.slice(0, last.insert.length - overlap) + insert
    } else {
      result.push({ at, remove, insert })
    }
  }
  return result
}
