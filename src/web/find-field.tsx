// Where one types what is looked for, at the head of a dialog. Escape closes that: a search field of
// the browser, or of React Aria, would only be emptied by it.

import type { KeyboardEvent } from 'react'
import { Input, TextField } from 'react-aria-components'

interface FindFieldProps {
  label: string
  /** While it is empty. */
  hint: string
  /** Enter was pressed while nothing is offered. */
  entered?: () => void
}

export function FindField({ label, hint, entered }: FindFieldProps) {
  // React Aria points at the first that is offered only once typing has changed what is; and goes on
  // pointing at what is gone.
  const takeFirst = (event: KeyboardEvent<HTMLInputElement>) => {
    const field = event.currentTarget
    const chosen = document.getElementById(field.getAttribute('aria-activedescendant') ?? '')
    if (event.key !== 'Enter' || event.nativeEvent.isComposing || chosen) return
    event.preventDefault()
    const first = field.closest('[role=dialog]')?.querySelector<HTMLElement>('.menu-item')
    if (first) first.click()
    else entered?.()
  }
  return (
    <TextField className="find-field" aria-label={label} autoFocus>
      <Input placeholder={hint} spellCheck="false" onKeyDown={takeFirst} />
    </TextField>
  )
}
