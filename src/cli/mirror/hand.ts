// What a mirror does: to files, and by calls to a server. Each step is written down before it is
// taken, in an order that lets the next life understand where this one ended.

import { Code } from '@connectrpc/connect'
import { baseOf } from '../../core/mirror/base-choice.ts'
import type { Act } from '../../core/mirror/messages.ts'
import { isBelow, moved, parentOf } from '../../core/mirror/paths.ts'
import { subjectId } from '../../core/model/ids.ts'
import {
  displacedName,
  hash,
  type Found,
  type MirrorDirectory,
  type Remembered,
} from '../../adapters/mirror/directory.ts'
import type {
  CommonRow,
  Displaced,
  Intent,
  MirrorStore,
  Work,
} from '../../adapters/mirror/store.ts'
import type { Ignoring } from '../../adapters/mirror/ignored.ts'
import { random } from '../../adapters/system.ts'
import { AnswerError, NoServerError, type SetClient } from '../set-client.ts'
import type { FolderView } from './folder-view.ts'
import type { Report } from './report.ts'

/** Calls at once: they wait for disks, each for about one flush. */
const lanes = 48
/** Somebody may still write into a file that was open when it was replaced. */
const displacedMs = 3000
/** What a server refused is tried again after: it may have been refused for what passes. */
const refusedMs = 2000
const refusedForGoodMs = 30_000
/** Texts kept between being compared and being written. */
const textsBytesMax = 32 * 1024 * 1024

/** Remembered at most. */
const refusedNewMax = 10_000

/** Under this the store keeps the last thing that was moved, and whereto. */
const movingKey = 'moving'

export interface Refusal {
  path: string
  why: string
  until: number
}

export interface HandOptions {
  directory: MirrorDirectory
  store: MirrorStore
  set: SetClient
  folder: FolderView
  ignored: Ignoring
  report: Report
  commons: CommonRow[]
}

type ActOf<T extends Act['type']> = Extract<Act, { type: T }>

export class Hand {
  readonly commons = new Map<string, CommonRow>()
  /** By id or path. */
  readonly refusals = new Map<string, Refusal>()
  readonly #options: HandOptions
  readonly #intents = new Map<string, Intent>()
  readonly #displaced = new Map<string, { displaced: Displaced; lookAt: number }>()
  readonly #remembered = new Map<string, Remembered>()
  readonly #placed: Placed
  readonly #texts = new Map<string, { text: string; version: string }>()
  #textsBytes = 0
  /** Operations of files that were to be made where something else lies, by what they are. */
  readonly #refusedNew = new Map<string, string>()
  #deletions: number[] = []
  #disk: ReadonlyMap<string, Found> = new Map()

  constructor(options: HandOptions) {
    this.#options = options
    this.#placed = new Placed(options.directory, options.store)
    for (const row of options.commons) {
      this.commons.set(row.id, row)
      if (row.kind === 'text') this.#remembered.set(row.path, row)
    }
    for (const intent of options.store.intents()) this.#intents.set(intent.operation, intent)
    for (const displaced of options.store.displaced()) this.#watchDisplaced(displaced, 0)
  }

  /** Understands where the life before ended. */
  recover(): void {
    const { store } = this.#options
    for (const work of store.works()) this.#recoverWork(work)
    const moving = store.meta(movingKey)
    if (moving !== undefined) this.#recoverMove(JSON.parse(moving) as { id: string; to: string })
    for (const { displaced } of this.#displaced.values()) {
      const { file, id, version, isRemoval } = displaced
      // It was taken out, and not forgotten yet.
      if (isRemoval && this.#options.directory.versionAt(file) === version) this.#forget(id)
    }
    this.#options.directory.sweep(this.#options.ignored.isIgnored)
  }

  #recoverMove({ id, to }: { id: string; to: string }): void {
    const row = this.commons.get(id)
    const isThere = row && this.#options.directory.identityAt(to) === row.identity
    if (isThere && row.path !== to) this.#moveCommon(id, to)
  }

