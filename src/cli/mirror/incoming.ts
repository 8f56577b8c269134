// What comes from the folder to the disk: written beside, flushed, noted, put into its place, noted.

import type { Act, InFolder } from '../../core/mirror/messages.ts'
import { isLess, reachOf, type Reach } from '../../core/mirror/reach.ts'
import { contentsMax } from '../../core/model/limits.ts'
import { parentOf } from '../../core/model/path.ts'
import { downloadBlob } from '../../adapters/channel/blob-client.ts'
import type { MirrorDirectory, NewFile, Prepared } from '../../adapters/mirror/directory.ts'
import type { Found } from '../../adapters/mirror/look.ts'
import { isSameContent } from '../../adapters/mirror/open-directory.ts'
import type { MirrorStore, Stamp, Work } from '../../adapters/mirror/store.ts'
import { AnswerError, NoServerError, type Ask, type SetClient } from '../set-client.ts'
import type { DisplacedFiles } from './displaced.ts'
import { unlessMissing } from './everybody.ts'
import type { Reading } from './reading.ts'
import type { Parts } from './parts.ts'

/** Texts kept between being compared and being written, in UTF-16. */
const textsMax = 8 * 1024 * 1024
/** What was fetched and is not wanted any more goes after this. */
const unwantedMs = 60_000
/** Where one server is away, those that lack for so long what they had are taken to lack it for good. */
const lackingMs = 30_000

export interface IncomingOptions extends Parts {
  reading: Reading
  displaced: DisplacedFiles
}

interface Text {
  text: string
  version: string
  reach: Reach | undefined
}

/** Bytes that were fetched and wait beside their place. */
interface Fetched {
  version: string
  prepared: Prepared
  at: number
}

interface Fetch {
  id: string
  path: string
  name: { hash: string; size: number }
  set: SetClient
  signal: AbortSignal
}

type Write = Extract<Act, { type: 'write' }>

/** What is replaced on the disk. */
interface Over {
  version: string
  stamp: Stamp | undefined
}

export class Incoming {
  readonly #options: IncomingOptions
  readonly #placed: Placed
  readonly #texts = new Map<string, Text>()
  #textsLength = 0
  /** By id. */
  readonly #fetched = new Map<string, Fetched>()
  /** Since when texts lack something of what they had. */
  readonly #lacking = new Map<string, number>()

  constructor(options: IncomingOptions) {
    this.#options = options
    this.#placed = new Placed(options.directory, options.store)
  }

