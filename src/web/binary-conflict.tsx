// Two versions that were made at the same time, side by side, and what may become of them.

import { GitFork } from 'lucide-react'
import { Button } from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import type { BinaryActions } from './binary-actions.ts'
import { BinaryPreview } from './binary-preview.tsx'
import { useClient } from './client-context.tsx'
import { type Content, sizeWords } from './file-bytes.ts'
import { named } from './save-words.ts'
import { useTextBeneath } from './text-beneath.tsx'
import { whoAndWhen } from './who-and-when.ts'

/** Characters of a text that are shown. */
const excerptMax = 2000

interface BinaryConflictProps {
  file: FileInfo
  /** What the file holds, and what it held before it. */
  versions: [Content, Content]
  actions: BinaryActions
}

export function BinaryConflict({ file, versions, actions }: BinaryConflictProps) {
  const [newer, other] = versions
  return (
    <section className="binary-conflict" aria-label="Two versions">
      <p className="tone-warn">
        <GitFork size={18} aria-hidden />
        {sentence(newer, other)}
      </p>
      <ul className="binary-choices">
        {versions.map((content) => (
          <li key={content.hash}>
            {content.hash === '' ? (
              <TextExcerpt id={file.id} />
            ) : (
              <BinaryPreview
                name={file.name}
                hash={content.hash}
                size={content.size}
                alt={`${file.name} by ${whoAndWhen(content)}`}
              />
            )}
            <span className="binary-choice-words">
              <strong>{content === newer ? 'Shown now' : 'The other'}</strong>
              <span>{whoAndWhen(content)}</span>
              <span className="muted">
                {content.hash === '' ? 'Text' : sizeWords(content.size)}
              </span>
            </span>
            {!file.isDeleted && (
              <Button
                className="button"
                aria-label={`Keep this: ${whoAndWhen(content)}`}
                onPress={() => actions.keepThis(file, content)}
              >
                Keep this
              </Button>
            )}
          </li>
        ))}
      </ul>
      {!file.isDeleted && (
        <p>
          <Button className="button primary" onPress={() => actions.keepBoth(file, other)}>
            Keep both
          </Button>
          <span className="muted">
            The other becomes a file of its own beside it. Whatever you choose, both stay among the
            versions.
          </span>
        </p>
      )}
    </section>
  )
}

/** The beginning of the text; it may be long. */
function TextExcerpt({ id }: { id: string }) {
  const text = useTextBeneath(useClient(), id)
  return <pre className="text-excerpt">{text.slice(0, excerptMax)}</pre>
}

function sentence(newer: Content, other: Content): string {
  if (other.isAside) {
    return `${other.author || 'Somebody'} wrote in the text while this file took its place. Both are kept.`
  }
  const people = [...new Set([other.author, newer.author])]
  const where = people.length === 1 ? ' in two places' : ''
  return `${named(people)} changed it${where} at the same time. The newer version is shown; both are kept.`
}
