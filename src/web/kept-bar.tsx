// Tells that texts are only on this device, and asks what is to become of them.

import { FolderClock } from 'lucide-react'
import { useState } from 'react'
import { Button } from 'react-aria-components'
import { useClient } from './client-context.tsx'
import { KeptDialog } from './kept-dialog.tsx'
import { keptWords } from './kept-words.ts'

export function KeptBar() {
  const { keptTexts } = useClient()
  const [isOpen, setOpen] = useState(false)
  if (keptTexts.length === 0) return null
  return (
    <div className="bar tone-warn" role="alert">
      <FolderClock size={18} aria-hidden />
      <span className="bar-text">{keptWords(keptTexts)}</span>
      <Button className="button primary" onPress={() => setOpen(true)}>
        Decide…
      </Button>
      {isOpen && <KeptDialog close={() => setOpen(false)} />}
    </div>
  )
}
