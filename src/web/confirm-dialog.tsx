// The dialog before what cannot be undone.

import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components'

export interface Confirmation {
  title: string
  text: string
  action: string
  run: () => void
}

export function ConfirmDialog({ asked, close }: { asked: Confirmation; close: () => void }) {
  return (
    <ModalOverlay
      className="modal-overlay"
      isOpen
      isDismissable
      onOpenChange={(isOpen) => {
        if (!isOpen) close()
      }}
    >
      <Modal className="modal">
        <Dialog className="dialog" role="alertdialog">
          <Heading slot="title">{asked.title}</Heading>
          <p>{asked.text}</p>
          <span className="actions end">
            <Button className="button" autoFocus onPress={close}>
              Cancel
            </Button>
            <Button
              className="button primary"
              onPress={() => {
                close()
                asked.run()
              }}
            >
              {asked.action}
            </Button>
          </span>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
