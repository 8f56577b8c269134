// One row of the tree: a directory or a file, its name, who is in it, and what can be done.

import { ChevronRight, CloudOff, Ellipsis, Folder, FolderOpen } from 'lucide-react'
import { createContext, useContext, useRef } from 'react'
import { Button } from 'react-aria-components'
import { mergeProps } from 'react-aria/mergeProps'
import { useContextMenu } from 'react-aria/useContextMenu'
import { useDraggableItem } from 'react-aria/useDraggableCollection'
import { useFocusRing } from 'react-aria/useFocusRing'
import { useGridListItem } from 'react-aria/useGridList'
import { useHover } from 'react-aria/useHover'
import type { DraggableCollectionState } from 'react-stately/useDraggableCollectionState'
import type { ListState } from 'react-stately/useListState'
import type { FileInfo } from '../client/api.ts'
import { useClient } from './client-context.tsx'
import { DirectoryDots, FileDots } from './file-dots.tsx'
import { FileIcon } from './file-icon.tsx'
import { type FolderTree, isDirectory } from './folder-tree.ts'
import { NameField } from './name-field.tsx'
import type { OpenFiles } from './open-file.ts'
import type { Row, RowNode } from './tree-rows.ts'
import type { MenuPlace, TreeView } from './tree-view.ts'

/** What the rows of one tree share. */
interface Shared {
  state: ListState<FileInfo>
  dragState: DraggableCollectionState
  /** The directory that what is dragged would fall into. */
  over: string | undefined
  view: TreeView
  tree: FolderTree
  shownId: string | undefined
  openFiles: OpenFiles
  showMenu: (id: string, place: MenuPlace) => void
  renameTo: (entry: FileInfo, name: string) => void
}

export const TreeContext = createContext<Shared | undefined>(undefined)

export function TreeRow({ node }: { node: RowNode }) {
  const shared = useContext(TreeContext)
  if (shared === undefined) throw new Error('broken invariant: a row is in a tree')
  const { state, dragState, over, view, tree, shownId, openFiles, showMenu } = shared
  const { entry, level, index, setSize, isOpen } = node.props.row as Row
  const { id, name } = entry
  const isRenaming = view.renaming === id
  const isShown = id === shownId

  const element = useRef<HTMLDivElement>(null)
  const { rowProps, gridCellProps, isSelected } = useGridListItem(
    { node, shouldSelectOnPressUp: true },
    state,
    element,
  )
  const { focusProps, isFocusVisible } = useFocusRing()
  const { hoverProps, isHovered } = useHover({})
  // The field for a new name is for selecting letters, not for dragging the row.
  const { dragProps } = useDraggableItem({ key: id, hasDragButton: true }, dragState)
  const { contextMenuProps } = useContextMenu({
    onContextMenu: ({ target, x, y }) => {
      const rect = target.getBoundingClientRect()
      showMenu(id, { x: rect.x + x, y: rect.y + y, height: 0 })
    },
  })
  const finish = (wanted: string | undefined) => {
    view.rename(undefined)
    // After the field is gone, the focus would be nowhere; unless a click took it elsewhere.
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) element.current?.focus()
    })
    if (wanted !== undefined) shared.renameTo(entry, wanted)
  }

  return (
    <div
      {...mergeProps(
        // A press opens already: a double one would do it again.
        { ...rowProps, onDoubleClick: undefined },
        focusProps,
        hoverProps,
        isRenaming ? {} : dragProps,
        isRenaming ? {} : contextMenuProps,
      )}
      ref={element}
      className={`file-row${isShown ? ' is-shown' : ''}`}
      style={{ '--level': level } as React.CSSProperties}
      aria-level={level + 1}
      aria-posinset={index + 1}
      aria-setsize={setSize}
      aria-expanded={isDirectory(entry) ? isOpen : undefined}
      data-selected={isSelected || undefined}
      data-hovered={isHovered || undefined}
      data-focus-visible={isFocusVisible || undefined}
      data-dragging={dragState.isDragging(id) || undefined}
      data-drop-target={over === id || undefined}
    >
      <div {...gridCellProps} className="row-cell">
        {isDirectory(entry) ? (
          <>
            <ChevronRight className={`chevron${isOpen ? ' is-open' : ''}`} size={14} aria-hidden />
            {isOpen ? (
              <FolderOpen className="file-icon" size={16} aria-hidden />
            ) : (
              <Folder className="file-icon" size={16} aria-hidden />
            )}
          </>
        ) : (
          <>
            <span className="chevron" />
            <FileIcon name={name} />
          </>
        )}
        {isRenaming ? (
          <NameField label={`New name of ${name}`} name={name} finish={finish} />
        ) : (
          <span className="file-name" title={name} {...(isShown && { 'aria-current': 'page' })}>
            {name}
          </span>
        )}
        {(entry.bytes ?? entry).hasConflict && (
          <span className="brief" title="2 versions">
            <span className="tag tone-warn">2 versions</span>
          </span>
        )}
        {isDirectory(entry) && isOpen && tree.childCount(id) === 0 && <NotListed id={id} />}
        {entry.isWaiting && (
          <CloudOff className="waits" size={14} aria-label="Waits for a server" />
        )}
        {!isDirectory(entry) && <FileDots id={id} openFiles={openFiles} />}
        {isDirectory(entry) && !isOpen && <DirectoryDots {...{ id, tree, openFiles }} />}
        {!isRenaming && (
          <Button
            className="icon-button row-more"
            aria-label={`Actions for ${name}`}
            aria-haspopup="menu"
            onPress={({ target }) => {
              const { left, top, height } = target.getBoundingClientRect()
              showMenu(id, { x: left, y: top, height })
            }}
          >
            <Ellipsis size={16} aria-hidden />
          </Button>
        )}
      </div>
    </div>
  )
}

/** A directory that no server has listed is not empty for that. */
function NotListed({ id }: { id: string }) {
  const client = useClient()
  if (client.connection.name !== 'offline' || client.isWhole(id)) return null
  return (
    <span className="tag tone-muted" title="What lies in it is shown when a server answers.">
      not on this device
    </span>
  )
}
