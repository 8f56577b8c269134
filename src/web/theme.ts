// System, light or dark: chosen by the person, remembered on this device.

import { remembered } from './remembered.ts'

export type Theme = 'system' | 'light' | 'dark'

const themes: Theme[] = ['system', 'light', 'dark']

const chosen = remembered<Theme>('device', 'theme', 'system', (value) =>
  themes.includes(value as Theme),
)

export function chosenTheme(): Theme {
  return chosen.read()
}

export function chooseTheme(theme: Theme): void {
  chosen.write(theme)
  showTheme(theme)
}

/** Applies a theme: styles/tokens.css reads `data-theme` of the root element. */
export function showTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}
