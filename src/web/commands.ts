// What a person can do from the keyboard and the menus, and the keys that do it.

import { useEffect, useRef } from 'react'

export interface Command {
  label: string
  /** As it is written: "Ctrl+Alt+N". Ctrl is Cmd on a Mac. */
  keys: string
  /** Others that do the same. */
  alsoKeys?: string
  run: () => void
  isDisabled?: boolean
}

export type CommandName =
  | 'new'
  | 'newFolder'
  | 'upload'
  | 'importArchives'
  | 'picture'
  | 'open'
  | 'save'
  | 'saveAs'
  | 'rename'
  | 'duplicate'
  | 'move'
  | 'remove'
  | 'history'
  | 'leftPane'
  | 'rightPane'
  | 'find'
  | 'searchAll'
  | 'connect'
  | 'palette'
  | 'keys'

export type Commands = Record<CommandName, Command>

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** Keys as this machine's keyboard has them. */
export function keysShown(keys: string): string {
  return isMac ? keys.replace('Ctrl', '⌘').replace('Alt', '⌥').replaceAll('+', ' ') : keys
}

/** Runs commands by their keys, wherever the focus is. */
export function useKeys(commands: Commands): void {
  const latest = useRef(commands)
  latest.current = commands
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      // AltGr types letters, though browsers report it as Ctrl+Alt.
      if (event.isComposing || event.getModifierState('AltGraph')) return
      const [command, keys] = pressedOf(event, latest.current) ?? []
      if (command === undefined || keys === undefined || isTaken(event, keys)) return
      // A bare key is a letter to whoever is writing.
      if (!keys.includes('+') && keys.length === 1 && isWriting(event)) return
      event.preventDefault()
      event.stopPropagation()
      // What lies under a dialog or a menu is out of reach until that is closed.
      const isCovered = document.querySelector('.modal-overlay, .popover .menu') !== null
      if (command.isDisabled !== true && !isCovered) command.run()
    }
    window.addEventListener('keydown', pressed, { capture: true })
    return () => window.removeEventListener('keydown', pressed, { capture: true })
  }, [])
}

function pressedOf(event: KeyboardEvent, commands: Commands): [Command, string] | undefined {
  for (const command of Object.values(commands)) {
    for (const keys of [command.keys, command.alsoKeys ?? '']) {
      if (keys !== '' && isPressed(event, keys)) return [command, keys]
    }
  }
  return undefined
}

function isPressed(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split('+')
  const key = parts.pop()!
  const isControl = isMac ? event.metaKey : event.ctrlKey
  if (parts.includes('Ctrl') !== isControl || parts.includes('Alt') !== event.altKey) return false
  // "?" needs Shift on most keyboards and is named by what it types.
  if (parts.includes('Shift') !== event.shiftKey && key.length > 1) return false
  if (parts.length > 0 && parts.includes('Shift') !== event.shiftKey) return false
  // With Alt a key may type another letter; its place on the keyboard stays.
  const isByPlace = event.altKey && event.code === `Key${key.toUpperCase()}`
  return event.key.toLowerCase() === key.toLowerCase() || isByPlace
}

/** Whether the part of the page that has the focus means something else by these keys. */
function isTaken({ target }: KeyboardEvent, keys: string): boolean {
  const own = target instanceof Element ? target.closest<HTMLElement>('[data-own-keys]') : null
  return own?.dataset['ownKeys']?.split(' ').includes(keys) === true
}

function isWriting(event: KeyboardEvent): boolean {
  const { target } = event
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select'))
  )
}
