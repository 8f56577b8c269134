// What a file held before: from whom, when, how long, and the ways to have it again.

import { Download, RotateCcw } from 'lucide-react'
import { Button } from 'react-aria-components'
import { useClient } from './client-context.tsx'
import { type Content, sizeWords } from './file-bytes.ts'
import { IconButton } from './icon-button.tsx'
import { saveBytes } from './save-bytes.ts'
import { whoAndWhen } from './who-and-when.ts'

interface BinaryVersionsProps {
  heading?: string
  name: string
  versions: Content[]
  /** Makes it what the file holds; absent: that cannot be done now. */
  putBack?: (content: Content) => void
}

export function BinaryVersions(props: BinaryVersionsProps) {
  const { heading = 'Older versions', name, versions, putBack } = props
  const client = useClient()
  return (
    <>
      <h3 id="older-versions">{heading}</h3>
      <ul className="binary-versions" aria-labelledby="older-versions">
        {versions.map((content) => (
          <li key={`${content.hash} ${content.at} ${content.author}`}>
            <span>
              {whoAndWhen(content)}
              <span className="muted">
                {' '}
                · {content.hash === '' ? 'Text' : sizeWords(content.size)}
              </span>
            </span>
            <span className="row-actions">
              {putBack && (
                <Button
                  className="text-button"
                  aria-label={`Put back the version of ${whoAndWhen(content)}`}
                  onPress={() => putBack(content)}
                >
                  <RotateCcw size={14} aria-hidden />
                  Put back
                </Button>
              )}
              {content.hash !== '' && (
                <IconButton
                  label={`Download the version of ${whoAndWhen(content)}`}
                  icon={<Download size={16} aria-hidden />}
                  onPress={() => void saveBytes(client, name, content)}
                />
              )}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}
