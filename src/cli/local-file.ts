// Files of this machine: read as text where they are text, and written whole or not.

import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  createWriteStream,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConnectError } from '@connectrpc/connect'
import { textBytesMax } from '../core/model/limits.ts'
import { typed } from './called.ts'
import { CommandError, printable } from './command.ts'

/**
 * The text of a file; undefined when it is none, or a longer one than is kept as text. Throws
 * CommandError, also for a pipe or a device, which may have no end.
 */
export function localText(path: string, bytesMax = textBytesMax): string | undefined {
  const shown = printable(path)
  const stats = statsOf(path)
  if (!stats.isFile()) {
    const instead = `what it tells may come by standard input: ${typed('put', '-', 'PATH')}`
    throw new CommandError(`Cannot read ${shown}: it is no file and no directory; ${instead}.`)
  }
  const bytes = attempt(`read ${shown}`, () => {
    return stats.size > bytesMax ? undefined : readFileSync(path)
  })
  return bytes && decoded(bytes, bytesMax)
}

/** All of standard input: as text, or in a file that `remove` removes. Rejects with CommandError. */
export async function inputOf(
  input: Readable,
): Promise<{ text: string } | { path: string; remove: () => void }> {
  const chunks: Buffer[] = []
  let bytes = 0
  const pieces = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  for (;;) {
    const next = await pieces.next()
    if (next.done) break
    chunks.push(next.value)
    bytes += next.value.length
    if (bytes > textBytesMax) break
  }
  const text = bytes > textBytesMax ? undefined : decoded(Buffer.concat(chunks))
  if (text !== undefined) return { text }
  return attempted('keep the input for a moment', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fourfold-'))
    const path = join(directory, 'input')
    const all = async function* () {
      yield* chunks.splice(0)
      yield* { [Symbol.asyncIterator]: () => pieces }
    }
    await pipeline(all(), createWriteStream(path, { mode: 0o600 }))
    return { path, remove: () => rmSync(directory, { recursive: true, force: true }) }
  })
}

/** Of the path itself, not of what a link leads to. Throws CommandError. */
export function statsOf(path: string): Stats {
  return attempt(`read ${printable(path)}`, () => lstatSync(path))
}

/** Of a link itself; undefined: nothing is there. Throws as the system does. */
export function statsIfAny(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

/**
 * Writes a file in one step: whoever reads it sees all of it or what was there before. Throws
 * CommandError; also when something is there and `overwrites` is false.
 */
export function writeWhole(path: string, text: string, overwrites: boolean): void {
  const temporary = join(dirname(path), `.fourfold-${randomUUID()}.tmp`)
  checkPlace(path, overwrites)
  attempt(`write ${printable(path)}`, () => writeFileSync(temporary, text, { flag: 'wx' }))
  putInPlace(temporary, path, overwrites)
}

/**
 * Puts a file that is whole in its place, in one step. It is gone from where it was, in any case.
 * Throws CommandError; also when something is there and `overwrites` is false.
 */
export function putInPlace(temporary: string, path: string, overwrites: boolean): void {
  attempt(`write ${printable(path)}`, () => {
    try {
      const before = checkPlace(path, overwrites)
      if (before?.isFile()) chmodSync(temporary, before.mode)
      else chmodSync(temporary, 0o666 & ~process.umask())
      flush(temporary)
      if (overwrites) renameSync(temporary, path)
      else placeNew(temporary, path)
    } finally {
      rmSync(temporary, { force: true })
    }
  })
}

/** What is there and may be overwritten. */
function checkPlace(path: string, overwrites: boolean): Stats | undefined {
  const shown = printable(path)
  const before = attempt(`write ${shown}`, () => statsIfAny(path))
  if (before?.isDirectory()) throw new CommandError(`Cannot write ${shown}: it is a directory.`)
  if (before && !overwrites) throw isThere(path)
  return before
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

/** Undefined for what is not UTF-8, or has a zero in it. */
function decoded(bytes: Buffer, bytesMax = textBytesMax): string | undefined {
  if (bytes.length > bytesMax) return undefined
  try {
    // A byte order mark belongs to the file and stays.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    // That is the question: it is not UTF-8.
    return undefined
  }
}

/** What the system refuses becomes a sentence. */
export function attempt<T>(what: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw refusedBySystem(what, error)
  }
}

/** The same for what takes a while; what servers say is left as it is. */
export async function attempted<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof ConnectError) throw error
    throw refusedBySystem(what, error)
  }
}

function refusedBySystem(what: string, error: unknown): CommandError {
  if (error instanceof CommandError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const why = reasons[code ?? ''] ?? printable(message)
  return new CommandError(`Cannot ${what}: ${why}.`)
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
