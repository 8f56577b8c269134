// Ctrl+Shift+P: everything that can be done, found by its words.

import { flushSync } from 'react-dom'
import { Autocomplete, Menu, MenuItem, useFilter } from 'react-aria-components'
import { type Commands, keysShown } from './commands.ts'
import { FindField } from './find-field.tsx'
import { ModalDialog } from './modal-dialog.tsx'

interface PaletteProps {
  commands: Commands
  close: () => void
}

export function Palette({ commands, close }: PaletteProps) {
  const { contains } = useFilter({ sensitivity: 'base' })
  const offered = Object.entries(commands).filter(
    ([name, { isDisabled }]) => name !== 'palette' && isDisabled !== true,
  )
  return (
    <ModalDialog look="go-to" overlay="is-high" label="All commands" close={close}>
      <Autocomplete filter={contains}>
        <FindField label="Find a command" hint="What do you want to do?" />
        <Menu
          className="menu"
          aria-label="Commands"
          onAction={(key) => {
            // The focus is back where it was before the command takes it elsewhere.
            flushSync(close)
            commands[key as keyof Commands].run()
          }}
          renderEmptyState={() => <p className="empty muted">Nothing is called so.</p>}
        >
          {offered.map(([name, { label, keys }]) => (
            <MenuItem key={name} id={name} className="menu-item" textValue={label}>
              {label}
              {keys !== '' && <kbd>{keysShown(keys)}</kbd>}
            </MenuItem>
          ))}
        </Menu>
      </Autocomplete>
    </ModalDialog>
  )
}
