// The list of keys, behind "?".

import { X } from 'lucide-react'
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { type Commands, keysShown } from './commands.ts'

interface KeysDialogProps {
  commands: Commands
  close: () => void
}

/** Keys of the editor itself. */
const inText: [string, string][] = [
  ['Undo what you did', 'Ctrl+Z'],
  ['Redo', 'Ctrl+Shift+Z'],
  ['Find and replace', 'Ctrl+F'],
  ['Go to line', 'Ctrl+G'],
  ['Select the next match', 'Ctrl+D'],
  ['Move the line', 'Alt+↑ ↓'],
  ['Comment out', 'Ctrl+/'],
  ['Tab leaves the text instead of indenting', 'Ctrl+M'],
  ['Next pane, previous pane', 'F6, Shift+F6'],
]

export function KeysDialog({ commands, close }: KeysDialogProps) {
  const rows = [
    ...Object.values(commands)
      .filter(({ keys }) => keys !== '' && keys !== 'Ctrl+F')
      .map(({ label, keys }): [string, string] => [label.replace('…', ''), keys]),
    ...inText,
  ]
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
        <Dialog className="dialog">
          <Heading slot="title" level={2}>
            Keys
          </Heading>
          <Button className="icon-button corner" aria-label="Close" onPress={close}>
            <X size={18} aria-hidden />
          </Button>
          <table className="keys">
            <tbody>
              {rows.map(([label, keys]) => (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  <td>
                    <kbd>{keysShown(keys)}</kbd>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
