// The shared folder as a mirror knows it: listed, and kept current by a watch on any living server.

import { create } from '@bufbuild/protobuf'
import { Code } from '@connectrpc/connect'
import type { InFolder } from '../../core/mirror/messages.ts'
import { hash } from '../../adapters/mirror/look.ts'
import { isLongerThan } from '../../core/model/byte-length.ts'
import { withWords } from '../../core/model/names.ts'
import { isBelow, pathBelow } from '../../core/model/path.ts'
import { moved } from '../../core/mirror/paths.ts'
import { filesPerPageMax, nameBytesMax } from '../../core/model/limits.ts'
import { restAfter } from '../../core/model/rest.ts'
import { fromSeen, raise, toSeen, type VersionVector } from '../../core/model/version-vector.ts'
import {
  Kind,
  VersionVectorSchema,
  WatchEvent,
  type File,
  type WatchResponse,
} from '../../core/model/wire.ts'
import { AnswerError, type SetClient } from '../set-client.ts'

/** A text that others change is told when they pause for so long, and at least so often. */
const pauseMs = 150
const changingMaxMs = 1000
/** After a new name, others of the directory may be numbered anew: listed again, not at once. */
const listPace = { times: 4, leastMs: 1000, mostMs: 60_000 }

export class FolderView {
  /** What is below the mirrored part, by id; paths are relative to it. */
  entries = new Map<string, InFolder>()
  readonly gone = new Set<string>()
  /** Of what is gone, texts that others moved out of the mirrored part. */
  readonly elsewhere = new Set<string>()
  readonly restorable = new Set<string>()
  /** Of what is gone, what nobody can have back. */
  readonly erased = new Set<string>()
  /** Known here, and neither listed, nor gone: the server that answers does not know of them. */
  unheard = new Set<string>()
  readonly #set: Pick<SetClient, 'ask' | 'read'>
  /** The id of the mirrored directory; empty: the top. */
  readonly #root: string
  #rootPath = ''
  readonly #changing = new Map<string, { firstAt: number; lastAt: number }>()
  readonly #changed: () => void
  readonly #ending = new AbortController()
  #seen: VersionVector
  /** What is told by a set of which it is not known yet whether it is the same. */
  #theirs: VersionVector = new Map()
  #isMet = false
  /** When the listing is to be fetched again; undefined: it is current. */
  #listAt: number | undefined
  #listedMs = 0
  #isReady = false
  #isListed = false

  constructor(
    set: Pick<SetClient, 'ask' | 'read'>,
    root: string,
    options: { seen: string | undefined; versions: Map<string, string>; changed: () => void },
  ) {
    this.#set = set
    this.#root = root
    this.#changed = options.changed
    const seen = options.seen === undefined ? {} : JSON.parse(options.seen)
    this.#seen = fromSeen(seen as { [origin: string]: number })
    for (const [id, version] of options.versions) this.#versions.set(id, version)
  }

  readonly #versions = new Map<string, string>()

  /** Whether there is a complete listing, as the server has it that is watched. */
  get isListed(): boolean {
    return this.#isReady && this.#isListed
  }

  /** Whether nothing that was told is still to be taken in. */
  get isCurrent(): boolean {
    return this.isListed && this.nextAt === undefined
  }

  /** The path in the whole folder, wherever the mirrored directory is by then. */
  fullPath(path: string): string {
    return this.#root === '' ? path : pathBelow(this.#root, path)
  }

