// The left pane: the tree with a filter over it, what is on its way in, and the trash.

import { FilePlus, FileUp, FolderPlus, FolderUp, Search, X } from 'lucide-react'
import { useCallback, useDeferredValue, useMemo, useRef, useState } from 'react'
import { Button, DropZone, FileTrigger, Input, SearchField } from 'react-aria-components'
import { useLandmark } from 'react-aria/useLandmark'
import type { Client, FileInfo } from '../client/api.ts'
import type { BringIn } from './bring-in.ts'
import { BringingBar } from './bringing-bar.tsx'
import { useClient, useMedia } from './client-context.tsx'
import type { EntryActions } from './entry-actions.ts'
import { EntryMenu } from './entry-menu.tsx'
import type { Finding } from './folder-asks.ts'
import { FileTree } from './file-tree.tsx'
import { type FolderTree, top } from './folder-tree.ts'
import { IconButton } from './icon-button.tsx'
import type { OpenFiles } from './open-file.ts'
import { useShown } from './shown-entries.ts'
import { begun, waitingWords } from './save-words.ts'
import { useNoticesAbove } from './toasts.tsx'
import { Trash } from './trash.tsx'
import type { MenuPlace, TreeView } from './tree-view.ts'
import { useFinding } from './use-finding.ts'

interface FilePaneProps {
  tree: FolderTree
  view: TreeView
  shownId: string | undefined
  openFiles: OpenFiles
  bringIn: BringIn
  actions: EntryActions
  /** Shows what was chosen in the tree. The same function. */
  open: (entry: FileInfo) => void
  /** The directory that new things go to. */
  home: () => string
  /** A dialog lies over the page. */
  isCovered: boolean
  /** Looks for words in all texts. */
  searchAll: (words: string) => void
}

/** More would not be looked through in the tree; more words narrow it. */
const foundMax = 200

/** What servers find by the words of the filter is shown for as long as these are there. */
function useFound(client: Client, wanted: string): Finding | undefined {
  const finding = useFinding(client, wanted === '' ? undefined : wanted, 'both', foundMax)
  const ids = useMemo(() => new Set(finding?.entries.map(({ id }) => id)), [finding])
  useShown(client, ids, 'alone')
  return finding
}

function foundWords(finding: Finding | undefined): string {
  if (!finding) return 'Looking…'
  const { looked, isOfDevice } = finding
  const nothing = `No name like that among ${looked.toLocaleString('en')}.`
  return isOfDevice
    ? `${nothing} No server answers: only what is known here was searched.`
    : `${nothing} Enter looks into the texts.`
}

export function FilePane(props: FilePaneProps) {
  const { tree, view, shownId, openFiles, bringIn, actions, home, isCovered, searchAll } = props
  const client = useClient()
  const { filesAreCurrent, save } = client
  const waiting = save.name === 'local' || save.name === 'danger' ? waitingWords(save) : ''
  const [words, setWords] = useState('')
  const wanted = useDeferredValue(words.trim())
  const [menu, setMenu] = useState<{ ids: string[]; place: MenuPlace }>()
  const pane = useRef<HTMLElement>(null)
  const { landmarkProps } = useLandmark({ role: 'navigation', 'aria-label': 'Files' }, pane)
  const foot = useRef<HTMLDivElement>(null)
  // A finger needs more room than a mouse.
  const isNarrow = useMedia('(max-width: 1023px)')
  const rowSize = isNarrow ? 44 : 30
  useNoticesAbove(foot, isNarrow)
  const showMenu = useRef((ids: string[], place: MenuPlace) => setMenu({ ids, place })).current
  const finding = useFound(client, wanted)
  const isWhole = useCallback(
    (directory: string) => client.isWhole(directory) || client.connection.name !== 'online',
    [client],
  )
  const focusTree = () => pane.current?.querySelector<HTMLElement>('[role=treegrid]')?.focus()
  const closeMenu = () => {
    setMenu(undefined)
    // The focus goes back to the row in the next frame, and is nowhere when that was deleted.
    requestAnimationFrame(() => {
      requestAnimationFrame(() => {
        if (document.activeElement === document.body) focusTree()
      })
    })
  }
  const nothing = filesAreCurrent ? 'No files yet. Drop some here, or make one.' : 'Looking…'

  return (
    <nav {...landmarkProps} ref={pane} className="file-pane">
      <DropZone
        className="file-drop"
        aria-label="Drop files and folders here"
        getDropOperation={() => 'copy'}
        onDrop={({ items }) => {
          actions.bring(
            items.filter((item) => item.kind !== 'text'),
            top,
          )
        }}
      >
        <div className="file-tools">
          <SearchField
            className="search"
            aria-label="Filter files"
            value={words}
            onChange={setWords}
            onSubmit={(value) => {
              if (value.trim() !== '') searchAll(value.trim())
            }}
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
            onPress={() => actions.createIn(home())}
          />
          <IconButton
            label="New folder"
            icon={<FolderPlus size={18} />}
            onPress={() => actions.makeDirectoryIn(home())}
          />
        </div>
        {/* Above the foot of a drawer lie notices. */}
        {isNarrow && <BringingBar bringIn={bringIn} />}
        <FileTree
          {...{ tree, view, openFiles, shownId, wanted, isCovered, rowSize, showMenu, isWhole }}
          emptyText={wanted === '' ? nothing : foundWords(finding)}
          open={props.open}
          renameTo={actions.renameTo}
          remove={actions.remove}
          move={actions.move}
          bring={actions.bring}
        />
        {finding && finding.found > finding.entries.length && (
          <p className="empty muted">
            The best {foundMax} of {finding.found.toLocaleString('en')}: more words show fewer.
          </p>
        )}
        {!isNarrow && <BringingBar bringIn={bringIn} />}
        <div ref={foot} className="file-foot">
          {waiting !== '' && <p className="waiting muted">{begun(waiting)} waiting</p>}
          <Trash restore={actions.restore} erase={actions.erase} leave={focusTree} />
          <span className="foot-row">
            <FileTrigger
              allowsMultiple
              onSelect={(list) => list && actions.bringChosen([...list], home())}
            >
              <Button className="foot-button">
                <FileUp size={16} aria-hidden />
                Upload files
              </Button>
            </FileTrigger>
            <FileTrigger
              acceptDirectory
              onSelect={(list) => list && actions.bringChosen([...list], home())}
            >
              <IconButton label="Upload a folder" icon={<FolderUp size={16} />} />
            </FileTrigger>
          </span>
        </div>
      </DropZone>
      {menu && (
        <EntryMenu
          entries={menu.ids.flatMap((id) => tree.get(id) ?? [])}
          place={menu.place}
          under={pane}
          close={closeMenu}
          {...{ tree, view, actions }}
        />
      )}
    </nav>
  )
}
