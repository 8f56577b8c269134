// Where on the disk the entries are now: directories by what they are, files by path, and what vanished
// by what it is and what it holds.
//
// Of a file the path counts first: programs that write by rename put another one in the place of the old
// one, and mean the same. Only what vanished from its path is looked for elsewhere, and what plainly moved:
// it is elsewhere itself, and in its place is another shared file that moved there. What vanished and
// stays away may have been renamed and written anew: then a new file is made from it, and only that one.
//
// Nobody replaces a directory by rename: it is where it went, whatever has its place by then. Only of one
// that is nowhere, a new one in its place is it: programs remove directories, and make them again.

import type { Common, OnDisk, Views } from './messages.ts'
import { joined, nameOf, parentOf } from '../model/path.ts'

export interface Placing {
  /** By entry. */
  places: Map<string, OnDisk>
  /** By path: the entry that is there. */
  holders: Map<string, string>
  /** Entries whose path is taken by something skipped, or below it: nothing is known of them. */
  hidden: Set<string>
  vanished: Common[]
  /** Where entries were, and would be taken to be again: ids by path. */
  paths: ReadonlyMap<string, string>
  /** What belongs to no entry. */
  fresh: OnDisk[]
  /**
   * A second name of something that has its place: a hard link, or a directory that was moved while the
   * look went on, and was seen before and after.
   */
  twins: OnDisk[]
}

export function isFile({ kind }: { kind: OnDisk['kind'] }): boolean {
  return kind === 'text' || kind === 'binary'
}

/** Every entry of `common` has a place, is hidden, or has vanished. */
export function place(views: PlacingViews): Placing {
  return new Placer(views).place()
}

type PlacingViews = Pick<Views, 'disk' | 'common' | 'isQuiet' | 'making' | 'isMadeFrom'>

/** Where more than so many vanished, or turned up, or may be one of each, texts are not compared. */
const comparedMax = 256

class Placer {
  readonly #views: PlacingViews
  readonly #disk: ReadonlyMap<string, OnDisk>
  readonly #sorted: Common[]
  readonly #paths: Map<string, string>
  readonly #places = new Map<string, OnDisk>()
  readonly #holders = new Map<string, string>()
  readonly #hidden = new Set<string>()
  /** Where a directory of the common state is now, by where it was; undefined: nowhere. */
  readonly #directories = new Map<string, string | undefined>()
  readonly #skipped = new Set<string>()

  constructor(views: PlacingViews) {
    const { disk, common } = views
    this.#views = views
    this.#disk = disk
    this.#sorted = [...common.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
    this.#paths = new Map(this.#sorted.map(({ id, path }) => [path, id]))
    for (const item of disk.values()) if (item.kind === 'skipped') this.#skipped.add(item.path)
  }

