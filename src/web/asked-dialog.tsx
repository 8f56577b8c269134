// The one dialog that lies over the workspace: what asks for it, and the dialog itself.

import { ArchiveDialog, type ArchiveQuestion } from './archive-dialog.tsx'
import type { Brought } from './bring-in.ts'
import type { Commands } from './commands.ts'
import { type Confirmation, ConfirmDialog } from './confirm-dialog.tsx'
import { ConnectDialog } from './connect-dialog.tsx'
import type { EntryActions } from './entry-actions.ts'
import { GoToFile } from './go-to-file.tsx'
import { KeysDialog } from './keys-dialog.tsx'
import { LeftOutDialog } from './left-out-dialog.tsx'
import { MoveTo } from './move-to.tsx'
import { NameDialog, type NameQuestion } from './name-dialog.tsx'
import { Palette } from './palette.tsx'
import { SearchDialog } from './search-dialog.tsx'
import type { ShownEditor } from './shown-editor.ts'

export type Asking =
  | { name: 'nothing' }
  | { name: 'name'; question: NameQuestion }
  | { name: 'file' }
  | { name: 'move'; ids: string[] }
  | { name: 'archives'; question: ArchiveQuestion }
  | { name: 'leftOut'; leftOut: Brought['failed'] }
  | { name: 'keys' }
  | { name: 'connect' }
  | { name: 'confirm'; confirmation: Confirmation }
  | { name: 'palette' }
  | { name: 'search'; begin: string }

interface AskedDialogProps {
  asking: Asking
  close: () => void
  actions: EntryActions
  commands: Commands
  editor: ShownEditor
}

export function AskedDialog({ asking, close, actions, commands, editor }: AskedDialogProps) {
  switch (asking.name) {
    case 'nothing':
      return null
    case 'name':
      return <NameDialog question={asking.question} close={close} />
    case 'file':
      return <GoToFile open={actions.open} close={close} />
    case 'move':
      return <MoveTo ids={asking.ids} move={actions.move} close={close} />
    case 'archives':
      return <ArchiveDialog question={asking.question} close={close} />
    case 'leftOut':
      return <LeftOutDialog leftOut={asking.leftOut} close={close} />
    case 'keys':
      return <KeysDialog commands={commands} close={close} />
    case 'connect':
      return <ConnectDialog close={close} />
    case 'confirm':
      return <ConfirmDialog asked={asking.confirmation} close={close} />
    case 'palette':
      return <Palette commands={commands} close={close} />
    case 'search':
      return (
        <SearchDialog
          begin={asking.begin}
          close={close}
          goTo={({ file, line }, words) => {
            actions.open(file)
            editor.goTo({ file, line, words })
          }}
        />
      )
  }
}
