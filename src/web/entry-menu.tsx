// The menu of entries of the tree, at the pointer or below the row.

import type { RefObject } from 'react'
import { Menu, MenuItem, MenuSection, Popover, Separator } from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import type { EntryActions } from './entry-actions.ts'
import { type FolderTree, isDirectory, top } from './folder-tree.ts'
import type { MenuPlace, TreeView } from './tree-view.ts'

interface EntryMenuProps {
  /** What it is for; none: the folder itself. */
  entries: FileInfo[]
  place: MenuPlace
  /** An element that is there for as long as the menu is. */
  under: RefObject<HTMLElement | null>
  tree: FolderTree
  view: TreeView
  actions: EntryActions
  close: () => void
}

interface Choice {
  label: string
  keys?: string
  isDanger?: boolean
  run: () => void
}

export function EntryMenu(props: EntryMenuProps) {
  const { entries, place, under, close } = props
  const sections = choices(props).filter((section) => section.length > 0)
  return (
    <Popover
      className="popover"
      isOpen
      onOpenChange={(isOpen) => {
        if (!isOpen) close()
      }}
      triggerRef={under}
      // Beside the point, not below it: then it is moved up as far as it needs to fit.
      getTargetRect={() => new DOMRect(place.x, place.y + place.height, 0, 0)}
      placement="right top"
      offset={0}
    >
      <Menu className="menu" aria-label={labelOf(entries)} autoFocus="first" onClose={close}>
        {sections.map((section, index) => (
          <MenuSection key={section[0]!.label} aria-label={section[0]!.label}>
            {index > 0 && <Separator />}
            {section.map(({ label, keys, isDanger = false, run }) => (
              <MenuItem
                key={label}
                className={`menu-item${isDanger ? ' danger' : ''}`}
                textValue={label}
                onAction={run}
              >
                {label}
                {keys !== undefined && <kbd>{keys}</kbd>}
              </MenuItem>
            ))}
          </MenuSection>
        ))}
      </Menu>
    </Popover>
  )
}

function labelOf(entries: FileInfo[]): string {
  if (entries.length === 0) return 'Actions for the folder'
  if (entries.length === 1) return `Actions for ${entries[0]!.name}`
  return `Actions for ${entries.length.toLocaleString('en')} entries`
}

function choices({ entries, tree, view, actions }: EntryMenuProps): Choice[][] {
  const [first] = entries
  const ids = entries.map(({ id }) => id)
  const shared: Choice[] = [
    { label: 'Move to…', run: () => actions.askMove(ids) },
    { label: 'Download', run: () => actions.download(ids) },
    {
      label: entries.length > 1 ? 'Copy paths' : 'Copy path',
      run: () => actions.copyPaths(entries),
    },
  ]
  const remove: Choice = {
    label: 'Delete',
    keys: 'Del',
    isDanger: true,
    run: () => actions.remove(ids),
  }
  if (first === undefined) return [fresh(top, actions)]
  if (entries.length > 1) return [shared, [remove]]
  return [
    [
      isDirectory(first)
        ? {
            label: view.open.has(first.id) ? 'Close' : 'Open',
            run: () => view.setOpen(first.id, !view.open.has(first.id)),
          }
        : { label: 'Open', run: () => actions.open(first.id) },
    ],
    fresh(isDirectory(first) ? first.id : tree.parentOf(first), actions),
    [
      { label: 'Rename', keys: 'F2', run: () => view.rename(first.id) },
      { label: 'Duplicate', run: () => actions.duplicate(first) },
      ...shared,
      ...(isDirectory(first) ? [] : [{ label: 'Copy link', run: () => actions.copyLink(first) }]),
    ],
    [remove],
  ]
}

function fresh(directory: string, actions: EntryActions): Choice[] {
  return [
    { label: 'New file here…', run: () => actions.createIn(directory) },
    { label: 'New folder here…', run: () => actions.makeDirectoryIn(directory) },
    { label: 'Upload here…', run: () => actions.upload(directory) },
    { label: 'Import zip here…', run: () => actions.importArchives(directory) },
  ]
}
