// Files and folders of the desktop may be dropped anywhere on the page: where nothing else takes them
// they come into the folder. Left to itself a browser would leave the page for them.

import { useEffect, useRef, useState } from 'react'
import type { Dropped } from './tree-drag.ts'

/** These take what is dropped on them, and show that. */
const ownPlaces = '.file-drop, .binary-drop'

/** Returns whether something is dragged over the page that `bring` would get. */
export function useDropAnywhere(bring: (dropped: Dropped[]) => void): boolean {
  const [isOver, setOver] = useState(false)
  const latest = useRef(bring)
  latest.current = bring
  useEffect(() => {
    const entered = (event: DragEvent) => setOver(isForPage(event))
    const left = ({ relatedTarget }: DragEvent) => {
      if (relatedTarget === null) setOver(false)
    }
    const over = (event: DragEvent) => {
      const { dataTransfer, defaultPrevented } = event
      if (defaultPrevented || dataTransfer === null || !hasFiles(dataTransfer)) return
      event.preventDefault()
      dataTransfer.dropEffect = isForPage(event) ? 'copy' : 'none'
    }
    const dropped = (event: DragEvent) => {
      const { dataTransfer, defaultPrevented } = event
      if (defaultPrevented || dataTransfer === null || !hasFiles(dataTransfer)) return
      event.preventDefault()
      if (isForPage(event)) latest.current(droppedIn(dataTransfer))
    }
    const ended = () => setOver(false)
    window.addEventListener('dragenter', entered, { capture: true })
    window.addEventListener('dragleave', left, { capture: true })
    window.addEventListener('dragover', over)
    window.addEventListener('drop', dropped)
    window.addEventListener('drop', ended, { capture: true })
    return () => {
      window.removeEventListener('dragenter', entered, { capture: true })
      window.removeEventListener('dragleave', left, { capture: true })
      window.removeEventListener('dragover', over)
      window.removeEventListener('drop', dropped)
      window.removeEventListener('drop', ended, { capture: true })
    }
  }, [])
  return isOver
}

/** The files and folders of a drop. To be read at once: later the browser gives them to nobody. */
export function droppedIn({ items }: DataTransfer): Dropped[] {
  return [...items].flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null
    return entry === null ? [] : [droppedEntry(entry)]
  })
}

function isForPage({ dataTransfer, target }: DragEvent): boolean {
  const isTaken = target instanceof Element && target.closest(ownPlaces) !== null
  // What lies under a dialog is out of reach until that is closed.
  const isCovered = document.querySelector('.modal-overlay, .drawer-overlay') !== null
  return dataTransfer !== null && hasFiles(dataTransfer) && !isTaken && !isCovered
}

function hasFiles({ types }: DataTransfer): boolean {
  return types.includes('Files')
}

function droppedEntry(entry: FileSystemEntry): Dropped {
  const { name } = entry
  if (entry.isDirectory) {
    return { kind: 'directory', name, getEntries: () => within(entry as FileSystemDirectoryEntry) }
  }
  const file = entry as FileSystemFileEntry
  return {
    kind: 'file',
    name,
    getFile: () => new Promise((resolve, reject) => file.file(resolve, reject)),
  }
}

async function* within(directory: FileSystemDirectoryEntry): AsyncGenerator<Dropped> {
  const reader = directory.createReader()
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (some.length === 0) return
    for (const entry of some) yield droppedEntry(entry)
  }
}
