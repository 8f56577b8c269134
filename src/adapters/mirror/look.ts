// One look through a directory that is mirrored: what lies where, and what is in it.
//
// What did not change since it was read is not read again. A file that is too large to be read at
// once is `unread`: it is read beside everything else, by whoever looks.

import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  type BigIntStats,
} from 'node:fs'
import { join } from 'node:path'
import {
  blobBytesMax,
  mergedTextBytesMax,
  pathNamesMax,
  textBytesMax,
} from '../../core/model/limits.ts'
import type { OnDisk } from '../../core/mirror/messages.ts'
import { joined, nameOf } from '../../core/model/path.ts'
import { errorCodeOf } from '../error-code.ts'
import {
  identityOf,
  isForbidden,
  isMissing,
  isSame,
  noFollow,
  stampOf,
  within,
} from './open-directory.ts'
import type { Stamp } from './store.ts'
import { isOpenForWriting } from './writing.ts'

/** A file that changed less than this ago may be about to change again. */
const settleMs = 60
/** A new one that is empty is about to be written, most likely. */
const emptySettleMs = 1000
/** An emptied one, too; and taken for what is meant, it takes away what others typed. */
const emptiedSettleMs = 5000
/**
 * `sort notes > notes.md` empties the file at its beginning, and writes at its end: while a program has it
 * open, it is looked at again so often. One that keeps an empty file open for so long means it.
 */
const heldLookMs = 1000
const heldMaxMs = 10 * 60_000
/** One that is read for seconds is not read as long as it is being written. */
const largeSettleMs = 1000

/** The times of files are no finer than the clock that a kernel reads for them: 10 ms on old ones. */
const tickMs = 20

/** Names that begin so are ours. */
export const ownPrefix = '.fourfold'

/** What is being written beside its place; people's own may begin alike. */
const isTemporary = /^\.fourfold-[\w-]{12}$/

export interface Found extends OnDisk {
  stamp: Stamp | undefined
}

export interface Look {
  items: Map<string, Found>
  /** Large files of which it is not known what is in them. */
  unread: Found[]
  /** When something that changes now can be read; undefined: all was read. */
  againInMs: number | undefined
  /**
   * Whether directories have changed while it went on: what was moved from one that was not read yet to
   * one that was is seen nowhere.
   */
  isTorn: () => boolean
}

/** What was in a file when it was last read. */
export interface Remembered {
  kind: Found['kind']
  version: string
  identity: string
  stamp: Stamp | undefined
  /** It was skipped, for this reason. */
  why?: string | undefined
}

export interface LookOptions {
  remembered: (path: string) => Remembered | undefined
  /** Whether a file is shared as a text: then it may have a zero in it. */
  isText: (path: string) => boolean
  isIgnored: (path: string, isDirectory: boolean) => boolean
  /** Something that we left in a directory of people. */
  left?: (path: string) => void
}

export class Looking {
  readonly look: Look
  readonly #options: LookOptions
  readonly #root: string
  readonly #beganAt = Date.now()
  /** By path: directories as they were before they were read. */
  readonly #directories = new Map<string, BigIntStats>()

  /** `root` is where paths begin. */
  constructor(root: string, options: LookOptions) {
    this.#root = root
    this.#options = options
    const isTorn = () => this.#isTorn()
    this.look = { items: new Map(), unread: [], againInMs: undefined, isTorn }
  }

  /** Looks at all below `directory`, which is open as `base`. Throws what the disk says when it fails. */
  into(base: string, directory: string, stat: BigIntStats, depth = 1): void {
    this.#directories.set(directory, stat)
    for (const bytes of readdirSync(base, { encoding: 'buffer' })) {
      const name = decoded(bytes)
      if (name === undefined) {
        const path = joined(directory, bytes.toString('latin1').replaceAll('/', '?'))
        this.#skip(path, 'Its name is not valid Unicode.')
        continue
      }
      const path = joined(directory, name)
      if (name.startsWith(ownPrefix)) {
        if (isTemporary.test(name)) this.#options.left?.(path)
        continue
      }
      const stat = lstatSync(join(base, name), { bigint: true, throwIfNoEntry: false })
      if (!stat || this.#options.isIgnored(path, stat.isDirectory())) continue
      if (stat.isDirectory()) this.#atDirectory(base, path, stat, depth)
      else if (stat.isFile()) this.#atFile(join(base, name), path, stat)
      else this.#skip(path, `It is a ${kindOf(stat)}, which is not followed.`)
    }
  }

  #atDirectory(base: string, path: string, stat: BigIntStats, depth: number): void {
    if (depth > pathNamesMax) {
      this.#skip(path, `It lies deeper than ${pathNamesMax} directories.`)
      return
    }
    const identity = identityOf(stat)
    const item = { path, kind: 'directory', version: '', identity, isSettled: true } as const
    this.look.items.set(path, { ...item, stamp: undefined })
    try {
      within(base, nameOf(path), (inner) => this.into(inner, path, stat, depth + 1))
    } catch (error) {
      this.#directories.delete(path)
      if (isForbidden(error)) this.#skip(path, 'It may not be read.')
      // Gone or replaced meanwhile: what it is now is for the next look.
      else if (isMissing(error)) {
        this.look.againInMs = settleMs
        this.#skip(path, 'It changes.')
      } else throw error
    }
  }

