// The trash at the foot of the left pane: what was put there, with its path, and the way back.

import { ChevronRight, Folder, RotateCcw, Trash2, X } from 'lucide-react'
import { memo, useEffect, useRef, useState } from 'react'
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components'
import type { Client, FileInfo } from '../client/api.ts'
import { useClient } from './client-context.tsx'
import { type Confirmation, ConfirmDialog } from './confirm-dialog.tsx'
import { FileIcon } from './file-icon.tsx'
import { allTrashed, trashed, type Listing } from './folder-asks.ts'
import { isDirectory, isSame } from './folder-tree.ts'
import { IconButton } from './icon-button.tsx'
import { notify } from './toasts.tsx'

interface TrashProps {
  restore: (entry: FileInfo) => void
  /** For good. */
  erase: (entries: readonly FileInfo[]) => void
  /** Gives the focus away: nothing is left that could have it. */
  leave: () => void
}

const knownThere = 'No server answers: what is in the trash is known there.'

/** So many are shown, and so many more at each wish: three buttons a row are slow to draw. */
const shownStep = 100

const byPath = new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare

/**
 * The trash is no part of what is shown. It is asked for when more of it is to be seen, when what is shown
 * changed, at this pace, when somebody comes back to the page, and while it is open.
 */
const pauseMs = { open: 1000, closed: 300 }
const lookEveryMs = 3000

export function Trash({ restore, erase, leave }: TrashProps) {
  const [isOpen, setOpen] = useState(false)
  const [asked, setAsked] = useState<readonly FileInfo[]>()
  const [shownMax, setShownMax] = useState(shownStep)
  const client = useClient()
  const { entries, count } = useTrash(client, isOpen ? shownMax : 1, isOpen)
  // As long as it is closed, one is asked for: only how many there are is shown.
  const isAsking = entries.length < Math.min(count, shownStep)
  const focus = useFocusBeside(entries, leave)
  if (count === 0) return null
  const empty = async () => {
    const all = count > entries.length ? await allTrashed(client) : entries
    if (all) setAsked(all)
    else notify(knownThere)
  }
  return (
    <Disclosure className="trash" isExpanded={isOpen} onExpandedChange={setOpen}>
      <Heading level={2}>
        <Button slot="trigger" className="foot-button">
          <Trash2 size={16} aria-hidden />
          Trash ({count.toLocaleString('en')})
          <ChevronRight className="chevron" size={16} aria-hidden />
        </Button>
      </Heading>
      <DisclosurePanel>
        {isAsking ? (
          <p className="empty muted" role="status">
            {isOpen && (client.connection.name === 'offline' ? knownThere : 'Looking…')}
          </p>
        ) : (
          <div {...focus.panel}>
            <ul ref={focus.list} className="trash-list" aria-label="Trash">
              {entries
                .toSorted((a, b) => byPath(a.path, b.path))
                .map((entry) => (
                  <Trashed key={entry.id} {...{ entry, restore }} erase={setAsked} />
                ))}
            </ul>
            {count > shownMax && (
              <Button className="text-button" onPress={() => setShownMax(shownMax + shownStep)}>
                Show more of {count.toLocaleString('en')}
              </Button>
            )}
            <Button className="text-button" onPress={() => void empty()}>
              Empty trash
            </Button>
          </div>
        )}
      </DisclosurePanel>
      {asked && <ConfirmDialog asked={question(asked, erase)} close={() => setAsked(undefined)} />}
    </Disclosure>
  )
}

