// What the file system tells about its room, and directories in it.

import { mkdirSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCodeOf } from './error-code.ts'

export interface DiskSpace {
  /** What a program without special rights may still write. */
  freeBytes: number
  totalBytes: number
}

/** The room of the file system that holds `directory`. */
export async function diskSpace(directory: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(directory)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

/**
 * Makes a directory, and what it lies in, as `mkdir -p`. Node's own tries for ever where there is no room
 * for one in a directory that is there, as in /proc.
 */
export function makeDirectory(directory: string, mode = 0o777): void {
  if (isDirectory(directory)) return
  const above = dirname(directory)
  if (above !== directory) makeDirectory(above, mode)
  try {
    mkdirSync(directory, { mode })
  } catch (error) {
    // Another process may have been first.
    if (errorCodeOf(error) !== 'EEXIST' || !isDirectory(directory)) throw error
  }
}

/** Whether there is one, or a link to one. Throws where that cannot be seen. */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
