// Whether the named versions of the shown file are seen, and which of them lies over its text.

import { useCallback, useEffect, useState } from 'react'
import type { NamedVersion } from './versions.ts'

export interface ShownHistory {
  isOpen: boolean
  setOpen: (isOpen: boolean) => void
  /** Takes away the version that is looked at, too. */
  toggle: () => void
  /** Lies over the text. */
  version: NamedVersion | undefined
  look: (version: NamedVersion | undefined) => void
  /** Back to the text. */
  leave: () => void
  /** Counts up when this person named a version. */
  namings: number
  /** This person named one. The same function. */
  named: () => void
}

/** `shownId`: of what the address names; its versions are no others'. */
export function useHistory(shownId: string | undefined, isNarrow: boolean): ShownHistory {
  const [isOpen, setOpen] = useState(false)
  const [version, setVersion] = useState<NamedVersion>()
  const [namings, setNamings] = useState(0)
  const named = useCallback(() => setNamings((count) => count + 1), [])
  useEffect(() => setVersion(undefined), [shownId])
  return {
    ...{ isOpen, setOpen, version, namings, named },
    toggle() {
      setOpen(!isOpen)
      setVersion(undefined)
    },
    look(chosen) {
      setVersion(chosen)
      // On a narrow page the list would lie over the version.
      if (isNarrow) setOpen(false)
    },
    leave: () => setVersion(undefined),
  }
}
