// Blobs on a server's disk: immutable bytes in files that are named by their SHA-256.
//
//   blobs/partial/<hash>-<size>          what came so far
//   blobs/partial/<hash>-<size>.synced   how much of it is on stable storage
//   blobs/ab/<the other 62 digits>       whole: verified, flushed, renamed, its directory flushed
//   blobs/partial/<hash>.spoilt          was whole, and the disk gives other bytes now
//   blobs/checked                        the next of the 256 directories to be read again
//
// No blob is ever in memory as a whole. What a crash leaves of an upload counts as far as it was
// flushed: the mark is written after the flush it tells of, so it never tells too much.

import * as fs from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isHash } from '../../core/model/contents.ts'
import {
  blobGraceMs,
  blobPartialsMax,
  blobsLeftLook,
  blobsLeftMax,
} from '../../core/model/limits.ts'
import { BlobError, fullOr, type BlobName } from './blob.ts'
import { markOf, Upload } from './blob-upload.ts'
import { found, syncDirectory } from './durable-files.ts'

/** Whole blobs lie in so many directories, by how their hashes begin. */
export const directoryCount = 256

const spoiltEnd = '.spoilt'

/** In the directory of a server: all of it, and what is on its way. */
export function blobDirectories(directory: string): { all: string; partial: string } {
  const all = join(directory, 'blobs')
  return { all, partial: join(all, 'partial') }
}

/** A whole blob, open. Whoever opened it closes it. */
export interface OpenBlob {
  file: fs.FileHandle
  size: number
}

/** One that is on its way, open. */
export interface GrowingBlob {
  file: fs.FileHandle
  upload: Upload
}

/** One process has a directory open at a time. */
export class BlobStore {
  readonly #directory: string
  readonly #partial: string
  readonly #underWay = new Map<string, Upload>()
  /** What entries are about to name, since the sweep before the last one began. */
  #claimed = new Set<string>()
  #claimedBefore = new Set<string>()
  /** What a sweep removes at this moment. */
  readonly #leaving = new Map<string, Promise<unknown>>()
  /** Uploads in this life. */
  #begun = 0

  private constructor(directory: string) {
    const { all, partial } = blobDirectories(directory)
    this.#directory = all
    this.#partial = partial
  }

