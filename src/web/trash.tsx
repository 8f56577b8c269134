// The trash at the foot of the left pane: what was put there, with its path, and the way back.

import { Folder, RotateCcw, Trash2 } from 'lucide-react'
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import { FileIcon } from './file-icon.tsx'
import { isDirectory } from './folder-tree.ts'

interface TrashProps {
  entries: readonly FileInfo[]
  restore: (entry: FileInfo) => void
}

/** More would not be looked through. */
const shownMax = 500

const byPath = new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare

export function Trash({ entries, restore }: TrashProps) {
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
              <Trashed key={entry.id} entry={entry} restore={restore} />
            ))}
        </ul>
        {entries.length > shownMax && (
          <p className="empty muted">
            And {(entries.length - shownMax).toLocaleString('en')} more.
          </p>
        )}
      </DisclosurePanel>
    </Disclosure>
  )
}

function Trashed({ entry, restore }: { entry: FileInfo; restore: TrashProps['restore'] }) {
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
    </li>
  )
}
