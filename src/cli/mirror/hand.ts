// What a mirror does: to files, and by calls to a server. Each step is written down before it is
// taken, in an order that lets the next life understand where this one ended.
//
//   incoming    files from the folder to the disk       commons     what both have
//   outgoing    files from the disk to the folder       refusals    what is left alone for a while
//   displaced   what was taken out of its place         transfers   bytes on their way, beside all else

import type { Act, Common, InFolder } from '../../core/mirror/messages.ts'
import { displacedName, type MirrorDirectory } from '../../adapters/mirror/directory.ts'
import type { Found } from '../../adapters/mirror/look.ts'
import type { Ignoring } from '../../adapters/mirror/ignored.ts'
import type { CommonRow, MirrorStore } from '../../adapters/mirror/store.ts'
import { isBelow, nameOf, parentOf, pathBelow } from '../../core/model/path.ts'
import { newOperation } from '../../adapters/system.ts'
import { inLanes } from '../lanes.ts'
import { AnswerError, type SetClient } from '../set-client.ts'
import { Commons } from './commons.ts'
import { DisplacedFiles } from './displaced.ts'
import { Everybody } from './everybody.ts'
import type { FolderView } from './folder-view.ts'
import { Incoming } from './incoming.ts'
import { Kinship } from './kinship.ts'
import { LostEntries } from './lost-entries.ts'
import { Outgoing } from './outgoing.ts'
import { Reading } from './reading.ts'
import { Refusals } from './refusals.ts'
import type { Report } from './report.ts'
import { Transfers } from './transfers.ts'

/** Under this the store keeps what is being moved; empty: nothing is. */
const movingKey = 'moving'

interface Moving {
  id: string
  from: string
  to: string
}

export interface HandOptions {
  directory: MirrorDirectory
  store: MirrorStore
  set: SetClient
  folder: FolderView
  ignored: Ignoring
  report: Report
  commons: CommonRow[]
  /** Names this machine in the name of a file that is put aside. */
  host: string
  /** Something came to its end beside the plans: there may be more to do. */
  changed: () => void
  /** The same of something that was read: it is to be looked at again. */
  read: () => void
  /** Something is on the disk as nobody expected it. */
  failed: (error: Error) => void
}

/** At once: they wait for disks, and share calls and flushes. */
const lanes = 128
/** Of the files of these calls together. */
const lanesBytesMax = 2 * 1024 * 1024

type ActOf<T extends Act['type']> = Extract<Act, { type: T }>

/** What asks a server for one file each may go side by side, after what makes directories. */
const sideActs = new Set<Act['type']>(['read', 'create', 'save', 'write', 'delete-entry'])

export class Hand {
  readonly refusals: Refusals
  readonly reading: Reading
  readonly #options: HandOptions
  readonly #commons: Commons
  readonly #transfers: Transfers
  readonly #displaced: DisplacedFiles
  readonly #incoming: Incoming
  readonly #outgoing: Outgoing
  readonly #lost: LostEntries
  readonly #kinship: Kinship
  #disk: ReadonlyMap<string, Found> = new Map()

  constructor(options: HandOptions) {
    this.#options = options
    const { store, set, folder, report, commons: rows, changed, failed } = options
    const commons = new Commons(store, rows)
    const refusals = new Refusals(folder, report)
    const transfers = new Transfers({ set, ended: changed, failed })
    const reading = new Reading({ ...options, rows })
    const everybody = new Everybody(set)
    const known = { ...options, commons, refusals, transfers, reading, everybody }
    this.#outgoing = new Outgoing(known)
    const rescue = this.#outgoing.rescue.bind(this.#outgoing)
    this.#displaced = new DisplacedFiles({ ...options, rescue })
    this.#incoming = new Incoming({ ...known, displaced: this.#displaced })
    this.#lost = new LostEntries(known)
    this.#kinship = new Kinship(options)
    this.#commons = commons
    this.#transfers = transfers
    this.refusals = refusals
    this.reading = reading
  }

  /** By id. */
  get commons(): ReadonlyMap<string, CommonRow> {
    return this.#commons.rows
  }

  readonly isText = (path: string): boolean => this.#commons.isText(path)

  /** Whether what turned up holds most of a text that vanished. */
  isMadeFrom(known: Common, item: Found): boolean {
    return this.#kinship.isMadeFrom(known, item)
  }

