// A mirrored directory on the disk: looked through and changed without ever leaving it.
//
// Every step below it goes through an open directory, so that one which is replaced by a link between
// a look and a write leads nowhere. A file is never overwritten: the new one is written beside, what is
// in its place is taken out and looked at, and then it takes the place. Between these two there is
// nothing by that name for some microseconds; the other way round a write by somebody else could get
// lost in between. Everything here is done at once, because waiting would widen such gaps.

import { randomBytes } from 'node:crypto'
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
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
  type BigIntStats,
} from 'node:fs'
import { join } from 'node:path'
import { textBytesMax } from '../../core/model/limits.ts'
import type { OnDisk } from '../../core/mirror/messages.ts'
import { joined, nameOf, parentOf } from '../../core/model/path.ts'
import { moved, parkedDirectory } from '../../core/mirror/paths.ts'
import { errorCodeOf } from '../error-code.ts'
import {
  decoded,
  hash,
  Looking,
  openFile,
  ownPrefix,
  readAll,
  readShort,
  type Found,
  type Look,
  type LookOptions,
} from './look.ts'
import {
  flush,
  giveBack,
  identity,
  identityOf,
  isExisting,
  isMissing,
  isNoName,
  isSame,
  isSameContent,
  nameOfOpen,
  noFollow,
  stampOf,
  take,
  within,
  withinRoot,
} from './open-directory.ts'
import { ownDirectory, type Stamp, type Work } from './store.ts'

/** The directory itself is not there, or is another one. */
export class DirectoryGoneError extends Error {}

/** A new file beside its place, whole and flushed. */
export interface Prepared {
  temporary: string
  /** Where what it replaces will lie. */
  displaced: string
  identity: string
  stamp: Stamp
}

/** A file that is read for longer. */
export interface OpenFile {
  /** Leads to it, whatever happens to its path. */
  path: string
  /** Whether it is still what was looked at. */
  isSame: () => boolean
  close: () => void
}

/** A file that is written for longer, beside its place. */
export interface NewFile {
  /** Leads to it, whatever happens to its path. */
  path: string
  /** It is whole: flushes it. */
  seal: () => Prepared
  discard: () => void
}

export class MirrorDirectory {
  readonly root: string
  readonly #identity: string
  /**
   * What the directories were that a look saw, by where they are: we may have moved them since. Undefined:
   * there was none yet. What comes into them was meant for them, and not for others that have their paths.
   */
  #seen: Map<string, string> | undefined

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

