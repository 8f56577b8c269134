// Ctrl+P: type a part of a name, press Enter.

import { useMemo, useState } from 'react'
import {
  Autocomplete,
  Dialog,
  Input,
  Menu,
  MenuItem,
  Modal,
  ModalOverlay,
  SearchField,
} from 'react-aria-components'
import { useClient } from './client-context.tsx'
import { FileIcon } from './file-icon.tsx'
import { includes } from './names.ts'

interface GoToFileProps {
  open: (id: string) => void
  close: () => void
}

/** More would not be read; typing narrows it. */
const shownMax = 50

export function GoToFile({ open, close }: GoToFileProps) {
  const { files } = useClient()
  const [wanted, setWanted] = useState('')
  const found = useMemo(
    () =>
      files
        .filter((file) => !file.isDeleted && includes(file.name, wanted))
        .toSorted((a, b) => a.name.length - b.name.length || a.name.localeCompare(b.name))
        .slice(0, shownMax),
    [files, wanted],
  )
  return (
    <ModalOverlay
      className="modal-overlay is-high"
      isOpen
      isDismissable
      onOpenChange={(isOpen) => {
        if (!isOpen) close()
      }}
    >
      <Modal className="modal">
        <Dialog className="dialog go-to" aria-label="Open a file">
          <Autocomplete inputValue={wanted} onInputChange={setWanted}>
            <SearchField aria-label="Open a file" autoFocus>
              <Input placeholder="Open a file by name" />
            </SearchField>
            <Menu
              className="menu"
              aria-label="Files found"
              items={found}
              onAction={(key) => {
                close()
                open(String(key))
              }}
              renderEmptyState={() => (
                <p className="empty muted">
                  Nothing in {files.length.toLocaleString('en')} files by this name.
                </p>
              )}
            >
              {(file) => (
                <MenuItem className="menu-item" textValue={file.name}>
                  <FileIcon name={file.name} />
                  {file.name}
                </MenuItem>
              )}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
