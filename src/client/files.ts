// The list of files as people see it, from this device at first and from servers as they tell it.
//
// It is of the whole folder, or of what a program shows: the entries that are shown, the directories
// above them, and what lies in the directories that are shown open. What comes to be none of that is
// forgotten: of an entry that is only remembered nobody would hear where it lies now.

import { blobOf, hasConflict } from '../core/model/contents.ts'
import { isDeleted } from '../core/model/entry.ts'
import { Folder } from '../core/model/folder.ts'
import { operationsMax } from '../core/model/limits.ts'
import { isDirectory } from '../core/model/tree.ts'
import { Extent, Kind, type Entry } from '../core/model/wire.ts'
import type { SessionOutput } from '../core/session/messages.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import type { FileInfo } from './api.ts'
import { Foreseen } from './foreseen.ts'

const kinds: Record<Kind, FileInfo['kind']> = {
  // Of a later revision: bytes, as far as this one can tell.
  [Kind.UNSPECIFIED]: 'binary',
  [Kind.TEXT]: 'text',
  [Kind.DIRECTORY]: 'directory',
  [Kind.BINARY]: 'binary',
}

/** What is the same for all that lies in one directory. */
interface Above {
  /** What stands before the name in a path. */
  prefix: string
  /** What it is in the trash with; absent: it is not in the trash. */
  trashed: Entry | undefined
}

/** What a server tells of the folder. */
export type Told = Pick<Extract<SessionOutput, { type: 'entries' }>, 'entries'> &
  Partial<Extract<SessionOutput, { type: 'entries' }>>

/** Something of the folder that is shown. */
interface Showing {
  extent: Extent
  /** Some server has said what there is. */
  isAnswered: boolean
  /** All that lies in it is here. */
  isWhole: boolean
}

/** Costs what changed, however many there are. */
export class Files {
  readonly #folder = new Folder()
  readonly #foreseen: Foreseen
  readonly #isOfAll: boolean
  /** By id; empty: the top. */
  readonly #shown = new Map<string, Showing>()
  /** Names that servers told, of entries whose directory is not whole here. */
  readonly #names = new Map<string, string>()
  /** Ids of those that a server did not list where they lie as far as is known here. */
  readonly #absent = new Set<string>()
  /** Ids of those of which something waited when a server said that it shows them no more. */
  readonly #gone = new Set<string>()
  /** Nothing was told yet: all that the device kept is held. */
  #isAsKept = true
  /** In the order in which they came. */
  #list: FileInfo[] = []
  /** Where in the list each is, by id. */
  readonly #places = new Map<string, number>()
  /** Ids of those that may be others than in the list. */
  #stale = new Set<string>()
  #areCurrent = false

  /** `isOfAll`: of the whole folder. `person`: the name of whoever asks for what waits. */
  constructor({
    isOfAll = true,
    person = () => '',
  }: { isOfAll?: boolean; person?: () => string } = {}) {
    this.#isOfAll = isOfAll
    this.#foreseen = new Foreseen(this.#folder, person)
  }

