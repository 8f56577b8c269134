// Dragging in the tree: entries onto directories or the top, files and folders of the desktop too.

import { type RefObject, useMemo } from 'react'
import type { DirectoryDropItem, DropItem, FileDropItem, TextDropItem } from 'react-aria-components'
import { ListKeyboardDelegate } from 'react-aria/ListKeyboardDelegate'
import { type DragPreviewRenderer, useDraggableCollection } from 'react-aria/useDraggableCollection'
import { useDroppableCollection, type DropTargetDelegate } from 'react-aria/useDroppableCollection'
import {
  type DraggableCollectionState,
  useDraggableCollectionState,
} from 'react-stately/useDraggableCollectionState'
import { useDroppableCollectionState } from 'react-stately/useDroppableCollectionState'
import type { ListState } from 'react-stately/useListState'
import type { FileInfo } from '../client/api.ts'
import { type FolderTree, isDirectory, top } from './folder-tree.ts'
import type { RowLayout } from './row-layout.ts'
import type { TreeRows } from './tree-rows.ts'
import type { TreeView } from './tree-view.ts'

/** What a dragged entry travels as: its id. Other programs get its path as plain text. */
const entryType = 'application/x-fourfold-entry'

/** What is dropped from the desktop. */
export type Dropped =
  | Pick<FileDropItem, 'kind' | 'name' | 'getFile'>
  | (Pick<DirectoryDropItem, 'kind' | 'name'> & { getEntries: () => AsyncIterable<Dropped> })

interface TreeDragOptions {
  state: ListState<FileInfo>
  rows: TreeRows
  tree: FolderTree
  view: TreeView
  layout: RowLayout
  target: RefObject<HTMLElement | null>
  preview: RefObject<DragPreviewRenderer | null>
  /** Something was dropped, be it here or not. */
  dropped: () => void
  move: (ids: string[], directory: string) => void
  bring: (dropped: Dropped[], directory: string) => void
}

export interface TreeDrag {
  dragState: DraggableCollectionState
  /** The directory that what is dragged would fall into; undefined: none, "": the top. */
  over: string | undefined
  dropProps: ReturnType<typeof useDroppableCollection>['collectionProps']
}

export function useTreeDrag(options: TreeDragOptions): TreeDrag {
  const { state, rows, tree, view, layout, target: element } = options
  const { collection, selectionManager } = state
  const dragState = useDraggableCollectionState<FileInfo>({
    collection,
    selectionManager,
    preview: options.preview,
    getItems: (keys) =>
      [...keys].map((key) => ({
        [entryType]: String(key),
        'text/plain': tree.get(String(key))?.path ?? '',
      })),
    getAllowedDropOperations: () => ['move'],
  })
  useDraggableCollection({}, dragState, element)

  const dropping = {
    getDropOperation: (_target: unknown, types: { has(type: string): boolean }): 'move' | 'copy' =>
      types.has(entryType) ? 'move' : 'copy',
    onDrop: (event: { target: Target; items: DropItem[] }) => {
      const directory = directoryOf(event.target)
      options.dropped()
      void entriesIn(event.items).then((ids) => {
        if (ids.length > 0) options.move(ids, directory)
      })
      const dropped = event.items.filter((item) => item.kind !== 'text')
      if (dropped.length > 0) options.bring(dropped, directory)
    },
  }
  const dropState = useDroppableCollectionState({ collection, selectionManager, ...dropping })
  const keyboardDelegate = useMemo(
    () => new ListKeyboardDelegate({ collection, ref: element }),
    [collection, element],
  )
  const { collectionProps } = useDroppableCollection(
    {
      ...dropping,
      keyboardDelegate,
      dropTargetDelegate: directories(layout, rows, tree),
      // Whoever waits over a closed directory wants to go into it.
      onDropActivate: (event) => view.setOpen(directoryOf(event.target), true),
    },
    dropState,
    element,
  )
  const over = dropState.target === null ? undefined : directoryOf(dropState.target)
  return { dragState, over, dropProps: collectionProps }
}

type Target = { type: 'root' } | { type: 'item'; key: string | number }

function directoryOf(target: Target): string {
  return target.type === 'root' ? top : String(target.key)
}

/** The directory under the pointer, or the one that holds the file under the pointer. */
function directories(layout: RowLayout, rows: TreeRows, tree: FolderTree): DropTargetDelegate {
  return {
    getDropTargetFromPoint(_x, y) {
      const entry = tree.get(layout.keyAt(y) ?? '')
      const key = entry && (isDirectory(entry) ? entry.id : tree.parentOf(entry))
      if (key === undefined || rows.placeOf(key) < 0) return { type: 'root' }
      return { type: 'item', key, dropPosition: 'on' }
    },
  }
}

function entriesIn(items: DropItem[]): Promise<string[]> {
  const entries = items.filter(
    (item): item is TextDropItem => item.kind === 'text' && item.types.has(entryType),
  )
  return Promise.all(entries.map((item) => item.getText(entryType)))
}
