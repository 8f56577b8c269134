// Opens a page in the person's browser, where the machine has a way to do that.

import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const openers: { [platform: string]: string[] } = {
  darwin: ['open'],
  linux: ['xdg-open', 'wslview'],
}

/** Whether something was found to open it with. A browser that then fails says so itself. */
export function openBrowser(address: string): boolean {
  // Without a screen an opener would find a text browser and take the terminal.
  const hasScreen =
    process.platform !== 'linux' || process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']
  const opener = hasScreen ? openers[process.platform]?.find(isInstalled) : undefined
  if (opener === undefined) return false
  const child = spawn(opener, [address], { stdio: 'ignore', detached: true })
  // Gone between the look and the start: the person has the address in print.
  child.on('error', () => {})
  child.unref()
  return true
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      // Not in this folder.
      return false
    }
  })
}
