// The tree of the left pane: rows of open directories, by React Aria's hooks for a grid of rows.

import { type KeyboardEvent, memo, useContext, useEffect, useMemo, useRef } from 'react'
import { CollectionRendererContext, Virtualizer } from 'react-aria-components'
import { mergeProps } from 'react-aria/mergeProps'
import { DragPreview, type DragPreviewRenderer } from 'react-aria/useDraggableCollection'
import { useGridList } from 'react-aria/useGridList'
import { useListState } from 'react-stately/useListState'
import type { FileInfo } from '../client/api.ts'
import { type FolderTree, isDirectory, top } from './folder-tree.ts'
import type { OpenFiles } from './open-file.ts'
import { RowLayout } from './row-layout.ts'
import { type Dropped, useTreeDrag } from './tree-drag.ts'
import { TreeContext, TreeRow } from './tree-row.tsx'
import { type PressedKeys, TreeRows } from './tree-rows.ts'
import { type MenuPlace, type TreeView, useTreeView } from './tree-view.ts'

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
  open: (id: string) => void
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

function Rows(props: FileTreeProps & { layout: RowLayout }) {
  const { tree, openFiles, shownId, wanted, isCovered, layout, rowSize, isWhole } = props
  const view = useTreeView(props.view)
  const element = useRef<HTMLDivElement>(null)
  const preview = useRef<DragPreviewRenderer>(null)
  const { CollectionRoot } = useContext(CollectionRendererContext)

  const act = (id: string) => {
    const entry = tree.get(id)
    if (entry && isDirectory(entry)) view.setOpen(id, !view.open.has(id))
    else if (entry) props.open(id)
  }
  const pressed = useRef((_id: string, _event: PressedKeys) => {})
  pressed.current = (id, event) => {
    const isChoosing = event.shiftKey || event.ctrlKey || event.metaKey
    if (event.pointerType === 'mouse' && !isChoosing) act(id)
  }

  const before = useRef<TreeRows>(undefined)
  const rows = useMemo(
    () =>
      new TreeRows(
        {
          tree,
          open: view.open,
          wanted,
          render: (node) => <TreeRow node={node} />,
          pressed: (id, event) => pressed.current(id, event),
        },
        before.current,
      ),
    [tree, view.open, wanted],
  )
  before.current = rows

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
  const { selectionManager } = state
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
    state,
    rows,
    tree,
    view,
    layout,
    preview,
    target: element,
    dropped: () => {
      droppedAt.current = performance.now()
    },
    move: props.move,
    bring: props.bring,
  })

  const focusOn = (id: string) => {
    selectionManager.setFocused(true)
    selectionManager.setFocusedKey(id)
    selectionManager.replaceSelection(id)
  }

  const { revealed } = view
  const brought = useRef<TreeView['revealed']>(undefined)
  useEffect(() => {
    const place = revealed === undefined ? -1 : rows.placeOf(revealed.id)
    if (revealed === undefined || place < 0 || element.current === null) return
    // A dialog that is open keeps the focus, and gives it back elsewhere when it is closed.
    if (revealed.hasFocus && isCovered) return
    // Until all is there that lies beside it, more may come before it.
    if (isWhole(tree.parentOf(tree.get(revealed.id)!))) view.seen()
    scrollTo(element.current, place * rowSize, rowSize)
    if (brought.current === revealed) return
    brought.current = revealed
    // Chosen by the manager, a range of rows can begin at it. A dialog that was just closed gives the
    // focus back in the next frame; whoever takes it before that may lose it.
    if (revealed.hasFocus) requestAnimationFrame(() => focusOn(revealed.id))
    else selectionManager.replaceSelection(revealed.id)
    // A row is brought into sight once, not whenever the tree is drawn.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [revealed, rows, rowSize, view, isCovered])

  const keyed = (event: KeyboardEvent) => {
    const id = String(selectionManager.focusedKey ?? '')
    const row = rows.rowOf(id)
    if (!row || !(event.target as Element).matches('[role=row]')) return
    if (!treeKey(event)) return
    event.preventDefault()
    event.stopPropagation()
  }

  /** Returns whether it was a key of the tree's own, besides those of every grid. */
  const treeKey = (event: KeyboardEvent): boolean => {
    const id = String(selectionManager.focusedKey ?? '')
    const row = rows.rowOf(id)!
    switch (event.shiftKey ? `Shift+${event.key}` : event.key) {
      case 'ArrowRight': {
        const next = rows.getKeyAfter(id)
        if (isDirectory(row.entry) && !row.isOpen) view.setOpen(id, true)
        else if (next !== null && rows.parentRow(next) === row) focusOn(next)
        return true
      }
      case 'ArrowLeft': {
        const parent = rows.parentRow(id)
        if (row.isOpen && wanted === '') view.setOpen(id, false)
        else if (parent) focusOn(parent.entry.id)
        return true
      }
      case 'F2':
        view.rename(id)
        return true
      case 'Backspace':
        // Where a keyboard has no Delete, this stands for it.
        if (!event.metaKey) return false
        props.remove(chosen(view, id))
        return true
      case 'Delete':
        props.remove(chosen(view, id))
        return true
      case 'ContextMenu':
      case 'Shift+F10':
        props.showMenu(chosen(view, id), placeOf(event.target as Element))
        return true
      default:
        return false
    }
  }

  const showMenu = (id: string, place: MenuPlace) => {
    const ids = chosen(view, id)
    if (!view.selected.has(id)) selectionManager.replaceSelection(id)
    props.showMenu(ids, place)
  }

  const shown = {
    state,
    dragState,
    over,
    view,
    tree,
    shownId,
    openFiles,
    showMenu,
    renameTo: props.renameTo,
  }
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
        onKeyDownCapture={(event) => {
          keyed(event)
          if (!event.isPropagationStopped()) gridProps.onKeyDownCapture?.(event)
        }}
        onContextMenu={(event) => {
          event.preventDefault()
          props.showMenu([], { x: event.clientX, y: event.clientY, height: 0 })
        }}
      >
        <TreeContext value={shown}>
          <CollectionRoot
            collection={rows}
            persistedKeys={
              new Set(selectionManager.focusedKey === null ? [] : [selectionManager.focusedKey])
            }
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

/** What a key or the menu of a row is for: all that is chosen, when the row is among it. */
function chosen(view: TreeView, id: string): string[] {
  return view.selected.has(id) ? [...view.selected] : [id]
}

function placeOf(row: Element): MenuPlace {
  const { left, top: y, height } = row.getBoundingClientRect()
  return { x: left + 24, y, height }
}

function scrollTo(scroller: Element, rowTop: number, rowSize: number): void {
  const { scrollTop, clientHeight } = scroller
  if (rowTop >= scrollTop && rowTop + rowSize <= scrollTop + clientHeight) return
  scroller.scrollTop = Math.max(0, rowTop - clientHeight / 3)
}
