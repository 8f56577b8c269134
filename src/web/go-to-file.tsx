// Ctrl+P: type a part of a path, press Enter.

import { useMemo } from 'react'
import { useClient } from './client-context.tsx'
import { isDirectory } from './folder-tree.ts'
import { PathPicker } from './path-picker.tsx'

interface GoToFileProps {
  open: (id: string) => void
  close: () => void
}

export function GoToFile({ open, close }: GoToFileProps) {
  const { files } = useClient()
  const entries = useMemo(
    () => files.filter((file) => !file.isDeleted && !isDirectory(file)),
    [files],
  )
  return (
    <PathPicker
      label="Open a file"
      hint="Open a file by its name or path"
      entries={entries}
      choose={open}
      close={close}
    />
  )
}
