// `End` in a tree whose entries still come: the focus goes on to the last row until all are there.

import { type KeyboardEvent, type RefObject, useEffect, useRef } from 'react'
import { top } from './folder-tree.ts'
import { focusOn, type Selection } from './tree-keys.ts'
import type { TreeRows } from './tree-rows.ts'
import type { TreeView } from './tree-view.ts'

/** A large tree is drawn so much later than its entries are there, at most. */
const drawnMs = 1000

interface EndOptions {
  view: TreeView
  rows: TreeRows
  selection: Selection
  tree: RefObject<Element | null>
  isWhole: (directory: string) => boolean
}

/** To be told of each key in the tree, and of each press there. */
export interface End {
  key: (event: KeyboardEvent) => void
  press: () => void
}

export function useEnd({ view, rows, selection, tree, isWhole }: EndOptions): End {
  /** Somebody went to the end; `wholeAt`: when all was there. */
  const going = useRef<{ wholeAt: number | undefined }>(undefined)
  const wholeAt = () => ([top, ...view.open].every(isWhole) ? performance.now() : undefined)

  useEffect(() => {
    const { current } = going
    if (!current) return
    const isPast = performance.now() - (current.wholeAt ?? Infinity) > drawnMs
    const last = rows.getLastKey()
    if (isPast || last === null || !tree.current?.contains(document.activeElement)) {
      going.current = undefined
      return
    }
    current.wholeAt ??= wholeAt()
    if (selection.focusedKey !== last) focusOn(selection, String(last))
    // Only entries that come take it further.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [rows])

  return {
    key: ({ key, shiftKey }) => {
      going.current = key === 'End' && !shiftKey ? { wholeAt: wholeAt() } : undefined
    },
    press: () => {
      going.current = undefined
    },
  }
}