  #recoverWork(work: Work): void {
    const { directory, store } = this.#options
    const { id, path, temporary, displaced, identity } = work
    const isPlaced =
      directory.identityAt(temporary) === undefined || directory.identityAt(path) === identity
    directory.discard(temporary)
    const isTakenOut = directory.identityAt(displaced) !== undefined
    const before = this.commons.get(id)?.version ?? ''
    if (isPlaced) store.together(() => this.#arrived(work, isTakenOut ? before : undefined))
    else {
      const isBack = isTakenOut && directory.putBack(displaced, path)
      store.together(() => {
        if (isTakenOut && !isBack) {
          const left = { file: displaced, id, path, version: before, isRemoval: false }
          store.addDisplaced(left)
          this.#watchDisplaced(left, 0)
        }
        store.removeWork(id)
      })
    }
  }

  // ----------------------------------------------------------------------------- for the plan

  waiting(): Set<string> {
    const now = performance.now()
    for (const [key, { until }] of this.refusals) if (until <= now) this.refusals.delete(key)
    const waiting = new Set(this.refusals.keys())
    for (const { file, path } of this.#intents.values()) waiting.add(file).add(path)
    return waiting
  }

  /** When something is to be done that no change tells of. */
  get nextAt(): number {
    let next = Infinity
    for (const { until } of this.refusals.values()) next = Math.min(next, until)
    for (const { lookAt } of this.#displaced.values()) next = Math.min(next, lookAt)
    return next
  }

  /** How many deletions there were of late. */
  deletedWithin(ms: number): number {
    const from = performance.now() - ms
    this.#deletions = this.#deletions.filter((at) => at >= from)
    return this.#deletions.length
  }

  /** Whether the folder is known to have the common text of every file. */
  isAllCommon(): boolean {
    const { entries } = this.#options.folder
    if (this.#intents.size > 0) return false
    for (const { id, kind, version } of this.commons.values()) {
      if (kind === 'text' && entries.get(id)?.version !== version) return false
    }
    return true
  }

  // ----------------------------------------------------------------------------- for the looks

  readonly remembered = (path: string): Remembered | undefined => this.#remembered.get(path)

  looked(items: ReadonlyMap<string, Found>): void {
    this.#disk = items
    for (const path of this.#remembered.keys()) if (!items.has(path)) this.#remembered.delete(path)
    for (const [path, { kind, version, identity, stamp, isSettled, why }] of items) {
      if (!isSettled || stamp === undefined || kind === 'directory') continue
      this.#remembered.set(path, { version, identity, stamp, why })
    }
  }

  /** Keeps for the next life how files were that need not be read then. */
  rememberStamps(items: ReadonlyMap<string, Found>): void {
    const fresh = [...this.commons.values()].flatMap((row) => {
      const item = items.get(row.path)
      if (row.kind !== 'text' || !item?.isSettled || item.version !== row.version) return []
      const isKnown =
        row.identity === item.identity && row.stamp?.changedNs === item.stamp?.changedNs
      return isKnown ? [] : [{ ...row, identity: item.identity, stamp: item.stamp }]
    })
    if (fresh.length === 0) return
    const { store } = this.#options
    store.together(() => fresh.forEach((row) => store.keepPlace(row)))
    for (const row of fresh) this.commons.set(row.id, row)
  }

  // ----------------------------------------------------------------------------------- acting

  /** Carries out a plan. Rejects with NoServerError; what was done until then is done. */
  async perform(acts: Act[], disk: ReadonlyMap<string, Found>): Promise<void> {
    this.#disk = disk
    const adopts = acts.filter((act) => act.type === 'adopt')
    this.#adopt(adopts)
    // What asks a server for one file each may go side by side, after what makes directories.
    const side = new Set<Act['type']>(['read', 'create', 'save', 'write', 'delete-entry'])
    for (const act of acts) if (!side.has(act.type) && act.type !== 'adopt') await this.#one(act)
    await sideBySide(
      acts.filter((act) => side.has(act.type)),
      (act) => this.#one(act),
    )
  }

  async #one(act: Act): Promise<void> {
    switch (act.type) {
      case 'read':
        await this.#read(act.id)
        return
      case 'adopt':
        this.#adopt([act])
        return
      case 'place':
        this.#place(act)
        return
      case 'forget':
        this.#forget(act.id)
        return
      case 'make-directory':
        this.#makeDirectory(act)
        return
      case 'write':
        await this.#write(act)
        return
      case 'move':
        this.#move(act)
        return
      case 'remove':
        this.#remove(act)
        return
      case 'put-aside':
        this.#putAside(act)
        return
      case 'create':
      case 'save':
        await this.#save(act)
        return
      case 'create-directory':
        await this.#createDirectory(act)
        return
      case 'move-entry':
        await this.#moveEntry(act)
        return
      case 'delete-entry':
        await this.#deleteEntry(act)
        return
      case 'restore':
        await this.#restore(act.id)
    }
  }

  // ------------------------------------------------------------------------ what is common

  #adopt(acts: ActOf<'adopt'>[]): void {
    if (acts.length === 0) return
    const { store, directory } = this.#options
    store.together(() => {
      for (const { id, path } of acts) {
        const item = this.#disk.get(path)
        if (!item || item.kind === 'skipped') continue
        const text = item.kind === 'text' ? directory.text(item) : ''
        if (text !== undefined) this.#keep({ ...item, kind: item.kind, id }, text)
      }
    })
  }

  #place({ id, path, at }: ActOf<'place'>): void {
    const row = this.commons.get(id)
    const item = this.#disk.get(at)
    if (!row || !item) return
    // Its text may be another one: read again.
    this.commons.set(id, { ...row, identity: item.identity, stamp: undefined })
    this.#moveCommon(id, path)
  }

  #moveCommon(id: string, to: string): void {
    const { store } = this.#options
    const from = this.commons.get(id)!.path
    store.together(() => {
      for (const row of [...this.commons.values()]) {
        if (row.id !== id && !isBelow(row.path, from)) continue
        const at = { ...row, path: moved(row.path, from, to) }
        store.keepPlace(at)
        this.commons.set(row.id, at)
      }
    })
  }

