// A dialog that finds an entry by words of its path: to go to it, or to move something into it.

import { useDeferredValue, useMemo, useState } from 'react'
import { Autocomplete, Input, Menu, MenuItem, SearchField } from 'react-aria-components'
import { Folder, House } from 'lucide-react'
import type { FileInfo } from '../client/api.ts'
import { FileIcon } from './file-icon.tsx'
import { pathBytesMax } from '../core/model/limits.ts'
import { isDirectory } from './folder-tree.ts'
import { filter } from './names.ts'
import { ModalDialog } from './modal-dialog.tsx'

interface PathPickerProps {
  label: string
  /** In the empty field. */
  hint: string
  entries: readonly FileInfo[]
  /** Offered first, while nothing is typed that it does not contain. */
  first?: { id: string; words: string }
  choose: (id: string) => void
  close: () => void
}

/** More would not be read; typing narrows it. */
const shownMax = 50

export function PathPicker({ label, hint, entries, first, choose, close }: PathPickerProps) {
  const [words, setWords] = useState('')
  const wanted = useDeferredValue(words)
  const found = useMemo(() => best(entries, wanted), [entries, wanted])
  const offered = [
    ...(first && filter(wanted)(first.words) ? [{ id: first.id, entry: undefined }] : []),
    ...found.map((entry) => ({ id: entry.id, entry })),
  ]
  return (
    <ModalDialog look="go-to" overlay="is-high" label={label} close={close}>
      <Autocomplete inputValue={words} onInputChange={setWords}>
        <SearchField aria-label={label} autoFocus>
          <Input placeholder={hint} />
        </SearchField>
        <Menu
          className="menu"
          aria-label="Found"
          items={offered}
          onAction={(key) => {
            close()
            choose(String(key))
          }}
          renderEmptyState={() => (
            <p className="empty muted">
              Nothing in {entries.length.toLocaleString('en')} by this name.
            </p>
          )}
        >
          {({ entry }) => (
            <MenuItem className="menu-item" textValue={entry?.path ?? first!.words}>
              {entry ? <Found entry={entry} /> : <First words={first!.words} />}
            </MenuItem>
          )}
        </Menu>
      </Autocomplete>
    </ModalDialog>
  )
}

function First({ words }: { words: string }) {
  return (
    <>
      <House className="file-icon" size={16} aria-hidden />
      {words}
    </>
  )
}

function Found({ entry }: { entry: FileInfo }) {
  const { name, path } = entry
  const above = path.slice(0, path.length - name.length)
  return (
    <>
      {isDirectory(entry) ? (
        <Folder className="file-icon" size={16} aria-hidden />
      ) : (
        <FileIcon name={name} />
      )}
      <span className="path">
        <span className="muted">{above}</span>
        {name}
      </span>
    </>
  )
}

/** Those whose name has all the words come first, then the shortest paths. */
function best(entries: readonly FileInfo[], wanted: string): FileInfo[] {
  const isWanted = filter(wanted)
  const found: { entry: FileInfo; rank: number }[] = []
  for (const entry of entries) {
    if (!isWanted(entry.path)) continue
    const rank = entry.path.length + (isWanted(entry.name) ? 0 : pathBytesMax)
    const worst = found.length < shownMax ? undefined : found.at(-1)!
    if (worst && rank >= worst.rank) continue
    // A few dozen are kept of what may be 100,000: sorting all of them would be felt with each letter.
    const place = found.findIndex((other) => rank < other.rank)
    found.splice(place < 0 ? found.length : place, 0, { entry, rank })
    if (found.length > shownMax) found.pop()
  }
  return found.map(({ entry }) => entry)
}