  /** `directory` is that of the server. Rejects with the system's error. */
  static async open(directory: string): Promise<BlobStore> {
    const store = new BlobStore(directory)
    await fs.mkdir(store.#partial, { recursive: true, mode: 0o700 })
    return store
  }

  /** The bytes of a blob that is here as a whole. */
  async size(hash: string): Promise<number | undefined> {
    return (await found(fs.stat(this.#place(hash))))?.size
  }

  async has({ hash, size }: BlobName): Promise<boolean> {
    await this.#leaving.get(hash)
    return (await this.size(hash)) === size
  }

  /** As if it had come now: the sweep leaves it alone for another day. */
  async renew(hash: string): Promise<void> {
    const at = new Date()
    await found(fs.utimes(this.#place(hash), at, at))
  }

  /**
   * Whether it is here as a whole, for an entry that is to name it: no sweep removes it before that, be
   * it one that has begun, and whatever the clock says.
   */
  async claim(name: BlobName): Promise<boolean> {
    // At once: a sweep may be looking at it.
    this.#claimed.add(name.hash)
    await this.renew(name.hash)
    const isHere = await this.has(name)
    // Who asks for what is not here fills no memory.
    if (!isHere) this.#claimed.delete(name.hash)
    return isHere
  }

  /** Bytes that are still to come of the uploads that are under way. */
  get awaitedBytes(): number {
    let bytes = 0
    for (const upload of this.#underWay.values()) bytes += upload.size - upload.bytes
    return bytes
  }

  /** How much of an unfinished upload is on stable storage. */
  async received(name: BlobName): Promise<number> {
    return this.#left(name)
  }

  /** Opens a whole blob to read from any place. */
  async read(hash: string): Promise<OpenBlob | undefined> {
    const file = await found(fs.open(this.#place(hash), 'r'))
    return file && { file, size: (await file.stat()).size }
  }

  /** A whole blob, which is to be a short one. */
  bytes(hash: string): Promise<Buffer | undefined> {
    return found(fs.readFile(this.#place(hash)))
  }

  /** Opens a blob that is being uploaded, to read what came of it. Whoever opened it closes it. */
  async follow({ hash, size }: BlobName): Promise<GrowingBlob | undefined> {
    const upload = this.#underWay.get(hash)
    if (!upload || upload.size !== size) return undefined
    const file = await found(fs.open(this.#partialOf({ hash, size }), 'r'))
    return file && { file, upload }
  }

  /**
   * Takes the bytes from `offset` on, which is where an earlier upload of it ended. Write to it, or
   * let a stream flow into it: when it ends with all bytes there, they are verified and the blob is
   * whole before 'finish'. When it ends or is destroyed before, what came is flushed and kept for
   * the next. Rejects, and is destroyed, with BlobError or the system's error.
   */
  async upload(name: BlobName, offset: number): Promise<Upload> {
    if (this.#underWay.has(name.hash)) {
      throw new BlobError('busy', 'Somebody uploads the same bytes at this moment.')
    }
    if (this.#underWay.size >= blobPartialsMax) {
      throw new BlobError('many', 'Too many uploads at this moment; try again soon.')
    }
    const upload = new Upload(name, {
      partial: this.#partialOf(name),
      publish: (partial, isMarked) => this.#publish(name.hash, partial, isMarked),
      closed: () => this.#underWay.delete(name.hash),
    })
    this.#underWay.set(name.hash, upload)
    try {
      if (this.#begun++ % blobsLeftLook === 0) await this.#trimLeft()
      const bytes = await this.#left(name)
      if (bytes !== offset) {
        throw new BlobError('offset', `This upload goes on at byte ${bytes}.`, bytes)
      }
      await upload.begin(offset)
      return upload
    } catch (error) {
      this.#underWay.delete(name.hash)
      throw fullOr(error)
    }
  }

  /**
   * Takes over a flushed file of the same file system that has this SHA-256: whoever wrote it did not
   * know its name before its end. It is gone from where it was.
   */
  async adopt(hash: string, path: string): Promise<void> {
    await this.#publish(hash, path, false)
  }

  /**
   * Takes an open blob out of its place because its bytes are not those of its name: it is not here any
   * more. They may be all that there is of it, and stay until it is here again, or nothing names it.
   * False: what is in its place is another file by now.
   */
  async setAside(hash: string, file: fs.FileHandle): Promise<boolean> {
    const place = this.#place(hash)
    const there = await found(fs.stat(place))
    if (there?.ino !== (await file.stat()).ino) return false
    await this.renew(hash)
    // Not flushed: where a crash brings it back, it is found out again.
    await found(fs.rename(place, join(this.#partial, hash + spoiltEnd)))
    return true
  }

  /** The whole blobs in one of the 256 directories. */
  async hashesIn(directory: number): Promise<string[]> {
    const start = directory.toString(16).padStart(2, '0')
    const rests = (await found(fs.readdir(join(this.#directory, start)))) ?? []
    return rests.map((rest) => start + rest).filter(isHash)
  }

  /** The directory that is to be read again next. */
  async nextChecked(): Promise<number> {
    const text = await found(fs.readFile(join(this.#directory, 'checked'), 'utf8'))
    return Number(text) % directoryCount || 0
  }

  async noteNextChecked(directory: number): Promise<void> {
    await fs.writeFile(join(this.#directory, 'checked'), String(directory % directoryCount))
  }

  async remove(hash: string): Promise<void> {
    await found(fs.unlink(this.#place(hash)))
  }

  /**
   * Removes blobs that nobody names and unfinished uploads, if they are older than a day; returns
   * how many. `at` is in milliseconds since 1970. `isNamed` is asked until the last moment.
   */
  async sweep(isNamed: (hash: string) => boolean, at: number): Promise<number> {
    this.#claimedBefore = this.#claimed
    this.#claimed = new Set()
    const stays = (hash: string) =>
      isNamed(hash) || this.#claimed.has(hash) || this.#claimedBefore.has(hash)
    let removed = 0
    const isOld = async (path: string) => {
      const file = await found(fs.stat(path))
      return file !== undefined && at - file.mtimeMs > blobGraceMs
    }
    for await (const { hash, path } of this.#all()) {
      // While it was looked at, an entry may have come that names it.
      if (stays(hash) || !(await isOld(path)) || stays(hash)) continue
      await this.#leave(hash, path)
      removed++
    }
    for (const file of await fs.readdir(this.#partial)) {
      const path = join(this.#partial, file)
      const hash = file.slice(0, 64)
      if (this.#underWay.has(hash) || !(await isOld(path))) continue
      const isLast = file.endsWith(spoiltEnd) && isNamed(hash)
      if (isLast && (await this.size(hash)) === undefined) continue
      await found(fs.unlink(path))
      if (!file.endsWith('.synced')) removed++
    }
    return removed
  }

  async #leave(hash: string, path: string): Promise<void> {
    const left = found(fs.unlink(path))
    this.#leaving.set(hash, left)
    try {
      await left
    } finally {
      this.#leaving.delete(hash)
    }
  }

  /** Ends what is under way and keeps what came of it. */
  async close(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map((upload) => upload.abandon()))
  }

  async *#all(): AsyncIterable<{ hash: string; path: string }> {
    for (const start of await fs.readdir(this.#directory)) {
      if (!/^[0-9a-f]{2}$/.test(start)) continue
      for (const rest of await fs.readdir(join(this.#directory, start))) {
        const hash = start + rest
        if (isHash(hash)) yield { hash, path: this.#place(hash) }
      }
    }
  }

  #place(hash: string): string {
    return join(this.#directory, hash.slice(0, 2), hash.slice(2))
  }

  #partialOf({ hash, size }: BlobName): string {
    return join(this.#partial, `${hash}-${size}`)
  }

  /** What an earlier upload left, as far as it was flushed. */
  async #left(name: BlobName): Promise<number> {
    const partial = this.#partialOf(name)
    const length = (await found(fs.stat(partial)))?.size
    if (length === undefined) return 0
    const mark = await found(fs.readFile(markOf(partial), 'utf8'))
    const bytes = Number(mark ?? 0)
    return Number.isSafeInteger(bytes) && bytes <= length ? bytes : 0
  }

  /** Of very many uploads that nobody ended, removes the longest unmoved. */
  async #trimLeft(): Promise<void> {
    const left: { path: string; movedAt: number }[] = []
    const files = await fs.readdir(this.#partial)
    if (files.length <= blobsLeftMax) return
    for (const file of files) {
      if (!/^[0-9a-f]{64}-\d+$/.test(file)) continue
      const path = join(this.#partial, file)
      const stats = await found(fs.stat(path))
      if (stats) left.push({ path, movedAt: stats.mtimeMs })
    }
    left.sort((one, other) => one.movedAt - other.movedAt)
    for (const { path } of left.slice(0, Math.max(0, left.length - blobsLeftMax))) {
      if (this.#underWay.has(basename(path).slice(0, 64))) continue
      await found(fs.unlink(markOf(path)))
      await found(fs.unlink(path))
    }
  }

  async #publish(hash: string, partial: string, isMarked: boolean): Promise<void> {
    const directory = join(this.#directory, hash.slice(0, 2))
    const put = async () => {
      await fs.rename(partial, this.#place(hash))
      return true
    }
    // All but the first of 256 find their directory.
    if (!(await found(put()))) {
      const made = await fs.mkdir(directory, { recursive: true, mode: 0o700 })
      if (made !== undefined) await syncDirectory(this.#directory)
      await put()
    }
    await syncDirectory(directory)
    if (isMarked) await found(fs.unlink(markOf(partial)))
  }
}
