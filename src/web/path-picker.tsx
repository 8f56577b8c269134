// A dialog that finds an entry by words of its path: to go to it, or to move something into it.

import { useEffect, useRef, useState } from 'react'
import { Autocomplete, Menu, MenuItem } from 'react-aria-components'
import { Folder, House } from 'lucide-react'
import type { FileInfo } from '../client/api.ts'
import { hasWords } from '../core/model/path-words.ts'
import { useClient } from './client-context.tsx'
import { FileIcon } from './file-icon.tsx'
import { isDirectory } from './folder-tree.ts'
import type { Only } from './folder-asks.ts'
import { FindField } from './find-field.tsx'
import { ModalDialog } from './modal-dialog.tsx'
import { useFinding } from './use-finding.ts'

interface PathPickerProps {
  label: string
  /** In the empty field. */
  hint: string
  /** What is offered. */
  only: Only
  isOffered?: (entry: FileInfo) => boolean
  /** Offered first, while nothing is typed that it does not contain. */
  first?: { id: string; words: string }
  choose: (id: string, entry: FileInfo | undefined) => void
  close: () => void
}

/** More would not be read; typing narrows it. */
const shownMax = 50

const all = () => true

export function PathPicker(props: PathPickerProps) {
  const { label, hint, only, isOffered = all, first, choose, close } = props
  const [words, setWords] = useState('')
  /** The words that Enter was pressed after, before anything was found by them. */
  const entered = useRef<string>(undefined)
  const last = useFinding(useClient(), words, only, 2 * shownMax)
  // The first that is found is chosen by Enter: nothing stands here that was found by other words.
  const finding = last?.words === words ? last : undefined
  const found = (finding?.entries ?? []).filter(isOffered).slice(0, shownMax)
  const offered = [
    ...(first && hasWords(words)(first.words) ? [{ id: first.id, entry: undefined }] : []),
    ...found.map((entry) => ({ id: entry.id, entry })),
  ]
  const take = (id: string) => {
    close()
    choose(
      id,
      found.find((entry) => entry.id === id),
    )
  }
  const wait = () => {
    if (!finding) entered.current = words
  }
  useEffect(() => {
    if (entered.current === undefined || entered.current !== finding?.words) return
    entered.current = undefined
    if (offered[0]) take(offered[0].id)
  })
  return (
    <ModalDialog look="go-to" overlay="is-high" label={label} close={close}>
      <Autocomplete
        inputValue={words}
        onInputChange={(typed) => {
          setWords(typed)
          entered.current = undefined
        }}
      >
        <FindField label={label} hint={hint} entered={wait} />
        <Menu
          className="menu"
          aria-label="Found"
          items={offered}
          onAction={(key) => take(String(key))}
          renderEmptyState={() => (
            <p className="empty muted">
              {finding
                ? `No name like that among ${finding.looked.toLocaleString('en')}.`
                : 'Looking…'}
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
      {finding?.isOfDevice === true && (
        <p className="empty muted">No server answers: this is what this device knows.</p>
      )}
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
