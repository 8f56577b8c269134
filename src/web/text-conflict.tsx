// The bar over a text in whose place somebody put bytes at the same time: the text is the newer.

import { GitFork } from 'lucide-react'
import { Button } from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import type { BinaryActions } from './binary-actions.ts'
import { useClient } from './client-context.tsx'
import { sizeWords } from './file-bytes.ts'
import { useContents } from './use-contents.ts'

export function TextConflict({ file, actions }: { file: FileInfo; actions: BinaryActions }) {
  const contents = useContents(useClient(), file)
  const all = contents.name === 'here' ? contents.all : []
  const shown = all.find(({ hash }) => hash === '')
  const other = all.find(({ hash }) => hash !== '')
  return (
    <div className="bar tone-warn" role="alert" aria-label="Two versions">
      <GitFork size={18} aria-hidden />
      <span className="bar-text">
        <strong>2 versions.</strong> {other?.author ?? 'Somebody'} put another file
        {other && ` of ${sizeWords(other.size)}`} in its place at the same time. The text is newer;
        both are kept.
      </span>
      {shown && other && (
        <span className="actions">
          <Button className="button primary" onPress={() => actions.keepBoth(file, other)}>
            Keep both
          </Button>
          <Button className="button" onPress={() => actions.keepThis(file, shown)}>
            Keep the text
          </Button>
          <Button className="button" onPress={() => actions.keepThis(file, other)}>
            Use the other file
          </Button>
        </span>
      )}
    </div>
  )
}
