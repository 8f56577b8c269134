// The keys of the tree, besides those of every grid: they mean the row that has the focus.

import type { KeyboardEvent } from 'react'
import type { ListState } from 'react-stately/useListState'
import type { FileInfo } from '../client/api.ts'
import { isDirectory } from './folder-tree.ts'
import type { TreeRows } from './tree-rows.ts'
import type { MenuPlace, TreeView } from './tree-view.ts'

export type Selection = ListState<FileInfo>['selectionManager']

interface TreeKeysOptions {
  rows: TreeRows
  view: TreeView
  selection: Selection
  /** A filter is on: all that it leaves is open, and stays so. */
  isFiltered: boolean
  remove: (ids: string[]) => void
  showMenu: (ids: string[], place: MenuPlace) => void
}

/** Does what a key means, if it is one of the tree's own: then nobody else gets it. */
export function treeKey(event: KeyboardEvent, options: TreeKeysOptions): void {
  if (!(event.target as Element).matches('[role=row]') || !isDone(event, options)) return
  event.preventDefault()
  event.stopPropagation()
}

/** The one row that is chosen, and has the focus as soon as the tree has it. */
export function focusOn(selection: Selection, id: string): void {
  selection.setFocused(true)
  selection.setFocusedKey(id)
  selection.replaceSelection(id)
}

function isDone(event: KeyboardEvent, options: TreeKeysOptions): boolean {
  const { rows, view, selection, isFiltered, remove, showMenu } = options
  const id = String(selection.focusedKey ?? '')
  const row = rows.rowOf(id)
  if (row === undefined) return false
  switch (event.shiftKey ? `Shift+${event.key}` : event.key) {
    case 'ArrowRight': {
      const next = rows.getKeyAfter(id)
      if (isDirectory(row.entry) && !row.isOpen) view.setOpen(id, true)
      else if (next !== null && rows.parentRow(next) === row) focusOn(selection, next)
      return true
    }
    case 'ArrowLeft': {
      const parent = rows.parentRow(id)
      if (row.isOpen && !isFiltered) view.setOpen(id, false)
      else if (parent) focusOn(selection, parent.entry.id)
      return true
    }
    case 'F2':
      view.rename(id)
      return true
    case 'Backspace':
      // Where a keyboard has no Delete, this stands for it.
      if (!event.metaKey) return false
      remove(view.meant(id))
      return true
    case 'Delete':
      remove(view.meant(id))
      return true
    case 'ContextMenu':
    case 'Shift+F10':
      showMenu(view.meant(id), placeOf(event.target as Element))
      return true
    default:
      return false
  }
}

function placeOf(row: Element): MenuPlace {
  const { left, top: y, height } = row.getBoundingClientRect()
  return { x: left + 24, y, height }
}
