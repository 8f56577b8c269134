// What of the folder this page shows: its client holds that, and hears of nothing else.

import { useEffect, useRef } from 'react'
import type { Client } from '../client/api.ts'
import { type FolderTree, isDirectory, top } from './folder-tree.ts'
import { type TreeView, useTreeView } from './tree-view.ts'

/** Shows these entries of a folder for as long as they are among `ids`. */
export function useShown(client: Client, ids: ReadonlySet<string>, extent: 'alone' | 'open'): void {
  const shown = useRef(new Map<string, () => void>())
  useEffect(() => {
    for (const [id, end] of shown.current) {
      if (ids.has(id)) continue
      shown.current.delete(id)
      end()
    }
    for (const id of ids) {
      if (!shown.current.has(id)) shown.current.set(id, client.show(id, extent))
    }
  }, [client, ids, extent])
  useEffect(() => {
    const all = shown.current
    return () => {
      for (const end of all.values()) end()
      all.clear()
    }
  }, [client])
}

interface ShownTreeProps {
  client: Client
  tree: FolderTree
  view: TreeView
}

/** Draws nothing: the directories that are open in the tree are shown, whether the pane is or not. */
export function ShownTree({ client, tree, view }: ShownTreeProps) {
  const { open } = useTreeView(view)
  useShown(client, openIn(tree, open), 'open')
  return null
}

/** The directories that are open, and all above them. */
function openIn(tree: FolderTree, open: ReadonlySet<string>): Set<string> {
  const found = new Set([top])
  const add = (id: string) => {
    const entry = tree.get(id)
    if (!entry || found.has(id) || !isDirectory(entry) || entry.isDeleted) return
    const above = tree.ancestors(id)
    if (above.some((directory) => !open.has(directory.id))) return
    found.add(id)
  }
  for (const id of open) add(id)
  return found
}
