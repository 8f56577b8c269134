// The body of a PUT: small in memory, long in a file, hashed on its way.

import { createHash, randomUUID, type Hash } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import {
  blobBytesMax,
  davPutMemoryBytesMax,
  davPutsMax,
  textBytesMax,
} from '../../core/model/limits.ts'
import type { BlobStore } from '../../adapters/storage/blob-store.ts'
import { keepPace, uploadPace, type Pace } from '../pace.ts'
import { Refusal } from './refusal.ts'

/** So much comes between two looks at whether the disk has room for more. */
const lookEveryBytes = 64 * 1024 * 1024
/** So much is written between two flushes: one of all at the end would stall commits of text. */
const syncEveryBytes = 16 * 1024 * 1024

export interface IncomingOptions {
  /** The directory of this server. */
  directory: string
  store: BlobStore
  /** Whether so many further bytes leave the disk the room it needs. */
  hasRoom: (bytes: number) => Promise<boolean>
  pace?: Pace
}

/** Where bodies lie until it is known what they are. */
export class Incoming {
  readonly #options: IncomingOptions
  readonly #directory: string
  /** What comes in now, and how much of it was announced. */
  readonly #underWay = new Map<Body, number>()

  private constructor(options: IncomingOptions) {
    this.#options = options
    this.#directory = join(options.directory, 'incoming')
  }

  /** What an earlier life left there is removed: nobody was told that it is kept. */
  static async open(options: IncomingOptions): Promise<Incoming> {
    const incoming = new Incoming(options)
    await fs.rm(incoming.#directory, { recursive: true, force: true })
    await fs.mkdir(incoming.#directory, { mode: 0o700 })
    return incoming
  }

  /** Bytes that are still to come of what was announced. */
  get awaitedBytes(): number {
    let bytes = 0
    for (const [{ size }, announced] of this.#underWay) bytes += Math.max(0, announced - size)
    return bytes
  }

  /**
   * Takes a body in and gives it to `keep`; it is gone when that is done. `announced` is how long it
   * is said to be, if anything is said.
   */
  async take<T>(
    body: Readable,
    announced: number | undefined,
    keep: (body: Body) => Promise<T>,
  ): Promise<T> {
    if ((announced ?? 0) > blobBytesMax) throw tooLarge()
    if (this.#underWay.size >= davPutsMax) {
      throw new Refusal(503, 'Too many files come in at this moment; try again soon.')
    }
    const { store, pace = uploadPace } = this.#options
    const taken = new Body(join(this.#directory, randomUUID()), store)
    const looked = this.#checkRoom(announced ?? 0)
    // At once: others come while the disk is asked, and find it promised.
    this.#underWay.set(taken, announced ?? 0)
    const endPace = keepPace(
      pace,
      () => taken.size,
      () => body.destroy(),
    )
    try {
      await looked
      let lookAt = lookEveryBytes
      // What is refused in the middle can still be answered.
      for await (const chunk of body.iterator({ destroyOnReturn: false })) {
        await taken.add(chunk as Buffer)
        if (taken.size > blobBytesMax) throw tooLarge()
        if (taken.size < lookAt) continue
        await this.#checkRoom(0)
        lookAt += lookEveryBytes
      }
      if (announced !== undefined && taken.size !== announced) {
        throw new Refusal(400, `${announced} bytes were announced, and ${taken.size} came.`)
      }
      endPace()
      taken.end()
      return await keep(taken)
    } finally {
      endPace()
      this.#underWay.delete(taken)
      await taken.remove()
    }
  }

  async #checkRoom(bytes: number): Promise<void> {
    if (await this.#options.hasRoom(bytes)) return
    throw new Refusal(507, 'The disk of this server is full. Try another.')
  }
}

/** One body, whole. */
export class Body {
  readonly #path: string
  readonly #store: BlobStore
  readonly #hashing: Hash = createHash('sha256')
  #chunks: Buffer[] = []
  #file: fs.FileHandle | undefined
  /** It is a blob now: the file is not ours any more. */
  #isKept = false
  #unflushedBytes = 0
  #flushing: Promise<void> = Promise.resolve()
  size = 0
  hash = ''

  constructor(path: string, store: BlobStore) {
    this.#path = path
    this.#store = store
  }

  async add(chunk: Buffer): Promise<void> {
    this.#hashing.update(chunk)
    this.size += chunk.length
    if (!this.#file && this.size <= davPutMemoryBytesMax) {
      this.#chunks.push(chunk)
      return
    }
    const file = await this.#inFile()
    await file.writeFile(chunk)
    this.#chunks = []
    this.#unflushedBytes += chunk.length
    if (this.#unflushedBytes < syncEveryBytes) return
    this.#unflushedBytes = 0
    await this.#flushing
    this.#flushing = file.datasync()
    // Whoever waits for it next hears of its failure.
    this.#flushing.catch(() => undefined)
  }

  end(): void {
    this.hash = this.#hashing.digest('hex')
  }

  /** It as text; undefined when it is none, or a longer one than is kept as text. */
  async text(bytesMax = textBytesMax): Promise<string | undefined> {
    if (this.size > bytesMax) return undefined
    const chunks: Buffer[] = []
    for await (const chunk of this.#from()) chunks.push(chunk)
    try {
      // A byte order mark belongs to the file and stays.
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      return decoder.decode(Buffer.concat(chunks))
    } catch {
      // That it is not UTF-8 is the answer.
      return undefined
    }
  }

  /** On this server's disk for good, flushed. Rejects with BlobError or the system's error. */
  async keep(): Promise<void> {
    const name = { hash: this.hash, size: this.size }
    // Not as an upload: of those there is one at a time, and several may bring the same bytes at once.
    if (!(await this.#store.claim(name))) await this.#hand(await this.#inFile())
  }

  async #inFile(): Promise<fs.FileHandle> {
    if (this.#file) return this.#file
    this.#file = await fs.open(this.#path, 'wx+', 0o600)
    for (const each of this.#chunks) await this.#file.writeFile(each)
    return this.#file
  }

  async #hand(file: fs.FileHandle): Promise<void> {
    await this.#flushing
    await file.sync()
    await this.#store.adopt(this.hash, this.#path)
    this.#isKept = true
  }

  async remove(): Promise<void> {
    if (!this.#file) return
    await this.#flushing.catch(() => undefined)
    await this.#file.close()
    if (!this.#isKept) await fs.unlink(this.#path)
  }

  async *#from(): AsyncGenerator<Buffer> {
    if (this.#file) {
      const options = { start: 0, autoClose: false, highWaterMark: 256 * 1024 }
      for await (const chunk of this.#file.createReadStream(options)) yield chunk as Buffer
      return
    }
    yield* this.#chunks
  }
}

function tooLarge(): Refusal {
  return new Refusal(413, `A file may have at most ${blobBytesMax} bytes.`)
}
