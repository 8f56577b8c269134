// Ctrl+P: type a part of a path, press Enter.

import { PathPicker } from './path-picker.tsx'

interface GoToFileProps {
  open: (id: string) => void
  close: () => void
}

export function GoToFile({ open, close }: GoToFileProps) {
  return (
    <PathPicker
      label="Open a file"
      hint="Open a file by its name or path"
      only="files"
      choose={open}
      close={close}
    />
  )
}
