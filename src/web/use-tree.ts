// The tree of the newest list of files, made anew as often as the folder's size allows.

import { useEffect, useRef, useState } from 'react'
import type { Client, FileInfo } from '../client/api.ts'
import { FolderTree } from './folder-tree.ts'

/** So many times as long as a tree took to make, until the next: most of the time is for typing. */
const restParts = 4

interface Made {
  tree: FolderTree
  files: readonly FileInfo[]
  /** Not before this is the next one made; ms as `performance.now` counts. */
  nextAt: number
}

/** `needed`: an entry that is to be in it, if the client has it: then nothing waits. */
export function useTree(client: Client, needed: string | undefined): FolderTree {
  const made = useRef<Made>(undefined)
  const [, drawAgain] = useState(0)
  const { current } = made
  const isLacking = needed !== undefined && current?.tree.get(needed) === undefined
  const isDue = current === undefined || isLacking || performance.now() >= current.nextAt
  if (isDue) made.current = make(client, current)

  useEffect(() => {
    if (isDue) return
    const waitMs = made.current!.nextAt - performance.now()
    const timer = setTimeout(() => drawAgain((count) => count + 1), Math.max(0, waitMs))
    return () => clearTimeout(timer)
  })
  return made.current!.tree
}

function make(client: Client, before: Made | undefined): Made {
  const beganAt = performance.now()
  const { files } = client
  if (before?.files === files) return before
  const tree = new FolderTree(files, before?.tree)
  const endedAt = performance.now()
  return { tree, files, nextAt: endedAt + restParts * (endedAt - beganAt) }
}
