// The browser's dialog for files of this device, opened from a menu.

interface Wanted {
  /** More than one may be chosen. */
  allowsMultiple?: boolean
  /** Endings and types that the dialog shows first: ".zip". */
  accept?: string
}

/** To be called while the person's press counts. `chosen` is not called when nothing is chosen. */
export function pickFiles(
  { allowsMultiple = false, accept = '' }: Wanted,
  chosen: (files: File[]) => void,
): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.multiple = allowsMultiple
  input.accept = accept
  input.hidden = true
  const end = () => {
    input.remove()
    const files = [...(input.files ?? [])]
    if (files.length > 0) chosen(files)
  }
  input.addEventListener('change', end)
  input.addEventListener('cancel', end)
  document.body.append(input)
  input.click()
}
