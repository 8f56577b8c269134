// Gives something to the person: as a file, or on the clipboard.

/** Saves a text through the browser's download, under this name, as UTF-8. */
export function download(name: string, text: string): void {
  downloadBlob(name, new Blob([text], { type: 'text/plain;charset=utf-8' }))
}

/** Saves bytes through the browser's download. */
export function downloadBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob)
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
