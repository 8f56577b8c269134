// A mirrored directory on the disk: looked through and changed without ever leaving it.
//
// Every step below it goes through an open directory, so that one which is replaced by a link between
// a look and a write leads nowhere. A text is never overwritten: it is written beside, what is in its
// place is taken out and looked at, and then it takes the place. Between these two there is nothing
// by that name for some microseconds; the other way round a write by somebody else could get lost in
// between. Everything here is done at once, because waiting would widen such gaps.

import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
  type BigIntStats,
} from 'node:fs'
import { join } from 'node:path'
import { textBytesMax } from '../../core/model/limits.ts'
import type { OnDisk } from '../../core/mirror/messages.ts'
import { joined, nameOf, parentOf, parkedDirectory } from '../../core/mirror/paths.ts'
import { ownDirectory, type Stamp, type Work } from './store.ts'

/** A file that changed less than this ago may be about to change again. */
const settleMs = 60
/** An emptied one is about to be written, most likely. */
const emptiedSettleMs = 1000
/** Names in a path: more than the folder takes. */
const depthMax = 64

/** Names that begin so are ours. */
export const ownPrefix = '.fourfold'

export interface Found extends OnDisk {
  stamp: Stamp | undefined
}

export interface Look {
  items: Map<string, Found>
  /** When something that changes now can be read; undefined: all was read. */
  againInMs: number | undefined
}

/** What was in a file when it was last read. */
export interface Remembered {
  version: string
  identity: string
  stamp: Stamp | undefined
  /** It was skipped, for this reason. */
  why?: string | undefined
}

export interface LookOptions {
  remembered: (path: string) => Remembered | undefined
  isIgnored: (path: string, isDirectory: boolean) => boolean
  /** Something that we left in a directory of people. */
  left?: (path: string) => void
}

/** The directory itself is not there, or is another one. */
export class DirectoryGoneError extends Error {}

export class MirrorDirectory {
  readonly root: string
  readonly #identity: string

  /** Throws when there is no such directory. */
  constructor(root: string) {
    this.root = root
    const stat = lstatSync(root, { bigint: true, throwIfNoEntry: true })
    if (!stat.isDirectory()) throw new Error(`${root} is no directory.`)
    this.#identity = identityOf(stat)
    for (const own of [parkedDirectory, displacedDirectory]) {
      mkdirSync(join(root, own), { recursive: true, mode: 0o700 })
    }
  }

  // ------------------------------------------------------------------------------- looking