  /** Looks through all of it. Throws DirectoryGoneError, and what the disk says when it fails. */
  look(options: LookOptions): Look {
    const looking = new Looking(this.root, options)
    this.#within('', (base, stat) => {
      // An empty mount point in its place holds no store of ours.
      if (!lstatSync(join(base, ownDirectory), { throwIfNoEntry: false })) this.#gone()
      looking.into(base, '', stat)
    })
    this.#ifThere(() => {
      this.#within(parkedDirectory, (base, stat) => looking.into(base, parkedDirectory, stat))
    })
    this.#seen = new Map()
    for (const { path, kind, identity } of looking.look.items.values()) {
      if (kind === 'directory') this.#seen.set(path, identity)
    }
    return looking.look
  }

  // ------------------------------------------------------------------------------- reading

  /** The text at a path, when it is still the version that was looked at. */
  text({ path, version }: Pick<OnDisk, 'path' | 'version'>): string | undefined {
    return this.#ifThere(() =>
      this.#within(parentOf(path), (base) => {
        const bytes = readShort(join(base, nameOf(path)))
        return bytes && hash(bytes) === version ? decoded(bytes) : undefined
      }),
    )
  }

  /** What a file holds, one of ours included; undefined: there is none, or a larger one than any text. */
  bytesAt(path: string): Buffer | undefined {
    return this.#ifThere(() =>
      this.#within(parentOf(path), (base) => readAll(join(base, nameOf(path)))),
    )
  }

  /** Whether a file, which may have been moved, holds what it did. */
  isStill(
    path: string,
    { version, stamp }: { version: string; stamp?: Stamp | undefined },
  ): boolean {
    const there = this.stateAt(path)
    if (!there) return false
    // A large one would be read for seconds.
    if (there.stamp.size > textBytesMax) return isSameContent(stamp, there.stamp)
    const bytes = this.bytesAt(path)
    return bytes !== undefined && hash(bytes) === version
  }

  identityAt(path: string): string | undefined {
    return this.stateAt(path)?.identity
  }

  /** Undefined: nothing is there, or can be. */
  stateAt(path: string): { identity: string; stamp: Stamp } | undefined {
    const look = (base: string) => {
      const stat = lstatSync(join(base, nameOf(path)), { bigint: true, throwIfNoEntry: false })
      return stat && { identity: identityOf(stat), stamp: stampOf(stat) }
    }
    try {
      return this.#ifThere(() => this.#within(parentOf(path), look))
    } catch (error) {
      if (isNoName(error)) return undefined
      throw error
    }
  }

  /** Opens what was looked at. Undefined: it is another one, or changed. Throws what the disk says. */
  open({
    path,
    identity,
    stamp,
  }: Pick<Found, 'path' | 'identity' | 'stamp'>): OpenFile | undefined {
    return this.#ifThere(() =>
      this.#within(parentOf(path), (base) => {
        const at = join(base, nameOf(path))
        const file = openFile(at)
        const stat = () => fstatSync(file, { bigint: true })
        const isIt = () => stamp !== undefined && isSame(stamp, stampOf(stat()))
        if (stat().isFile() && identityOf(stat()) === identity && isIt()) {
          const path = nameOfOpen(file, at)
          return { path, isSame: isIt, close: () => closeSync(file) }
        }
        closeSync(file)
        return undefined
      }),
    )
  }

  // ------------------------------------------------------------------------------- writing

  /**
   * Writes a text beside the place where it belongs, flushed. Undefined: its directory is gone, or another
   * one.
   */
  prepare(path: string, text: string): Prepared | undefined {
    const made = this.#create(path, (file) => {
      writeAll(file, Buffer.from(text))
      fsyncSync(file)
    })
    if (made) closeSync(made.file)
    return made?.prepared
  }

  /** Begins a file beside the place where it belongs. Undefined: its directory is gone, or another one. */
  begin(path: string): NewFile | undefined {
    const made = this.#create(path, () => {})
    if (!made) return undefined
    const { file, prepared } = made
    return {
      path: nameOfOpen(file, join(this.root, prepared.temporary)),
      seal: () => {
        fsyncSync(file)
        const stamp = stampOf(fstatSync(file, { bigint: true }))
        closeSync(file)
        return { ...prepared, stamp }
      },
      discard: () => {
        closeSync(file)
        this.discard(prepared.temporary)
      },
    }
  }

  /** Nothing is left of it when `fill` fails. */
  #create(
    path: string,
    fill: (file: number) => void,
  ): { file: number; prepared: Prepared } | undefined {
    const temporary = joined(parentOf(path), ownName())
    return this.#ifThere(() =>
      this.#withinSeen(parentOf(path), (base) => {
        // The name may be one that this disk does not take: that is told before anything is written.
        const there = lstatSync(join(base, nameOf(path)), { throwIfNoEntry: false })
        const at = join(base, nameOf(temporary))
        const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | noFollow
        const file = openSync(at, flags, 0o666)
        try {
          // The rights that its owner gave the file before.
          if (there?.isFile()) fchmodSync(file, there.mode & 0o777)
          fill(file)
          const stat = fstatSync(file, { bigint: true })
          const identity = identityOf(stat)
          const prepared = { temporary, displaced: displacedName(), identity, stamp: stampOf(stat) }
          return { file, prepared }
        } catch (error) {
          closeSync(file)
          unlinkSync(at)
          throw error
        }
      }),
    )
  }

  /**
   * Puts a prepared file into its place, if there is what was looked at: `over`, or nothing. What
   * was there is then at `displaced`. False: nothing was changed, and the temporary file is gone;
   * what was there may lie at `displaced`, when something else came into the place. The directory is
   * not flushed.
   */
  put({ path, temporary, displaced, identity: expected }: Work, over: OnDisk | undefined): boolean {
    const isPut = this.#ifThere(() =>
      this.#beside(path, (base, aside) => {
        const at = (each: string) => join(base, nameOf(each))
        // Somebody tidied up: there is nothing to make room for.
        if (identity(at(temporary)) !== expected) return false
        const goal = join(aside, nameOf(displaced))
        try {
          if (over && !take(at(path), goal, over.identity)) return false
          // Not by renaming it: that would replace what somebody made here in this moment.
          linkSync(at(temporary), at(path))
          return true
        } catch (error) {
          if (over) giveBack(goal, at(path))
          if (!isExisting(error)) throw error
          return false
        } finally {
          unlinkSync(at(temporary))
        }
      }),
    )
    return isPut ?? false
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
      if (isMissing(error) || isExisting(error)) return false
      throw error
    }
  }

  /** Removes texts that never took their place. All that are still to do so must have been settled. */
  sweep(isIgnored: LookOptions['isIgnored']): void {
    const left: string[] = []
    // Only the names count here: files are not read.
    const isPassed = (path: string, isDirectory: boolean) =>
      !isDirectory || isIgnored(path, isDirectory)
    const options = { remembered: () => undefined, isText: () => false, isIgnored: isPassed }
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

  /** False: something has this name, or what it belongs in is gone, or another one. */
  makeDirectory(path: string): boolean {
    try {
      const made = this.#withinSeen(parentOf(path), (base) => {
        mkdirSync(join(base, nameOf(path)))
        flush(base)
        return identity(join(base, nameOf(path)))
      })
      if (made !== undefined) this.#seen?.set(path, made)
      return made !== undefined
    } catch (error) {
      if (isMissing(error) || isExisting(error)) return false
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
      this.#seen?.delete(path)
      return true
    } catch (error) {
      const code = errorCodeOf(error)
      if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') return false
      if (isMissing(error)) return true
      throw error
    }
  }

  /**
   * Moves what was looked at to where nothing is; false: it is not there, or something is, or what it
   * belongs in is gone, or another one.
   */
  move(item: OnDisk, to: string): boolean {
    const isMoved = this.#move(item, to)
    if (isMoved && item.kind === 'directory') this.#seenMoved(item.path, to)
    return isMoved
  }

  #move(item: OnDisk, to: string): boolean {
    try {
      const isMoved = this.#within(parentOf(item.path), (base) =>
        this.#withinSeen(parentOf(to), (target) => {
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
      return isMoved ?? false
    } catch (error) {
      if (isMissing(error) || isExisting(error)) return false
      throw error
    }
  }

  #beside<T>(path: string, inside: (base: string, aside: string) => T): T {
    return this.#within(displacedDirectory, (aside) =>
      this.#within(parentOf(path), (base) => inside(base, aside)),
    )
  }

  /** Undefined where the path leads nowhere any more. */
  #ifThere<T>(act: () => T): T | undefined {
    try {
      return act()
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** Gives `inside` a path to a directory below the root that stays the same one. */
  #within<T>(directory: string, inside: (base: string, stat: BigIntStats) => T): T {
    const names = directory === '' ? [] : directory.split('/')
    const enter = (base: string, stat: BigIntStats, depth: number): T => {
      const name = names[depth]
      if (name === undefined) return inside(base, stat)
      return within(base, name, (next, its) => enter(next, its, depth + 1))
    }
    return withinRoot(this.root, (base, stat) => {
      if (identityOf(stat) !== this.#identity) this.#gone()
      return enter(base, stat, 0)
    })
  }

  /** The same, of one that is still what was looked at. Undefined: it is another one. */
  #withinSeen<T>(directory: string, inside: (base: string) => T): T | undefined {
    const isOurs = directory === '' || directory === parkedDirectory
    const expected = isOurs ? undefined : this.#seen?.get(directory)
    return this.#within(directory, (base, stat) => {
      const isIt = isOurs || !this.#seen || identityOf(stat) === expected
      return isIt ? inside(base) : undefined
    })
  }

  #seenMoved(from: string, to: string): void {
    for (const [path, seen] of [...(this.#seen ?? [])]) {
      const at = moved(path, from, to)
      if (at === path) continue
      this.#seen!.delete(path)
      this.#seen!.set(at, seen)
    }
  }

  #gone(): never {
    throw new DirectoryGoneError(`${this.root} is not the directory that it was; nothing is done.`)
  }
}

/** Where what was taken out of its place waits for its end. */
const displacedDirectory = `${ownDirectory}/displaced`

/** A free path for what is taken out of its place, from the mirrored directory on. */
export function displacedName(): string {
  return joined(displacedDirectory, ownName())
}

function ownName(): string {
  return `${ownPrefix}-${randomBytes(9).toString('base64url')}`
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
}
