// Gives a text to the person: as a file, or on the clipboard.

/** Saves a text through the browser's download, under this name, as UTF-8. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser reads the blob after the click returned.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Rejects when the browser forbids the clipboard. */
export async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
}
