// What edits took out of a text, unit by unit, while somebody may want it back; and what takes one such
// edit back, whatever was written since.

import * as Y from 'yjs'
import { restoreSaidMs, textBytesMax } from './limits.ts'
import { addEdit, type Edit } from './text-diff.ts'
import { within, type Deletes, type Id, type Range } from './text-update.ts'

/** An edit of a text as all know it who have it: by the units that it put in and took out. */
export interface UnitEdit {
  writer: number
  /** What it put in, all of it by `writer`. Length 0: nothing. */
  put: Range
  took: Deletes
}

/** How many units these are. */
export function countOf(units: Deletes): number {
  return [...units.values()].flat().reduce((sum, [, length]) => sum + length, 0)
}

/** Text that is gone, by writer; the pieces of one ascend and do not overlap. */
export type Taken = Map<number, Piece[]>

export interface Piece {
  clock: number
  text: string
}

/** As much as the longest text has. */
const keptUnitsMax = textBytesMax

/** What left a text lately: for as long as whoever took it out may be heard to say so. */
export class TakenText {
  readonly #kept: { at: number; taken: Taken; units: number }[] = []
  #units = 0

  keep(now: number, taken: Taken): void {
    const units = lengthOf(taken)
    if (units === 0) return
    this.#kept.push({ at: now, taken, units })
    this.#units += units
    while (this.#units > keptUnitsMax || this.#kept[0]!.at < now - restoreSaidMs) {
      this.#units -= this.#kept.shift()!.units
      if (this.#kept.length === 0) return
    }
  }

  /** What is known of these units. */
  of(units: Deletes): Taken {
    return this.#found(units, this.#kept)
  }

  /** All that went at once with these units, if that is so many; undefined: it went otherwise. */
  goneWith(units: Deletes, count: number): Taken | undefined {
    return this.#kept.find(
      (each) => each.units === count && lengthOf(this.#found(units, [each])) === countOf(units),
    )?.taken
  }

  #found(units: Deletes, kept: { taken: Taken }[]): Taken {
    const found: Taken = new Map()
    for (const [writer, ranges] of units) {
      const pieces = kept.flatMap(({ taken }) =>
        ranges.flatMap(([clock, length]) => [
          ...piecesWithin(taken.get(writer), clock, clock + length),
        ]),
      )
      if (pieces.length === 0) continue
      const joined: Piece[] = []
      for (const piece of pieces.toSorted((a, b) => a.clock - b.clock)) addPiece(joined, piece)
      found.set(writer, joined)
    }
    return found
  }
}

function lengthOf(taken: Taken): number {
  return [...taken.values()].flat().reduce((sum, { text }) => sum + text.length, 0)
}

/** Of ascending pieces what is between `clock` and `end`. */
function* piecesWithin(pieces: Piece[] = [], clock: number, end: number): Iterable<Piece> {
  let low = 0
  let high = pieces.length
  while (low < high) {
    const middle = (low + high) >> 1
    const piece = pieces[middle]!
    if (piece.clock + piece.text.length <= clock) low = middle + 1
    else high = middle
  }
  for (; low < pieces.length && pieces[low]!.clock < end; low++) {
    const piece = pieces[low]!
    const from = Math.max(clock, piece.clock)
    yield { clock: from, text: piece.text.slice(from - piece.clock, end - piece.clock) }
  }
}

/** Goes on with the last piece where it can: a text that was cut into thousands is few again. */
function addPiece(pieces: Piece[], piece: Piece): void {
  const last = pieces.at(-1)
  if (last && last.clock + last.text.length === piece.clock) last.text += piece.text
  else pieces.push(piece)
}

/** What a transaction took out that was here before. To be asked at its end: Yjs forgets the text then. */
export function takenBy({ deleteSet, beforeState, doc }: Y.Transaction): Taken {
  const taken: Taken = new Map()
  for (const [writer, ranges] of deleteSet.clients) {
    const before = beforeState.get(writer) ?? 0
    const pieces: Piece[] = []
    for (const { clock, len } of ranges) {
      const end = Math.min(clock + len, before)
      for (const item of itemsWithin(doc, writer, clock, end)) {
        if (!(item instanceof Y.Item && item.content instanceof Y.ContentString)) continue
        const from = Math.max(clock, item.id.clock)
        const text = item.content.str.slice(from - item.id.clock, end - item.id.clock)
        addPiece(pieces, { clock: from, text })
      }
    }
    if (pieces.length > 0) taken.set(writer, pieces)
  }
  return taken
}

/** The edit that a transaction of this document's own writer was. */
export function unitEditOf({ doc, beforeState, afterState, deleteSet }: Y.Transaction): UnitEdit {
  const writer = doc.clientID
  const clock = beforeState.get(writer) ?? 0
  const took: Deletes = new Map()
  for (const [each, ranges] of deleteSet.clients) {
    took.set(
      each,
      ranges.map(({ clock, len }) => [clock, len]),
    )
  }
  return { writer, put: [clock, (afterState.get(writer) ?? 0) - clock], took }
}

/** Whether an edit has come here: what it put in was here, and what it took out is gone. */
export function isCarriedOut(doc: Y.Doc, { writer, put, took }: UnitEdit): boolean {
  if (Y.getState(doc.store, writer) < put[0] + put[1]) return false
  for (const [each, ranges] of took) {
    for (const [clock, length] of ranges) {
      if (Y.getState(doc.store, each) < clock + length) return false
      for (const item of itemsWithin(doc, each, clock, clock + length)) {
        if (!item.deleted) return false
      }
    }
  }
  return true
}

function* itemsWithin(
  doc: Y.Doc,
  writer: number,
  clock: number,
  end: number,
): Iterable<Y.Item | Y.GC> {
  const items = doc.store.clients.get(writer)
  if (!items || clock >= end) return
  for (let index = Y.findIndexSS(items, clock); index < items.length; index++) {
    const item = items[index]!
    if (item.id.clock >= end) return
    yield item
  }
}

/** What takes an edit back. */
export interface TakenBack {
  /** Of the text as it is now. */
  edits: Edit[]
  /** What they put back, in the order of the text. */
  back: (Piece & { writer: number })[]
}

/** Puts back what was taken, and takes out what is left of `put`. */
export function takenBack(text: Y.Text, put: Deletes, taken: Taken): TakenBack {
  const edits: Edit[] = []
  const back: TakenBack['back'] = []
  let at = 0
  for (let item = text._start; item; item = item.right) {
    const { client: writer, clock } = item.id
    const end = clock + item.length
    if (item.deleted) {
      for (const piece of piecesWithin(taken.get(writer), clock, end)) {
        addEdit(edits, { at, remove: 0, insert: piece.text })
        back.push({ writer, ...piece })
      }
      continue
    }
    for (const [from, length] of within(put.get(writer), clock, end)) {
      addEdit(edits, { at: at + from - clock, remove: length, insert: '' })
    }
    at += item.length
  }
  return { edits, back }
}

/** Text that comes back does so as new units, from `next` on: adds those that stand for units of `put`. */
export function follow(put: Deletes, back: TakenBack['back'], { writer, clock: next }: Id): void {
  let clock = next
  // From the end of the text, as edits are carried out.
  for (const piece of back.toReversed()) {
    for (const [from, length] of within(
      put.get(piece.writer),
      piece.clock,
      piece.clock + piece.text.length,
    )) {
      const ranges = put.get(writer) ?? []
      put.set(writer, [...ranges, [clock + from - piece.clock, length]])
    }
    clock += piece.text.length
  }
}
