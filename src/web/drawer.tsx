// A pane over the text, where there is no room beside it.

import type { ReactNode } from 'react'
import { Dialog, Modal, ModalOverlay } from 'react-aria-components'

interface DrawerProps {
  side: 'left' | 'bottom'
  label: string
  isOpen: boolean
  setOpen: (isOpen: boolean) => void
  children: ReactNode
}

export function Drawer({ side, label, isOpen, setOpen, children }: DrawerProps) {
  return (
    <ModalOverlay className="drawer-overlay" isDismissable isOpen={isOpen} onOpenChange={setOpen}>
      <Modal className={`drawer is-${side}`}>
        <Dialog className="drawer-dialog" aria-label={label}>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