/** The first of the trash, as it was when it was looked at last. */
function useTrash(client: Client, limit: number, isOpen: boolean): Listing {
  const [trash, setTrash] = useState<Listing>({ entries: [], count: 0 })
  const asked = useRef({ at: -Infinity, limit, last: 0, answered: 0 })
  const wanted = useRef(limit)
  const [looks, setLooks] = useState(0)
  const { files, connection } = client
  useEffect(() => {
    wanted.current = limit
    const look = async () => {
      Object.assign(asked.current, { at: performance.now(), limit })
      const number = ++asked.current.last
      const found = await trashed(client, limit)
      // What was asked later may be answered first.
      if (!found || number < asked.current.answered) return
      // Too few for who has opened the trash meanwhile: the list, and the focus in it, would go.
      if (limit < wanted.current) return
      asked.current.answered = number
      setTrash((before) => ({ ...found, entries: asBefore(found.entries, before.entries) }))
    }
    const rest = isOpen ? pauseMs.open : pauseMs.closed
    const hasSeen = limit <= asked.current.limit
    const waitMs = hasSeen ? Math.max(0, asked.current.at + rest - performance.now()) : 0
    const timer = setTimeout(() => void look(), waitMs)
    return () => clearTimeout(timer)
  }, [client, files, connection.name, limit, looks, isOpen])
  useEffect(() => {
    const lookAgain = () => setLooks((count) => count + 1)
    window.addEventListener('focus', lookAgain)
    const timer = isOpen ? setInterval(lookAgain, lookEveryMs) : undefined
    return () => {
      window.removeEventListener('focus', lookAgain)
      clearInterval(timer)
    }
  }, [isOpen])
  return trash
}

/**
 * Who takes a row out of the list by its button is at the row in its place then, and not at nothing; who
 * takes out the last leaves.
 */
function useFocusBeside(entries: readonly FileInfo[], leave: () => void) {
  const list = useRef<HTMLUListElement>(null)
  /** Which row has the focus, or had it when it went; the buttons below are behind the last. */
  const at = useRef<number>(undefined)
  const latestLeave = useRef(leave)
  latestLeave.current = leave
  useEffect(() => {
    const rows = list.current?.children ?? []
    if (at.current === undefined || document.activeElement !== document.body) return
    const row = rows[Math.min(at.current, rows.length - 1)]
    if (row) row.querySelector('button')?.focus()
    else {
      at.current = undefined
      latestLeave.current()
    }
  }, [entries])
  const panel = {
    onFocus({ target }: { target: Element }) {
      const row = target.closest('li')
      const rows = [...(list.current?.children ?? [])]
      at.current = row ? rows.indexOf(row) : rows.length
    },
    // React tells none of what it removes.
    onBlur: () => (at.current = undefined),
  }
  return { list, panel }
}

/** What did not change is the same object, and is not drawn again. */
function asBefore(entries: FileInfo[], before: FileInfo[]): FileInfo[] {
  const known = new Map(before.map((entry) => [entry.id, entry]))
  return entries.map((entry) => {
    const same = known.get(entry.id)
    return same && isSame(same, entry) ? same : entry
  })
}

function question(entries: readonly FileInfo[], erase: TrashProps['erase']): Confirmation {
  const [first] = entries
  const all = `all ${entries.length.toLocaleString('en')} in the trash`
  const isOne = entries.length === 1
  const what = isOne && first ? `“${first.name}”` : all
  const removed = isOne ? 'It is removed' : 'They are removed'
  return {
    title: `Delete ${what} for good?`,
    text: `${removed} from all servers, with all ${isOne ? 'its' : 'their'} versions. This cannot be undone.`,
    action: 'Delete for good',
    run: () => erase(entries),
  }
}

interface TrashedProps {
  entry: FileInfo
  restore: TrashProps['restore']
  erase: TrashProps['erase']
}

const Trashed = memo(function Trashed({ entry, restore, erase }: TrashedProps) {
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
      <IconButton
        label={`Restore ${path}`}
        icon={<RotateCcw size={14} aria-hidden />}
        onPress={() => restore(entry)}
      />
      <IconButton
        label={`Delete ${path} for good`}
        icon={<X size={14} aria-hidden />}
        onPress={() => erase([entry])}
      />
    </li>
  )
})
