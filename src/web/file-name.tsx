// The name of the shown file; renamed in place.

import { Pencil } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { Button, Input, TextField } from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import { stemLength } from './names.ts'

interface FileNameProps {
  file: FileInfo
  isNaming: boolean
  setNaming: (isNaming: boolean) => void
  rename: (name: string) => void
}

export function FileName({ file, isNaming, setNaming, rename }: FileNameProps) {
  if (isNaming) return <NameField {...{ file, setNaming, rename }} />
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

function NameField({ file, setNaming, rename }: Omit<FileNameProps, 'isNaming'>) {
  const input = useRef<HTMLInputElement>(null)
  const isLeft = useRef(false)
  useEffect(() => {
    input.current?.focus()
    input.current?.setSelectionRange(0, stemLength(file.name))
  }, [file.name])

  const finish = (isKept: boolean) => {
    if (isLeft.current) return
    isLeft.current = true
    const name = input.current?.value.trim() ?? ''
    setNaming(false)
    if (isKept && name !== '' && name !== file.name) rename(name)
  }
  return (
    <TextField className="name-field" aria-label="File name" defaultValue={file.name}>
      <Input
        ref={input}
        spellCheck="false"
        onBlur={() => finish(true)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.nativeEvent.isComposing) finish(true)
          if (event.key === 'Escape') finish(false)
        }}
      />
    </TextField>
  )
}