  place(): Placing {
    let vanished = this.#placeDirectories()
    const files = this.#sorted.filter(({ kind }) => kind !== 'directory')
    const replaced = this.#replaced(files)
    const missing = files.filter((each) => {
      return replaced.has(each.id) || !this.#placeAsExpected(each)
    })
    vanished = [...vanished, ...this.#placeElsewhere(missing, replaced)]
    const taken = new Set([...this.#places.values()].map(({ identity }) => identity))
    const free = [...this.#disk.values()].filter(({ path }) => !this.#holders.has(path))
    const isTwin = ({ kind, identity }: OnDisk) => kind !== 'skipped' && taken.has(identity)
    return {
      places: this.#places,
      holders: this.#holders,
      hidden: this.#hidden,
      vanished,
      paths: this.#paths,
      fresh: free.filter((item) => !isTwin(item)),
      twins: free.filter(isTwin),
    }
  }

  #placeDirectories(): Common[] {
    const directories = this.#sorted.filter(({ kind }) => kind === 'directory')
    const shared = new Set(directories.map(({ identity }) => identity))
    const byIdentity = new Map<string, OnDisk>()
    for (const item of this.#disk.values()) {
      if (item.kind === 'directory') byIdentity.set(item.identity, item)
    }
    return directories.filter((each) => {
      // Those above come before those in them.
      const expected = this.#expected(each)
      const there = expected === undefined ? undefined : this.#disk.get(expected)
      // A look may have seen it twice.
      const it = there?.identity === each.identity ? there : byIdentity.get(each.identity)
      if (it && this.#placeAt(each, it.path)) return false
      const isAnothers = there?.kind === 'directory' && shared.has(there.identity)
      if (!isAnothers && this.#placeAsExpected(each)) return false
      this.#directories.set(each.path, undefined)
      return true
    })
  }

  /**
   * Files that moved, and in whose places others lie that moved, too. Of those that changed places in a
   * ring none is meant: each is taken to be what lies in its place.
   */
  #replaced(files: Common[]): Set<string> {
    const replaced = new Set<string>()
    const inPlace = new Map<Common, OnDisk>()
    for (const file of files) {
      const item = this.#disk.get(this.#expected(file) ?? '')
      if (item && isFile(item) && item.identity !== file.identity) inPlace.set(file, item)
    }
    if (inPlace.size === 0) return replaced
    const byIdentity = new Map(files.map((each) => [each.identity, each]))
    const present = new Set<string>()
    for (const item of this.#disk.values()) if (isFile(item)) present.add(item.identity)
    const inPlaceOf = (file: Common): Common | undefined => {
      const item = inPlace.get(file)
      return item && present.has(file.identity) ? byIdentity.get(item.identity) : undefined
    }
    // What a server is asked to make is shared, too.
    const isUnderNew = (file: Common) => {
      const item = inPlace.get(file)
      return item && present.has(file.identity) && this.#views.making.has(item.identity)
    }
    const seen = new Set<Common>()
    for (const file of inPlace.keys()) {
      const chain: Common[] = []
      let next: Common | undefined = file
      for (; next && !seen.has(next); next = inPlaceOf(next)) {
        seen.add(next)
        chain.push(next)
      }
      if (next && chain.includes(next)) continue
      // Where nothing came into the place of the last one, that one is where it was, or vanished.
      if (!next && !isUnderNew(chain.at(-1)!)) chain.pop()
      for (const { id } of chain) replaced.add(id)
    }
    return replaced
  }

  #placeElsewhere(missing: Common[], replaced: ReadonlySet<string>): Common[] {
    if (missing.length === 0) return []
    const byIdentity = new Map<string, OnDisk>()
    const byVersion = new Map<string, OnDisk[]>()
    for (const item of this.#disk.values()) {
      if (!isFile(item) || this.#isHeld(item)) continue
      byIdentity.set(item.identity, item)
      if (!item.isSettled) continue
      const copies = byVersion.get(item.version)
      if (copies) copies.push(item)
      else byVersion.set(item.version, [item])
    }
    const lost = missing.filter((each) => {
      const item = byIdentity.get(each.identity)
      return !item || !this.#placeAt(each, item.path)
    })
    const left = lost.filter((each) => !replaced.has(each.id) || !this.#placeAsExpected(each))
    const vanished = left.filter((each) => {
      const copies = (byVersion.get(each.version) ?? []).filter((item) => !this.#isHeld(item))
      const namesake = copies.find(({ path }) => nameOf(path) === nameOf(each.path))
      // Of several without the name none is more likely than the others.
      const item = namesake ?? (copies.length === 1 ? copies[0] : undefined)
      return !item || !this.#placeAt(each, item.path)
    })
    return this.#views.isQuiet ? this.#placeRewritten(vanished) : vanished
  }

  /** What was renamed and written anew is in its directory, or has its name, and no other is like it. */
  #placeRewritten(vanished: Common[]): Common[] {
    const { making, isMadeFrom } = this.#views
    const texts = vanished.filter(({ kind }) => kind === 'text')
    if (texts.length === 0 || texts.length > comparedMax) return vanished
    const fresh = [...this.#disk.values()].filter((item) => {
      const isText = item.kind === 'text' && item.isSettled
      return isText && !this.#isHeld(item) && !making.has(item.identity)
    })
    if (fresh.length > comparedMax) return vanished
    const pairs = texts.flatMap((known) => {
      const at = this.#expected(known)
      const isNear = ({ path }: OnDisk) =>
        (at !== undefined && parentOf(path) === parentOf(at)) || nameOf(path) === nameOf(known.path)
      return fresh.filter(isNear).map((item) => ({ known, item }))
    })
    if (pairs.length > comparedMax) return vanished
    const kin = pairs.filter(({ known, item }) => isMadeFrom(known, item))
    const found = kin.filter(({ known, item }) => {
      return kin.filter((each) => each.known === known || each.item === item).length === 1
    })
    const paths = new Map(found.map(({ known, item }) => [known, item.path]))
    return vanished.filter((each) => {
      const path = paths.get(each)
      return path === undefined || !this.#placeAt(each, path)
    })
  }

  #isHeld({ path }: OnDisk): boolean {
    return this.#holders.has(path)
  }

  /**
   * Where an entry should be if nobody moved it itself: its directory may have moved. Undefined: that is
   * nowhere, and what has its place is another one.
   */
  #expected({ path }: Common): string | undefined {
    const parent = parentOf(path)
    const now = this.#directories.has(parent) ? this.#directories.get(parent) : parent
    return now === undefined ? undefined : joined(now, nameOf(path))
  }

  #placeAsExpected(each: Common): boolean {
    const path = this.#expected(each)
    return path !== undefined && this.#placeAt(each, path)
  }

  /** Whether the entry needs no further search. */
  #placeAt({ id, kind, path: before }: Common, path: string): boolean {
    if (this.#isHidden(path)) {
      this.#hidden.add(id)
      return true
    }
    const item = this.#disk.get(path)
    const isAlike = item && (kind === 'directory' ? item.kind === kind : isFile(item))
    if (!isAlike || this.#holders.has(path)) return false
    this.#places.set(id, item)
    this.#holders.set(path, id)
    if (kind === 'directory') this.#directories.set(before, path)
    return true
  }

  #isHidden(path: string): boolean {
    for (let above = path; above !== ''; above = parentOf(above)) {
      if (this.#skipped.has(above)) return true
    }
    return false
  }
}
