// What a file held, for the components that show it.

import { useEffect, useState } from 'react'
import type { Client, FileInfo } from '../client/api.ts'
import { type Content, contentsOf } from './file-bytes.ts'

export type Contents =
  | { name: 'asking' }
  /** Newest first. */
  | { name: 'here'; all: Content[] }
  | { name: 'failed'; text: string }

/** Asked anew whenever the file holds something else, its conflict is over, or `tries` counts up. */
export function useContents(client: Client, file: FileInfo, tries = 0): Contents {
  const [contents, setContents] = useState<Contents>({ name: 'asking' })
  const { id, bytes } = file
  const hash = bytes?.hash
  const hasConflict = (bytes ?? file).hasConflict ?? false
  useEffect(() => {
    let isCurrent = true
    contentsOf(client, id).then(
      (all) => isCurrent && setContents({ name: 'here', all }),
      (error: Error) => isCurrent && setContents({ name: 'failed', text: error.message }),
    )
    return () => {
      isCurrent = false
    }
  }, [client, id, hash, hasConflict, tries])
  return contents
}
