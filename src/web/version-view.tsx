// A named version over the editor: its text, what came and went since, and the way back to it.

import { useMemo } from 'react'
import { Button } from 'react-aria-components'
import diff from 'fast-diff'
import type { OpenFile } from './open-file.ts'
import { clock } from './save-words.ts'
import type { NamedVersion } from './versions.ts'

interface VersionViewProps {
  version: NamedVersion
  file: OpenFile
  restore: () => void
  close: () => void
}

export function VersionView({ version, file, restore, close }: VersionViewProps) {
  const now = file.live.text.toString()
  const parts = useMemo(() => diff(now, version.text), [now, version])
  const isSame = now === version.text
  return (
    <section className="version-view" aria-label={`Version ${titleOf(version)}`}>
      <header className="bar">
        <span className="bar-text">
          <strong>{titleOf(version)}</strong> · {version.author}, {clock(version.at)}.{' '}
          {isSame
            ? 'The text is the same now.'
            : 'Restoring brings back what is underlined and takes away what is struck through.'}
        </span>
        <span className="actions">
          <Button className="button primary" isDisabled={isSame} onPress={restore}>
            Restore
          </Button>
          <Button className="button" onPress={close}>
            Back to the text
          </Button>
        </span>
      </header>
      <pre className="version-text" tabIndex={0}>
        {parts.map(([kind, text], index) => {
          if (kind === diff.INSERT) return <ins key={index}>{text}</ins>
          if (kind === diff.DELETE) return <del key={index}>{text}</del>
          return <span key={index}>{text}</span>
        })}
      </pre>
    </section>
  )
}

export function titleOf(version: NamedVersion): string {
  return version.name === '' ? 'Without a name' : version.name
}
