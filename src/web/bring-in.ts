// Brings files and folders of a person's disk into the folder, some at a time, until done or stopped.

import { FewAtOnce } from '../adapters/few-at-once.ts'
import type { Client, FileInfo } from '../client/api.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { entriesMax } from '../core/model/limits.ts'
import { checkFileName, fileKey } from '../core/model/names.ts'
import { members } from './folder-asks.ts'
import { makeOfBytes } from './keep-bytes.ts'
import type { Held, Source } from './sources.ts'
import type { Sending, Uploading } from './upload.ts'

export type Bringing =
  | { name: 'nothing' }
  /** So many were found until now. */
  | { name: 'looking'; found: number }
  | {
      name: 'bringing'
      done: number
      total: number
      now: string
      /** Bytes that are on their way, each with how far they are. */
      sendings: readonly (Sending & { path: string })[]
    }

export interface Brought {
  files: FileInfo[]
  /** What could not be brought in, with the reason in a sentence. */
  failed: { path: string; text: string }[]
  wasStopped: boolean
}

/** Operations on their way at once: more would only wait. */
const workersMax = 8

/** Bytes on their way at once: a line is not faster with more, and each is nearer to its end. */
const sendingsMax = 3

/** Tells at most so often how far it is: each time the page draws. */
const tellEveryMs = 60

export class BringIn {
  readonly #client: Client
  readonly #listeners = new Set<() => void>()
  #state: Bringing = { name: 'nothing' }
  #stop: AbortController | undefined
  /** The end of what was begun last. */
  #last: Promise<void> = Promise.resolve()
  #toldAt = 0

  constructor(client: Client) {
    this.#client = client
  }

