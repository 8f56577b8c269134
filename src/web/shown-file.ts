// What the address of the page names: its entry, its text if it has one, and whether it is there.

import { useLayoutEffect, useMemo, useState } from 'react'
import type { Client, FileInfo } from '../client/api.ts'
import { type FolderTree, isDirectory } from './folder-tree.ts'
import type { OpenFile, OpenFiles } from './open-file.ts'
import { fileOf, isBroken } from './route.ts'
import { useShown } from './shown-entries.ts'

export interface ShownFile {
  /** A directory, too. */
  named: FileInfo | undefined
  /** The file, a text or not, be it in the trash. */
  shown: FileInfo | undefined
  /** The same, where it is a text. */
  file: FileInfo | undefined
  /** Its text. */
  open: OpenFile | undefined
  /** There is no such file. */
  isMissing: boolean
  /** No server has said yet whether there is. */
  isWaiting: boolean
}

interface ShownFileOptions {
  client: Client
  openFiles: OpenFiles
  tree: FolderTree
  /** Of the page's location. */
  hash: string
}

/** Its entry is shown, and its text open, for as long as the address names it. */
export function useShownFile({ client, openFiles, tree, hash }: ShownFileOptions): ShownFile {
  const id = fileOf(hash)
  const named = tree.get(id ?? '')
  const shown = named !== undefined && !isDirectory(named) ? named : undefined
  const file = named?.kind === 'text' ? named : undefined
  const open = useOpenFile(openFiles, file?.id)
  const isLacking = id !== undefined && named === undefined
  const isMissing = isBroken(hash) || (isLacking && client.isAnswered(id))
  const ids = useMemo(() => new Set(id === undefined ? [] : [id]), [id])
  useShown(client, ids, 'alone')
  return { named, shown, file, open, isMissing, isWaiting: isLacking && !isMissing }
}

/** The file of this id, opened; undefined while there is none. */
function useOpenFile(openFiles: OpenFiles, id: string | undefined): OpenFile | undefined {
  const [open, setOpen] = useState<OpenFile>()
  // After each drawing, and not only where the id is another one: where the first drawing with it was
  // given up for a newer one, an effect of the id alone never ran, and the file stayed closed.
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- what is open already ends the chain.
  useLayoutEffect(() => {
    if (open?.live.id !== id) setOpen(id === undefined ? undefined : openFiles.open(id))
  })
  return open?.live.id === id ? open : undefined
}