  /** Looks through all of it. Throws DirectoryGoneError, and what the disk says when it fails. */
  look(options: LookOptions): Look {
    const look: Look = { items: new Map(), againInMs: undefined }
    this.#within('', (base) => {
      // An empty mount point in its place holds no store of ours.
      if (!lstatSync(join(base, ownDirectory), { throwIfNoEntry: false })) this.#gone()
      this.#lookInto(base, '', 1, look, options)
    })
    try {
      this.#within(parkedDirectory, (base) => {
        this.#lookInto(base, parkedDirectory, 1, look, options)
      })
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    return look
  }

  #lookInto(base: string, directory: string, depth: number, look: Look, options: LookOptions) {
    for (const bytes of readdirSync(base, { encoding: 'buffer' })) {
      const name = decoded(bytes)
      if (name === undefined) {
        const path = joined(directory, bytes.toString('latin1').replaceAll('/', '?'))
        skip(look, path, 'Its name is not valid Unicode.')
        continue
      }
      if (name.startsWith(ownPrefix)) {
        if (name.startsWith(`${ownPrefix}-`)) options.left?.(joined(directory, name))
        continue
      }
      const path = joined(directory, name)
      const stat = lstatSync(join(base, name), { bigint: true, throwIfNoEntry: false })
      if (!stat || options.isIgnored(path, stat.isDirectory())) continue
      if (stat.isDirectory()) this.#lookAtDirectory(base, path, { stat, depth, look, options })
      else if (stat.isFile()) lookAtFile(join(base, name), path, stat, look, options)
      else skip(look, path, `It is a ${kindOf(stat)}, which is not followed.`)
    }
  }

  #lookAtDirectory(
    base: string,
    path: string,
    context: { stat: BigIntStats; depth: number; look: Look; options: LookOptions },
  ): void {
    const { stat, depth, look, options } = context
    if (depth >= depthMax) {
      skip(look, path, `It lies deeper than ${depthMax} directories.`)
      return
    }
    const identity = identityOf(stat)
    const item = { path, kind: 'directory', version: '', identity, isSettled: true } as const
    look.items.set(path, { ...item, stamp: undefined })
    try {
      within(base, nameOf(path), (inner) => {
        this.#lookInto(inner, path, depth + 1, look, options)
      })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EACCES' || code === 'EPERM') skip(look, path, 'It may not be read.')
      // Gone or replaced meanwhile: what it is now is for the next look.
      else if (isMissing(error)) {
        look.againInMs = settleMs
        skip(look, path, 'It changes.')
      } else throw error
    }
  }

  // ------------------------------------------------------------------------------- reading

  /** The text at a path, when it is still the version that was looked at. */
  text({ path, version }: Pick<OnDisk, 'path' | 'version'>): string | undefined {
    try {
      const bytes = this.#within(parentOf(path), (base) => readAll(join(base, nameOf(path))))
      if (bytes === undefined || hash(bytes) !== version) return undefined
      return utf8.decode(bytes)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** The version of whatever file is at a path, our own included; undefined: there is none. */
  versionAt(path: string): string | undefined {
    return this.textAt(path)?.version
  }

  textAt(path: string): { version: string; text: string } | undefined {
    try {
      const bytes = this.#within(parentOf(path), (base) => readAll(join(base, nameOf(path))))
      return bytes && { version: hash(bytes), text: bytes.toString('utf8') }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  identityAt(path: string): string | undefined {
    try {
      return this.#within(parentOf(path), (base) => {
        const stat = lstatSync(join(base, nameOf(path)), { bigint: true, throwIfNoEntry: false })
        return stat && identityOf(stat)
      })
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  // ------------------------------------------------------------------------------- writing

  /** Writes a text beside the place where it belongs, flushed. Undefined: its directory is gone. */
  prepare(
    path: string,
    text: string,
  ): Pick<Work, 'temporary' | 'displaced' | 'identity'> | undefined {
    const directory = parentOf(path)
    const temporary = joined(directory, ownName())
    try {
      return this.#within(directory, (base) => {
        const there = lstatSync(join(base, nameOf(path)), { throwIfNoEntry: false })
        const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | noFollow
        const file = openSync(join(base, nameOf(temporary)), flags, 0o666)
        try {
          writeAll(file, Buffer.from(text))
          // The rights that its owner gave the file before.
          if (there?.isFile()) fchmodSync(file, there.mode & 0o777)
          fsyncSync(file)
          const identity = identityOf(fstatSync(file, { bigint: true }))
          return { temporary, displaced: displacedName(), identity }
        } finally {
          closeSync(file)
        }
      })
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /**
   * Puts a prepared text into its place, if there is what was looked at: `over`, or nothing. What
   * was there is then at `displaced`. False: nothing was changed, and the temporary file is gone.
   * The directory is not flushed.
   */
  put({ path, temporary, displaced }: Work, over: OnDisk | undefined): boolean {
    try {
      return this.#beside(path, (base, aside) => {
        const at = (each: string) => join(base, nameOf(each))
        if (over && !take(at(path), join(aside, nameOf(displaced)), over.identity)) {
          unlinkSync(at(temporary))
          return false
        }
        try {
          // Not by renaming it: that would replace what somebody made here in this moment.
          linkSync(at(temporary), at(path))
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
          unlinkSync(at(temporary))
          return false
        }
        unlinkSync(at(temporary))
        return true
      })
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  /** Makes sure that the names in a directory outlive the machine. */
  flush(path: string): void {
    try {
      this.#within(path, flush)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  /** Takes a file out of its place, if it is what was looked at. */
  takeOut(item: OnDisk, displaced: string): boolean {
    try {
      return this.#beside(item.path, (base, aside) => {
        const goal = join(aside, nameOf(displaced))
        const isTaken = take(join(base, nameOf(item.path)), goal, item.identity)
        if (isTaken) flush(base)
        return isTaken
      })
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  /** Puts something displaced back to a path where nothing is; false: something is there. */
  putBack(displaced: string, path: string): boolean {
    try {
      return this.#beside(path, (base, aside) => {
        linkSync(join(aside, nameOf(displaced)), join(base, nameOf(path)))
        unlinkSync(join(aside, nameOf(displaced)))
        return true
      })
    } catch (error) {
      if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }

  /** Removes texts that never took their place. All that are still to do so must have been settled. */
  sweep(isIgnored: LookOptions['isIgnored']): void {
    const left: string[] = []
    // Only the names count here: files are not read.
    const isPassed = (path: string, isDirectory: boolean) =>
      !isDirectory || isIgnored(path, isDirectory)
    const options = { remembered: () => undefined, isIgnored: isPassed }
    this.look({ ...options, left: (path) => left.push(path) })
    for (const path of left) this.discard(path)
  }

  /** Removes a file of ours. */
  discard(path: string): void {
    try {
      this.#within(parentOf(path), (base) => unlinkSync(join(base, nameOf(path))))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  /** False: something has this name. */
  makeDirectory(path: string): boolean {
    try {
      this.#within(parentOf(path), (base) => {
        mkdirSync(join(base, nameOf(path)))
        flush(base)
      })
      return true
    } catch (error) {
      if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }

  /** False: it is not empty. */
  removeDirectory(path: string): boolean {
    try {
      this.#within(parentOf(path), (base) => {
        rmdirSync(join(base, nameOf(path)))
        flush(base)
      })
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') return false
      if (isMissing(error)) return true
      throw error
    }
  }

  /** Moves what was looked at to where nothing is; false: it is not there, or something is. */
  move(item: OnDisk, to: string): boolean {
    try {
      return this.#within(parentOf(item.path), (base) =>
        this.#within(parentOf(to), (target) => {
          const source = join(base, nameOf(item.path))
          const goal = join(target, nameOf(to))
          if (identity(source) !== item.identity) return false
          const there = identity(goal)
          if (item.kind === 'directory') {
            if (there !== undefined) return false
            renameSync(source, goal)
          } else {
            if (there === undefined) linkSync(source, goal)
            else if (there !== item.identity) return false
            unlinkSync(source)
          }
          flush(target)
          flush(base)
          return true
        }),
      )
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (isMissing(error) || code === 'EEXIST' || code === 'ENOTEMPTY') return false
      throw error
    }
  }

  #beside<T>(path: string, inside: (base: string, aside: string) => T): T {
    return this.#within(displacedDirectory, (aside) =>
      this.#within(parentOf(path), (base) => inside(base, aside)),
    )
  }

  /** Gives `inside` a path to a directory below the root that stays the same one. */
  #within<T>(directory: string, inside: (base: string) => T): T {
    const names = directory === '' ? [] : directory.split('/')
    const enter = (base: string, depth: number): T => {
      const name = names[depth]
      return name === undefined
        ? inside(base)
        : within(base, name, (next) => enter(next, depth + 1))
    }
    return withinRoot(this.root, (base, stat) => {
      if (identityOf(stat) !== this.#identity) this.#gone()
      return enter(base, 0)
    })
  }

  #gone(): never {
    throw new DirectoryGoneError(`${this.root} is not the directory that it was; nothing is done.`)
  }
}