  /** Understands where the life before ended. */
  recover(): void {
    for (const work of this.#options.store.works()) this.#recover(work)
  }

  #recover(work: Work): void {
    const { directory, store, commons, displaced: aside } = this.#options
    const { id, path, temporary, displaced, identity } = work
    const isPlaced =
      directory.identityAt(temporary) === undefined || directory.identityAt(path) === identity
    directory.discard(temporary)
    const isTakenOut = directory.identityAt(displaced) !== undefined
    const row = commons.get(id)
    const before = { version: row?.version ?? '', stamp: row?.stamp }
    if (isPlaced) {
      store.together(() => this.#arrived(work, isTakenOut ? before : undefined))
      return
    }
    const isBack = isTakenOut && directory.putBack(displaced, path)
    store.together(() => {
      if (isTakenOut && !isBack)
        aside.add({ file: displaced, id, path, ...before, isRemoval: false })
      store.removeWork(id)
    })
  }

  /** The text of a file; undefined: there is none. Rejects with NoServerError. */
  async read(id: string): Promise<Text | undefined> {
    const { set, folder, refusals } = this.#options
    const known = this.#texts.get(id)
    const entry = folder.entries.get(id)
    if (known && known.version === entry?.version && !entry.isStale) return known
    try {
      const answer = await set.ask((server, call) => server.folder.readFile({ file: id }, call))
      const { file, text, version, state } = answer
      const read = { text, version, reach: reachOf(state) }
      folder.know(file, version)
      this.#textsLength += text.length
      if (this.#textsLength > textsMax) {
        this.#texts.clear()
        this.#textsLength = text.length
      }
      this.#texts.set(id, read)
      return read
    } catch (error) {
      refusals.answered(error, id, folder.entries.get(id)?.path ?? id)
      return undefined
    }
  }

  /** Puts what the folder has over what was looked at; bytes are fetched first, beside all else. */
  async write(act: Write, item: Found | undefined): Promise<void> {
    const { id, path, over } = act
    if (over !== undefined && item?.version !== over) return
    if (over !== undefined && (await this.#areBytesLacking(act))) return
    const entry = this.#options.folder.entries.get(id)
    if (entry?.kind === 'binary') await this.#writeBytes(act, item, entry)
    else {
      const read = await this.read(id)
      if (read && over !== undefined && (await this.#isLacking(act, read))) return
      const prepared = read && this.#options.directory.prepare(path, read.text)
      if (!prepared) return
      this.#texts.delete(id)
      await this.#put({ id, path, kind: 'text', ...read, ...prepared }, item)
    }
  }

  /** Whether a text lacks something of what it had. Rejects with NoServerError. */
  async #isLacking(act: Write, { reach }: Text): Promise<boolean> {
    const { id } = act
    const before = this.#options.store.reach(id)
    if (reach && before && isLess(reach, before)) {
      return this.#keepsOff(act, async ({ folder }, call) => {
        const there = reachOf((await folder.readFile({ file: id }, call)).state)
        return there === undefined || !isLess(there, before)
      })
    }
    this.#lacking.delete(id)
    return false
  }

  /** Whether a file is not known to have held the bytes that are here. Rejects with NoServerError. */
  async #areBytesLacking(act: Write): Promise<boolean> {
    const { set, commons, refusals } = this.#options
    const { id, path } = act
    const row = commons.get(id)
    if (row?.kind !== 'binary') return false
    const isKnown: Ask<boolean> = async ({ folder }, call) => {
      const { contents } = await folder.listContents({ file: id }, call)
      // Of many the oldest are forgotten.
      return contents.some(({ hash }) => hash === row.version) || contents.length >= contentsMax
    }
    try {
      if (!(await set.ask(isKnown))) return await this.#keepsOff(act, isKnown)
      this.#lacking.delete(id)
      return false
    } catch (error) {
      refusals.answered(error, id, path)
      return true
    }
  }

  /**
   * What lacks something of what it had does not go over the file that has it, which may be the last
   * one. A server that is behind gets the rest soon. Otherwise it is lost, and the file is nobody's: it
   * joins as if it were new, under a name of its own, and so is given to all once more.
   */
  async #keepsOff({ id, path }: Write, hasIt: Ask<boolean>): Promise<true> {
    const { commons, refusals, report, everybody } = this.#options
    const isThere = await everybody.ask((clients, call) => unlessMissing(hasIt(clients, call)))
    const now = performance.now()
    if (isThere?.includes(true)) this.#lacking.delete(id)
    const sinceAt = this.#lacking.get(id) ?? now
    this.#lacking.set(id, sinceAt)
    const isNowhere = isThere?.includes(true) === false
    if (!isNowhere && now - sinceAt < lackingMs) {
      refusals.refuse(id, path, 'The servers lack something of it now; it stays as it is here.')
    } else {
      this.#lacking.delete(id)
      commons.forget(id)
      report.warn(
        'lost',
        `${path}: the servers have lost something of it. What was here is kept, under another name.`,
      )
    }
    return true
  }

  /** How far a text has come that was read when it had this version. */
  reachOf(id: string, version: string): Reach | undefined {
    const read = this.#texts.get(id)
    return read?.version === version ? read.reach : undefined
  }

