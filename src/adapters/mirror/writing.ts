// Whether a program is about to write a file: it has it open.

import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { isForbidden, isMissing } from './open-directory.ts'

/** Of the bits of a file that is open, as /proc shows it: it may be written. */
const isWritable = 0o200

/**
 * Whether a program that may be looked into, one of the same person, has the file of this path open for
 * writing. Only Linux tells; elsewhere the answer is no.
 */
export function isOpenForWriting(path: string): boolean {
  if (process.platform !== 'linux') return false
  return named('/proc').some(
    (id) =>
      /^\d+$/.test(id) &&
      named(`/proc/${id}/fd`).some((file) => leadsTo(`/proc/${id}/fd/${file}`, path)),
  )
}

function named(directory: string): string[] {
  return unlessGone(() => readdirSync(directory)) ?? []
}

function leadsTo(link: string, path: string): boolean {
  const is = () => readlinkSync(link) === path && (lstatSync(link).mode & isWritable) !== 0
  return unlessGone(is) ?? false
}

/** Processes end, and those of others may not be looked into. */
function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (isMissing(error) || isForbidden(error)) return undefined
    throw error
  }
}
