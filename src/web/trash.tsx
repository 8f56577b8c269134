// The trash at the foot of the left pane: what was put there, with its path, and the way back.

import { Folder, RotateCcw, Trash2, X } from 'lucide-react'
import { useState } from 'react'
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import { type Confirmation, ConfirmDialog } from './confirm-dialog.tsx'
import { FileIcon } from './file-icon.tsx'
import { isDirectory } from './folder-tree.ts'
import { IconButton } from './icon-button.tsx'

interface TrashProps {
  entries: readonly FileInfo[]
  restore: (entry: FileInfo) => void
  /** For good. */
  erase: (entries: readonly FileInfo[]) => void
}

/** More would not be looked through. */
const shownMax = 500

const byPath = new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare

export function Trash({ entries, restore, erase }: TrashProps) {
  const [asked, setAsked] = useState<readonly FileInfo[]>()
  return (
    <Disclosure className="trash">
      <Heading level={2}>
        <Button slot="trigger" className="foot-button">
          <Trash2 size={16} aria-hidden />
          Trash ({entries.length.toLocaleString('en')})
        </Button>
      </Heading>
      <DisclosurePanel>
        <ul className="trash-list" aria-label="Trash">
          {entries
            .slice(0, shownMax)
            .toSorted((a, b) => byPath(a.path, b.path))
            .map((entry) => (
              <Trashed key={entry.id} {...{ entry, restore }} erase={() => setAsked([entry])} />
            ))}
        </ul>
        {entries.length > shownMax && (
          <p className="empty muted">
            And {(entries.length - shownMax).toLocaleString('en')} more.
          </p>
        )}
        <Button className="text-button" onPress={() => setAsked(entries)}>
          Empty trash
        </Button>
      </DisclosurePanel>
      {asked && <ConfirmDialog asked={question(asked, erase)} close={() => setAsked(undefined)} />}
    </Disclosure>
  )
}

function question(entries: readonly FileInfo[], erase: TrashProps['erase']): Confirmation {
  const [first] = entries
  const what = entries.length === 1 && first ? `“${first.name}”` : 'all that is in the trash'
  return {
    title: `Delete ${what} for ever?`,
    text: 'Text, versions and bytes are removed from all servers. This cannot be undone.',
    action: 'Delete for ever',
    run: () => erase(entries),
  }
}

interface TrashedProps {
  entry: FileInfo
  restore: TrashProps['restore']
  erase: () => void
}

function Trashed({ entry, restore, erase }: TrashedProps) {
  const { name, path, deletedBy } = entry
  const above = path.slice(0, Math.max(0, path.length - name.length - 1))
  return (
    <li>
      {isDirectory(entry) ? (
        <Folder className="file-icon" size={16} aria-hidden />
      ) : (
        <FileIcon name={name} />
      )}
      <span className="trashed" title={`${path}${deletedBy && `, deleted by ${deletedBy}`}`}>
        <span className="file-name">{name}</span>
        {above !== '' && <span className="trashed-from">{above}</span>}
      </span>
      <Button className="text-button" aria-label={`Restore ${path}`} onPress={() => restore(entry)}>
        <RotateCcw size={14} aria-hidden />
        Restore
      </Button>
      <IconButton
        label={`Delete ${path} for ever`}
        icon={<X size={14} aria-hidden />}
        onPress={erase}
      />
    </li>
  )
}
