// The dialog before what cannot be undone.

import { Button, Heading } from 'react-aria-components'
import { ModalDialog } from './modal-dialog.tsx'

export interface Confirmation {
  title: string
  text: string
  action: string
  run: () => void
}

export function ConfirmDialog({ asked, close }: { asked: Confirmation; close: () => void }) {
  return (
    <ModalDialog look="asking" role="alertdialog" close={close}>
      <Heading slot="title">{asked.title}</Heading>
      <p>{asked.text}</p>
      <span className="actions end">
        <Button className="button" autoFocus onPress={close}>
          Cancel
        </Button>
        <Button
          className="button danger"
          onPress={() => {
            close()
            asked.run()
          }}
        >
          {asked.action}
        </Button>
      </span>
    </ModalDialog>
  )
}