  /** The same object until something changed. */
  get state(): Bringing {
    return this.#state
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends what is brought in now: what is made already stays, and what waits behind it begins. */
  stop(): void {
    this.#stop?.abort()
  }

  /**
   * Brings the bytes of one file up when what was begun before is done, shown and stopped as the rest.
   * `undefined`: it was stopped. Rejects with FourfoldError.
   */
  put<T>(path: string, act: (uploading: Uploading) => Promise<T>): Promise<T | undefined> {
    return this.#inTurn(async (signal) => {
      const tell = (sending?: Sending) => {
        const sendings = sending ? [{ path, ...sending }] : []
        this.#show({ name: 'bringing', done: 0, total: 1, now: path, sendings })
      }
      tell()
      try {
        return await act({ client: this.#client, signal, tell })
      } catch (error) {
        if (signal.aborted) return undefined
        throw error
      }
    })
  }

  /**
   * Makes what is found in `sources` in a directory, when what was begun before is done. Directories
   * that are there are gone into. Rejects with FourfoldError when `sources` cannot be read at all.
   */
  bring(sources: AsyncIterable<Source>, directory: string): Promise<Brought> {
    return this.#inTurn(async (signal) => {
      const brought: Brought = { files: [], failed: [], wasStopped: false }
      const all = await this.#found(sources, signal)
      await this.#make(all, directory, brought, signal)
      brought.wasStopped = signal.aborted
      return brought
    })
  }

  async #inTurn<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await before
    const stop = new AbortController()
    this.#stop = stop
    try {
      return await act(stop.signal)
    } finally {
      this.#show({ name: 'nothing' })
      resolve()
    }
  }

  async #found(sources: AsyncIterable<Source>, signal: AbortSignal): Promise<Source[]> {
    const all: Source[] = []
    this.#show({ name: 'looking', found: 0 })
    for await (const source of sources) {
      if (signal.aborted || all.length > entriesMax) break
      all.push(source)
      this.#show({ name: 'looking', found: all.length })
    }
    return all
  }

  async #make(
    all: Source[],
    directory: string,
    brought: Brought,
    signal: AbortSignal,
  ): Promise<void> {
    const making: Making = {
      directories: new Directories(this.#client, directory),
      brought,
      signal,
      sendings: new Map(),
      lanes: new FewAtOnce(sendingsMax),
      show: () => this.#show({ name: 'bringing', done, total, now, sendings: told(making) }),
    }
    const total = all.length
    let done = 0
    let now = ''
    const left = all.values()
    const work = async () => {
      for (const source of left) {
        if (signal.aborted) return
        now = source.path.join('/')
        making.show()
        await this.#makeOne(source, making)
        done++
      }
    }
    await Promise.all(Array.from({ length: workersMax }, work))
  }

  async #makeOne(source: Source, making: Making): Promise<void> {
    const { directories, brought, signal } = making
    const path = source.path.join('/')
    try {
      if (source.kind === 'directory') {
        await directories.at(source.path)
        return
      }
      if (source.kind === 'refused') {
        brought.failed.push({ path, text: source.why })
        return
      }
      const held = await source.held(signal)
      const parent = await directories.at(source.path.slice(0, -1))
      brought.files.push(await this.#makeFile(source.path, held, parent, making))
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof FourfoldError)) throw error
      brought.failed.push({ path, text: error.message })
    }
  }

  async #makeFile(
    path: string[],
    held: Held,
    parent: string,
    { lanes, signal, sendings, show }: Making,
  ): Promise<FileInfo> {
    const client = this.#client
    const name = path.at(-1)!
    if ('text' in held) return client.create(name, held.text, parent)
    if ('bytes' in held) return client.createBinary(name, held.bytes, parent)
    // A name that will not do is better told before a gigabyte was sent.
    checkFileName(name)
    const key = path.join('/')
    const tell = (sending: Sending) => {
      sendings.set(key, sending)
      show()
    }
    return lanes.run(async () => {
      try {
        return await makeOfBytes({ client, signal, tell }, held.blob, name, parent)
      } finally {
        sendings.delete(key)
      }
    })
  }

  #show(state: Bringing): void {
    const now = performance.now()
    // Another thing is told at once: it may be the last for long.
    const isSame = state.name === this.#state.name
    if (isSame && now - this.#toldAt < tellEveryMs) return
    this.#toldAt = now
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

/** What all that is brought in together shares. */
interface Making {
  directories: Directories
  brought: Brought
  signal: AbortSignal
  /** By path. */
  sendings: Map<string, Sending>
  lanes: FewAtOnce
  show: () => void
}

function told({ sendings }: Making): (Sending & { path: string })[] {
  return [...sendings].map(([path, sending]) => ({ path, ...sending }))
}

/** The directories that what is brought in goes to: those that are there, and those made for it. */
class Directories {
  readonly #client: Client
  readonly #known = new Map<string, Promise<string>>()
  /** Ids of those that were made for it. */
  readonly #made = new Set<string>()

  constructor(client: Client, base: string) {
    this.#client = client
    this.#known.set('', Promise.resolve(base))
  }

  /** The id of the directory at a path below the first one. Rejects when it cannot be made. */
  at(path: string[]): Promise<string> {
    const key = path.map(fileKey).join('/')
    const known = this.#known.get(key)
    if (known) return known
    const made = this.at(path.slice(0, -1)).then((parent) => this.#enter(path.at(-1)!, parent))
    this.#known.set(key, made)
    return made
  }

  async #enter(name: string, parent: string): Promise<string> {
    // In one that was made just now nothing is that was not brought there.
    const inside = this.#made.has(parent) ? [] : await members(this.#client, parent)
    const there = inside.find(
      (file) => file.kind === 'directory' && fileKey(file.name) === fileKey(name),
    )
    if (there) return there.id
    const { id } = await this.#client.makeDirectory(name, parent)
    this.#made.add(id)
    return id
  }
}

const namedMax = 4

/** What became of it, in a sentence or two; `isWhole`: nothing was left out. */
export function broughtWords(brought: Brought): { text: string; isWhole: boolean } {
  const { files, failed, wasStopped } = brought
  const count = files.length.toLocaleString('en')
  const said: string[] = []
  if (wasStopped && files.length === 0) said.push('Stopped; nothing came in.')
  else if (wasStopped)
    said.push(`Stopped; ${count} ${files.length === 1 ? 'file is' : 'files are'} here.`)
  else if (files.length > 0) {
    said.push(files.length === 1 ? `${files[0]!.name} is here.` : `${count} files are here.`)
  }
  const [first] = failed
  if (failed.length === 1) said.push(`Not brought in: ${first!.path}. ${first!.text}`)
  else if (first) said.push(`Not brought in: ${some(failed.map(({ path }) => path))}.`)
  return { text: said.join(' '), isWhole: failed.length === 0 }
}

function some(names: string[]): string {
  const rest = names.length - namedMax
  return (
    names.slice(0, namedMax).join(', ') + (rest > 0 ? ` and ${rest.toLocaleString('en')} more` : '')
  )
}
