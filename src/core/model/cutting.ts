// Cuts the runs of a document in very many places at once.
//
// Yjs cuts a run where something in it is deleted or put into it, and moves all that lies behind in
// memory for each place. Here the pieces of a writer are put into a new row, once for all places. The
// document stays the same: one run, or its pieces, are two ways to hold it.

import * as Y from 'yjs'
import { isLow } from './surrogates.ts'
import type { Deletes, Id, TextStruct } from './update-format.ts'

/** What cuts in fewer places is left to Yjs. */
const manyPlaces = 500
/** An update that is shorter cannot name so many: each takes two bytes. */
export const longBytes = 2 * manyPlaces

/** The clocks at which pieces are to begin, by writer, in order. */
export type Cuts = Map<number, number[]>

/** Where each range begins and ends. */
export function cutsOf(deletes: Deletes): Cuts {
  const cuts: Cuts = new Map()
  for (const [writer, ranges] of deletes) {
    cuts.set(
      writer,
      ranges.flatMap(([clock, length]) => [clock, clock + length]),
    )
  }
  return cuts
}

/**
 * Where the ranges begin and end, and where text that is to come stands between its neighbours.
 * Undefined when it is few places: these are left to Yjs.
 */
export function manyCuts(deletes: Deletes, coming: readonly TextStruct[]): Cuts | undefined {
  let places = coming.length
  for (const ranges of deletes.values()) places += ranges.length
  if (places < manyPlaces) return undefined
  const cuts = cutsOf(deletes)
  const cut = ({ writer, clock }: Id) => {
    const clocks = cuts.get(writer)
    if (clocks) clocks.push(clock)
    else cuts.set(writer, [clock])
  }
  for (const { left, right } of coming) {
    if (left) cut({ writer: left.writer, clock: left.clock + 1 })
    if (right) cut(right)
  }
  for (const [writer, clocks] of cuts) cuts.set(writer, [...Float64Array.from(clocks).sort()])
  return cuts
}

/**
 * Cuts the document's runs at these clocks, of each writer in order, outside a transaction. Where nothing
 * is, or a letter would be cut, none is.
 */
export function cutRuns({ store }: Y.Doc, cuts: Cuts): void {
  for (const [writer, clocks] of cuts) {
    const structs = store.clients.get(writer)
    if (structs === undefined) continue
    const pieces: typeof structs = []
    let next = 0
    for (const struct of structs) {
      pieces.push(struct)
      let rest: Y.Item | Y.GC = struct
      const end = struct.id.clock + struct.length
      while (next < clocks.length && clocks[next]! < end) {
        const offset = clocks[next++]! - rest.id.clock
        if (!(rest instanceof Y.Item) || !mayBeCut(rest, offset)) continue
        rest = behind(rest, offset)
        pieces.push(rest)
      }
    }
    store.clients.set(writer, pieces)
  }
}

/** No letter is cut in two. */
function mayBeCut({ content }: Y.Item, offset: number): boolean {
  if (offset <= 0) return false
  if (!(content instanceof Y.ContentString)) return content instanceof Y.ContentDeleted
  return !isLow(content.str.charCodeAt(offset))
}

/** Cuts an item; what lies behind becomes an item of its own, as in Yjs' `splitItem`. */
function behind(item: Y.Item, offset: number): Y.Item {
  const { client, clock } = item.id
  const piece = new Y.Item(
    Y.createID(client, clock + offset),
    item,
    Y.createID(client, clock + offset - 1),
    item.right,
    item.rightOrigin,
    item.parent,
    item.parentSub,
    item.content.splice(offset),
  )
  if (item.deleted) piece.markDeleted()
  piece.keep = item.keep
  if (item.redone) piece.redone = Y.createID(item.redone.client, item.redone.clock + offset)
  if (item.right) item.right.left = piece
  item.right = piece
  item.length = offset
  return piece
}
