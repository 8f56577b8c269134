// What could not be brought in: each by its path, with the reason.

import { Button, Heading } from 'react-aria-components'
import type { Brought } from './bring-in.ts'
import { ModalDialog } from './modal-dialog.tsx'

interface LeftOutDialogProps {
  leftOut: Brought['failed']
  close: () => void
}

/** More would not be read through. */
const shownMax = 1000

export function LeftOutDialog({ leftOut, close }: LeftOutDialogProps) {
  const rest = leftOut.length - shownMax
  return (
    <ModalDialog look="asking" close={close}>
      <Heading slot="title" level={2}>
        Not brought in: {leftOut.length.toLocaleString('en')}
      </Heading>
      <ul className="left-out" aria-label="Not brought in" tabIndex={0}>
        {leftOut.slice(0, shownMax).map(({ path, text }, index) => (
          <li key={index}>
            <span className="left-out-path">{path}</span>
            <span className="muted">{text}</span>
          </li>
        ))}
      </ul>
      {rest > 0 && <p className="muted">And {rest.toLocaleString('en')} more.</p>}
      <span className="actions end">
        <Button autoFocus className="button primary" onPress={close}>
          Close
        </Button>
      </span>
    </ModalDialog>
  )
}
