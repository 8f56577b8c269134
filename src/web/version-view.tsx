// A named version over the editor: its text, what came and went since, and the way back to it.

import { useEffect, useMemo, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import { useLandmark } from 'react-aria/useLandmark'
import { smallestDiff } from '../core/model/text-merge.ts'
import type { OpenFile } from './open-file.ts'
import type { NamedVersion } from './versions.ts'
import { whoAndWhen } from './who-and-when.ts'

interface VersionViewProps {
  version: NamedVersion
  file: OpenFile
  restore: () => void
  close: () => void
}

export function VersionView({ version, file, restore, close }: VersionViewProps) {
  const now = useTextNow(file)
  const parts = useMemo(() => partsOf(now, version.text), [now, version])
  const isSame = now === version.text
  const view = useRef<HTMLElement>(null)
  const label = `Version ${titleOf(version)}`
  const { landmarkProps } = useLandmark({ role: 'region', 'aria-label': label }, view)
  return (
    <section {...landmarkProps} ref={view} className="version-view">
      <header className="bar">
        <span className="bar-text">
          <strong>{titleOf(version)}</strong> · {whoAndWhen(version)}.{' '}
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
        {parts.map(({ Kind, text }, index) => (
          <Kind key={index}>{text}</Kind>
        ))}
      </pre>
    </section>
  )
}

/** What others write meanwhile is compared so often: in a long text it takes a moment. */
const followMs = 300

function useTextNow({ live }: OpenFile): string {
  const [text, setText] = useState(() => live.text.toString())
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = () => {
      timer = undefined
      setText(live.text.toString())
    }
    const changed = () => {
      timer ??= setTimeout(look, followMs)
    }
    look()
    live.text.observe(changed)
    return () => {
      clearTimeout(timer)
      live.text.unobserve(changed)
    }
  }, [live])
  return text
}

/** Both texts in one: what is in each, in the order in which it is read. */
function partsOf(from: string, to: string): { Kind: 'span' | 'del' | 'ins'; text: string }[] {
  let read = 0
  const parts = smallestDiff(from, to).flatMap(({ at, remove, insert }) => {
    const same = from.slice(read, at)
    read = at + remove
    return [
      { Kind: 'span' as const, text: same },
      { Kind: 'del' as const, text: from.slice(at, read) },
      { Kind: 'ins' as const, text: insert },
    ]
  })
  return [...parts, { Kind: 'span' as const, text: from.slice(read) }].filter(
    ({ text }) => text !== '',
  )
}

export function titleOf(version: NamedVersion): string {
  return version.name === '' ? 'Without a name' : version.name
}
