// The name of the shown file; renamed in place.

import { Pencil } from 'lucide-react'
import { Button } from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import { NameField } from './name-field.tsx'

interface FileNameProps {
  file: FileInfo
  isNaming: boolean
  setNaming: (isNaming: boolean) => void
  rename: (name: string) => void
}

export function FileName({ file, isNaming, setNaming, rename }: FileNameProps) {
  if (isNaming) {
    return (
      <NameField
        label="File name"
        name={file.name}
        finish={(wanted) => {
          setNaming(false)
          if (wanted !== undefined) rename(wanted)
        }}
      />
    )
  }
  return (
    <h1 className="file-title">
      <Button
        className="text-button"
        aria-label={`${file.name}: rename`}
        onPress={() => setNaming(true)}
      >
        <span className="file-title-name">{file.name}</span>
        <Pencil size={13} aria-hidden />
      </Button>
    </h1>
  )
}
