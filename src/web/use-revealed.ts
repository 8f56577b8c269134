// Brings what the tree is to show next into sight, once: scrolls to its row, and chooses it.

import { type RefObject, useEffect, useRef } from 'react'
import type { FolderTree } from './folder-tree.ts'
import { focusOn, type Selection } from './tree-keys.ts'
import type { TreeRows } from './tree-rows.ts'
import type { TreeView } from './tree-view.ts'

/** For so many frames the focus is brought back to the row: a third of a second. */
const framesMax = 20

interface RevealedOptions {
  tree: FolderTree
  view: TreeView
  rows: TreeRows
  selection: Selection
  /** What scrolls. */
  scroller: RefObject<Element | null>
  /** px */
  rowSize: number
  isCovered: boolean
  isWhole: (directory: string) => boolean
}

export function useRevealed(options: RevealedOptions): void {
  const { tree, view, rows, selection, scroller, rowSize, isCovered, isWhole } = options
  const { revealed } = view
  const brought = useRef<TreeView['revealed']>(undefined)
  useEffect(() => {
    const place = revealed === undefined ? -1 : rows.placeOf(revealed.id)
    if (revealed === undefined || place < 0 || scroller.current === null) return
    // A dialog that is open keeps the focus, and gives it back elsewhere when it is closed.
    if (revealed.hasFocus && isCovered) return
    // Until all is there that lies beside it, more may come before it.
    if (isWhole(tree.parentOf(tree.get(revealed.id)!))) view.seen()
    scrollTo(scroller.current, place * rowSize, rowSize)
    if (brought.current === revealed) return
    brought.current = revealed
    // Chosen by the manager, a range of rows can begin at it.
    if (revealed.hasFocus) focusSoon(scroller.current, selection, revealed.id)
    else selection.replaceSelection(revealed.id)
    // A row is brought into sight once, not whenever the tree is drawn.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [revealed, rows, rowSize, view, isCovered])
}

/**
 * A dialog that was just closed gives the focus back in the next frame, or a few later on a busy machine:
 * what it gives it back to is not what is meant.
 */
function focusSoon(tree: Element, selection: Selection, id: string): void {
  const before = new Set([document.body, document.activeElement])
  let frames = 0
  const look = () => {
    const { activeElement } = document
    const row = tree.querySelector<HTMLElement>(`[data-key="${CSS.escape(id)}"]`)
    if (frames === 0) {
      before.add(activeElement)
      focusOn(selection, id)
    } else if (before.has(activeElement)) row?.focus()
    // Somebody has put it elsewhere.
    else if (!row?.contains(activeElement)) return
    if (++frames < framesMax) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

function scrollTo(scroller: Element, rowTop: number, rowSize: number): void {
  const { scrollTop, clientHeight } = scroller
  if (rowTop >= scrollTop && rowTop + rowSize <= scrollTop + clientHeight) return
  scroller.scrollTop = Math.max(0, rowTop - clientHeight / 3)
}