  /** The trash included; the same array, and the same files in it, until something changed. */
  get list(): FileInfo[] {
    for (const { entry } of this.#folder.takeRenumbered()) this.#stale.add(entry.id)
    if (this.#stale.size === 0) return this.#list
    const list = [...this.#list]
    const above = new Map<string, Above>()
    const gone = new Set<string>()
    // What lies in a directory comes after it.
    for (const id of this.#stale) {
      if (this.#folder.get(id)) this.#refresh(list, id, above)
      else gone.add(id)
    }
    this.#stale = new Set()
    this.#list = gone.size > 0 ? this.#without(gone, list) : list
    return this.#list
  }

  #without(gone: Set<string>, list: FileInfo[]): FileInfo[] {
    const left = list.filter(({ id }) => !gone.has(id))
    this.#places.clear()
    for (const [place, { id }] of left.entries()) this.#places.set(id, place)
    return left
  }

  /** Whether a server has told all of them: of the folder, or at the top of it. */
  get areCurrent(): boolean {
    return this.#isOfAll ? this.#areCurrent : this.isAnswered('')
  }

  /** Whether a server has told what is shown of this entry; empty: the top. */
  isAnswered(id: string): boolean {
    return this.#isOfAll ? this.#areCurrent : this.#shown.get(id)?.isAnswered === true
  }

  /** Whether all that lies in a directory is here; empty: the top. */
  isWhole(id: string): boolean {
    return this.#isOfAll ? this.#areCurrent : this.#shown.get(id)?.isWhole === true
  }

  /** As servers told them, without what waits. */
  *entries(): Iterable<Entry> {
    for (const entry of this.#folder.all()) {
      const told = this.#foreseen.told(entry.id)
      if (told) yield told
    }
  }

  /** Whether a server has told of this entry, be it deleted for good, or that it is not shown. */
  isTold(id: string): boolean {
    return this.#foreseen.told(id) !== undefined || this.#gone.has(id)
  }

  /** What this person asked for and no server has carried out: shown as if it were so. */
  wait(operations: readonly OperationBody[]): void {
    const ids = this.#foreseen.wait(operations)
    for (const id of ids) this.#stale.add(id)
    if (ids.length > 0 && !this.#isOfAll && !this.#isAsKept) this.#prune(this.#ids())
  }

  get(id: string): FileInfo | undefined {
    const entry = this.#folder.get(id)
    return entry && this.#file(entry, new Map())
  }

  /** So much of an entry is shown from here on. */
  show(id: string, extent: Extent): void {
    const before = this.#shown.get(id)
    if (extent === Extent.UNSPECIFIED) this.#shown.delete(id)
    else this.#shown.set(id, { extent, isAnswered: false, isWhole: false })
    this.#renamed()
    if (before?.extent === Extent.OPEN && extent !== Extent.OPEN) this.#prune(this.#ids())
    else if (before && extent === Extent.UNSPECIFIED) this.#prune(this.#chain(id))
  }

  apply({ entries, isComplete = false, names = {}, directory, answer, gone = [] }: Told): void {
    const told = new Set(entries.map(({ id }) => id))
    const changed = new Set(told)
    let hasMoved = false
    for (const change of entries) {
      const parent = this.#folder.parentOf(change.id)
      const ids = this.#foreseen.apply(change)
      for (const id of ids) this.#stale.add(id)
      for (const id of ids) changed.add(id)
      hasMoved ||= ids.some((id) => id !== change.id)
      if (parent === this.#folder.parentOf(change.id)) continue
      // What it lay in before may have been here because of it.
      for (const id of this.#chain(parent)) changed.add(id)
      hasMoved ||= isDirectory(this.#folder.get(change.id))
    }
    this.#areCurrent ||= isComplete
    if (this.#isOfAll) return
    for (const { id } of entries) this.#name(id, names[id])
    const held = gone.filter((id) => this.#folder.get(id))
    // Some of these may be here for nothing else.
    for (const id of held.flatMap((id) => this.#chain(id))) changed.add(id)
    for (const id of held) if (this.#foreseen.has(id)) this.#keepGone(id)
    if (held.length > 0) this.#forget(held, told)
    if (directory !== undefined) this.#placed(entries.at(-1)!.id, directory)
    if (answer?.present) this.#complete(answer.entry, answer.present)
    // What the device kept stays until a server has said what there is.
    if (!this.#isAsKept) this.#prune(hasMoved ? this.#ids() : [...changed])
  }

  /** So many, as no more can wait at once. */
  #keepGone(id: string): void {
    this.#gone.add(id)
    if (this.#gone.size <= operationsMax) return
    const [oldest] = this.#gone
    if (oldest !== undefined) this.#gone.delete(oldest)
  }

  // ---------------------------------------------------------------------- what is held, and why

  /** A server told all that is shown of this entry: `present`. */
  #complete(id: string, present: ReadonlySet<string>): void {
    const showing = this.#shown.get(id)
    if (!showing) return
    showing.isAnswered = true
    if (this.#isAsKept) {
      this.#isAsKept = false
      this.#prune(this.#ids())
    }
    // Of a directory that this server does not know it cannot say what lies there.
    if (showing.extent !== Extent.OPEN || (id !== '' && !present.has(id))) return
    showing.isWhole = true
    this.#renamed()
    for (const each of this.#ids()) {
      const isHere = this.#homeOf(each) === id
      if (!present.has(each)) {
        if (isHere) this.#absent.add(each)
      } else if (isHere || this.#foreseen.has(each)) this.#absent.delete(each)
    }
    this.#prune([...this.#absent])
  }

  /** Where an entry lies as servers told it; what waits stands where no server has it yet. */
  #homeOf(id: string): string | undefined {
    if (!this.#foreseen.has(id)) return this.#folder.parentOf(id)
    const told = this.#foreseen.told(id)
    const named = told?.parent?.value ?? ''
    return told && (isDirectory(this.#folder.get(named)) ? named : '')
  }

  /** A server told that this lies in a directory, which was shown open then. */
  #placed(id: string, directory: string): void {
    if (this.#shown.get(directory)?.extent !== Extent.OPEN) this.#absent.add(id)
    else if (this.#foreseen.has(id) || this.#folder.parentOf(id) === directory) {
      this.#absent.delete(id)
    }
  }

  #name(id: string, name: string | undefined): void {
    if (this.#names.get(id) === name) return
    if (name === undefined) this.#names.delete(id)
    else this.#names.set(id, name)
    this.#stale.add(id)
  }

  /** Of some it may be known from others how they are shown, or not any more. */
  #renamed(): void {
    for (const id of this.#names.keys()) this.#stale.add(id)
  }

  #ids(): string[] {
    return [...this.#folder.all()].map(({ id }) => id)
  }

  /** An entry and the directories above it. */
  #chain(id: string): string[] {
    const chain: string[] = []
    for (let at = id; at !== ''; at = this.#folder.parentOf(at)) chain.push(at)
    return chain
  }

  /** What is shown, what waits, and the directories above. */
  #needed(): Set<string> {
    const waiting = [...this.#foreseen.ids()]
    // Where it lies when nothing comes of what waits.
    const homes = waiting.map((id) => this.#foreseen.told(id)?.parent?.value ?? '')
    const needed = [...this.#shown.keys(), ...waiting, ...homes]
    return new Set(needed.flatMap((id) => this.#chain(id)))
  }

  /** Forgets those of these that are not shown. */
  #prune(ids: string[]): void {
    const loose = ids.filter((id) => {
      const above = this.#shown.get(this.#folder.parentOf(id))
      return above?.extent !== Extent.OPEN || this.#absent.has(id)
    })
    if (loose.length === 0) return
    const needed = this.#needed()
    this.#forget(loose.filter((id) => !needed.has(id)))
  }

  /** `told`: ids of those of which it was said just now where they lie without these. */
  #forget(ids: string[], told: ReadonlySet<string> = new Set()): void {
    const depths = new Map(ids.map((id) => [id, this.#folder.depthOf(id)]))
    // From the inside out: nothing loses its directory.
    const orphans = new Set<string>()
    for (const id of [...depths.keys()].sort((a, b) => depths.get(b)! - depths.get(a)!)) {
      for (const orphan of this.#foreseen.forget(id)) orphans.add(orphan)
      this.#names.delete(id)
      this.#absent.delete(id)
      this.#stale.add(id)
    }
    // They would be seen at the top, where no server has them.
    const left = [...orphans].filter((id) => this.#folder.get(id))
    for (const id of left) {
      this.#stale.add(id)
      // What is only to be moved in there servers have where it was.
      const named = this.#foreseen.told(id)?.parent?.value ?? ''
      const isElsewhere = this.#foreseen.has(id) && !depths.has(named)
      if (!told.has(id) && !isElsewhere) this.#absent.add(id)
    }
    // What waits stands elsewhere, and falls back to where nothing is when nothing comes of it.
    for (const id of this.#foreseen.ids()) {
      const home = this.#foreseen.told(id)?.parent?.value ?? ''
      if (depths.has(home) && !told.has(id)) this.#absent.add(id)
    }
    this.#prune(left)
  }

  // ------------------------------------------------------------------------------- the list

  #refresh(list: FileInfo[], id: string, above: Map<string, Above>): void {
    const place = this.#places.get(id) ?? list.length
    const before = list[place]
    const file = this.#file(this.#folder.get(id)!, above)
    this.#places.set(id, place)
    list[place] = file
    if (file.kind !== 'directory' || !before || isAlikeBelow(before, file)) return
    for (const child of this.#folder.childrenOf(id)) this.#stale.add(child)
  }

  #file(entry: Entry, known: Map<string, Above>): FileInfo {
    const { id, createdBy, createdAt } = entry
    const givenName = entry.name?.value ?? ''
    const name = this.#nameOf(id)
    const parent = this.#folder.parentOf(id)
    const { prefix, trashed: above } = this.#above(parent, known)
    const isInTrashItself = isDeleted(entry)
    const trashed = above ?? (isInTrashItself ? entry : undefined)
    const content = blobOf(entry)
    const bytes = content && {
      hash: content.hash,
      size: content.size,
      hasConflict: hasConflict(entry),
    }
    return {
      id,
      kind: kinds[entry.kind] ?? 'binary',
      ...(content === undefined && hasConflict(entry) && { hasConflict: true }),
      name,
      givenName,
      parent,
      path: prefix + name,
      isDeleted: trashed !== undefined,
      isInTrashItself,
      deletedBy: trashed?.deletedBy ?? '',
      createdBy,
      createdAt,
      ...(bytes && { bytes }),
      ...(this.#foreseen.has(id) && { isWaiting: true }),
    }
  }

  /** How an entry is shown. */
  #nameOf(id: string): string {
    const told = this.#names.get(id)
    if (told !== undefined && !this.isWhole(this.#folder.parentOf(id))) return told
    return this.#folder.shownName(id) ?? ''
  }

  #above(directory: string, known: Map<string, Above>): Above {
    const found = known.get(directory)
    if (found) return found
    const names = this.#chain(directory).map((id) => `${this.#nameOf(id)}/`)
    const prefix = names.reverse().join('')
    const above = { prefix, trashed: this.#folder.trashedWith(directory) }
    known.set(directory, above)
    return above
  }
}

/** Whether all that lies in a directory is as it was. */
function isAlikeBelow(before: FileInfo, after: FileInfo): boolean {
  return (
    before.path === after.path &&
    before.isDeleted === after.isDeleted &&
    before.deletedBy === after.deletedBy
  )
}
