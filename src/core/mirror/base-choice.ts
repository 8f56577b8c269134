// Which text a change on the disk was made from.
//
// A program reads a file, and writes it back a moment later: `sed -i`, or an editor in which the file
// was open. When the mirror wrote what others typed in between, the program's text does not have
// that, and no one meant to delete it. So a text on the disk is compared with what was there before,
// too: it was made from the one to which it is closest, if it has most of that one. What has little of
// it was written anew, and takes the place of all that is there.
//
// A program that writes in two steps empties the file first. Should it be slow, the emptying is a
// change by itself, which takes away what others typed. What it then writes is read as if it had been
// one step: as a change of what was there when the file was emptied.

import { editedText, mergeText, smallestDiff, stepsMax, type Edit } from '../model/text-merge.ts'

/** A text that the mirror replaced on the disk by a newer one of the folder. */
export interface Earlier {
  text: string
  /** Milliseconds since 1970. */
  replacedAt: number
}

/** Back to exactly what was there: within this it is a program's late write, then a person's wish. */
const lateWriteMs = 3000
/** An editor that does not look for changes on the disk may have had a file open for so long. */
export const earlierLifeMs = 10 * 60_000
/** Of one file: a mirror replaces it once a second while somebody types, and for 10 minutes. */
export const earlierMax = 640
/** All earlier texts of one file together, but for the newest few: they are on the disk once more. */
export const earlierBytesMax = 16 * 1024 * 1024
/** So many of them, however long: what an editor has open is hardly older. */
export const earlierMin = 4

/** So much in whole lines that are alike has one writer. */
const tellingUnits = 16

/** Of a difference that is looked at more closely, at least: when so much is not left, it is not. */
const stepsPerUnit = 8

/** What is to be brought into the text of the folder: the way from one text to another. */
export interface Change {
  base: string
  text: string
}

/** What it means that `next` is on the disk. `earlier` is newest first. */
export function changeOf(
  next: string,
  common: string,
  earlier: Earlier[],
  changedAt: number,
): Change {
  const base = baseOf(next, common, earlier, changedAt)
  const [emptied, ...older] = earlier
  if (common !== '' || !emptied) return { base, text: next }
  if (apart(emptied, changedAt) > earlierLifeMs) return { base, text: next }
  const read = baseOf(next, emptied.text, older, changedAt)
  return { base, text: editedText(emptied.text, mergeText(read, emptied.text, next)) }
}

/** The base of `next`: what was `common`, or one of the earlier texts, newest first. */
export function baseOf(
  next: string,
  common: string,
  earlier: Earlier[],
  changedAt: number,
): string {
  // Nothing that others typed can be missing in it; a program that writes in two steps emptied it.
  if (common === '') return common
  const alike = earlier.find(({ text }) => text === next)
  if (alike) return apart(alike, changedAt) <= lateWriteMs ? alike.text : common
  let base = common
  let least = distance(smallestDiff(common, next))
  let lines: { common: Lines; next: Lines } | undefined
  const work = { stepsLeft: stepsMax }
  const late = earlier.filter((each) => apart(each, changedAt) <= earlierLifeMs)
  // Those first that are alike but for one place: after one that is close few others can be closer.
  const parts = late.map(({ text }) => ({ text, part: changedPart(text, next) }))
  for (const { text, part } of parts.sort((a, b) => distance([a.part]) - distance([b.part]))) {
    // It cannot be closer than what one of them has more.
    if (Math.abs(text.length - next.length) >= least) continue
    const isDear = stepsPerUnit * distance([part]) > work.stepsLeft
    const diff = isDear ? [part] : smallestDiff(text, next, work)
    const far = distance(diff)
    const removed = diff.reduce((sum, { remove }) => sum + remove, 0)
    if (far >= least || removed * 2 >= text.length) continue
    lines ??= { common: linesOf(common), next: linesOf(next) }
    if (isLater(lines.next, text, lines.common)) continue
    base = text
    least = far
  }
  return base
}

/**
 * Whether most of what is in a text and not in an earlier one came with what is common: who wrote it
 * had read that, and took out the rest. Whole lines tell, since two people may well type a word alike.
 */
function isLater(next: Lines, earlier: string, common: Lines): boolean {
  const before = linesOf(earlier)
  let [read, own] = [0, 0]
  for (const line of next) {
    if (before.has(line)) continue
    if (common.has(line)) read += line.length
    else own += line.length
  }
  return read > own && read >= tellingUnits
}

type Lines = ReadonlySet<string>

function linesOf(text: string): Lines {
  return new Set(text.split('\n'))
}

/** Clocks are set back: what seems to be replaced long after the change was replaced long ago as well. */
function apart({ replacedAt }: Earlier, changedAt: number): number {
  return Math.abs(changedAt - replacedAt)
}

/** The one edit that makes `from` into `to`. */
function changedPart(from: string, to: string): Edit {
  const most = Math.min(from.length, to.length)
  let start = 0
  while (start < most && from.charCodeAt(start) === to.charCodeAt(start)) start++
  let end = 0
  while (
    end < most - start &&
    from.charCodeAt(from.length - 1 - end) === to.charCodeAt(to.length - 1 - end)
  ) {
    end++
  }
  return { at: start, remove: from.length - start - end, insert: to.slice(start, to.length - end) }
}

function distance(diff: Edit[]): number {
  return diff.reduce((sum, { remove, insert }) => sum + remove + insert.length, 0)
}
