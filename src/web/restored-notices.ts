// Tells who is in a file of each restore there, and offers to take it back.

import { useEffect, useRef } from 'react'
import type { OpenFile } from './open-file.ts'
import type { Offered } from './restores.ts'
import { notify } from './toasts.tsx'
import { when } from './who-and-when.ts'

/** The notices go with the file, and come again with it if nobody closed them. */
export function useRestored(open: OpenFile | undefined, myName: string): void {
  const latestName = useRef(myName)
  latestName.current = myName
  useEffect(() => {
    if (open === undefined) return
    const { restores } = open
    const shown = new Map<string, () => void>()
    let isLeft = false
    const tell = (offered: Offered) => {
      const { restored, by } = offered
      const { id } = restored
      const hide = notify(restoredWords(offered, latestName.current), undoOf(open, offered), {
        // What somebody else took out may not have been seen to go.
        stays: by !== undefined,
        closed() {
          shown.delete(id)
          if (!isLeft) restores.settle(id)
        },
      })
      shown.set(id, hide)
    }
    const look = () => {
      const ids = new Set(restores.offered.map(({ restored }) => restored.id))
      for (const [id, hide] of [...shown]) if (!ids.has(id)) hide()
      for (const offered of restores.offered) if (!shown.has(offered.restored.id)) tell(offered)
    }
    look()
    const unlisten = restores.onChange(look)
    return () => {
      isLeft = true
      unlisten()
      for (const hide of [...shown.values()]) hide()
    }
  }, [open])
}

function undoOf({ restores }: OpenFile, offered: Offered) {
  if (offered.taken === undefined) return undefined
  return { label: 'Undo', run: () => restores.takeBack(offered) }
}

function restoredWords({ restored, by, taken }: Offered, myName: string): string {
  const { name, at } = restored
  const version = name === '' ? `the version of ${when(at)}` : `“${name}”`
  if (by === undefined) return `Restored ${version}`
  const words = `${by === myName ? 'You, in another tab,' : by} restored ${version}`
  return taken ? words : `${words}. It changed too much at once to be undone here.`
}
