// What stands in the middle when no file is shown: how things are, and the first things to do.

import { FilePlus, FileUp, FolderOpen, FolderSync } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import { useLandmark } from 'react-aria/useLandmark'
import type { FileInfo } from '../client/api.ts'
import { useClient } from './client-context.tsx'
import type { Commands } from './commands.ts'
import { ConnectFolder } from './connect-folder.tsx'
import { Mark } from './mark.tsx'
import { downSentences } from './save-words.ts'

interface NothingShownProps {
  commands: Commands
  /** The address names a file that is not there. */
  isMissing: boolean
  /** What the address names, when it is no text. */
  named: FileInfo | undefined
  /** Nothing is in the folder, as far as is known. */
  isEmpty: boolean
}

const counts = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven']

export function NothingShown(props: NothingShownProps) {
  const { commands, isMissing, named } = props
  const { filesAreCurrent } = useClient()
  const [isConnecting, setConnecting] = useState(false)
  const isEmpty = filesAreCurrent && props.isEmpty
  const pane = useRef<HTMLElement>(null)
  const first = useRef<HTMLButtonElement>(null)
  const { landmarkProps } = useLandmark(
    { role: 'main', 'aria-label': 'No file is open', focus: () => first.current?.focus() },
    pane,
  )
  // Whoever was just let in, or deleted what they read, is where one goes on, and not at nothing.
  useEffect(() => {
    if (document.activeElement === document.body) first.current?.focus()
  }, [])
  const sentence = isMissing
    ? 'No such file. It may have been deleted for good, or the link is not complete.'
    : named
      ? noText(named)
      : isEmpty
        ? 'This is a shared folder. Everything in it is written together, live.'
        : 'Choose a file, or make one.'
  return (
    <main {...landmarkProps} ref={pane} className="nothing">
      <Mark />
      <p>{sentence}</p>
      {isEmpty && <ServersAgree />}
      <span className="actions">
        <Button ref={first} className="button primary" onPress={commands.new.run}>
          <FilePlus size={16} aria-hidden />
          Create a note
        </Button>
        {isEmpty ? (
          <>
            <Button className="button" onPress={commands.upload.run}>
              <FileUp size={16} aria-hidden />
              Upload files
            </Button>
            <Button
              className="button"
              aria-expanded={isConnecting}
              onPress={() => setConnecting(!isConnecting)}
            >
              <FolderSync size={16} aria-hidden />
              Connect your own folder
            </Button>
          </>
        ) : (
          <Button className="button" onPress={commands.open.run}>
            <FolderOpen size={16} aria-hidden />
            Open a file
          </Button>
        )}
      </span>
      {isEmpty && isConnecting && <ConnectFolder />}
    </main>
  )
}

function noText({ kind, path }: FileInfo): string {
  return kind === 'directory'
    ? `${path} is a folder: what is in it stands in the tree.`
    : `${path} is no text, and what it holds is not known here yet.`
}

function ServersAgree() {
  const { servers } = useClient()
  if (servers.length === 0) return null
  if (servers.some((server) => server.state !== 'live' || server.lag > 0)) {
    return <p className="muted">{downSentences(servers)}</p>
  }
  const count = counts[servers.length] ?? String(servers.length)
  return <p className="muted">{count} servers are up and agree.</p>
}