/** Where what was taken out of its place waits for its end. */
const displacedDirectory = `${ownDirectory}/displaced`

export function displacedName(): string {
  return joined(displacedDirectory, ownName())
}

function ownName(): string {
  return `${ownPrefix}-${randomBytes(9).toString('base64url')}`
}

// ------------------------------------------------------------------------- open directories

const noFollow = constants.O_NOFOLLOW ?? 0
const isLinux = process.platform === 'linux'

function within<T>(base: string, name: string, inside: (base: string) => T): T {
  return withinRoot(join(base, name), inside)
}

function withinRoot<T>(path: string, inside: (base: string, stat: BigIntStats) => T): T {
  const file = openSync(path, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | noFollow)
  try {
    // Where an open directory has no path of its own, the usual one was just seen to be no link.
    return inside(isLinux ? `/proc/self/fd/${file}` : path, fstatSync(file, { bigint: true }))
  } finally {
    closeSync(file)
  }
}

/** Not all systems can flush a directory; where one cannot, its journal does. */
function flush(base: string): void {
  const file = openSync(base, constants.O_RDONLY)
  try {
    fsyncSync(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EINVAL' && code !== 'EPERM') throw error
  } finally {
    closeSync(file)
  }
}

function take(from: string, to: string, expected: string): boolean {
  if (identity(from) !== expected) return false
  renameSync(from, to)
  if (identity(to) === expected) return true
  // In this moment somebody put something else there: back with it, unless there is more already.
  try {
    linkSync(to, from)
    unlinkSync(to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return false
}

function identity(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && identityOf(stat)
}

/** A number of a file is given again soon after it is gone; with the time of its birth it is not. */
function identityOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`
}

function kindOf(stat: BigIntStats): string {
  if (stat.isSymbolicLink()) return 'link'
  if (stat.isFIFO()) return 'pipe'
  if (stat.isSocket()) return 'socket'
  return 'device'
}

// ------------------------------------------------------------------------------------ files

function lookAtFile(
  file: string,
  path: string,
  stat: BigIntStats,
  look: Look,
  { remembered }: LookOptions,
): void {
  const before = remembered(path)
  const identity = identityOf(stat)
  const stamp = stampOf(stat)
  const item = { path, kind: 'text', identity, stamp } as const
  const isSameAsBefore = before?.identity === identity && isSame(before.stamp, stamp)
  if (isSameAsBefore && before.why !== undefined) {
    skip(look, path, before.why, { identity, stamp })
    return
  }
  if (isSameAsBefore) {
    look.items.set(path, { ...item, version: before.version, isSettled: true })
    return
  }
  const unsettled = (waitMs: number) => {
    look.againInMs = Math.min(look.againInMs ?? Infinity, Math.max(1, waitMs))
    look.items.set(path, { ...item, version: '', isSettled: false })
  }
  if (stat.size > BigInt(textBytesMax)) {
    const why = `It is larger than ${textBytesMax / 1024 / 1024} MiB.`
    skip(look, path, why, { identity, stamp })
    return
  }
  const ageMs = Date.now() - Number(stat.ctimeNs / 1_000_000n)
  const isEmptied = stat.size === 0n && before !== undefined && before.stamp?.size !== 0
  const neededMs = isEmptied ? emptiedSettleMs : settleMs
  // A time that lies ahead was set by a clock: it says nothing.
  if (ageMs >= 0 && ageMs < neededMs) {
    unsettled(neededMs - ageMs)
    return
  }
  try {
    const bytes = readAll(file, stat)
    if (bytes === undefined) {
      unsettled(settleMs)
      return
    }
    const why = notText(bytes, before !== undefined && before.why === undefined)
    if (why !== undefined) skip(look, path, why, { identity, stamp })
    else look.items.set(path, { ...item, version: hash(bytes), isSettled: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') skip(look, path, 'It may not be read.')
    else if (isMissing(error)) unsettled(settleMs)
    else throw error
  }
}

/** Undefined: it changed while it was read, or is no file. */
function readAll(path: string, expected?: BigIntStats): Buffer | undefined {
  // Without waiting: opening a pipe would.
  const file = openSync(path, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0))
  try {
    const before = fstatSync(file, { bigint: true })
    if (!before.isFile() || before.size > BigInt(textBytesMax)) return undefined
    if (expected && !isSame(stampOf(expected), stampOf(before))) return undefined
    const bytes = readFileSync(file)
    return isSame(stampOf(before), stampOf(fstatSync(file, { bigint: true }))) ? bytes : undefined
  } finally {
    closeSync(file)
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
}

export function stampOf({ size, mtimeNs, ctimeNs }: BigIntStats): Stamp {
  return { size: Number(size), modifiedNs: mtimeNs, changedNs: ctimeNs }
}

function isSame(a: Stamp | undefined, b: Stamp): boolean {
  return a?.size === b.size && a.modifiedNs === b.modifiedNs && a.changedNs === b.changedNs
}

/** A byte order mark belongs to the text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decoded(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    // That is the question: it is not UTF-8.
    return undefined
  }
}

/** Why bytes are no text; a file that is shared as a text may have a zero in it. */
function notText(bytes: Buffer, isShared: boolean): string | undefined {
  if (!isShared && bytes.includes(0)) return 'It is a binary file; such are not kept yet.'
  if (decoded(bytes) === undefined) return 'It is not UTF-8; binary files are not kept yet.'
  return undefined
}

export function hash(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

function skip(
  look: Look,
  path: string,
  why: string,
  file: { identity: string; stamp: Stamp | undefined } = { identity: '', stamp: undefined },
): void {
  look.items.set(path, { path, kind: 'skipped', version: '', isSettled: true, why, ...file })
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
}
