// Cuts the runs of a document in very many places at once.
//
// Yjs cuts a run where something in it is deleted, and moves all that lies behind in memory for each
// place. Here the pieces of a writer are put into a new row, once for all places. The document stays
// the same: one run, or its pieces, are two ways to hold it.

import * as Y from 'yjs'
import type { Deletes, Range } from './update-format.ts'

/** What deletes in fewer places is left to Yjs. */
const manyPlaces = 500
/** An update that is shorter cannot name so many: each takes two bytes. */
export const longBytes = 2 * manyPlaces

/** Whether an update deletes in so many places that they are cut at once. */
export function areMany(deletes: Deletes): boolean {
  let places = 0
  for (const ranges of deletes.values()) places += ranges.length
  return places >= manyPlaces
}

/** Pieces are to begin where these ranges, in order, begin and end. */
export function cutRuns({ store }: Y.Doc, ranges: Deletes): void {
  for (const [writer, list] of ranges) {
    const clocks = endsOf(list)
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

/** Where ranges begin and end. */
export function endsOf(ranges: readonly Range[]): number[] {
  return ranges.flatMap(([clock, length]) => [clock, clock + length])
}

/** What is deleted is cut by nobody, and no letter is cut in two. */
function mayBeCut({ deleted, content }: Y.Item, offset: number): boolean {
  if (deleted || offset <= 0 || !(content instanceof Y.ContentString)) return false
  const code = content.str.charCodeAt(offset)
  return code < 0xdc00 || code > 0xdfff
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
  piece.keep = item.keep
  if (item.redone) piece.redone = Y.createID(item.redone.client, item.redone.clock + offset)
  if (item.right) item.right.left = piece
  item.right = piece
  item.length = offset
  return piece
}
