// Asked for from the menu: how a directory of one's own computer is kept the same as the folder.

import { X } from 'lucide-react'
import { Button, Heading } from 'react-aria-components'
import { ConnectFolder } from './connect-folder.tsx'
import { ModalDialog } from './modal-dialog.tsx'

export function ConnectDialog({ close }: { close: () => void }) {
  return (
    <ModalDialog close={close}>
      <Heading slot="title" level={2}>
        Connect your own folder
      </Heading>
      <Button className="icon-button corner" aria-label="Close" onPress={close}>
        <X size={18} aria-hidden />
      </Button>
      <ConnectFolder />
    </ModalDialog>
  )
}
