// Tells when two files of one name were both kept: made, moved or renamed while servers were apart.

import { useEffect, useRef } from 'react'
import type { Client, FileInfo } from '../client/api.ts'
import { type FolderTree, isDirectory, top } from './folder-tree.ts'
import { notify } from './toasts.tsx'

/** What one heal brings comes together. */
const gatherMs = 300

/** `show`: brings one of them into sight. What is there when the page opens is no news. */
export function useBothKept(
  client: Client,
  tree: FolderTree,
  show: (entry: FileInfo) => void,
): void {
  const told = useRef(new Set<string>())
  /** Directories that were whole here when it was looked last: what is numbered in them is news. */
  const wasWhole = useRef(new Set<string>())
  const latest = useRef(show)
  latest.current = show
  useEffect(() => {
    // What is whole is so in the newest tree.
    if (tree.files !== client.files) return
    const numbered = [...tree.entries()].filter(isNumbered)
    const known = told.current
    const fresh: FileInfo[] = []
    for (const entry of numbered) {
      if (known.has(entry.id)) continue
      if (wasWhole.current.has(entry.parent)) fresh.push(entry)
      else known.add(entry.id)
    }
    const directories = new Set([
      top,
      ...[...tree.entries()].filter(isDirectory).map(({ id }) => id),
    ])
    wasWhole.current = new Set([...directories].filter((id) => client.isWhole(id)))
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
