// One blob on its way to the disk: written, hashed, flushed now and then, verified at its end.

import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { Writable } from 'node:stream'
import { BlobError, fullOr, type BlobName } from './blob.ts'
import { found } from './durable-files.ts'

/** So much is written between two flushes: a flush of all at the end would stall commits of text. */
const syncEveryBytes = 16 * 1024 * 1024
/** Chunks that arrive while the disk works are written together, up to about this. */
const bufferBytes = 1024 * 1024
/** Digits of a mark: one sector holds it, so that it is replaced as a whole. */
const markDigits = 16

const writing = constants.O_RDWR | constants.O_CREAT

export interface UploadOptions {
  partial: string
  /** Puts the verified file in its place; `isMarked`: a mark may tell of it. */
  publish: (partial: string, isMarked: boolean) => Promise<void>
  closed: () => void
}

/** One blob on its way to the disk. */
export class Upload extends Writable {
  readonly #name: BlobName
  readonly #options: UploadOptions
  readonly #hash: Hash = createHash('sha256')
  #file: fs.FileHandle | undefined
  /** Only what is flushed on its way, or left unfinished, is told of. */
  #mark: fs.FileHandle | undefined
  #isMarked = false
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
      this.#isMarked = offset > 0
      this.#file = await fs.open(partial, offset > 0 ? writing : writing | constants.O_TRUNC, 0o600)
      if (offset > 0) await this.#goOn(this.#file, offset)
    } catch (error) {
      await this.#close()
      throw error
    }
  }

  async #goOn(file: fs.FileHandle, offset: number): Promise<void> {
    await file.truncate(offset)
    const start = file.createReadStream({ start: 0, autoClose: false })
    for await (const chunk of start) this.#hash.update(chunk as Buffer)
    this.#bytes = this.#flushedTo = offset
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
    this.#isMarked = true
    this.#mark ??= await fs.open(markOf(this.#options.partial), writing, 0o600)
    await this.#mark.write(String(bytes).padStart(markDigits, '0'), 0)
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
    await this.#options.publish(this.#options.partial, this.#isMarked)
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

/** Where it is written how much of an upload is on stable storage. */
export function markOf(partial: string): string {
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
