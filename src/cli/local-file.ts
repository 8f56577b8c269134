// Files of this machine: read as text with all that may be wrong with them, and written whole or not.

import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { textBytesMax } from '../core/model/limits.ts'
import { CommandError, printable } from './command.ts'

/** The text of a file. Throws CommandError, naming the file, for all that is no text to keep. */
export function localText(path: string): string {
  const shown = printable(path)
  const bytes = attempt(`read ${shown}`, () => {
    const { size } = statsOf(path)
    if (size > textBytesMax) throw tooLarge(shown)
    return readFileSync(path)
  })
  return decoded(bytes, shown)
}

/** All of standard input as text. Throws CommandError. */
export async function textOf(input: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > textBytesMax) throw tooLarge('The input')
    chunks.push(chunk)
  }
  return decoded(Buffer.concat(chunks), 'The input')
}

/** Of the path itself, not of what a link leads to. Throws CommandError. */
export function statsOf(path: string): Stats {
  return attempt(`read ${printable(path)}`, () => lstatSync(path))
}

export function statsIfAny(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

/**
 * Writes a file in one step: whoever reads it sees all of it or what was there before. Throws
 * CommandError; also when something is there and `overwrites` is false.
 */
export function writeWhole(path: string, text: string, overwrites: boolean): void {
  const shown = printable(path)
  const before = attempt(`write ${shown}`, () => statsIfAny(path))
  if (before?.isDirectory()) throw new CommandError(`Cannot write ${shown}: it is a directory.`)
  if (before && !overwrites) throw isThere(path)
  const temporary = join(dirname(path), `.fourfold-${randomUUID()}.tmp`)
  attempt(`write ${shown}`, () => {
    try {
      writeFileSync(temporary, text, { flag: 'wx' })
      if (before?.isFile()) chmodSync(temporary, before.mode)
      flush(temporary)
      if (overwrites) renameSync(temporary, path)
      else placeNew(temporary, path)
    } finally {
      rmSync(temporary, { force: true })
    }
  })
}

/** Unlike a rename, a link does not take the place of what came there meanwhile. */
function placeNew(temporary: string, path: string): void {
  try {
    linkSync(temporary, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw isThere(path)
    // A file system without links, like those of memory cards.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
    if (statsIfAny(path)) throw isThere(path)
    renameSync(temporary, path)
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

export const isThere = (path: string) =>
  new CommandError(`${printable(path)} is here already; --force overwrites it.`)

const tooLarge = (shown: string) =>
  new CommandError(
    `${shown} is larger than ${textBytesMax / 1024 / 1024} MiB; such files are not kept yet.`,
  )

function decoded(bytes: Buffer, shown: string): string {
  if (bytes.length > textBytesMax) throw tooLarge(shown)
  try {
    // A byte order mark belongs to the file and stays.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new CommandError(`${shown} is not UTF-8 text; binary files are not kept yet.`)
  }
}

/** What the system refuses becomes a sentence. */
export function attempt<T>(what: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof CommandError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    const why = reasons[code ?? ''] ?? printable(message)
    throw new CommandError(`Cannot ${what}: ${why}.`)
  }
}

const reasons: { [code: string]: string } = {
  EISDIR: 'it is a directory',
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a part of its path is no directory',
  EACCES: 'you may not',
  EPERM: 'you may not',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk can only be read',
  ENAMETOOLONG: 'its name is too long',
}
