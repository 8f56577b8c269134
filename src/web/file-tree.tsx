// The tree of the left pane: rows of open directories, by React Aria's hooks for a grid of rows.

import { memo, useContext, useMemo, useRef } from 'react'
import { CollectionRendererContext, Virtualizer } from 'react-aria-components'
import { mergeProps } from 'react-aria/mergeProps'
import { DragPreview, type DragPreviewRenderer } from 'react-aria/useDraggableCollection'
import { useGridList } from 'react-aria/useGridList'
import { type ListState, useListState } from 'react-stately/useListState'
import type { FileInfo } from '../client/api.ts'
import { type FolderTree, isDirectory, top } from './folder-tree.ts'
import type { OpenFiles } from './open-file.ts'
import { RowLayout } from './row-layout.ts'
import { type Dropped, useTreeDrag } from './tree-drag.ts'
import { TreeContext, TreeRow } from './tree-row.tsx'
import { treeKey } from './tree-keys.ts'
import { type PressedKeys, type RowNode, TreeRows } from './tree-rows.ts'
import { type MenuPlace, type TreeView, useTreeView } from './tree-view.ts'
import { useEnd } from './use-end.ts'
import { useRevealed } from './use-revealed.ts'

export interface FileTreeProps {
  tree: FolderTree
  view: TreeView
  openFiles: OpenFiles
  /** The file in the editor. */
  shownId: string | undefined
  /** Words of the filter. */
  wanted: string
  /** A dialog lies over the page. */
  isCovered: boolean
  /** Whether all that lies in a directory is in the tree, as far as servers answer. The same function. */
  isWhole: (directory: string) => boolean
  /** px; a finger needs more room than a mouse. */
  rowSize: number
  emptyText: string
  open: (entry: FileInfo) => void
  renameTo: (entry: FileInfo, name: string) => void
  remove: (ids: string[]) => void
  move: (ids: string[], directory: string) => void
  bring: (dropped: Dropped[], directory: string) => void
  /** `ids`: what it is for; none: the folder itself. */
  showMenu: (ids: string[], place: MenuPlace) => void
}

/** React Aria looks for what a drop brought for so long, and a little longer. */
const afterDropMs = 100

/** Drawn again only when something it shows changed, not with every beat of the client. */
export const FileTree = memo(function FileTree(props: FileTreeProps) {
  const layout = useMemo(() => new RowLayout(), [])
  const { rowSize } = props
  const layoutOptions = useMemo(() => ({ rowSize }), [rowSize])
  return (
    <Virtualizer layout={layout} layoutOptions={layoutOptions}>
      <Rows {...props} layout={layout} />
    </Virtualizer>
  )
})

type RowsProps = FileTreeProps & { layout: RowLayout }

function Rows(props: RowsProps) {
  const { tree, openFiles, shownId, wanted, layout, remove } = props
  const view = useTreeView(props.view)
  const element = useRef<HTMLDivElement>(null)
  const preview = useRef<DragPreviewRenderer>(null)
  const { CollectionRoot } = useContext(CollectionRendererContext)

  const act = (id: string) => {
    const entry = tree.get(id)
    if (entry && isDirectory(entry)) view.setOpen(id, !view.open.has(id))
    else if (entry) props.open(entry)
  }
  const rows = useRows(tree, view, wanted, act)
  const { state, dropped } = useChoosing(rows, view)
  const { selectionManager: selection } = state
  const { gridProps } = useGridList(
    {
      'aria-label': 'Files',
      isVirtualized: true,
      layoutDelegate: layout,
      onAction: (key) => act(String(key)),
      keyboardNavigationBehavior: 'tab',
      shouldSelectOnPressUp: true,
      disallowTypeAhead: view.renaming !== undefined,
    },
    state,
    element,
  )
  const { dragState, over, dropProps } = useTreeDrag({
    ...{ state, rows, tree, view, layout, preview, dropped },
    target: element,
    move: props.move,
    bring: props.bring,
  })
  useRevealed({ ...props, view, rows, selection, scroller: element })
  const end = useEnd({ view, rows, selection, tree: element, isWhole: props.isWhole })

  const showMenu = (id: string, place: MenuPlace) => {
    const ids = view.meant(id)
    if (!view.selected.has(id)) selection.replaceSelection(id)
    props.showMenu(ids, place)
  }
  const { renameTo } = props
  const shared = { state, dragState, over, view, tree, shownId, openFiles, showMenu, renameTo }
  const keys = { rows, view, selection, remove, showMenu: props.showMenu }
  return (
    <>
      <div
        {...mergeProps(gridProps, dropProps)}
        ref={element}
        role="treegrid"
        className="file-tree"
        // Keys of the page that mean the focused row while the focus is here.
        data-own-keys="F2"
        data-drop-target={over === top || undefined}
        onPointerDownCapture={end.press}
        onKeyDownCapture={(event) => {
          end.key(event)
          treeKey(event, { ...keys, isFiltered: wanted !== '' })
          if (!event.isPropagationStopped()) gridProps.onKeyDownCapture?.(event)
        }}
        onContextMenu={(event) => {
          event.preventDefault()
          props.showMenu([], { x: event.clientX, y: event.clientY, height: 0 })
        }}
      >
        <TreeContext value={shared}>
          <CollectionRoot
            collection={rows}
            persistedKeys={new Set(selection.focusedKey === null ? [] : [selection.focusedKey])}
            scrollRef={element}
          />
        </TreeContext>
        {rows.size === 0 && <p className="empty muted">{props.emptyText}</p>}
      </div>
      <DragPreview ref={preview}>
        {(items) => (
          <div className="drag-preview">
            {items.length === 1 ? items[0]!['text/plain'] : `${items.length} entries`}
          </div>
        )}
      </DragPreview>
    </>
  )
}

/** `act`: what a press with the mouse does, unless it is held with a key that chooses. */
function useRows(
  tree: FolderTree,
  { open }: TreeView,
  wanted: string,
  act: (id: string) => void,
): TreeRows {
  const latest = useRef(act)
  latest.current = act
  const before = useRef<TreeRows>(undefined)
  const rows = useMemo(() => {
    const render = (node: RowNode) => <TreeRow node={node} />
    const pressed = (id: string, event: PressedKeys) => {
      const isChoosing = event.shiftKey || event.ctrlKey || event.metaKey
      if (event.pointerType === 'mouse' && !isChoosing) latest.current(id)
    }
    return new TreeRows({ tree, open, wanted, render, pressed }, before.current)
  }, [tree, open, wanted])
  before.current = rows
  return rows
}

interface Choosing {
  state: ListState<FileInfo>
  /** To be called when something was dropped on the rows. */
  dropped: () => void
}

/** Which rows are chosen: the view knows. */
function useChoosing(rows: TreeRows, view: TreeView): Choosing {
  const droppedAt = useRef(-Infinity)
  const state = useListState<FileInfo>({
    collection: rows,
    selectionMode: 'multiple',
    selectionBehavior: 'replace',
    selectedKeys: view.selected,
    onSelectionChange(keys) {
      // React Aria would choose all rows that appear after a drop: the directory's, when it opens.
      if (performance.now() - droppedAt.current < afterDropMs) return
      view.select(keys === 'all' ? new Set(rows.getKeys()) : (keys as ReadonlySet<string>))
    },
  })
  const dropped = () => {
    droppedAt.current = performance.now()
  }
  return { state, dropped }
}
