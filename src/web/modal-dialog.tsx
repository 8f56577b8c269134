// The frame of the dialogs in the middle of the page: over all else, closed by Escape or a press beside it.

import { type ReactNode, useEffect, useState } from 'react'
import { Dialog, Modal, ModalOverlay } from 'react-aria-components'

interface ModalDialogProps {
  /** Further classes: of the dialog, and of what lies over the page. */
  look?: string
  overlay?: string
  /** What it is called, when it has no heading. */
  label?: string
  role?: 'dialog' | 'alertdialog'
  close: () => void
  children: ReactNode
}

export function ModalDialog(props: ModalDialogProps) {
  const { look = '', overlay = '', label, role = 'dialog', close, children } = props
  return (
    <>
      <ModalOverlay
        className={`modal-overlay ${overlay}`}
        isOpen
        isDismissable
        onOpenChange={(isOpen) => {
          if (!isOpen) close()
        }}
      >
        <Modal className="modal">
          <Dialog className={`dialog ${look}`} role={role} {...(label && { 'aria-label': label })}>
            {children}
          </Dialog>
        </Modal>
      </ModalOverlay>
      <FocusReturned />
    </>
  )
}

/**
 * Gives the focus back as soon as the dialog before it is gone: React Aria does it a frame later, and a
 * letter typed meanwhile would be lost.
 */
function FocusReturned() {
  const [before] = useState(() => document.activeElement)
  useEffect(
    () => () => {
      // Who closed the dialog may have put it elsewhere.
      const isNowhere = document.activeElement === document.body
      if (isNowhere && before instanceof HTMLElement && before.isConnected) before.focus()
    },
    [before],
  )
  return null
}