  #forget(id: string): void {
    this.#options.store.forget(id)
    this.commons.delete(id)
  }

  #keep(row: CommonRow, text: string): void {
    const { id, path, kind, version, identity, stamp } = row
    const kept = { id, path, kind, version, identity, stamp }
    this.#options.store.keep(kept, text)
    this.commons.set(id, kept)
  }

  // ---------------------------------------------------------------------------- on the disk

  #makeDirectory({ id, path }: ActOf<'make-directory'>): void {
    const { directory, report } = this.#options
    const isMade = directory.makeDirectory(path)
    const identity = directory.identityAt(path)
    if (!isMade || identity === undefined) {
      this.#refuse(path, path, 'The directory cannot be made here at the moment.')
      return
    }
    this.#keep({ id, path, kind: 'directory', version: '', identity, stamp: undefined }, '')
    report.done('made', path)
  }

  async #write({ id, path, over }: ActOf<'write'>): Promise<void> {
    const read = await this.#read(id)
    if (!read) return
    const { directory, store, report } = this.#options
    const item = over === undefined ? undefined : this.#disk.get(path)
    if (over !== undefined && item?.version !== over) return
    const prepared = directory.prepare(path, read.text)
    if (!prepared) return
    const work: Work = { id, path, ...read, ...prepared }
    await store.soon(() => store.addWork(work))
    if (!directory.put(work, item)) {
      const isLeft = directory.identityAt(work.displaced) !== undefined
      store.together(() => {
        if (isLeft) this.#leave({ ...work, file: work.displaced, version: over ?? '' })
        store.removeWork(id)
      })
      return
    }
    await this.#placed.add(parentOf(path), () => this.#arrived(work, over))
    report.done(over === undefined ? 'wrote' : 'updated', path)
  }

  /** A text is in its place; `over`: what it replaced lies aside. */
  #arrived(work: Work, over: string | undefined): void {
    const { store } = this.#options
    const { id, path, identity, version, text } = work
    if (this.commons.has(id)) store.keepEarlier(id, Date.now())
    this.#keep({ id, path, kind: 'text', version, identity, stamp: undefined }, text)
    store.removeWork(id)
    if (over !== undefined) this.#leave({ ...work, file: work.displaced, version: over })
  }

  #leave({ file, id, path, version }: Omit<Displaced, 'isRemoval'>): void {
    const left = { file, id, path, version, isRemoval: false }
    this.#options.store.addDisplaced(left)
    this.#watchDisplaced(left, displacedMs)
  }

  #watchDisplaced(displaced: Displaced, afterMs: number): void {
    const lookAt = performance.now() + afterMs
    this.#displaced.set(displaced.file, { displaced, lookAt })
  }

  #move({ id, from, to }: ActOf<'move'>): void {
    const { directory, store, report } = this.#options
    const item = this.#disk.get(from)
    store.setMeta(movingKey, JSON.stringify({ id, to }))
    if (!item || !directory.move(item, to)) {
      this.#refuse(id, from, `It cannot be moved to "${to}" at the moment.`)
      return
    }
    this.#moveCommon(id, to)
    report.done('moved', from, { to })
  }

  #remove({ id, path, kind }: ActOf<'remove'>): void {
    const { directory, store, report } = this.#options
    const item = this.#disk.get(path)
    if (!item) return
    if (kind === 'directory') {
      if (!directory.removeDirectory(path)) {
        this.#refuse(
          id,
          path,
          'It was deleted by others; something in it is not shared, so it stays.',
        )
        return
      }
    } else {
      const { version } = item
      const file = displacedName()
      const displaced = { file, id, path, version, isRemoval: true }
      store.addDisplaced(displaced)
      this.#watchDisplaced(displaced, displacedMs)
      if (!directory.takeOut(item, file)) {
        this.#forgetDisplaced(file)
        return
      }
      if (directory.versionAt(file) !== version && directory.putBack(file, path)) {
        this.#forgetDisplaced(file)
        return
      }
    }
    this.#forget(id)
    this.#deletions.push(performance.now())
    report.done('removed', path)
  }

  #putAside({ path, to }: ActOf<'put-aside'>): void {
    const { directory, report } = this.#options
    const item = this.#disk.get(path)
    if (!item || !directory.move(item, to)) return
    report.done('put aside', path, { to })
  }

  #forgetDisplaced(file: string): void {
    this.#options.store.removeDisplaced(file)
    this.#displaced.delete(file)
  }

  /** What was taken out goes, unless somebody wrote into it since. */
  #settleDisplaced({ file, id, path, version, isRemoval }: Displaced): void {
    const { directory, store } = this.#options
    const read = directory.textAt(file)
    if (read && read.version !== version) {
      if (isRemoval) {
        if (!directory.putBack(file, path)) return
      } else this.#rescue(id, path, read, version)
    }
    directory.discard(file)
    store.removeDisplaced(file)
    this.#displaced.delete(file)
  }

  /** Text that came into a file after it was replaced: it is saved all the same. */
  #rescue(id: string, path: string, found: { text: string; version: string }, base: string): void {
    const { store } = this.#options
    const before = store.earlier(id).find(({ version }) => version === base)
    const text = found.text.toWellFormed()
    const intent: Intent = {
      operation: newOperation(),
      file: id,
      isNew: false,
      path,
      identity: '',
      text,
      version: hash(text),
      baseText: before?.text ?? '',
      stamp: undefined,
      isRescue: true,
    }
    store.addIntent(intent)
    this.#intents.set(intent.operation, intent)
  }

  // ---------------------------------------------------------------------------- in the folder

  async #read(id: string): Promise<{ text: string; version: string } | undefined> {
    const { set, folder } = this.#options
    const known = this.#texts.get(id)
    if (known && known.version === folder.entries.get(id)?.version) return known
    try {
      const answer = await set.ask((server, call) => server.folder.readFile({ file: id }, call))
      const { file, text, version } = answer
      folder.know(file, version)
      this.#textsBytes += text.length
      if (this.#textsBytes > textsBytesMax) {
        this.#texts.clear()
        this.#textsBytes = text.length
      }
      this.#texts.set(id, { text, version })
      return { text, version }
    } catch (error) {
      this.#answered(error, id, folder.entries.get(id)?.path ?? id)
      return undefined
    }
  }

  async #save(act: ActOf<'create' | 'save'>): Promise<void> {
    const { directory, store, folder } = this.#options
    const item = this.#disk.get(act.path)
    const text = item && directory.text(item)
    if (!item || text === undefined) return
    const id = act.type === 'save' ? act.id : undefined
    const common = id === undefined ? '' : (store.text(id) ?? '')
    const earlier = id === undefined ? [] : store.earlier(id)
    const intent: Intent = {
      operation: (id === undefined && this.#refusedNew.get(essenceOf(item))) || newOperation(),
      file: id ?? folder.fullPath(act.path),
      isNew: id === undefined,
      path: act.path,
      identity: item.identity,
      text,
      version: item.version,
      baseText: baseOf(text, common, earlier, Date.now()),
      stamp: item.stamp,
      isRescue: false,
    }
    this.#intents.set(intent.operation, intent)
    await store.soon(() => store.addIntent(intent))
    await this.#send(intent)
  }

  #dropIntent({ operation }: Intent): void {
    this.#options.store.removeIntent(operation)
    this.#intents.delete(operation)
  }

  async #send(intent: Intent): Promise<void> {
    const { set, store, folder, report } = this.#options
    const { operation, file, isNew, text, baseText, path } = intent
    const baseVersion = isNew ? '' : hash(baseText)
    try {
      const answer = await set.ask((server, call) =>
        server.folder.saveFile({ file, text, baseVersion, baseText, isNew, operation }, call),
      )
      const id = answer.file!.id
      folder.know(answer.file, answer.version)
      await store.soon(() => {
        if (!intent.isRescue) {
          const { version, identity, stamp } = intent
          const at = this.commons.get(id)?.path ?? path
          this.#keep({ id, path: at, kind: 'text', version, identity, stamp }, text)
        }
        this.#dropIntent(intent)
      })
      report.done(isNew ? 'added' : 'saved', path)
    } catch (error) {
      if (error instanceof AnswerError) this.#dropIntent(intent)
      this.#noteRefusedNew(intent, error)
      this.#answered(error, isNew ? path : file, path)
    }
  }

  /**
   * Another file has its path. A server that died may have made it, and forgotten to say so: under
   * another name it is to be the same one.
   */
  #noteRefusedNew(intent: Intent, error: unknown): void {
    if (!intent.isNew || !(error instanceof AnswerError)) return
    if (error.code !== Code.AlreadyExists) return
    if (this.#refusedNew.size >= refusedNewMax) this.#refusedNew.clear()
    this.#refusedNew.set(essenceOf(intent), intent.operation)
  }

  async #createDirectory({ path }: ActOf<'create-directory'>): Promise<void> {
    const { set, folder, report } = this.#options
    const item = this.#disk.get(path)
    if (!item) return
    const operation = newOperation()
    const asked = { path: folder.fullPath(path), hasParents: true, operation }
    try {
      const { file } = await set.ask((server, call) => server.folder.makeDirectory(asked, call))
      folder.know(file)
      this.#keep({ ...item, id: file!.id, kind: 'directory', stamp: undefined }, '')
      report.done('added', `${path}/`)
    } catch (error) {
      this.#answered(error, path, path)
    }
  }

  async #moveEntry({ id, path }: ActOf<'move-entry'>): Promise<void> {
    const { set, folder, report } = this.#options
    const from = folder.entries.get(id)?.path ?? ''
    const asked = { file: id, path: folder.fullPath(path), operation: newOperation() }
    try {
      await set.ask((server, call) => server.folder.moveFile(asked, call))
      folder.move(id, path)
      report.done('moved', from, { to: path })
    } catch (error) {
      this.#answered(error, id, path)
    }
  }

  async #deleteEntry({ id, path }: ActOf<'delete-entry'>): Promise<void> {
    const { set, folder, report } = this.#options
    const asked = { file: id, operation: newOperation() }
    try {
      await set.ask((server, call) => server.folder.deleteFile(asked, call))
      const count = folder.entries.size
      folder.remove(id)
      for (let left = count - folder.entries.size; left > 0; left--) {
        this.#deletions.push(performance.now())
      }
      report.done('deleted', path)
    } catch (error) {
      this.#answered(error, id, path)
    }
  }

  async #restore(id: string): Promise<void> {
    const { set, folder, report } = this.#options
    const path = this.commons.get(id)?.path ?? id
    const asked = { file: id, operation: newOperation() }
    try {
      const { file } = await set.ask((server, call) => server.folder.restoreFile(asked, call))
      folder.know(file)
      report.done('restored', path)
    } catch (error) {
      // It cannot come back: what is on the disk becomes a file of its own.
      if (error instanceof AnswerError) this.#forget(id)
      this.#answered(error, id, path)
    }
  }

  // ---------------------------------------------------------------------------- what is left

  /** Sends what was not answered, and looks at what lies aside. Rejects with NoServerError. */
  async settle({ isLast }: { isLast: boolean }): Promise<void> {
    const now = performance.now()
    for (const { displaced, lookAt } of [...this.#displaced.values()]) {
      if (isLast || lookAt <= now) this.#settleDisplaced(displaced)
    }
    const open = [...this.#intents.values()]
    if (isLast) {
      // Rescued just now; what cannot be sent waits for the next life.
      await Promise.all(open.map((intent) => this.#send(intent).catch(ignoreNoServer)))
    } else for (const intent of open) await this.#send(intent)
  }

  /** What became of a call that failed. Throws what it does not know, and NoServerError. */
  #answered(error: unknown, key: string, path: string): void {
    if (!(error instanceof AnswerError)) throw error
    if (error.code === Code.Unauthenticated || error.code === Code.PermissionDenied) throw error
    const isPassing = error.code === Code.NotFound || error.code === Code.AlreadyExists
    if (isPassing) this.#options.folder.doubt()
    this.#refuse(key, path, error.message, isPassing ? refusedMs : refusedForGoodMs)
    if (!isPassing) this.#options.report.warn(path, `${path}: ${error.message}`)
  }

  #refuse(key: string, path: string, why: string, ms = refusedMs): void {
    this.refusals.set(key, { path, why, until: performance.now() + ms })
  }
}

/** Texts that took their places in one moment: their directories are flushed once, and then noted. */
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

/** A file and what is in it. */
function essenceOf({ identity, version }: { identity: string; version: string }): string {
  return `${identity} ${version}`
}

function newOperation(): string {
  return subjectId(random(16))
}

function ignoreNoServer(error: unknown): void {
  if (!(error instanceof NoServerError)) throw error
}

/** Some at once, in their order; all are ended before it rejects with what one rejected with. */
async function sideBySide<T>(items: T[], act: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  let failure: { error: unknown } | undefined
  const lane = async () => {
    while (next < items.length && !failure) {
      try {
        await act(items[next++]!)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane))
  if (failure) throw failure.error
}
