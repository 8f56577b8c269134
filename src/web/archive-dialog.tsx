// Asks what an archive is to be in the folder: what is in it, or the file that it is.

import { Button, Heading } from 'react-aria-components'
import { ModalDialog } from './modal-dialog.tsx'

export interface ArchiveQuestion {
  /** Of the archives. */
  names: string[]
  unpack: () => void
  keep: () => void
}

interface ArchiveDialogProps {
  question: ArchiveQuestion
  close: () => void
}

export function ArchiveDialog({ question, close }: ArchiveDialogProps) {
  const { names, unpack, keep } = question
  const isOne = names.length === 1
  const choose = (run: () => void) => () => {
    close()
    run()
  }
  return (
    <ModalDialog look="asking" close={close}>
      <Heading slot="title" level={2}>
        {isOne ? names[0] : `${names.length} zip archives`}
      </Heading>
      <p className="muted">
        {isOne ? 'This is a zip archive.' : 'What is in them can be brought in.'} Unpacked, its
        texts are live and its files stand in the tree, in a folder of their own.
      </p>
      <span className="actions end">
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button className="button" onPress={choose(keep)}>
          {isOne ? 'Keep as a file' : 'Keep as files'}
        </Button>
        <Button autoFocus className="button primary" onPress={choose(unpack)}>
          Unpack here
        </Button>
      </span>
    </ModalDialog>
  )
}
