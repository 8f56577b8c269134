// Where one types what is looked for, at the head of a dialog. Escape closes that: a search field of
// the browser, or of React Aria, would only be emptied by it.

import { Input, TextField } from 'react-aria-components'

interface FindFieldProps {
  label: string
  /** While it is empty. */
  hint: string
}

export function FindField({ label, hint }: FindFieldProps) {
  return (
    <TextField className="find-field" aria-label={label} autoFocus>
      <Input placeholder={hint} spellCheck="false" />
    </TextField>
  )
}
