// Ctrl+Shift+P: everything that can be done, found by its words.

import { flushSync } from 'react-dom'
import { Autocomplete, Input, Menu, MenuItem, SearchField, useFilter } from 'react-aria-components'
import { type Commands, keysShown } from './commands.ts'
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
        <SearchField aria-label="Find a command" autoFocus>
          <Input placeholder="What do you want to do?" />
        </SearchField>
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
