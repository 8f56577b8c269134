// The text of a file that holds other bytes now: it stays beneath them, and can be had.

import { Download, FilePlus, RotateCcw, TextQuote } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Client, FileInfo } from '../client/api.ts'
import type { BinaryActions } from './binary-actions.ts'
import { useClient } from './client-context.tsx'
import { download } from './download.ts'

interface TextBeneathProps {
  file: FileInfo
  /** Who put the bytes in its place, if this person was writing in it then. */
  interruptedBy: string | undefined
  /** It is one of two versions above, and chosen there. */
  isVersion: boolean
  actions: BinaryActions
}

/** Its first line may be long. */
const shownMax = 120

export function TextBeneath(props: TextBeneathProps) {
  const { file, interruptedBy, isVersion, actions } = props
  const hasChoice = !file.isDeleted && !isVersion
  const text = useTextBeneath(useClient(), file.id)
  if (text === '') return null
  const [line = ''] = text.trim().split('\n', 1)
  const shown = line.length > shownMax ? `${line.slice(0, shownMax)}…` : line
  return (
    <section
      className={`text-beneath${interruptedBy === undefined ? '' : ' tone-warn'}`}
      aria-label="The text before"
      {...(interruptedBy !== undefined && { role: 'alert' })}
    >
      <h3>
        <TextQuote size={16} aria-hidden />
        {interruptedBy === undefined
          ? 'It was text before'
          : `${interruptedBy} replaced your text by this file`}
      </h3>
      {shown !== '' && !isVersion && <blockquote>{shown}</blockquote>}
      <p className="muted">
        The text is kept, with all that was written in it.
        {hasChoice && ' Keep both makes it a file of its own.'}
      </p>
      <span className="actions">
        {hasChoice && (
          <>
            <Button className="button" onPress={() => actions.putTextBack(file)}>
              <RotateCcw size={16} aria-hidden />
              Put the text back
            </Button>
            <Button className="button" onPress={() => actions.keepText(file, text)}>
              <FilePlus size={16} aria-hidden />
              Keep both
            </Button>
          </>
        )}
        <Button className="button" onPress={() => download(file.name, text)}>
          <Download size={16} aria-hidden />
          Download the text
        </Button>
      </span>
    </section>
  )
}

/** Also what somebody still writes there, who has not heard of the bytes. Empty: there is none, or not yet. */
export function useTextBeneath(client: Client, id: string): string {
  const [text, setText] = useState('')
  useEffect(() => {
    const live = client.open(id)
    const look = () => setText(live.text.toString())
    live.text.observe(look)
    void live.loaded.then(look)
    return () => {
      live.text.unobserve(look)
      live.close()
    }
  }, [client, id])
  return text
}
