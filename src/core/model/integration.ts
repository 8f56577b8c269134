// Taking updates into a document in any order.

import * as Y from 'yjs'

/**
 * Applies an update, and whatever waited for it. Yjs keeps an update whose causes are missing and
 * tries it again when they may have come, but it can wait for the wrong one: when a run of the cause's
 * writer waits as well, it takes that for the cause, and both then wait for each other for ever. So
 * what waits is tried again here for as long as something of it finds its place.
 */
export function integrate(doc: Y.Doc, update: Uint8Array, origin?: unknown): void {
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
