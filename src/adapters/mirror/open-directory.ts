// Directories held open: whatever is put in their place meanwhile, what is done goes where it was meant.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  type BigIntStats,
} from 'node:fs'
import { join } from 'node:path'
import { errorCodeOf } from '../error-code.ts'
import type { Stamp } from './store.ts'

export const noFollow = constants.O_NOFOLLOW ?? 0
const isLinux = process.platform === 'linux'

/** A name of an open file that leads to it whatever happens to its path; elsewhere its path. */
export function nameOfOpen(file: number, path: string): string {
  return isLinux ? `/proc/self/fd/${file}` : path
}

/** Gives `inside` a path to a directory of an open one, which stays the same. */
export function within<T>(
  base: string,
  name: string,
  inside: (base: string, stat: BigIntStats) => T,
): T {
  return withinRoot(join(base, name), inside)
}

export function withinRoot<T>(path: string, inside: (base: string, stat: BigIntStats) => T): T {
  const file = openSync(path, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | noFollow)
  try {
    // Where an open directory has no path of its own, the usual one was just seen to be no link.
    return inside(nameOfOpen(file, path), fstatSync(file, { bigint: true }))
  } finally {
    closeSync(file)
  }
}

/** Not all systems can flush a directory; where one cannot, its journal does. */
export function flush(base: string): void {
  const file = openSync(base, constants.O_RDONLY)
  try {
    fsyncSync(file)
  } catch (error) {
    const code = errorCodeOf(error)
    if (code !== 'EINVAL' && code !== 'EPERM') throw error
  } finally {
    closeSync(file)
  }
}

/** Takes what is expected out of its place; false: it is not there, or was not. */
export function take(from: string, to: string, expected: string): boolean {
  if (identity(from) !== expected) return false
  renameSync(from, to)
  if (identity(to) === expected) return true
  // In this moment somebody put something else there.
  giveBack(to, from)
  return false
}

/** What was taken out goes back, if nothing else has come into its place; or it stays where it is. */
export function giveBack(displaced: string, path: string): void {
  try {
    linkSync(displaced, path)
    unlinkSync(displaced)
  } catch (error) {
    if (!isExisting(error) && !isMissing(error)) throw error
  }
}

/** Of whatever has this path; undefined: nothing. */
export function identity(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && identityOf(stat)
}

/** A number of a file is given again soon after it is gone; with the time of its birth it is not. */
export function identityOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`
}

export function stampOf({ size, mtimeNs, ctimeNs }: BigIntStats): Stamp {
  return { size: Number(size), modifiedNs: mtimeNs, changedNs: ctimeNs }
}

export function isSame(a: Stamp | undefined, b: Stamp): boolean {
  return a?.size === b.size && a.modifiedNs === b.modifiedNs && a.changedNs === b.changedNs
}

/** As far as a file's content goes: moved or given other rights it is still the same. */
export function isSameContent(a: Stamp | undefined, b: Stamp): boolean {
  return a?.size === b.size && a.modifiedNs === b.modifiedNs
}

/** The path leads nowhere, or by something that is not what it was. */
export function isMissing(error: unknown): boolean {
  const code = errorCodeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
}

/** Nothing on this disk can have such a name. */
export function isNoName(error: unknown): boolean {
  const code = errorCodeOf(error)
  return code === 'ENAMETOOLONG' || code === 'EINVAL' || code === 'EILSEQ'
}

/** Nobody may read it, or not who runs this. */
export function isForbidden(error: unknown): boolean {
  const code = errorCodeOf(error)
  return code === 'EACCES' || code === 'EPERM'
}

export function isExisting(error: unknown): boolean {
  const code = errorCodeOf(error)
  return code === 'EEXIST' || code === 'ENOTEMPTY'
}