  #isTorn(): boolean {
    return [...this.#directories].some(([path, before]) => {
      // Changed again within one tick of the disk's clock, it would look the same.
      if (Math.abs(this.#beganAt - Number(before.mtimeMs)) < tickMs) return true
      try {
        const now = lstatSync(join(this.#root, path), { bigint: true })
        return identityOf(now) !== identityOf(before) || now.mtimeNs !== before.mtimeNs
      } catch (error) {
        if (isMissing(error) || isForbidden(error)) return true
        throw error
      }
    })
  }

  #atFile(file: string, path: string, stat: BigIntStats): void {
    const { remembered, isText } = this.#options
    const before = remembered(path)
    const identity = identityOf(stat)
    const stamp = stampOf(stat)
    // Servers that were apart may have made a text longer together: what shortens it is still a text.
    const isShortened = () => isText(path) && stat.size <= (before?.stamp?.size ?? 0)
    const isLarge = stat.size > BigInt(textBytesMax) && !isShortened()
    const item = { path, kind: isLarge ? 'binary' : 'text', identity, stamp } as const
    if (before?.identity === identity && isSame(before.stamp, stamp)) {
      const { kind, version, why } = before
      if (why !== undefined) this.#skip(path, why, item)
      else this.look.items.set(path, { ...item, kind, version, isSettled: true })
      return
    }
    if (stat.size > BigInt(blobBytesMax)) {
      this.#skip(path, `It is larger than ${blobBytesMax / 1024 ** 3} GiB.`, item)
      return
    }
    const ageMs = Date.now() - Number(stat.ctimeNs / 1_000_000n)
    const neededMs = settleMsOf(stat, before)
    // A time that lies far ahead was set by a clock: it says nothing.
    if (Math.abs(ageMs) < neededMs) {
      this.#unsettled(item, neededMs - ageMs)
      return
    }
    if (
      isEmptied(stat, before) &&
      Math.abs(ageMs) < heldMaxMs &&
      isOpenForWriting(join(this.#root, path))
    ) {
      this.#unsettled(item, heldLookMs)
      return
    }
    try {
      const unread = { ...item, version: '', isSettled: false }
      const bytes = isLarge ? undefined : readShort(file, stat)
      if (isLarge) {
        this.look.items.set(path, unread)
        this.look.unread.push(unread)
      } else if (bytes === undefined) this.#unsettled(item, settleMs)
      else {
        const kind = isTextual(bytes, () => isText(path)) ? 'text' : 'binary'
        this.look.items.set(path, { ...item, kind, version: hash(bytes), isSettled: true })
      }
    } catch (error) {
      const code = errorCodeOf(error)
      if (isForbidden(error)) this.#skip(path, 'It may not be read.', item)
      else if (isMissing(error)) this.#unsettled(item, settleMs)
      else if (code === 'EIO') this.#skip(path, 'The disk cannot read it.')
      else throw error
    }
  }

  #unsettled(item: Omit<Found, 'version' | 'isSettled'>, waitMs: number): void {
    const { look } = this
    look.againInMs = Math.min(look.againInMs ?? Infinity, Math.max(1, waitMs))
    look.items.set(item.path, { ...item, version: '', isSettled: false })
  }

  #skip(
    path: string,
    why: string,
    { identity, stamp }: Pick<Found, 'identity' | 'stamp'> = { identity: '', stamp: undefined },
  ): void {
    const skipped = { path, kind: 'skipped', version: '', isSettled: true } as const
    this.look.items.set(path, { ...skipped, why, identity, stamp })
  }
}

/** For how long a file must not have changed. */
function settleMsOf(stat: BigIntStats, before: Remembered | undefined): number {
  if (stat.size > BigInt(textBytesMax)) return largeSettleMs
  if (isEmptied(stat, before)) return emptiedSettleMs
  return stat.size > 0n || before ? settleMs : emptySettleMs
}

/** There was something in it. */
function isEmptied({ size }: BigIntStats, before: Remembered | undefined): boolean {
  return size === 0n && before !== undefined && before.stamp?.size !== 0
}

function kindOf(stat: BigIntStats): string {
  if (stat.isSymbolicLink()) return 'link'
  if (stat.isFIFO()) return 'pipe'
  if (stat.isSocket()) return 'socket'
  return 'device'
}

// ------------------------------------------------------------------------------------ files

/** Opens a file for reading, and never anything else by its name. Throws what the disk says. */
export function openFile(path: string): number {
  // Without waiting: opening a pipe would.
  return openSync(path, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0))
}

/** A copy of what `readShort` reads. */
export function readAll(path: string): Buffer | undefined {
  const bytes = readShort(path)
  return bytes && Buffer.from(bytes)
}

/** What all short files are read into: thousands of buffers would be memory until they are collected. */
let short = Buffer.alloc(64 * 1024)

/**
 * Valid until the next is read. Undefined: it changed while it was read, is larger than any text, or is
 * no file.
 */
export function readShort(path: string, expected?: BigIntStats): Buffer | undefined {
  const file = openFile(path)
  try {
    const before = fstatSync(file, { bigint: true })
    if (!before.isFile() || before.size > BigInt(mergedTextBytesMax)) return undefined
    if (expected && !isSame(stampOf(expected), stampOf(before))) return undefined
    const size = Number(before.size)
    if (short.length < size) {
      short = Buffer.alloc(Math.max(size, Math.min(textBytesMax, 2 * size)))
    }
    let at = 0
    while (at < size) {
      const bytes = readSync(file, short, at, size - at, null)
      if (bytes === 0) return undefined
      at += bytes
    }
    const isWhole = isSame(stampOf(before), stampOf(fstatSync(file, { bigint: true })))
    return isWhole ? short.subarray(0, size) : undefined
  } finally {
    closeSync(file)
  }
}

function isTextual(bytes: Buffer, isShared: () => boolean): boolean {
  return isUtf8(bytes) && (!bytes.includes(0) || isShared())
}

/** A byte order mark belongs to the text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined: it is not UTF-8. */
export function decoded(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    // That is the question: it is not UTF-8.
    return undefined
  }
}

/** SHA-256 in hex. */
export function hash(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}
