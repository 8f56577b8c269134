// What is in the files of the disk, as far as it was read; large ones are read beside everything else.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { errorCodeOf } from '../../adapters/error-code.ts'
import type { MirrorDirectory, OpenFile } from '../../adapters/mirror/directory.ts'
import type { Found, Remembered } from '../../adapters/mirror/look.ts'
import { isForbidden } from '../../adapters/mirror/open-directory.ts'
import type { CommonRow } from '../../adapters/mirror/store.ts'

/** Read from the disk at once. */
const pieceBytes = 256 * 1024
/** After so many bytes it is looked whether the file changes: then the rest is read in vain. */
const lookBytes = 64 * 1024 * 1024

export interface ReadingOptions {
  directory: MirrorDirectory
  rows: Iterable<CommonRow>
  /** Something was read, or could not be: it is to be looked at again. */
  read: () => void
  failed: (error: Error) => void
}

export class Reading {
  readonly #options: ReadingOptions
  readonly #remembered = new Map<string, Remembered>()
  /** By path. */
  #unread = new Map<string, Found>()
  #running: Promise<void> | undefined
  #isStopped = false

  constructor(options: ReadingOptions) {
    this.#options = options
    for (const row of options.rows) {
      if (row.kind !== 'directory') this.#remembered.set(row.path, row)
    }
  }

  readonly remembered = (path: string): Remembered | undefined => this.#remembered.get(path)

  remember(path: string, what: Remembered): void {
    this.#remembered.set(path, what)
  }

  /** What a look saw. */
  looked(items: ReadonlyMap<string, Found>): void {
    for (const path of this.#remembered.keys()) if (!items.has(path)) this.#remembered.delete(path)
    for (const [path, { kind, version, identity, stamp, isSettled, why }] of items) {
      if (!isSettled || stamp === undefined || kind === 'directory') continue
      this.#remembered.set(path, { kind, version, identity, stamp, why })
    }
  }

  get isBusy(): boolean {
    return this.#running !== undefined
  }

  /** Reads what the last look left, one after the other. */
  start(unread: Found[]): void {
    this.#unread = new Map(unread.map((item) => [item.path, item]))
    if (this.#running || this.#isStopped || unread.length === 0) return
    this.#running = this.#readAll()
      .catch((error: unknown) => this.#options.failed(error as Error))
      .finally(() => {
        this.#running = undefined
        this.#options.read()
      })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #readAll(): Promise<void> {
    for (;;) {
      const [item] = this.#unread.values()
      if (!item || this.#isStopped) return
      this.#unread.delete(item.path)
      await this.#readOne(item)
      this.#options.read()
    }
  }

  async #readOne(item: Found): Promise<void> {
    const { path, identity, stamp } = item
    const why = (text: string) =>
      this.remember(path, { kind: 'skipped', version: '', identity, stamp, why: text })
    try {
      const file = this.#options.directory.open(item)
      if (!file) return
      try {
        const version = await this.#hashOf(file)
        if (version !== undefined) this.remember(path, { kind: 'binary', version, identity, stamp })
      } finally {
        file.close()
      }
    } catch (error) {
      if (isForbidden(error)) why('It may not be read.')
      else if (errorCodeOf(error) === 'EIO') why('The disk cannot read it.')
      else throw error
    }
  }

  /** Undefined: it changed. */
  async #hashOf(file: OpenFile): Promise<string | undefined> {
    const hash = createHash('sha256')
    let bytes = 0
    const pieces = createReadStream(file.path, { highWaterMark: pieceBytes })
    for await (const piece of pieces as AsyncIterable<Buffer>) {
      hash.update(piece)
      bytes += piece.length
      const isChecked = bytes % lookBytes < piece.length
      if (this.#isStopped || (isChecked && !file.isSame())) return undefined
    }
    return file.isSame() ? hash.digest('hex') : undefined
  }
}
