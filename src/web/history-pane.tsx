// The right pane: the named versions of the shown file; each can be looked at and restored.

import { Bookmark, X } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Button, ListBox, ListBoxItem, Text } from 'react-aria-components'
import { useLandmark } from 'react-aria/useLandmark'
import { useClient } from './client-context.tsx'
import { IconButton } from './icon-button.tsx'
import { notify } from './toasts.tsx'
import type { ShownHistory } from './use-history.ts'
import { titleOf } from './version-view.tsx'
import { type NamedVersion, namedVersions, withText } from './versions.ts'
import { whoAndWhen } from './who-and-when.ts'

interface HistoryPaneProps {
  fileId: string
  history: ShownHistory
  nameVersion: () => void
  /** Below them. */
  children: ReactNode
}

type Listing =
  | { name: 'asking' }
  | { name: 'here'; versions: NamedVersion[] }
  | { name: 'failed'; text: string }

export function HistoryPane(props: HistoryPaneProps) {
  const { fileId, history, nameVersion, children } = props
  const client = useClient()
  const [listing, setListing] = useState<Listing>({ name: 'asking' })
  const [tries, setTries] = useState(0)
  const pane = useRef<HTMLElement>(null)
  /** Id of the version that was chosen last, and may be on its way. */
  const wanted = useRef<string>(undefined)
  const { landmarkProps } = useLandmark({ role: 'complementary', 'aria-label': 'History' }, pane)

  useEffect(() => {
    let isCurrent = true
    namedVersions(client, fileId).then(
      (versions) => isCurrent && setListing({ name: 'here', versions }),
      (error: Error) => isCurrent && setListing({ name: 'failed', text: error.message }),
    )
    return () => {
      isCurrent = false
      wanted.current = undefined
    }
  }, [client, fileId, history.namings, tries])

  const choose = (version: NamedVersion | undefined) => {
    wanted.current = version?.id
    if (!version?.isTextLeftOut) {
      history.look(version)
      return
    }
    withText(client, fileId, version).then(
      (whole) => wanted.current === whole.id && history.look(whole),
      (error: Error) => notify(error.message),
    )
  }

  return (
    <aside {...landmarkProps} ref={pane} className="side-pane">
      <header className="pane-head">
        <h2>History</h2>
        <IconButton
          label="Name this version"
          icon={<Bookmark size={18} aria-hidden />}
          onPress={nameVersion}
        />
        <IconButton
          label="Close history"
          icon={<X size={18} aria-hidden />}
          onPress={history.toggle}
        />
      </header>
      {listing.name === 'asking' && <p className="empty muted">Asking for the versions…</p>}
      {listing.name === 'failed' && (
        <div className="empty">
          <p className="muted">{listing.text}</p>
          <Button className="button" onPress={() => setTries(tries + 1)}>
            Ask again
          </Button>
        </div>
      )}
      {listing.name === 'here' && (
        <ListBox
          aria-label="Named versions"
          className="versions"
          items={listing.versions}
          selectionMode="single"
          selectedKeys={history.version ? [history.version.id] : []}
          onSelectionChange={(keys) => {
            const [id] = keys as Set<string>
            choose(listing.versions.find((version) => version.id === id))
          }}
          renderEmptyState={() => (
            <p className="empty muted">No named versions yet. Ctrl+S names the present one.</p>
          )}
        >
          {(version) => (
            <ListBoxItem className="version" textValue={titleOf(version)}>
              <Text slot="label">{titleOf(version)}</Text>
              <Text slot="description" className="muted">
                {whoAndWhen(version)}
              </Text>
            </ListBoxItem>
          )}
        </ListBox>
      )}
      {children}
    </aside>
  )
}
