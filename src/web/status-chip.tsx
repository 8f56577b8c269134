// The status chip: on how many servers the last change is. One place, always a word.

import {
  ChevronDown,
  Cloud,
  CloudCheck,
  CloudUpload,
  Laptop,
  Lock,
  TriangleAlert,
  type LucideIcon,
} from 'lucide-react'
import { Button, Dialog, DialogTrigger, Popover } from 'react-aria-components'
import type { SaveState } from '../client/api.ts'
import { useClient } from './client-context.tsx'
import type { OpenFile } from './open-file.ts'
import { chipText, chipTone, isUnknown } from './save-words.ts'
import { SaveDetails } from './save-details.tsx'

const icons: Record<SaveState['name'], LucideIcon> = {
  saved: CloudCheck,
  saving: CloudUpload,
  local: Laptop,
  danger: TriangleAlert,
  ended: Lock,
}

interface StatusChipProps {
  file: OpenFile | undefined
  fileName: string
  /** The server this page came from has another build of it. */
  hasUpdate: boolean
}

export function StatusChip({ file, fileName, hasUpdate }: StatusChipProps) {
  const client = useClient()
  const { save } = client
  const text = chipText(client)
  const tone = chipTone(save)
  const Icon = isUnknown(save) ? Cloud : icons[save.name]
  return (
    <DialogTrigger>
      <Button
        className={`chip tone-${tone}`}
        aria-label={`${text}. ${hasUpdate ? 'Update ready. ' : ''}Where your text is saved`}
      >
        <Icon size={16} aria-hidden />
        {/* Announced by the live region, which does not speak more often than every 10 s. */}
        <span role="status" aria-live="off" className="chip-text">
          {text}
        </span>
        {hasUpdate && <span className="chip-dot" />}
        <ChevronDown className="chip-more" size={14} aria-hidden />
      </Button>
      <Popover className="popover" placement="bottom start" offset={6}>
        <Dialog className="popover-dialog" aria-label="Where your text is saved">
          <SaveDetails file={file} fileName={fileName} hasUpdate={hasUpdate} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  )
}