  /** What has been told so far, for a later life. */
  get seen(): string {
    return JSON.stringify(toSeen(this.#seen))
  }

  // ------------------------------------------------------------------------------- meeting

  /** Whether the set that answers was found to be the one that is mirrored. */
  get isMet(): boolean {
    return this.#isReady && this.#isMet
  }

  /** What was told before, and what the set that answers has taken in. */
  get meeting(): { seen: VersionVector; theirs: VersionVector } {
    return { seen: this.#seen, theirs: this.#theirs }
  }

  /** It is the same set. */
  accept(): void {
    this.#isMet = true
    raise(this.#seen, this.#theirs)
  }

  /** It is another life of the set: what was known of this one is known no more. */
  acceptRefilled(): void {
    this.#isMet = true
    this.#seen = this.#theirs
  }

  // ------------------------------------------------------------------------------ watching

  /** Listens until the set is closed. Rejects with NoServerError when no server answers. */
  watch(): Promise<void> {
    return this.#set.read(
      ({ folder }, call) => {
        // Beyond what is known: the listing itself is fetched when the server is ready. Until then
        // nothing is decided: this may be another server than before.
        this.#isReady = false
        this.#isMet = false
        this.#theirs = new Map()
        const signal = AbortSignal.any([call.signal, this.#ending.signal])
        return folder.watch({ file: this.#root, ...this.#since }, { ...call, signal })
      },
      (told) => this.#told(told),
    )
  }

  /** Beyond nothing a server would read every update of every text, only to tell what is there. */
  get #since() {
    if (this.#seen.size === 0) return {}
    return { since: create(VersionVectorSchema, { seen: toSeen(this.#seen) }) }
  }

  /** No server answers: nothing is decided until one does. */
  lost(): void {
    this.#isReady = false
  }

  /** Ends the watch, be it that it only begins. */
  end(): void {
    this.#ending.abort()
  }

  #told({ event, file, seen }: WatchResponse): void {
    if (event === WatchEvent.READY) {
      this.#isReady = true
      this.#watched++
      this.#list(0)
    } else if (file) this.#toldOf(event, file)
    // After it: what is remembered as seen was taken in.
    raise(this.#isMet ? this.#seen : this.#theirs, fromSeen(seen?.seen))
    this.#changed()
  }

  #toldOf(event: WatchEvent, file: File): void {
    if (event === WatchEvent.CHANGED && file.kind === Kind.TEXT) {
      const now = performance.now()
      const { firstAt = now } = this.#changing.get(file.id) ?? {}
      this.#changing.set(file.id, { firstAt, lastAt: now })
      this.#mark(file.id)
      return
    }
    if (file.kind === Kind.DIRECTORY || event === WatchEvent.PRESENT) {
      // A directory takes along what is in it.
      this.#list(this.#isReady ? 0 : Infinity)
      return
    }
    this.#list(restAfter(this.#listedMs, listPace))
    if (event === WatchEvent.DELETED || file.isDeleted) {
      this.#remove(file.id)
    } else {
      this.#put(file)
    }
  }

  #list(afterMs: number): void {
    if (afterMs === Infinity) return
    const at = performance.now() + afterMs
    this.#listAt = Math.min(this.#listAt ?? Infinity, at)
  }

  /** When something is to be done here; undefined: nothing. */
  get nextAt(): number | undefined {
    const pauses = [...this.#changing.values()].map(({ firstAt, lastAt }) =>
      Math.min(lastAt + pauseMs, firstAt + changingMaxMs),
    )
    const next = Math.min(this.#listAt ?? Infinity, ...pauses)
    return next === Infinity ? undefined : next
  }

  // ------------------------------------------------------------------------------- listing

  /** Takes in what the watch told. Rejects with NoServerError. `known`: ids that must be accounted for. */
  async refresh(known: Iterable<string>): Promise<void> {
    const now = performance.now()
    for (const [id, { firstAt, lastAt }] of this.#changing) {
      if (now < Math.min(lastAt + pauseMs, firstAt + changingMaxMs)) continue
      this.#changing.delete(id)
      this.forgetVersion(id)
    }
    if (this.#listAt === undefined || now < this.#listAt) return
    this.#listAt = undefined
    try {
      await this.#listAll(new Set(known))
      this.#listedMs = performance.now() - now
    } catch (error) {
      this.#list(0)
      throw error
    }
  }

  async #listAll(known: Set<string>): Promise<void> {
    if (this.#root !== '') {
      const file = this.#root
      const answer = await this.#set.ask(({ folder }, call) => folder.getFile({ file }, call))
      this.#rootPath = answer.file?.path ?? ''
    }
    const files = await this.#pages({ directory: this.#root, isRecursive: true })
    if (!files.every((file) => this.#isInside(file))) {
      this.#list(restAfter(this.#listedMs, listPace))
      return
    }
    this.entries = new Map()
    for (const file of files) this.#take(file)
    for (const id of this.#changing.keys()) this.#mark(id)
    this.gone.clear()
    this.elsewhere.clear()
    this.restorable.clear()
    this.erased.clear()
    const missing = new Set([...known].filter((id) => !this.entries.has(id)))
    if (missing.size > 0) await this.#findMissing(missing)
    this.unheard = new Set([...missing].filter((id) => !this.gone.has(id)))
    this.#isListed = true
  }

  /** What is not listed is gone only if it is seen elsewhere. */
  async #findMissing(missing: Set<string>): Promise<void> {
    const found = ({ id }: File) => {
      if (missing.delete(id)) this.gone.add(id)
    }
    const trash = await this.#pages({ inTrash: true })
    for (const file of trash) {
      const isThere = file.parent === this.#root || this.entries.has(file.parent)
      if (missing.has(file.id) && isThere) this.restorable.add(file.id)
      found(file)
    }
    for (const { id, kind } of trash) {
      if (missing.size === 0) return
      if (kind !== Kind.DIRECTORY) continue
      const inside = { directory: id, inTrash: true, isRecursive: true }
      for (const file of await this.#pages(inside)) found(file)
    }
    if (this.#root !== '') {
      for (const file of [...missing]) {
        try {
          const answer = await this.#set.ask(({ folder }, call) => folder.getFile({ file }, call))
          if (!answer.file) continue
          found(answer.file)
          if (answer.file.kind === Kind.TEXT) this.elsewhere.add(file)
        } catch (error) {
          if (!(error instanceof AnswerError) || error.code !== Code.NotFound) throw error
        }
      }
    }
    await this.#findErased([...missing])
  }

  /** Of the others a server says which were deleted for good; the rest it may not know of yet. */
  async #findErased(missing: string[]): Promise<void> {
    for (let from = 0; from < missing.length; from += filesPerPageMax) {
      const files = missing.slice(from, from + filesPerPageMax)
      try {
        const answer = await this.#set.ask(({ folder }, call) => folder.listErased({ files }, call))
        for (const id of answer.files) {
          this.gone.add(id)
          this.erased.add(id)
        }
      } catch (error) {
        // An older server: then they stay on this disk.
        if (!(error instanceof AnswerError) || error.code !== Code.Unimplemented) throw error
      }
    }
  }

  async #pages(asked: {
    directory?: string
    isRecursive?: boolean
    inTrash?: boolean
    measuresTexts?: boolean
  }): Promise<File[]> {
    const files: File[] = []
    let page = ''
    do {
      const from = page
      const answer = await this.#set.ask(({ folder }, call) =>
        folder.listFiles({ ...asked, page: from }, call),
      )
      files.push(...answer.files)
      page = answer.nextPage
    } while (page !== '')
    return files
  }

  /**
   * A watch tells what was changed, and not what was lost. So whenever one begins, all texts are
   * compared once with what they are taken to be. Rejects with NoServerError.
   */
  async compare(): Promise<void> {
    const watched = this.#watched
    const asked = { directory: this.#root, isRecursive: true, measuresTexts: true }
    for (const { id, textVersion } of await this.#pages(asked)) {
      const version = this.#versions.get(id)
      // What cannot be read there now is read again until it can.
      if (version !== undefined && version !== textVersion) this.forgetVersion(id)
    }
    this.#compared = watched
  }

  get isCompared(): boolean {
    return this.#compared === this.#watched
  }

  /** Which watch it is. */
  #watched = 0
  #compared = 0

  // -------------------------------------------------------------------------- what is known

  /** A server answered that a file is so. */
  know(file: File | undefined, version?: string): void {
    if (!file) return
    if (version !== undefined && file.kind === Kind.TEXT) this.#versions.set(file.id, version)
    if (file.isDeleted) this.#remove(file.id)
    else this.#put(file)
  }

  forgetVersion(id: string): void {
    this.#versions.delete(id)
    const entry = this.entries.get(id)
    if (entry?.kind === 'text') {
      this.entries.set(id, { ...entry, version: undefined, isStale: false })
    }
  }

  /** An entry was moved by us, with all that is in it. */
  move(id: string, path: string): void {
    const from = this.entries.get(id)?.path
    if (from === undefined) return
    for (const each of [...this.entries.values()]) {
      const to = moved(each.path, from, path)
      if (to !== each.path) this.entries.set(each.id, { ...each, path: to })
    }
  }

  /** An entry was deleted by us, with all that is in it: these. */
  remove(id: string): string[] {
    const path = this.entries.get(id)?.path
    if (path === undefined) return [id]
    const inside = [...this.entries.values()].filter((each) => isBelow(each.path, path))
    const removed = [id, ...inside.map((each) => each.id)]
    for (const each of removed) this.#remove(each)
    return removed
  }

  /** Something is not as it is known here. */
  doubt(afterMs = 0): void {
    this.#list(afterMs)
  }

  #remove(id: string): void {
    this.entries.delete(id)
    this.gone.add(id)
    this.elsewhere.delete(id)
  }

  /** In the path of all that is below the mirrored part, as far as is known. */
  get #prefix(): string {
    return this.#rootPath === '' ? '' : `${this.#rootPath}/`
  }

  /** Otherwise it lies elsewhere, or what is mirrored does by now, with all that is in it. */
  #isInside({ path }: File): boolean {
    return path.startsWith(this.#prefix)
  }

  #put(file: File): void {
    if (this.#isInside(file)) this.#take(file)
    else this.#list(0)
  }

  #take({ id, path: full, kind, hash, size }: File): void {
    const path = onDisk(full.slice(this.#prefix.length))
    this.gone.delete(id)
    // It may have lost something since it was known.
    if (this.unheard.delete(id)) this.#versions.delete(id)
    if (kind === Kind.BINARY) {
      this.#versions.delete(id)
      this.entries.set(id, { id, path, kind: 'binary', version: hash, size })
      return
    }
    const is = kind === Kind.DIRECTORY ? 'directory' : 'text'
    this.entries.set(id, { id, path, kind: is, version: this.#versions.get(id) })
  }

  /** Its version is that of before. */
  #mark(id: string): void {
    const entry = this.entries.get(id)
    if (entry?.kind === 'text') this.entries.set(id, { ...entry, isStale: true })
  }
}

/**
 * A number that tells namesakes apart may make a name longer than one that somebody may give, and than
 * disks take: such a one is cut, and ends with what it is a cut of, the same in every mirror.
 */
function onDisk(path: string): string {
  if (!isLongerThan(path, nameBytesMax)) return path
  const fitted = (name: string) =>
    isLongerThan(name, nameBytesMax) ? withWords(name, ` (${hash(name).slice(0, 8)})`) : name
  return path.split('/').map(fitted).join('/')
}
