// What the file system tells about its room.

import { statfs } from 'node:fs/promises'

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
