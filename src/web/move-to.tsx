// Asks where entries are to be moved: what the keyboard has in place of dragging.

import type { FileInfo } from '../client/api.ts'
import { useClient } from './client-context.tsx'
import { top } from './folder-tree.ts'
import { PathPicker } from './path-picker.tsx'

interface MoveToProps {
  ids: string[]
  /** `path`: of the directory. */
  move: (ids: string[], directory: string, path?: string) => void
  close: () => void
}

/** The menu's items need keys that are not empty. */
const topKey = 'top'

export function MoveTo({ ids, move, close }: MoveToProps) {
  const { files } = useClient()
  const moved = files.filter(({ id }) => ids.includes(id))
  const isWithin = ({ path }: FileInfo) =>
    moved.some((entry) => `${path}/`.startsWith(`${entry.path}/`))
  const what = ids.length === 1 ? (moved[0]?.name ?? '') : `${ids.length} entries`
  return (
    <PathPicker
      label={`Move ${what} to`}
      hint={`Move ${what} to…`}
      only="directories"
      isOffered={(directory) => !isWithin(directory)}
      first={{ id: topKey, words: 'The top of the folder' }}
      choose={(id, entry) => move(ids, id === topKey ? top : id, entry?.path)}
      close={close}
    />
  )
}
