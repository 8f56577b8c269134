// Brings files and folders of a person's disk into the folder, some at a time, until done or stopped.

import type { Client, FileInfo } from '../client/api.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { entriesMax, textBytesMax } from '../core/model/limits.ts'
import { fileKey } from '../core/model/names.ts'
import type { Dropped } from './tree-drag.ts'

/** Something to bring in. */
export interface Source {
  /** Names from the chosen directory down to it. */
  path: string[]
  /** Absent: a directory. `undefined`: it is no text, or too large. */
  text?: () => Promise<string | undefined>
}

export type Bringing =
  | { name: 'nothing' }
  /** So many were found until now. */
  | { name: 'looking'; found: number }
  | { name: 'bringing'; done: number; total: number; now: string }

export interface Brought {
  files: FileInfo[]
  /** Files that are not UTF-8 text, or larger than a text may be: their paths. */
  refused: string[]
  /** What a server would not take, with its sentence. */
  failed: { path: string; text: string }[]
  wasStopped: boolean
}

/** Operations on their way at once: a session may have 64 of them. */
const workersMax = 8

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
   * Makes what is found in `sources` in a directory, when what was begun before is done. Directories
   * that are there are gone into.
   */
  async bring(sources: AsyncIterable<Source>, directory: string): Promise<Brought> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await before
    const stop = new AbortController()
    this.#stop = stop
    const brought: Brought = { files: [], refused: [], failed: [], wasStopped: false }
    try {
      const all = await this.#found(sources, stop.signal)
      await this.#make(all, directory, brought, stop.signal)
    } finally {
      brought.wasStopped = stop.signal.aborted
      this.#show({ name: 'nothing' }, true)
      resolve()
    }
    return brought
  }

  async #found(sources: AsyncIterable<Source>, signal: AbortSignal): Promise<Source[]> {
    const all: Source[] = []
    this.#show({ name: 'looking', found: 0 }, true)
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
    const directories = new Directories(this.#client, directory)
    let done = 0
    const left = all.values()
    const work = async () => {
      for (const source of left) {
        if (signal.aborted) return
        const now = source.path.join('/')
        this.#show({ name: 'bringing', done, total: all.length, now })
        await this.#makeOne(source, directories, brought)
        done++
      }
    }
    await Promise.all(Array.from({ length: workersMax }, work))
  }

  async #makeOne(source: Source, directories: Directories, brought: Brought): Promise<void> {
    const path = source.path.join('/')
    try {
      if (source.text === undefined) {
        await directories.at(source.path)
        return
      }
      const text = await source.text()
      if (text === undefined) {
        brought.refused.push(path)
        return
      }
      const parent = await directories.at(source.path.slice(0, -1))
      brought.files.push(await this.#client.create(source.path.at(-1)!, text, parent))
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      brought.failed.push({ path, text: error.message })
    }
  }

  #show(state: Bringing, isAtOnce = false): void {
    const now = performance.now()
    if (!isAtOnce && now - this.#toldAt < tellEveryMs) return
    this.#toldAt = now
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

/** The directories that what is brought in goes to: those that are there, and those made for it. */
class Directories {
  readonly #client: Client
  readonly #known = new Map<string, Promise<string>>()

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
    const there = this.#client.files.find(
      (file) =>
        file.kind === 'directory' &&
        !file.isDeleted &&
        file.parent === parent &&
        fileKey(file.name) === fileKey(name),
    )
    return there ? there.id : (await this.#client.makeDirectory(name, parent)).id
  }
}

/** What was dropped, with all that is in its folders. */
export async function* droppedSources(
  items: Dropped[],
  above: string[] = [],
): AsyncGenerator<Source> {
  for (const item of items) {
    const path = [...above, item.name]
    if (item.kind === 'file') {
      yield { path, text: async () => textIn(await item.getFile()) }
      continue
    }
    yield { path }
    const inside: Dropped[] = []
    for await (const entry of item.getEntries()) inside.push(entry)
    yield* droppedSources(inside, path)
  }
}

/** Files chosen in the browser's dialog; those of a chosen folder with their path in it. */
export async function* chosenSources(files: Iterable<File>): AsyncGenerator<Source> {
  for (const file of files) {
    const path = file.webkitRelativePath === '' ? [file.name] : file.webkitRelativePath.split('/')
    yield { path, text: () => textIn(file) }
  }
}

/** The text in a file of this device; undefined when it is not UTF-8 text, or too large. */
export async function textIn(file: File): Promise<string | undefined> {
  if (file.size > textBytesMax) return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await file.arrayBuffer(),
    )
    return text.includes('\0') ? undefined : text
  } catch {
    // Not UTF-8, or it could not be read: either way there is no text to bring in.
    return undefined
  }
}

const namedMax = 4

/** What became of it, in a sentence or two; `isWhole`: nothing was left out. */
export function broughtWords(brought: Brought): { text: string; isWhole: boolean } {
  const { files, refused, failed, wasStopped } = brought
  const count = files.length.toLocaleString('en')
  const said: string[] = []
  if (wasStopped)
    said.push(`Stopped; ${count} ${files.length === 1 ? 'file is' : 'files are'} here.`)
  else if (files.length > 0) {
    said.push(files.length === 1 ? `${files[0]!.name} is here.` : `${count} files are here.`)
  }
  if (refused.length > 0) {
    said.push(
      `Not brought in: ${some(refused)}. Binary files and files over 10 MiB are not kept yet.`,
    )
  }
  const [first] = failed
  if (failed.length === 1) said.push(`Not brought in: ${first!.path}. ${first!.text}`)
  else if (first) {
    said.push(`Not brought in: ${some(failed.map(({ path }) => path))}. The first: ${first.text}`)
  }
  return { text: said.join(' '), isWhole: refused.length + failed.length === 0 }
}

function some(names: string[]): string {
  const rest = names.length - namedMax
  return (
    names.slice(0, namedMax).join(', ') + (rest > 0 ? ` and ${rest.toLocaleString('en')} more` : '')
  )
}
