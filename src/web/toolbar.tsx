// The row over the text: the things one does with a file, in words.

import {
  Bookmark,
  Copy,
  FilePlus,
  FolderOpen,
  History,
  Redo2,
  Search,
  Trash2,
  Undo2,
} from 'lucide-react'
import { useSyncExternalStore } from 'react'
import { Group, Separator, Toolbar as AriaToolbar } from 'react-aria-components'
import type { Command, Commands } from './commands.ts'
import { IconButton } from './icon-button.tsx'
import type { OpenFile } from './open-file.ts'

interface ToolbarProps {
  commands: Commands
  open: OpenFile | undefined
  isHistoryOpen: boolean
}

export function Toolbar({ commands, open, isHistoryOpen }: ToolbarProps) {
  const button = (command: Command, word: string, icon: React.ReactNode, isPressed?: boolean) => (
    <IconButton
      label={command.label.replace('…', '')}
      keys={command.keys}
      word={word}
      icon={icon}
      isDisabled={command.isDisabled ?? false}
      {...(isPressed !== undefined && { isPressed })}
      onPress={command.run}
    />
  )
  return (
    <AriaToolbar className="toolbar" aria-label="File">
      <Group aria-label="Files">
        {button(commands.new, 'New', <FilePlus size={16} aria-hidden />)}
        {button(commands.open, 'Open', <FolderOpen size={16} aria-hidden />)}
        {button(commands.save, 'Save', <Bookmark size={16} aria-hidden />)}
        {button(commands.saveAs, 'Save as', <Copy size={16} aria-hidden />)}
        {button(commands.remove, 'Delete', <Trash2 size={16} aria-hidden />)}
      </Group>
      <Separator orientation="vertical" />
      <UndoButtons open={open} />
      <span className="space" />
      <Group aria-label="Panes">
        {button(commands.find, 'Find', <Search size={16} aria-hidden />)}
        {button(commands.history, 'History', <History size={16} aria-hidden />, isHistoryOpen)}
      </Group>
    </AriaToolbar>
  )
}

function UndoButtons({ open }: { open: OpenFile | undefined }) {
  const can = useSyncExternalStore(open?.onUndoChange ?? never, () => {
    if (open === undefined) return ''
    return `${open.undo.canUndo() ? 'u' : ''}${open.undo.canRedo() ? 'r' : ''}`
  })
  return (
    <Group aria-label="Undo">
      <IconButton
        label="Undo what you did"
        keys="Ctrl+Z"
        icon={<Undo2 size={16} aria-hidden />}
        isDisabled={!can.includes('u')}
        onPress={() => open?.undo.undo()}
      />
      <IconButton
        label="Redo"
        keys="Ctrl+Shift+Z"
        icon={<Redo2 size={16} aria-hidden />}
        isDisabled={!can.includes('r')}
        onPress={() => open?.undo.redo()}
      />
    </Group>
  )
}

const never = () => () => undefined
