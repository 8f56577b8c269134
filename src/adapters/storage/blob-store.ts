// Blobs on a server's disk: immutable bytes in files that are named by their SHA-256.
//
//   blobs/partial/<hash>-<size>          what came so far
//   blobs/partial/<hash>-<size>.synced   how much of it is on stable storage
//   blobs/ab/<the other 62 digits>       whole: verified, flushed, renamed, its directory flushed
//
// No blob is ever in memory as a whole. What a crash leaves of an upload counts as far as it was
// flushed: the mark is written after the flush it tells of, so it never tells too much.

import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { blobGraceMs, blobPartialsMax } from '../../core/model/limits.ts'
import { errorCodeOf } from '../error-code.ts'

/** So much is written between two flushes: a flush of all at the end would stall commits of text. */
const syncEveryBytes = 16 * 1024 * 1024
/** Chunks that arrive while the disk works are written together, up to about this. */
const bufferBytes = 1024 * 1024
/** Digits of a mark: one sector holds it, so that it is replaced as a whole. */
const markDigits = 16

/** Names a blob: SHA-256 in hex, and how long it is. */
export interface BlobName {
  hash: string
  size: number
}

export type BlobErrorCode =
  /** Somebody uploads it at this moment. */
  | 'busy'
  /** It goes on elsewhere: `offset` tells where. */
  | 'offset'
  /** The bytes are not those that the name promises; what came is dropped. */
  | 'mismatch'
  /** The disk is full; what came is dropped, for it is in the way there. */
  | 'full'
  /** Too many uploads wait for their end. */
  | 'many'

export class BlobError extends Error {
  override readonly name = 'BlobError'
  readonly code: BlobErrorCode
  /** Where an upload of it goes on. */
  readonly offset: number

  constructor(code: BlobErrorCode, message: string, offset = 0) {
    super(message)
    this.code = code
    this.offset = offset
  }
}

