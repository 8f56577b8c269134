// What is found by words of its path: those who ask and those who answer mean the same.

import { fileKey } from './names.ts'

/** The words of a search, as they are compared. */
export function wordsOf(search: string): string[] {
  return fileKey(search)
    .split(/\s+/u)
    .filter((word) => word !== '')
}

/** Tells whether all words of a search occur in a name or path, in any order and case. */
export function hasWords(search: string): (path: string) => boolean {
  const words = wordsOf(search)
  return (path) => {
    const key = fileKey(path)
    return words.every((word) => key.includes(word))
  }
}
