// Where the shown file lies: the directories above it, each with a menu of what is beside it.

import { ChevronRight, Folder } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import {
  Breadcrumb,
  Breadcrumbs,
  Button,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
} from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import { FileIcon } from './file-icon.tsx'
import { useClient } from './client-context.tsx'
import { inside, type Listing } from './folder-asks.ts'
import { type FolderTree, isDirectory } from './folder-tree.ts'

interface PathProps {
  file: FileInfo
  tree: FolderTree
  /** An entry was chosen beside a directory of the path. */
  choose: (entry: FileInfo) => void
}

export function PathAbove({ file, tree, choose }: PathProps) {
  const directories = tree.ancestors(file.id)
  const isMoved = useMoved(file)
  if (directories.length === 0) return null
  return (
    <Breadcrumbs
      className={`path-above${isMoved ? ' is-moved' : ''}`}
      aria-label="Directories above this file"
      items={directories}
    >
      {(directory) => (
        <Breadcrumb>
          <Siblings {...{ directory, tree, choose }} />
          <ChevronRight className="crumb-arrow" size={14} aria-hidden />
        </Breadcrumb>
      )}
    </Breadcrumbs>
  )
}

/** More would not be read in a menu: the tree shows them all. */
const siblingsMax = 100

function Siblings({ directory, tree, choose }: Omit<PathProps, 'file'> & { directory: FileInfo }) {
  const [isOpen, setOpen] = useState(false)
  const { entries: shown, count } = useSiblings(directory, tree, isOpen)
  return (
    <MenuTrigger isOpen={isOpen} onOpenChange={setOpen}>
      <Button className="text-button crumb" aria-label={`${directory.name}: what is beside it`}>
        {directory.name}
      </Button>
      <Popover className="popover" placement="bottom start">
        <Menu
          className="menu"
          aria-label={`Beside ${directory.name}`}
          selectionMode="single"
          selectedKeys={[directory.id]}
          onAction={(key) => choose(shown.find(({ id }) => id === key)!)}
          items={shown}
        >
          {(entry) => (
            <MenuItem className="menu-item" textValue={entry.name}>
              {isDirectory(entry) ? (
                <Folder className="file-icon" size={16} aria-hidden />
              ) : (
                <FileIcon name={entry.name} />
              )}
              {entry.name}
            </MenuItem>
          )}
        </Menu>
        {count > siblingsMax && (
          <p className="menu-title">
            And {(count - siblingsMax).toLocaleString('en')} more in the tree.
          </p>
        )}
      </Popover>
    </MenuTrigger>
  )
}

/** What lies beside a directory: from the tree where that has it all, else asked for. */
function useSiblings(directory: FileInfo, tree: FolderTree, isOpen: boolean): Listing {
  const client = useClient()
  const parent = tree.parentOf(directory)
  const isHere = client.isWhole(parent)
  const [asked, setAsked] = useState<Listing>()
  useEffect(() => {
    if (!isOpen || isHere) return
    let isCurrent = true
    void inside(client, parent, siblingsMax).then((found) => isCurrent && setAsked(found))
    return () => {
      isCurrent = false
    }
  }, [client, parent, isOpen, isHere])
  const here = tree.children(parent)
  if (isHere || !asked) return { entries: here.slice(0, siblingsMax), count: here.length }
  return asked
}

const movedMs = 3000

/** Whether this file was moved or renamed just now, by anybody, while it was shown. */
function useMoved({ id, path }: FileInfo): boolean {
  const [isMoved, setMoved] = useState(false)
  const seen = useRef({ id, path })
  useEffect(() => {
    const before = seen.current
    seen.current = { id, path }
    setMoved(false)
    if (before.id !== id || before.path === path) return
    setMoved(true)
    const timer = setTimeout(setMoved, movedMs, false)
    return () => clearTimeout(timer)
  }, [id, path])
  return isMoved
}