export function isBlobHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
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

  private constructor(directory: string) {
    this.#directory = join(directory, 'blobs')
    this.#partial = join(this.#directory, 'partial')
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
    return (await this.size(hash)) === size
  }

  /** As if it had come now: the sweep leaves it alone for another day. */
  async renew(hash: string): Promise<void> {
    const at = new Date()
    await found(fs.utimes(this.#place(hash), at, at))
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
      publish: (partial) => this.#publish(name.hash, partial),
      closed: () => this.#underWay.delete(name.hash),
    })
    this.#underWay.set(name.hash, upload)
    try {
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
    await this.#publish(hash, path)
  }

  async remove(hash: string): Promise<void> {
    await found(fs.unlink(this.#place(hash)))
  }

  /**
   * Removes blobs that nobody names and unfinished uploads, if they are older than a day; returns
   * how many. `at` is in milliseconds since 1970.
   */
  async sweep(isNamed: (hash: string) => boolean, at: number): Promise<number> {
    let removed = 0
    const isOld = async (path: string) => {
      const file = await found(fs.stat(path))
      return file !== undefined && at - file.mtimeMs > blobGraceMs
    }
    for await (const { hash, path } of this.#all()) {
      if (isNamed(hash) || !(await isOld(path))) continue
      await found(fs.unlink(path))
      removed++
    }
    for (const file of await fs.readdir(this.#partial)) {
      const path = join(this.#partial, file)
      if (this.#underWay.has(file.slice(0, 64)) || !(await isOld(path))) continue
      await found(fs.unlink(path))
      if (!file.endsWith('.synced')) removed++
    }
    return removed
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
        if (isBlobHash(hash)) yield { hash, path: this.#place(hash) }
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
    const mark = await found(fs.readFile(markOf(partial), 'utf8'))
    const length = (await found(fs.stat(partial)))?.size ?? 0
    const bytes = Number(mark ?? 0)
    return Number.isSafeInteger(bytes) && bytes <= length ? bytes : 0
  }

  async #publish(hash: string, partial: string): Promise<void> {
    const directory = join(this.#directory, hash.slice(0, 2))
    const made = await fs.mkdir(directory, { recursive: true, mode: 0o700 })
    if (made !== undefined) await syncDirectory(this.#directory)
    await fs.rename(partial, this.#place(hash))
    await syncDirectory(directory)
    await found(fs.unlink(markOf(partial)))
  }
}

interface UploadOptions {
  partial: string
  /** Puts the verified file in its place. */
  publish: (partial: string) => Promise<void>
  closed: () => void
}

/** One blob on its way to the disk. */
export class Upload extends Writable {
  readonly #name: BlobName
  readonly #options: UploadOptions
  readonly #hash: Hash = createHash('sha256')
  #file: fs.FileHandle | undefined
  #mark: fs.FileHandle | undefined
  /** Bytes written, and of those the ones whose flush has begun. */
  #bytes = 0
  #flushedTo = 0
  #flushing: Promise<void> = Promise.resolve()
  #taking: Promise<void> = Promise.resolve()
  #isPublished = false
  #moved = Promise.withResolvers<void>()
  /** What came is wrong, or the disk does not keep it: nobody goes on with it. */
  #isWorthless = false

  constructor(name: BlobName, options: UploadOptions) {
    super({ highWaterMark: bufferBytes })
    this.once('close', () => this.#tellMoved())
    this.#name = name
    this.#options = options
  }

  /** Bytes that this upload has written, with those of earlier ones. */
  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#name.size
  }

  /** How many bytes there are when there are more than so many, or when no more will come. */
  async beyond(bytes: number): Promise<number> {
    while (this.#bytes <= bytes && !this.closed) await this.#moved.promise
    return this.#bytes
  }

  /** Whether all of it came, verified: known at its end. */
  async isWhole(): Promise<boolean> {
    while (!this.closed) await this.#moved.promise
    return this.#isPublished
  }

  /** Called once, by the store. */
  async begin(offset: number): Promise<void> {
    const { partial } = this.#options
    try {
      const flags = constants.O_RDWR | constants.O_CREAT
      this.#file = await fs.open(partial, flags, 0o600)
      this.#mark = await fs.open(markOf(partial), flags, 0o600)
      await this.#file.truncate(offset)
      const start = this.#file.createReadStream({ start: 0, autoClose: false })
      for await (const chunk of start) this.#hash.update(chunk as Buffer)
      this.#bytes = this.#flushedTo = offset
    } catch (error) {
      await this.#close()
      throw error
    }
  }

  /** Ends it before its time; resolves when what came is kept. */
  async abandon(): Promise<void> {
    if (this.closed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.once('close', resolve)
    this.destroy()
    await promise
  }

  override _write(
    chunk: Buffer,
    _encoding: string,
    answered: (error?: Error | null) => void,
  ): void {
    this.#write([chunk], answered)
  }

  override _writev(chunks: { chunk: Buffer }[], answered: (error?: Error | null) => void): void {
    this.#write(
      chunks.map(({ chunk }) => chunk),
      answered,
    )
  }

  override _final(answered: (error?: Error | null) => void): void {
    const isWhole = this.#bytes === this.#name.size
    const ended = isWhole ? this.#finish() : this.#keep()
    ended.then(
      () => answered(),
      (error: unknown) => answered(fullOr(error)),
    )
  }

  override _destroy(error: Error | null, answered: (error: Error | null) => void): void {
    if (error instanceof BlobError && error.code === 'full') this.#isWorthless = true
    // A stream is destroyed in the middle of a write, too; what it writes counts.
    this.#taking
      .catch(() => undefined)
      .then(() => (this.#isPublished || this.#isWorthless ? undefined : this.#keep()))
      // What could not be flushed is not kept; the first error is the one to tell.
      .catch((flushError: unknown) => (error ??= fullOr(flushError)))
      .then(() => this.#close())
      .then(() => (this.#isWorthless ? this.#drop() : undefined))
      .then(
        () => this.#end(error, answered),
        (closeError: unknown) => this.#end(error ?? (closeError as Error), answered),
      )
  }

  #tellMoved(): void {
    this.#moved.resolve()
    this.#moved = Promise.withResolvers<void>()
  }

  #end(error: Error | null, answered: (error: Error | null) => void): void {
    this.#options.closed()
    answered(error)
  }

  #write(chunks: Buffer[], answered: (error?: Error | null) => void): void {
    this.#taking = this.#take(chunks)
    this.#taking.then(() => answered(), answered)
  }

  async #take(chunks: Buffer[]): Promise<void> {
    const { size } = this.#name
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (this.#bytes + length > size) {
      this.#isWorthless = true
      throw new BlobError('mismatch', `More came than the ${size} bytes that were announced.`)
    }
    for (const chunk of chunks) this.#hash.update(chunk)
    try {
      await writeAll(this.#file!, chunks, this.#bytes)
      this.#bytes += length
      this.#tellMoved()
      if (this.#bytes - this.#flushedTo >= syncEveryBytes) await this.#flush()
    } catch (error) {
      throw fullOr(error)
    }
  }

  /** Begins a flush, after the one before: dirty pages are bounded, and the network goes on. */
  async #flush(): Promise<void> {
    await this.#flushing
    const bytes = this.#bytes
    this.#flushedTo = bytes
    this.#flushing = this.#flushTo(bytes)
    // Whoever waits for it next hears of its failure.
    this.#flushing.catch(() => undefined)
  }

  async #flushTo(bytes: number): Promise<void> {
    try {
      await this.#file!.datasync()
    } catch (error) {
      // The kernel may have dropped what it could not write: only new bytes can be believed.
      this.#isWorthless = true
      throw error
    }
    await this.#mark!.write(String(bytes).padStart(markDigits, '0'), 0)
  }

  async #keep(): Promise<void> {
    await this.#flush()
    await this.#flushing
  }

  async #finish(): Promise<void> {
    await this.#flushing
    if (this.#hash.digest('hex') !== this.#name.hash) {
      this.#isWorthless = true
      const text = `These bytes have not the SHA-256 ${this.#name.hash}; upload them again.`
      throw new BlobError('mismatch', text)
    }
    await this.#file!.sync()
    await this.#options.publish(this.#options.partial)
    this.#isPublished = true
  }

  async #close(): Promise<void> {
    const files = [this.#file, this.#mark]
    this.#file = this.#mark = undefined
    for (const file of files) await file?.close()
  }

  async #drop(): Promise<void> {
    const { partial } = this.#options
    await found(fs.unlink(markOf(partial)))
    await found(fs.unlink(partial))
  }
}

function markOf(partial: string): string {
  return `${partial}.synced`
}

async function writeAll(file: fs.FileHandle, chunks: Buffer[], at: number): Promise<void> {
  let left = chunks
  while (left.length > 0) {
    // As they are: joined they would be as much again for the garbage collector.
    let { bytesWritten } = await file.writev(left, at)
    at += bytesWritten
    const next = left.findIndex(({ length }) => {
      if (length > bytesWritten) return true
      bytesWritten -= length
      return false
    })
    left = next < 0 ? [] : [left[next]!.subarray(bytesWritten), ...left.slice(next + 1)]
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const file = await fs.open(directory, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** What the file system answers; undefined when there is no such file. */
async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function fullOr(error: unknown): Error {
  if (!isFull(error)) return error as Error
  return new BlobError('full', 'The disk of this server is full. Try another.')
}

function isFull(error: unknown): boolean {
  const code = errorCodeOf(error)
  // The last: more than this file system holds in one file.
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
}
