// What stores ask of the file system beside reading and writing.

import * as fs from 'node:fs/promises'
import { errorCodeOf } from '../error-code.ts'

/** Makes sure that the names in a directory outlive the machine. */
export async function syncDirectory(directory: string): Promise<void> {
  const file = await fs.open(directory, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** What the file system answers; undefined when there is no such file. */
export async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
