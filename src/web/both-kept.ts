// Tells when two files of one name were both kept: made, moved or renamed while servers were apart.

import { useEffect, useRef } from 'react'
import type { Client, FileInfo } from '../client/api.ts'
import type { FolderTree } from './folder-tree.ts'
import { notify } from './toasts.tsx'

/** What one heal brings comes together. */
const gatherMs = 300

/** `show`: brings one of them into sight. What is there when the page opens is no news. */
export function useBothKept(
  client: Client,
  tree: FolderTree,
  show: (entry: FileInfo) => void,
): void {
  const told = useRef<Set<string>>(undefined)
  const latest = useRef(show)
  latest.current = show
  useEffect(() => {
    const numbered = [...tree.entries()].filter(isNumbered)
    if (told.current === undefined) {
      // Until a server has told all, what arrives is the list itself, if it is not this device's.
      const isFromDevice = tree.size > 0 && client.connection.name !== 'online'
      if (!client.filesAreCurrent && !isFromDevice) return
      told.current = new Set(numbered.map(({ id }) => id))
      return
    }
    const known = told.current
    const fresh = numbered.filter(({ id }) => !known.has(id))
    if (fresh.length === 0) return
    const timer = setTimeout(() => {
      for (const { id } of fresh) known.add(id)
      const [first] = fresh
      notify(bothKept(fresh), { label: 'Show', run: () => latest.current(first!) })
    }, gatherMs)
    return () => clearTimeout(timer)
  }, [client, tree])
}

function isNumbered(entry: FileInfo): boolean {
  return !entry.isDeleted && entry.name !== entry.givenName
}

function bothKept(entries: FileInfo[]): string {
  const [first] = entries
  const { name, givenName } = first!
  const one = `Two are named “${givenName}” here. Both are kept; one is shown as “${name}”.`
  const rest = entries.length - 1
  return rest === 0 ? one : `${one} So it is with ${rest.toLocaleString('en')} more.`
}
