// The list of keys, behind "?".

import { X } from 'lucide-react'
import { Button, Heading } from 'react-aria-components'
import { type Commands, keysShown } from './commands.ts'
import { ModalDialog } from './modal-dialog.tsx'

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

/** Keys of the tree of files, besides the arrows, Home, End and the letters of a name. */
const inTree: [string, string][] = [
  ['In the files: open, or open and close a folder', 'Enter'],
  ['In the files: choose several', 'Shift+↑ ↓'],
  ['In the files: rename', 'F2'],
  ['In the files: delete', 'Delete'],
  ['In the files: all else, also to move', 'Shift+F10'],
]

export function KeysDialog({ commands, close }: KeysDialogProps) {
  const rows = [
    ...Object.values(commands)
      .filter(({ keys }) => keys !== '' && keys !== 'Ctrl+F')
      .map(({ label, keys }): [string, string] => [label.replace('…', ''), keys]),
    ...inText,
    ...inTree,
  ]
  return (
    <ModalDialog close={close}>
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
    </ModalDialog>
  )
}