  async #writeBytes({ id, path }: Write, item: Found | undefined, entry: InFolder): Promise<void> {
    const version = entry.version!
    const fetched = this.#fetched.get(id)
    if (fetched) {
      const { prepared } = fetched
      this.#fetched.delete(id)
      const isBeside = parentOf(prepared.temporary) === parentOf(path)
      if (fetched.version === version && isBeside) {
        await this.#put({ id, path, kind: 'binary', version, text: '', ...prepared }, item)
        return
      }
      this.#options.directory.discard(prepared.temporary)
    }
    const name = { hash: version, size: entry.size ?? 0 }
    this.#options.transfers.start({
      key: id,
      about: [id, path],
      bytes: name.size,
      run: (set, signal) => this.#fetch({ id, path, name, set, signal }),
    })
  }

  async #fetch({ id, path, name, set, signal }: Fetch): Promise<void> {
    const { directory, refusals } = this.#options
    let file: NewFile | undefined
    try {
      file = directory.begin(path)
      if (!file) return
      const place = file.path
      await set.talk((_clients, call, address) =>
        downloadBlob(
          { ...call, address, signal: AbortSignal.any([call.signal, signal]) },
          place,
          name,
          () => {},
        ),
      )
      this.#fetched.set(id, { version: name.hash, prepared: file.seal(), at: performance.now() })
    } catch (error) {
      file?.discard()
      if (signal.aborted) return
      // A server may be there and have none of its bytes: without any, other calls say so.
      if (error instanceof NoServerError)
        refusals.refuse(id, path, 'No server gives its bytes now.')
      else if (error instanceof AnswerError) refusals.answered(error, id, path)
      else refusals.byDisk(error, id, path)
    }
  }

  /** What was fetched, and was then not asked for by the plans. */
  tidy({ isLast }: { isLast: boolean }): void {
    const before = isLast ? Infinity : performance.now() - unwantedMs
    for (const [id, { prepared, at }] of this.#fetched) {
      if (at > before) continue
      this.#fetched.delete(id)
      this.#options.directory.discard(prepared.temporary)
    }
  }

  async #put(work: Work, item: Found | undefined): Promise<void> {
    const { directory, store, displaced, report } = this.#options
    const { id, path } = work
    const over = item && { version: item.version, stamp: item.stamp }
    await store
      .soon(() => store.addWork(work))
      .catch((error: unknown) => {
        directory.discard(work.temporary)
        throw error
      })
    if (!directory.put(work, item)) {
      const isLeft = over && directory.identityAt(work.displaced) !== undefined
      store.together(() => {
        if (isLeft) displaced.add({ file: work.displaced, id, path, ...over, isRemoval: false })
        store.removeWork(id)
      })
      return
    }
    await this.#placed.add(parentOf(path), () => this.#arrived(work, over))
    report.done(over === undefined ? 'wrote' : 'updated', path)
  }

  /** A file is in its place; `over`: what it replaced lies aside. */
  #arrived(work: Work, over: Over | undefined): void {
    const { store, commons, reading, displaced, directory } = this.#options
    const { id, path, kind = 'text', identity, version, reach } = work
    const there = directory.stateAt(path)
    // Putting it into its place changed its times, and nothing else did.
    const isIt = there?.identity === identity && isSameContent(work.stamp, there.stamp)
    const stamp = isIt ? there.stamp : undefined
    if (kind === 'text' && commons.get(id)) store.keepEarlier(id, Date.now())
    commons.keep({ id, path, kind, version, identity, stamp }, { work: id }, reach)
    if (stamp) reading.remember(path, { kind, version, identity, stamp })
    store.removeWork(id)
    if (over) displaced.add({ file: work.displaced, id, path, ...over, isRemoval: false })
  }
}

/** Files that took their places in one moment: their directories are flushed once, and then noted. */
class Placed {
  readonly #directory: MirrorDirectory
  readonly #store: MirrorStore
  #flushed: Promise<void> | undefined
  #directories = new Set<string>()

  constructor(directory: MirrorDirectory, store: MirrorStore) {
    this.#directory = directory
    this.#store = store
  }

  /** Resolves when the place, and then the note, are on the disk. */
  async add(directory: string, note: () => void): Promise<void> {
    this.#directories.add(directory)
    this.#flushed ??= new Promise((resolve) => setImmediate(resolve)).then(() => {
      const directories = this.#directories
      this.#directories = new Set()
      this.#flushed = undefined
      for (const each of directories) this.#directory.flush(each)
    })
    await this.#flushed
    await this.#store.soon(note)
  }
}
