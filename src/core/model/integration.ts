// Taking updates into a document in any order.

import * as Y from 'yjs'
import { cutRuns, longBytes, manyCuts, type Cuts } from './cutting.ts'
import { isLow } from './surrogates.ts'
import {
  decodeTextUpdate,
  deletesOf,
  encodeTextUpdate,
  isItem,
  structFrom,
  structTo,
  type Deletes,
  type TextStruct,
  type TextUpdate,
} from './update-format.ts'

/**
 * Applies an update, and whatever waited for it. Yjs keeps an update whose causes are missing and
 * tries it again when they may have come, but it can wait for the wrong one: when a run of the cause's
 * writer waits as well, it takes that for the cause, and both then wait for each other for ever. So
 * what waits is tried again here for as long as something of it finds its place. `known`: what it
 * deletes, if that was read already.
 */
export function integrate(doc: Y.Doc, update: Uint8Array, origin?: unknown, known?: Deletes): void {
  const cut = update.length < longBytes ? undefined : cutIn(doc, update, known)
  if (!cut) take(doc, update, origin)
  else Y.transact(doc, () => takeCut(doc, update, cut, origin), origin, false)
}

/** An update that is to be cut, and where. */
interface Cut extends TextUpdate {
  cuts: Cuts
}

/** An update that cuts in very many places; undefined: it does not. */
function cutIn(doc: Y.Doc, update: Uint8Array, known?: Deletes): Cut | undefined {
  if (doc.store.clients.size === 0) {
    // Nothing is here, and what comes was cut by that when it was written.
    const cuts = manyCuts(known ?? deletesOf(update), [])
    return cuts && { ...decodeTextUpdate(update), cuts }
  }
  const { structs, deletes } = decodeTextUpdate(update)
  const coming = [...structs].flatMap(([writer, list]) => {
    const reach = Y.getState(doc.store, writer)
    return list.filter(({ clock, length }) => clock + length > reach)
  })
  const cuts = manyCuts(deletes, coming)
  return cuts && { structs, deletes, cuts }
}

/**
 * Yjs cuts a run where something is deleted in it or put into it, and moves all that lies behind in
 * memory: "Replace all" in 20,000 places stopped servers for twenty seconds. So what is here is cut at
 * once, and what comes is cut before it comes.
 */
function takeCut(
  doc: Y.Doc,
  update: Uint8Array,
  { structs, deletes, cuts }: Cut,
  origin: unknown,
): void {
  cutRuns(doc, cuts)
  let isWhole = true
  for (const [writer, list] of structs) {
    const pieces = piecesOf(list, cuts.get(writer) ?? [])
    if (pieces.length === list.length) continue
    structs.set(writer, pieces)
    isWhole = false
  }
  // What was merged once has been cut by that.
  take(doc, isWhole ? update : encodeTextUpdate({ structs, deletes }), origin)
}

/** The same structs, in pieces that begin at these clocks. */
function piecesOf(structs: TextStruct[], clocks: number[]): TextStruct[] {
  const pieces: TextStruct[] = []
  let next = 0
  for (const struct of structs) {
    let rest = struct
    const end = struct.clock + struct.length
    while (next < clocks.length && clocks[next]! <= rest.clock) next++
    while (next < clocks.length && clocks[next]! < end) {
      const offset = clocks[next++]! - rest.clock
      // No letter is cut in two.
      if (offset === 0 || !isItem(rest) || isLow(rest.text.charCodeAt(offset))) continue
      pieces.push(structTo(rest, offset))
      rest = structFrom(rest, offset)
    }
    pieces.push(rest)
  }
  return pieces
}

function take(doc: Y.Doc, update: Uint8Array, origin: unknown): void {
  Y.applyUpdate(doc, update, origin)
  const { store } = doc
  for (let before = -1; store.pendingStructs && before !== unitsIn(doc);) {
    before = unitsIn(doc)
    const waiting = store.pendingStructs.update
    store.pendingStructs = null
    Y.applyUpdateV2(doc, waiting, origin)
  }
}

/** How many characters were ever integrated. */
function unitsIn({ store }: Y.Doc): number {
  let units = 0
  for (const writer of store.clients.keys()) units += Y.getState(store, writer)
  return units
}
