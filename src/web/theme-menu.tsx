// Chooses system, light or dark.

import { Monitor, Moon, Sun } from 'lucide-react'
import { useState } from 'react'
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'
import { chooseTheme, chosenTheme, type Theme } from './theme.ts'

const choices = [
  { id: 'system', word: 'System', Icon: Monitor },
  { id: 'light', word: 'Light', Icon: Sun },
  { id: 'dark', word: 'Dark', Icon: Moon },
] as const

export function ThemeMenu() {
  const [theme, setTheme] = useState(chosenTheme)
  const { Icon, word } = choices.find(({ id }) => id === theme)!
  return (
    <MenuTrigger>
      <Button className="icon-button" aria-label={`Theme: ${word}`}>
        <Icon size={18} aria-hidden />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu
          className="menu"
          aria-label="Theme"
          selectionMode="single"
          selectedKeys={[theme]}
          disallowEmptySelection
          onSelectionChange={(keys) => {
            const [chosen] = keys as Set<Theme>
            if (chosen === undefined) return
            chooseTheme(chosen)
            setTheme(chosen)
          }}
        >
          {choices.map(({ id, word: text, Icon: Picture }) => (
            <MenuItem key={id} id={id} className="menu-item" textValue={text}>
              <Picture size={16} aria-hidden />
              {text}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}
