// The left pane: all files, a filter over their names, the trash below.

import { Ellipsis, FilePlus, FileUp, RotateCcw, Search, Trash2, X } from 'lucide-react'
import { useMemo, useRef, useState } from 'react'
import {
  Button,
  Disclosure,
  DisclosurePanel,
  DropZone,
  FileTrigger,
  GridList,
  GridListItem,
  Heading,
  Input,
  ListLayout,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  SearchField,
  Virtualizer,
} from 'react-aria-components'
import { useLandmark } from 'react-aria/useLandmark'
import type { FileInfo } from '../client/api.ts'
import { useClient, useMedia } from './client-context.tsx'
import { FileDots } from './file-dots.tsx'
import { FileIcon } from './file-icon.tsx'
import { IconButton } from './icon-button.tsx'
import { includes } from './names.ts'
import type { OpenFiles } from './open-file.ts'

export interface FileActions {
  open: (id: string) => void
  create: () => void
  /** Files of this device, chosen or dropped. */
  bring: (files: File[]) => void
  rename: (file: FileInfo) => void
  saveAs: (file: FileInfo) => void
  copyLink: (file: FileInfo) => void
  remove: (file: FileInfo) => void
  restore: (file: FileInfo) => void
}

interface FilePaneProps {
  shownId: string | undefined
  openFiles: OpenFiles
  actions: FileActions
}

/** Rows offered at once; beyond it the filter is the way. */
const rowsMax = 1000

const byName = new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare

export function FilePane({ shownId, openFiles, actions }: FilePaneProps) {
  const client = useClient()
  const [wanted, setWanted] = useState('')
  const pane = useRef<HTMLElement>(null)
  const { landmarkProps } = useLandmark({ role: 'navigation', 'aria-label': 'Files' }, pane)
  // A finger needs more room than a mouse.
  const rowSize = useMedia('(max-width: 1023px)') ? 44 : 34
  const { files } = client
  const sorted = useMemo(() => files.toSorted((a, b) => byName(a.name, b.name)), [files])
  const present = sorted.filter((file) => !file.isDeleted)
  const trash = sorted.filter((file) => file.isDeleted)
  const matching = present.filter((file) => includes(file.name, wanted))

  return (
    <nav {...landmarkProps} ref={pane} className="file-pane">
      <div className="file-tools">
        <SearchField
          className="search"
          aria-label="Filter files"
          value={wanted}
          onChange={setWanted}
        >
          <Search size={15} aria-hidden />
          <Input placeholder="Filter files" />
          <Button className="icon-button clear" aria-label="Clear the filter">
            <X size={14} aria-hidden />
          </Button>
        </SearchField>
        <IconButton
          label="New file"
          keys="Ctrl+Alt+N"
          icon={<FilePlus size={18} />}
          onPress={actions.create}
        />
      </div>
      <DropZone
        className="file-drop"
        aria-label="Drop text files here"
        getDropOperation={() => 'copy'}
        onDrop={({ items }) => {
          const dropped = items.filter((item) => item.kind === 'file')
          void Promise.all(dropped.map((item) => item.getFile())).then(actions.bring)
        }}
      >
        <Virtualizer layout={ListLayout} layoutOptions={{ rowSize }}>
          <GridList
            aria-label="Files"
            className="file-list"
            items={matching.slice(0, rowsMax)}
            dependencies={[shownId, actions]}
            onAction={(key) => actions.open(String(key))}
            renderEmptyState={() => (
              <p className="empty muted">
                {wanted === ''
                  ? 'No files yet.'
                  : `Nothing in ${present.length} files by this name.`}
              </p>
            )}
          >
            {(file) => (
              <FileRow file={file} isShown={file.id === shownId} {...{ openFiles, actions }} />
            )}
          </GridList>
        </Virtualizer>
        {matching.length > rowsMax && (
          <p className="empty muted">
            And {(matching.length - rowsMax).toLocaleString('en')} more: type a part of the name.
          </p>
        )}
      </DropZone>
      <div className="file-foot">
        {trash.length > 0 && <Trash files={trash} restore={actions.restore} />}
        <FileTrigger
          allowsMultiple
          onSelect={(list) => {
            if (list) actions.bring([...list])
          }}
        >
          <Button className="foot-button">
            <FileUp size={16} aria-hidden />
            Bring in text files
          </Button>
        </FileTrigger>
      </div>
    </nav>
  )
}

interface FileRowProps {
  file: FileInfo
  isShown: boolean
  openFiles: OpenFiles
  actions: FileActions
}

function FileRow({ file, isShown, openFiles, actions }: FileRowProps) {
  return (
    <GridListItem
      id={file.id}
      textValue={file.name}
      className={`file-row${isShown ? ' is-shown' : ''}`}
    >
      <FileIcon name={file.name} />
      <span className="file-name" title={file.name} {...(isShown && { 'aria-current': 'page' })}>
        {file.name}
      </span>
      <FileDots id={file.id} openFiles={openFiles} />
      <MenuTrigger>
        <Button className="icon-button row-more" aria-label={`Actions for ${file.name}`}>
          <Ellipsis size={16} aria-hidden />
        </Button>
        <Popover className="popover" placement="bottom end">
          <Menu className="menu" aria-label={`Actions for ${file.name}`}>
            <MenuItem className="menu-item" onAction={() => actions.open(file.id)}>
              Open
            </MenuItem>
            <MenuItem className="menu-item" onAction={() => actions.rename(file)}>
              Rename…
            </MenuItem>
            <MenuItem className="menu-item" onAction={() => actions.saveAs(file)}>
              Save as…
            </MenuItem>
            <MenuItem className="menu-item" onAction={() => actions.copyLink(file)}>
              Copy link
            </MenuItem>
            <MenuItem className="menu-item danger" onAction={() => actions.remove(file)}>
              Delete
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
    </GridListItem>
  )
}

function Trash({ files, restore }: { files: FileInfo[]; restore: (file: FileInfo) => void }) {
  return (
    <Disclosure className="trash">
      <Heading level={2}>
        <Button slot="trigger" className="foot-button">
          <Trash2 size={16} aria-hidden />
          Trash ({files.length.toLocaleString('en')})
        </Button>
      </Heading>
      <DisclosurePanel>
        <ul className="trash-list" aria-label="Trash">
          {files.slice(0, rowsMax).map((file) => (
            <li key={file.id}>
              <span className="file-name" title={`${file.name}, deleted by ${file.deletedBy}`}>
                {file.name}
              </span>
              <Button
                className="text-button"
                aria-label={`Restore ${file.name}`}
                onPress={() => restore(file)}
              >
                <RotateCcw size={14} aria-hidden />
                Restore
              </Button>
            </li>
          ))}
        </ul>
      </DisclosurePanel>
    </Disclosure>
  )
}
