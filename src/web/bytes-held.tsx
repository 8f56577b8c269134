// In the history of a text: the other bytes that it held.

import type { FileInfo } from '../client/api.ts'
import type { BinaryActions } from './binary-actions.ts'
import { BinaryVersions } from './binary-versions.tsx'
import { useClient } from './client-context.tsx'
import { useContents } from './use-contents.ts'

export function BytesHeld({ file, actions }: { file: FileInfo; actions: BinaryActions }) {
  const contents = useContents(useClient(), file)
  const held = contents.name === 'here' ? contents.all.filter(({ hash }) => hash !== '') : []
  if (held.length === 0) return null
  return (
    <section className="bytes-held" aria-label="Before it was text">
      <BinaryVersions
        heading="Before it was text"
        name={file.name}
        versions={held}
        {...(!file.isDeleted && { putBack: (content) => actions.keepThis(file, content) })}
      />
    </section>
  )
}
