// Asks where entries are to be moved: what the keyboard has in place of dragging.

import { useMemo } from 'react'
import { useClient } from './client-context.tsx'
import { FolderTree, isDirectory, top } from './folder-tree.ts'
import { PathPicker } from './path-picker.tsx'

interface MoveToProps {
  ids: string[]
  move: (ids: string[], directory: string) => void
  close: () => void
}

/** The menu's items need keys that are not empty. */
const topKey = 'top'

export function MoveTo({ ids, move, close }: MoveToProps) {
  const { files } = useClient()
  const tree = useMemo(() => new FolderTree(files), [files])
  const directories = useMemo(() => {
    const moved = new Set(ids)
    return files.filter(
      (file) => isDirectory(file) && !file.isDeleted && !tree.isWithin(file.id, moved),
    )
  }, [files, ids, tree])
  const what = ids.length === 1 ? (tree.get(ids[0]!)?.name ?? '') : `${ids.length} entries`
  return (
    <PathPicker
      label={`Move ${what} to`}
      hint={`Move ${what} to…`}
      entries={directories}
      first={{ id: topKey, words: 'The top of the folder' }}
      choose={(id) => move(ids, id === topKey ? top : id)}
      close={close}
    />
  )
}