  /** Understands where the life before ended. */
  recover(): void {
    const { store, directory, ignored } = this.#options
    this.#incoming.recover()
    const moving = store.meta(movingKey)
    if (moving) this.#recoverMove(JSON.parse(moving) as Moving)
    for (const displaced of this.#displaced.all) {
      // It was taken out, and not forgotten yet.
      const isIt = displaced.isRemoval && directory.isStill(displaced.file, displaced)
      if (isIt) this.#commons.forget(displaced.id)
    }
    directory.sweep(ignored.isIgnored)
  }

  #recoverMove({ id, from, to }: Moving): void {
    const { directory } = this.#options
    const row = this.commons.get(id)
    if (!row || row.path === to || directory.identityAt(to) !== row.identity) return
    // A file is there first, and then no longer where it was.
    if (row.kind !== 'directory' && directory.identityAt(from) === row.identity) {
      directory.discard(from)
    }
    this.#moved(id, to)
  }

  #moved(id: string, to: string): void {
    this.#commons.move(id, to, () => this.#options.store.setMeta(movingKey, ''))
  }

  /** Ends what goes on beside the plans; what is not done is done by the next life. */
  async stop(): Promise<void> {
    await Promise.all([this.#transfers.stop(), this.reading.stop()])
    this.#incoming.tidy({ isLast: true })
  }

  // ----------------------------------------------------------------------------- for the plan

  waiting(): Set<string> {
    const waiting = new Set<string>()
    this.refusals.addTo(waiting)
    this.#outgoing.addTo(waiting)
    this.#transfers.addTo(waiting)
    return waiting
  }

  /** Identities of the files that a server is asked to make. */
  making(): Set<string> {
    return this.#outgoing.making()
  }

  /** Something goes on beside the plans. */
  get isBusy(): boolean {
    return this.#transfers.isBusy || this.reading.isBusy || !this.#outgoing.isEmpty
  }

  /** When something is to be done that no change tells of. */
  get nextAt(): number {
    const parts = [this.refusals, this.#displaced, this.#outgoing, this.#lost]
    return Math.min(...parts.map(({ nextAt }) => nextAt))
  }

  /** Whether the folder is known to have the common text of every file. */
  isAllCommon(): boolean {
    const { entries } = this.#options.folder
    if (!this.#outgoing.isEmpty) return false
    for (const { id, kind, version } of this.commons.values()) {
      if (kind === 'text' && entries.get(id)?.version !== version) return false
    }
    return true
  }

  /** Keeps for the next life how files were that need not be read then. */
  rememberStamps(items: ReadonlyMap<string, Found>): void {
    this.#commons.rememberStamps(items)
  }

  /**
   * The set was filled again by somebody. What it has as it is common stays so; all else is new on
   * both sides, as when they first joined. Rejects with NoServerError.
   */
  async rejoin(): Promise<void> {
    const { folder, store } = this.#options
    const one = async ({ id, kind, version }: CommonRow) => {
      folder.forgetVersion(id)
      const entry = folder.entries.get(id)
      const is = entry?.kind === 'text' ? await this.#incoming.read(id) : entry
      if (entry?.kind !== kind || (is?.version ?? '') !== version) this.#commons.forget(id)
      // Who typed what is another matter in each life.
      else store.keepReach(id, is && 'reach' in is ? is.reach : undefined)
    }
    await inLanes([...this.commons.values()], one, { lanes })
  }

  // ----------------------------------------------------------------------------------- acting

  /** Carries out a plan. Rejects with NoServerError; what was done until then is done. */
  async perform(acts: Act[], disk: ReadonlyMap<string, Found>): Promise<void> {
    this.#disk = disk
    const adopts = acts.filter((act) => act.type === 'adopt')
    this.#adopt(adopts)
    for (const act of acts) {
      const isAlone = !sideActs.has(act.type) && act.type !== 'adopt'
      if (isAlone && act.type !== 'create-directory') await this.#one(act)
    }
    // A server makes what is missing above one; that is made once, whoever asks first.
    const isDirectory = ({ type }: Act) => type === 'create-directory'
    await this.#side(acts.filter(isDirectory))
    await this.#side(acts.filter(({ type }) => sideActs.has(type)))
    this.#incoming.tidy({ isLast: false })
  }

  #side(acts: Act[]): Promise<void> {
    return inLanes(acts, (act) => this.#one(act), {
      lanes,
      bytesMax: lanesBytesMax,
      bytesOf: (act) => this.#bytesOf(act),
    })
  }

  /** What an act holds in memory: the text of its file, about. */
  #bytesOf(act: Act): number {
    const path = 'path' in act ? act.path : this.commons.get(act.id)?.path
    const item = path === undefined ? undefined : this.#disk.get(path)
    return item?.kind === 'text' ? (item.stamp?.size ?? 0) : 0
  }

  async #one(act: Act): Promise<void> {
    try {
      await this.#do(act)
    } catch (error) {
      const path = 'path' in act ? act.path : 'from' in act ? act.from : act.id
      this.refusals.byDisk(error, 'id' in act ? act.id : path, path)
    }
  }

  async #do(act: Act): Promise<void> {
    switch (act.type) {
      case 'read':
        await this.#incoming.read(act.id)
        return
      case 'adopt':
        this.#adopt([act])
        return
      case 'place': {
        const item = this.#disk.get(act.at)
        if (item) this.#commons.place(act.id, act.path, item.identity)
        // Nobody writes there what was made from what this one had before.
        if (act.isAnothers) this.#options.store.forgetEarlierOf(act.id)
        return
      }
      case 'forget':
        this.#commons.forget(act.id)
        return
      case 'make-directory':
        this.#makeDirectory(act)
        return
      case 'write':
        await this.#incoming.write(
          act,
          act.over === undefined ? undefined : this.#disk.get(act.path),
        )
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
      case 'save': {
        const item = this.#disk.get(act.path)
        const file = act.type === 'create' ? this.#inFolder(act.path) : act.id
        if (item) await this.#outgoing.save(act, item, file)
        return
      }
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

  #adopt(acts: ActOf<'adopt'>[]): void {
    if (acts.length === 0) return
    const { store, directory, folder } = this.#options
    store.together(() => {
      for (const { id, path } of acts) {
        const item = this.#disk.get(path)
        const entry = folder.entries.get(id)
        if (!item || !entry) continue
        const text = entry.kind === 'text' ? directory.text(item) : ''
        if (text === undefined) continue
        const reach = this.#incoming.reachOf(id, item.version)
        this.#commons.keep({ ...item, kind: entry.kind, id }, text, reach)
      }
    })
  }

  // ---------------------------------------------------------------------------- on the disk

  #makeDirectory({ id, path }: ActOf<'make-directory'>): void {
    const { directory, report } = this.#options
    const isMade = directory.makeDirectory(path)
    const identity = directory.identityAt(path)
    if (!isMade || identity === undefined) {
      this.refusals.refuse(path, path, 'The directory cannot be made here at the moment.')
      return
    }
    const row = { id, path, kind: 'directory', version: '', identity, stamp: undefined } as const
    this.#commons.keep(row, '')
    report.done('made', path)
  }

  #move({ id, from, to }: ActOf<'move'>): void {
    const { directory, store, report } = this.#options
    const item = this.#disk.get(from)
    store.setMeta(movingKey, JSON.stringify({ id, from, to } satisfies Moving))
    if (!item || !directory.move(item, to)) {
      this.refusals.refuse(id, from, `It cannot be moved to "${to}" at the moment.`)
      return
    }
    this.#moved(id, to)
    report.done('moved', from, { to })
  }

  #remove({ id, path, kind }: ActOf<'remove'>): void {
    const { directory, report } = this.#options
    const item = this.#disk.get(path)
    if (!item) return
    if (kind === 'file') {
      if (!this.#removeFile(id, item)) return
    } else if (!directory.removeDirectory(path)) {
      const why = 'It was deleted by others; something in it is not shared, so it stays.'
      this.refusals.refuse(id, path, why)
      return
    }
    this.#commons.forget(id)
    report.done('removed', path)
  }

  /** False: it is not what was looked at, and stays. */
  #removeFile(id: string, { path, version, stamp, ...item }: Found): boolean {
    const { directory } = this.#options
    const file = displacedName()
    this.#displaced.add({ file, id, path, version, stamp, isRemoval: true })
    const isOut = directory.takeOut({ path, version, ...item }, file)
    if (isOut && directory.isStill(file, { version, stamp })) return true
    if (isOut && !directory.putBack(file, path)) return true
    this.#displaced.forget(file)
    return false
  }

  #putAside({ path, to }: ActOf<'put-aside'>): void {
    const { directory, report } = this.#options
    const item = this.#disk.get(path)
    if (!item || !directory.move(item, to)) return
    report.done('put aside', path, { to })
  }

  // ---------------------------------------------------------------------------- in the folder

  /**
   * The path of something new for the folder: below the nearest directory that both have, as it lies on
   * the disk. Others may move that in the folder meanwhile, and another one into its place.
   */
  #inFolder(path: string): string {
    for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
      const id = this.#commons.directory(this.#disk.get(above)?.identity ?? '')
      if (id !== undefined) return pathBelow(id, path.slice(above.length + 1))
    }
    return this.#options.folder.fullPath(path)
  }

  async #createDirectory({ path }: ActOf<'create-directory'>): Promise<void> {
    const { set, store, folder, report } = this.#options
    const item = this.#disk.get(path)
    if (!item) return
    const operation = newOperation()
    const asked = { path: this.#inFolder(path), hasParents: true, operation }
    try {
      const { file } = await set.ask((server, call) => server.folder.makeDirectory(asked, call))
      folder.know(file)
      // Others moved one there a moment ago that is known, and is another one here.
      if (this.#commons.get(file!.id)) return
      const row = { ...item, id: file!.id, kind: 'directory', stamp: undefined } as const
      await store.soon(() => this.#commons.keep(row, ''))
      report.done('added', `${path}/`)
    } catch (error) {
      this.refusals.answered(error, path, path)
    }
  }

  async #moveEntry({ id, path }: ActOf<'move-entry'>): Promise<void> {
    const { set, folder, report } = this.#options
    const from = folder.entries.get(id)?.path ?? ''
    const asked = { file: id, operation: newOperation() }
    const to =
      parentOf(path) === parentOf(from) ? { name: nameOf(path) } : { path: this.#inFolder(path) }
    try {
      await set.ask<unknown>(({ folder: calls }, call) =>
        'name' in to
          ? calls.renameFile({ ...asked, ...to }, call)
          : calls.moveFile({ ...asked, ...to }, call),
      )
      folder.move(id, path)
      report.done('moved', from, { to: path })
      const item = this.#disk.get(path)
      // At once: where it was it would seem to be again, should something else come there before the next
      // plan. Where another is known, or something in it, that one has to be known elsewhere first.
      if (!item || !this.#commons.isFree(path)) return
      this.#commons.place(id, path, item.identity)
    } catch (error) {
      this.refusals.answered(error, id, path)
    }
  }

  async #deleteEntry({ id, path }: ActOf<'delete-entry'>): Promise<void> {
    const { set, store, folder, report } = this.#options
    // Others changed it since the plan was made, or put something into it: the next plan sees that.
    if (!this.#isAsPlanned(id)) return
    const asked = { file: id, operation: newOperation() }
    try {
      await set.ask((server, call) => server.folder.deleteFile(asked, call))
      // Should somebody restore it, it is new here.
      const removed = folder.remove(id)
      await store.soon(() => removed.forEach((each) => this.#commons.forget(each)))
      report.done('deleted', path)
    } catch (error) {
      this.refusals.answered(error, id, path)
    }
  }

  /** Whether the folder has of an entry, and of all that is in it, what is common. */
  #isAsPlanned(id: string): boolean {
    const { entries } = this.#options.folder
    const isCommon = ({ id, kind, version, isStale }: InFolder) => {
      const row = this.commons.get(id)
      return row && (kind === 'directory' || (version === row.version && isStale !== true))
    }
    const entry = entries.get(id)
    if (!entry || !isCommon(entry)) return false
    if (entry.kind !== 'directory') return true
    return [...entries.values()].every((each) => !isBelow(each.path, entry.path) || isCommon(each))
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
      if (error instanceof AnswerError) this.#commons.forget(id)
      this.refusals.answered(error, id, path)
    }
  }

  // ---------------------------------------------------------------------------- what is left

  /** What no server knows any more is nobody's. Rejects with NoServerError. */
  async forgetLost(): Promise<void> {
    await this.#lost.look()
  }

  /** Sends what was not answered, and looks at what lies aside. Rejects with NoServerError. */
  async settle({ isLast, maySend }: { isLast: boolean; maySend: boolean }): Promise<void> {
    this.#displaced.settle({ isLast })
    if (maySend) await this.#outgoing.settle({ isLast })
  }
}
