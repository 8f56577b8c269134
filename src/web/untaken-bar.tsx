// Names a text that no server takes, whichever is shown: whoever knows which one can shorten it, or carry
// it away.

import { TriangleAlert } from 'lucide-react'
import { Button } from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import { useClient } from './client-context.tsx'
import type { OpenFile } from './open-file.ts'
import { KeepText } from './save-details.tsx'
import { useShown } from './shown-entries.ts'
import { asSentence } from './save-words.ts'

interface UntakenBarProps {
  file: FileInfo | undefined
  open: OpenFile | undefined
  goTo: (id: string) => void
}

export function UntakenBar({ file, open, goTo }: UntakenBarProps) {
  const client = useClient()
  // What was deleted for good is kept as a text, and has a bar of its own.
  const texts = client.untaken.filter(({ id }) => !client.keptTexts.some((kept) => kept.id === id))
  useShown(client, new Set(texts.map(({ id }) => id)), 'alone')
  const shown = texts.find(({ id }) => id === file?.id)
  const text = shown ?? texts[0]
  if (!text) return null
  const path = client.files.find(({ id }) => id === text.id)?.path ?? 'a file'
  return (
    <div className="bar tone-danger" role="alert">
      <TriangleAlert size={18} aria-hidden />
      <span className="bar-text">
        <strong>“{path}” is not saved.</strong> {asSentence(text.why)}
        {texts.length > 1 && ` So it is with ${texts.length - 1} more.`}
      </span>
      {shown && open && file ? (
        <KeepText file={open} fileName={file.name} />
      ) : (
        <Button className="button" onPress={() => goTo(text.id)}>
          Open it
        </Button>
      )}
    </div>
  )
}
