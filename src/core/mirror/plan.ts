// What to do so that disk and folder become the same: three-way, entry by entry, against what they
// last had in common.
//
// Who changed a file alone is followed; what both changed is merged, by a save with the common text as
// its base; of bytes the newest are shown, and both are kept as versions of the file. What cannot be
// either becomes two files. What somebody changed outlives its deletion by somebody else. What is missing is
// deleted only if it is known to be gone: on the disk after a complete look in which it stayed away,
// in the folder by its tombstone. A move in the folder wins over one on the disk. What blocks
// something else is put off to the next plan, which sees what the first brought about.

import { brokenRule, fileKey } from '../model/names.ts'
import { release, type Deletion } from './deletions.ts'
import type { Act, Common, InFolder, OnDisk, Plan, Skipped, Views } from './messages.ts'
import { isBelow, nameOf, parentOf } from '../model/path.ts'
import { asidePath, nameOfParked, parkedDirectory, parkedPath } from './paths.ts'
import { isFile, place, type Placing } from './placing.ts'

/** Says what is to be done next; nothing, when both sides agree or wait. */
export function plan(views: Views): Plan {
  return new Planner(views).plan()
}

/** Of those who come one after the other into each other's places so many move by one plan. */
const followedMax = 500

const isTwin = 'It is a second name (hard link) of a file that is shared already.'

const isSeenTwice = 'It is the same directory as another one, or was moved a moment ago.'

class Planner {
  readonly #views: Views
  readonly #placing: Placing
  readonly #acts: Act[] = []
  readonly #skipped: Skipped[] = []
  readonly #deletions: Deletion[] = []
  readonly #byPath = new Map<string, InFolder>()
  #byKey: Map<string, string> | undefined
  readonly #lost: Set<string>
  /** Directories on their way in this plan: what is below them has its turn in the next. */
  readonly #moving: string[] = []
  readonly #deleted: string[] = []
  readonly #reads = new Set<string>()
  /** Entries that had their turn. */
  readonly #looked = new Set<string>()
  /** How many had it before others that wait for their places. */
  #followed = 0
  /** Entries that this plan moves in the folder. */
  readonly #moved = new Set<string>()
  /** Made by this plan, by path: what comes into them may follow at once. */
  readonly #madeOnDisk = new Set<string>()
  readonly #madeInFolder = new Set<string>()
  /** What this plan brings to the folder, by what it is. */
  readonly #created = new Set<string>()
  /** What things were shared, and which are on the disk, by what they are; gathered when asked for. */
  #shared: Set<string> | undefined
  #present: Set<string> | undefined
  /** Paths that this plan puts something at, on the disk. */
  readonly #taken = new Set<string>()

  constructor(views: Views) {
    this.#views = views
    this.#placing = place(views)
    this.#lost = new Set(this.#placing.vanished.map(({ id }) => id))
    for (const each of views.folder.values()) this.#byPath.set(each.path, each)
  }

  plan(): Plan {
    const { common, folder } = this.#views
    for (const item of this.#views.disk.values()) {
      if (item.kind === 'skipped') this.#skip(item.path, item.why ?? 'It is no file.')
    }
    for (const { path, kind } of this.#placing.twins) {
      this.#skip(path, kind === 'directory' ? isSeenTwice : isTwin)
    }
    for (const known of sorted(common.values())) {
      if (!this.#mustWait(known.id, known.path)) this.#known(known)
    }
    // Names that appear may be the new ones of what vanished: that is known when it stays away.
    if (this.#lost.size === 0 || this.#views.isQuiet) {
      for (const item of sorted(this.#placing.fresh)) this.#fresh(item)
    }
    for (const entry of sorted(folder.values())) {
      if (!common.has(entry.id) && !this.#mustWait(entry.id, entry.path)) this.#foreign(entry)
    }
    const released = this.#release()
    return { acts: this.#acts, skipped: this.#skipped, ...released }
  }

  // ----------------------------------------------------------------------- entries known to both

  #known(known: Common): void {
    if (this.#looked.has(known.id)) return
    this.#looked.add(known.id)
    if (this.#placing.hidden.has(known.id)) {
      // A tombstone is kept in mind no longer: what lies there now is something else.
      if (this.#views.gone.has(known.id)) this.#acts.push({ type: 'forget', id: known.id })
      return
    }
    const item = this.#placing.places.get(known.id)
    const entry = this.#views.folder.get(known.id)
    if (item && this.#mustWait(item.path)) return
    if (this.#views.gone.has(known.id)) this.#gone(known, item)
    // Neither listed nor seen in the trash: this server may not know of it yet.
    else if (!entry || isFile(entry) !== isFile(known)) return
    else if (this.#views.isIgnored(entry.path, entry.kind === 'directory')) {
      this.#acts.push({ type: 'forget', id: known.id })
    } else if (!item) this.#vanished(known, entry)
    else if (this.#isMoving(entry.path) || this.#isMoving(item.path)) return
    else if (this.#toSamePlace(known, item, entry) && isFile(item)) {
      this.#toSameContent(known, item, entry)
    }
  }

  #gone(known: Common, item: OnDisk | undefined): void {
    const forget = () => this.#acts.push({ type: 'forget', id: known.id })
    if (!item) {
      if (this.#views.isQuiet) forget()
      return
    }
    if (item.kind === 'directory') {
      this.#goneDirectory(known, item)
      return
    }
    if (!item.isSettled) return
    // Somebody worked on what somebody else deleted: it comes back, or becomes a file of its own.
    if (item.version !== known.version) {
      if (this.#isElsewhere(known, item)) {
        this.#acts.push({ type: 'save', id: known.id, path: item.path })
      } else if (this.#views.restorable.has(known.id)) {
        this.#acts.push({ type: 'restore', id: known.id })
      } else forget()
    } else this.#remove(known.id, item.path, 'file')
  }

  /** Whether others moved a text out of the mirrored part: what was changed here follows it there. */
  #isElsewhere({ id, kind }: Common, item: OnDisk): boolean {
    return kind === 'text' && item.kind === 'text' && this.#views.elsewhere.has(id)
  }

  #goneDirectory({ id }: Common, { path }: OnDisk): void {
    const inside = [...this.#views.disk.values()].filter((item) => isBelow(item.path, path))
    if (inside.some((item) => this.#survives(item))) this.#acts.push({ type: 'forget', id })
    else if (inside.length === 0) this.#remove(id, path, 'directory')
    // What goes with it is counted by itself, and it with them: together they are one.
    else if (inside.every((item) => this.#isGoing(item))) {
      this.#deletions.push({ side: 'onDisk', ids: [id], path })
    }
  }

  /** Whether it is removed because it was deleted in the folder. */
  #isGoing(item: OnDisk): boolean {
    const holder = this.#placing.holders.get(item.path)
    if (holder === undefined || !this.#views.gone.has(holder)) return false
    if (this.#mustWait(holder, item.path)) return false
    return item.isSettled && item.version === this.#views.common.get(holder)?.version
  }

  /** Whether something on the disk will be shared where it is, though its directory was deleted. */
  #survives(item: OnDisk): boolean {
    if (item.kind === 'skipped') return false
    const holder = this.#placing.holders.get(item.path)
    if (holder === undefined) return !this.#placing.twins.includes(item)
    const known = this.#views.common.get(holder)!
    if (this.#views.gone.has(holder)) {
      return item.version !== known.version && !this.#isElsewhere(known, item)
    }
    // Somebody moved it here.
    return this.#views.folder.get(holder)?.path === known.path && item.path !== known.path
  }

  #vanished(known: Common, entry: InFolder): void {
    if (!this.#views.isQuiet) return
    if (this.#deleted.some((path) => isBelow(entry.path, path))) return
    if (known.kind === 'directory') {
      const below = [...this.#views.folder.values()].filter(({ path }) => isBelow(path, entry.path))
      const unread = below.filter((each) => this.#lost.has(each.id) && isUnread(each))
      if (unread.length > 0) for (const { id } of unread) this.#read(id)
      // First what was moved out of it.
      else if (below.some(({ id }) => !this.#lost.has(id) && this.#isLeaving(id))) return
      else if (below.every((each) => this.#isUnchanged(each))) {
        this.#deleteEntry(entry, below)
      } else this.#comeBack(entry)
      return
    }
    if (isUnread(entry)) this.#read(entry.id)
    else if (entry.version === known.version) this.#deleteEntry(entry)
    else this.#comeBack(entry)
  }

  /** Deleted here, changed elsewhere: like something new of the folder. */
  #comeBack({ id }: InFolder): void {
    this.#acts.push({ type: 'forget', id })
  }

  /** Whether something in the folder is what was deleted on the disk, and nothing else. */
  #isUnchanged({ id, version }: InFolder): boolean {
    const known = this.#views.common.get(id)
    if (!known || !this.#lost.has(id) || this.#views.waiting.has(id)) return false
    return known.kind === 'directory' || known.version === version
  }

  #deleteEntry({ id, path }: InFolder, below: InFolder[] = []): void {
    this.#deleted.push(path)
    const ids = [id, ...below.map((each) => each.id)]
    this.#deletions.push({ side: 'inFolder', ids, path, act: { type: 'delete-entry', id, path } })
  }

  #remove(id: string, path: string, kind: 'file' | 'directory'): void {
    const act = { type: 'remove', id, path, kind } as const
    this.#deletions.push({ side: 'onDisk', ids: [id], path, act })
  }

  /** Brings disk and folder to one path; true when they have it. */
  #toSamePlace(known: Common, item: OnDisk, entry: InFolder): boolean {
    if (item.path === entry.path) {
      const isMoved = item.path !== known.path
      // Where another was, what is below that one would seem to be below this one.
      const isFree = !isMoved || this.#isNobodysPath(item.path, known.id)
      if (isFree && (isMoved || item.identity !== known.identity)) {
        this.#place(known.id, item, item.path)
      }
      // What is below gets its common path by that; judged by the one of before, what a person moved
      // out of it would seem to have been moved in the folder.
      if (item.kind === 'directory' && isMoved) this.#moving.push(item.path)
      return true
    }
    // Known by what it is before it moves: so it is found, should we end right after that.
    if (item.identity !== known.identity) this.#place(known.id, item, known.path)
    if (entry.path === known.path) this.#moveEntry(known, item, entry)
    else this.#move(known, item, entry)
    return false
  }

  #place(id: string, item: OnDisk, path: string): void {
    const isAnothers = this.#isAnothers(id, item)
    this.#acts.push({ type: 'place', id, path, at: item.path, ...(isAnothers && { isAnothers }) })
  }

  /** Whether files changed places, so that what is one's now was another's. */
  #isAnothers(id: string, item: OnDisk): boolean {
    const known = this.#views.common.get(id)
    if (!known || !isFile(item) || item.identity === known.identity) return false
    this.#shared ??= new Set([...this.#views.common.values()].map(({ identity }) => identity))
    this.#present ??= new Set([...this.#views.disk.values()].map(({ identity }) => identity))
    return this.#shared.has(item.identity) && this.#present.has(known.identity)
  }

  #moveEntry({ id, kind, path: before }: Common, item: OnDisk, entry: InFolder): void {
    if (this.#comesBack(item, entry)) {
      this.#move({ id, kind, path: before } as Common, item, entry)
      return
    }
    if (!this.#views.isQuiet || !item.isSettled) return
    const rule = brokenRule(nameOf(item.path))
    if (rule !== undefined) {
      this.#skip(item.path, `It stays "${entry.path}" for the others. ${rule}`)
      return
    }
    const holder = this.#holderInFolder(item.path)
    const isIn = this.#isDirectoryInFolder(parentOf(item.path))
    const isFree = holder === undefined || holder === id
    if (isIn && (isFree || this.#hasLeft(holder, item.path))) this.#follow(item, entry)
    else if (isIn && !this.#isLeaving(holder!)) this.#putAside(item.path)
    else this.#stepAside(item, entry)
  }

  /** The folder follows the disk. */
  #follow({ path, kind }: OnDisk, entry: InFolder): void {
    // It may have had its turn with one that waited for its place.
    if (this.#moved.has(entry.id)) return
    this.#moved.add(entry.id)
    if (kind === 'directory') this.#moving.push(entry.path, path)
    else {
      this.#keys().delete(fileKey(entry.path))
      this.#keys().set(fileKey(path), entry.id)
    }
    this.#acts.push({ type: 'move-entry', id: entry.id, path })
  }

  /** Whether a file leaves its place in the folder in this plan: it has its turn before who comes there. */
  #hasLeft(id: string, path: string): boolean {
    const known = this.#views.common.get(id)
    if (known?.kind === 'directory' || !known || this.#followed >= followedMax) return false
    this.#followed++
    if (!this.#mustWait(id, known.path)) this.#known(known)
    return this.#holderInFolder(path) !== id
  }

  /**
   * Where others wait in the end for the place of an entry, it takes another name until its own is free: in
   * a ring of those that change places, or when it went into what is to have its name.
   */
  #stepAside(item: OnDisk, { id, path }: InFolder): void {
    const ring = this.#ring(id, item.path)
    if (!ring) return
    const to = this.#asideFrom(path)
    this.#taken.add(to)
    this.#keys().delete(fileKey(path))
    this.#moving.push(path)
    this.#acts.push({ type: 'move-entry', id, path: to })
    this.#place(id, item, to)
    // At once: others should not see the other name for long.
    for (const each of ring.toReversed()) {
      this.#looked.add(each)
      this.#follow(this.#placing.places.get(each)!, this.#views.folder.get(each)!)
    }
    if (ring.length > 0) this.#follow(item, { ...this.#views.folder.get(id)!, path: to })
  }

  /**
   * Who has the place in the folder that an entry is to have, whose place that one is to have, and so on
   * until it is this one's own. Empty: some wait for a directory instead. Undefined: it is no ring.
   */
  #ring(id: string, path: string): string[] | undefined {
    const ring: string[] = []
    const seen = new Set<string>()
    let isDirect = true
    for (let at = path; !seen.has(at);) {
      seen.add(at)
      const there = this.#placing.holders.get(at)
      if (there !== undefined && there !== id && !this.#isLeaving(there)) {
        // Moved in the folder, that one goes away by itself, if not into one that waits, too.
        const awaited = this.#awaited(there)
        if (awaited === undefined) return undefined
        isDirect = false
        at = awaited
        continue
      }
      const above = parentOf(at)
      if (!this.#isDirectoryInFolder(above)) {
        isDirect = false
        at = above
        continue
      }
      const holder = this.#holderInFolder(at)
      if (holder === id) return isDirect ? ring : []
      const next = this.#placing.places.get(holder ?? '')
      if (holder === undefined || !next?.isSettled || this.#mustWait(holder, next.path)) {
        return undefined
      }
      ring.push(holder)
      at = next.path
    }
    return undefined
  }

  /** Where on the disk the directory still is into which an entry was moved in the folder. */
  #awaited(id: string): string | undefined {
    const path = this.#views.folder.get(id)?.path
    if (path === undefined || path === this.#views.common.get(id)?.path) return undefined
    const above = this.#byPath.get(parentOf(path))
    const item = above && this.#placing.places.get(above.id)
    return item?.path === above?.path ? undefined : item?.path
  }

  /**
   * Whether it is not the folder that follows: parked by us, it is in no place of a person's choice; what
   * went below itself, in the folder's view, would leave the tree.
   */
  #comesBack(item: OnDisk, entry: InFolder): boolean {
    return isBelow(item.path, parkedDirectory) || this.#isBelowItself(item, entry)
  }

  #isBelowItself(item: OnDisk, entry: InFolder): boolean {
    // What lies in between is new, and waits for what is above it.
    for (let above = parentOf(item.path); above !== ''; above = parentOf(above)) {
      const path = this.#views.folder.get(this.#placing.holders.get(above) ?? '')?.path
      if (path === undefined) continue
      return path === entry.path || isBelow(path, entry.path) || this.#comesBelowItself(item, entry)
    }
    return false
  }

  /** The same, once all has come to where it is to be: each waits for the next, and the last for it. */
  #comesBelowItself({ path }: OnDisk, { id }: InFolder): boolean {
    const { common, folder } = this.#views
    const seen = new Set<string>()
    let [at, isOnDisk] = [parentOf(path), true]
    while (at !== '') {
      const there = isOnDisk ? this.#placing.holders.get(at) : this.#byPath.get(at)?.id
      if (there === id) return true
      const known = common.get(there ?? '')
      const entry = folder.get(there ?? '')
      if (known && entry) {
        if (seen.has(known.id)) return false
        seen.add(known.id)
        const item = this.#placing.places.get(known.id)
        // Moved in the folder it is there, moved on the disk it is where that has it.
        isOnDisk = item !== undefined && entry.path === known.path
        at = isOnDisk ? item!.path : entry.path
      }
      at = parentOf(at)
    }
    return false
  }

  #move({ id, kind }: Common, item: OnDisk, entry: InFolder): void {
    const to = entry.path
    if (!item.isSettled || this.#mustWait(to)) return
    const blocker = this.#blocker(to)
    // Of the same identity it is the file itself: moved by a life of ours that ended in between.
    const isIt = blocker?.identity === item.identity
    const isFree = isIt || (!blocker && this.#isNobodysPath(to, id))
    if (blocker && !isIt) this.#makeRoom(blocker)
    if (!isFree || !this.#isDirectoryOnDisk(parentOf(to))) {
      // Others want its place before its own is ready: it steps aside, so that none waits for ever.
      const isInTheWay =
        this.#isWanted(item.path, id) || isBelow(item.path, to) || this.#isInGone(item.path)
      if (isInTheWay) this.#park(id, item)
      return
    }
    if (kind === 'directory') this.#moving.push(item.path, to)
    this.#taken.add(to)
    this.#acts.push({ type: 'move', id, from: item.path, to })
  }

  #toSameContent(known: Common, item: OnDisk, { id, kind, version }: InFolder): void {
    if (!item.isSettled) return
    const { path } = item
    const areTexts = [known.kind, item.kind, kind].every((each) => each === 'text')
    const areBinary = item.kind === 'binary' && kind === 'binary'
    if (item.version === known.version) {
      if (version === undefined) this.#read(id)
      else if (version !== item.version) {
        this.#acts.push({ type: 'write', id, path, over: item.version })
      } else if (kind !== known.kind) this.#acts.push({ type: 'adopt', id, path })
    } else if (item.version === version) this.#acts.push({ type: 'adopt', id, path })
    else if (areTexts || areBinary || version === known.version) {
      this.#acts.push({ type: 'save', id, path })
    } else if (version === undefined) this.#read(id)
    // A text and bytes, made at once: two namesakes, of which the one here gets another name.
    else this.#acts.push({ type: 'forget', id })
  }

  // ------------------------------------------------------------------------- new on the disk

  #fresh(item: OnDisk): void {
    const { path, kind } = item
    if (kind === 'skipped' || !item.isSettled || this.#mustWait(path)) return
    if (this.#views.making.has(item.identity)) return
    if (this.#isMoving(path) || this.#taken.has(path)) return
    const entry = this.#byPath.get(path)
    // What was parked and is nobody's any more comes back to where people see it.
    if (parentOf(path) === parkedDirectory) this.#putAside(path, nameOfParked(path))
    else if (!this.#hasParentInFolder(path)) return
    else if (entry) this.#namesakes(item, entry)
    else this.#create(item)
  }

  #namesakes(item: OnDisk, entry: InFolder): void {
    const { id } = entry
    if (this.#mustWait(id)) return
    const known = this.#views.common.get(id)
    if (known) {
      // Its entry is elsewhere on the disk: it moves away, is deleted, or is written here again.
      if (!this.#isLeaving(id)) this.#putAside(item.path)
    } else if (isFile(entry) !== isFile(item)) this.#putAside(item.path)
    else if (item.kind === 'directory' || entry.version === item.version) {
      this.#acts.push({ type: 'adopt', id, path: item.path })
      if (item.kind === 'directory') this.#madeInFolder.add(item.path)
    } else if (entry.version === undefined) this.#read(id)
    else this.#putAside(item.path)
  }

  #create({ path, kind, identity }: OnDisk): void {
    const rule = brokenRule(nameOf(path))
    if (rule !== undefined) {
      this.#skip(path, rule)
      return
    }
    if (this.#created.has(identity)) {
      this.#skip(path, isTwin)
      return
    }
    const holder = this.#keys().get(fileKey(path))
    if (holder !== undefined) {
      const other = this.#views.folder.get(holder)?.path ?? holder
      if (!this.#isLeaving(holder)) {
        this.#skip(path, `"${other}" differs from it only in case or accents; rename one of them.`)
      }
      return
    }
    this.#keys().set(fileKey(path), path)
    this.#created.add(identity)
    if (kind === 'directory') this.#madeInFolder.add(path)
    this.#acts.push({ type: kind === 'directory' ? 'create-directory' : 'create', path })
  }

  // ------------------------------------------------------------------------ new in the folder

  #foreign(entry: InFolder): void {
    const { path, kind } = entry
    if (this.#views.isIgnored(path, kind === 'directory') || this.#isMoving(path)) return
    // What is on the disk by this name was looked at before.
    const there = this.#views.disk.get(path)
    if (there && !this.#placing.holders.has(path)) {
      if (there.kind === 'skipped') this.#skipNamesake(there)
      return
    }
    if (kind === 'directory') this.#makeDirectory(entry)
    else this.#write(entry)
  }

  #makeDirectory({ id, path }: InFolder): void {
    if (!this.#mayPut(path)) return
    this.#madeOnDisk.add(path)
    this.#acts.push({ type: 'make-directory', id, path })
  }

  #write({ id, path }: InFolder): void {
    if (this.#mayPut(path)) this.#acts.push({ type: 'write', id, path, over: undefined })
  }

  /** Whether something may be put at a path of the disk by this plan. */
  #mayPut(path: string): boolean {
    if (this.#mustWait(path) || this.#taken.has(path)) return false
    const blocker = this.#blocker(path)
    if (blocker) {
      this.#makeRoom(blocker)
      return false
    }
    if (!this.#isNobodysPath(path)) return false
    const parent = parentOf(path)
    if (!this.#madeOnDisk.has(parent) && !this.#isDirectoryOnDisk(parent)) return false
    this.#taken.add(path)
    return true
  }

  // -------------------------------------------------------------------------------- room

  #blocker(path: string): OnDisk | undefined {
    return this.#views.disk.get(path)
  }

  /** What was at a path, and moved or vanished, would be taken to be back by what is put there. */
  #isNobodysPath(path: string, id?: string): boolean {
    const owner = this.#placing.paths.get(path)
    if (owner === undefined || owner === id) return true
    const item = this.#placing.places.get(owner)
    const isGone = this.#views.gone.has(owner)
    const entry = this.#views.folder.get(owner)
    const isLeft = isGone || (entry !== undefined && entry.path !== path)
    // Moved, or gone, in the folder, too: where it was counts no longer.
    if (item && isLeft && item.path !== path && !this.#isMoving(item.path)) {
      const isFree = !this.#placing.paths.has(item.path)
      this.#place(owner, item, isFree ? item.path : parkedPath(owner, nameOf(path)))
    }
    return false
  }

  /** What is in the way of something shared: shared itself, it goes by itself; fresh, it is renamed. */
  #makeRoom(blocker: OnDisk): void {
    if (this.#placing.holders.has(blocker.path)) return
    // Its directory is another one, and has yet to leave.
    if (!this.#isDirectoryOnDisk(parentOf(blocker.path))) return
    if (blocker.kind === 'skipped') this.#skipNamesake(blocker)
    else if (blocker.isSettled) this.#putAside(blocker.path)
  }

  #putAside(path: string, wanted = path): void {
    if (this.#taken.has(path) || this.#isMoving(path)) return
    const to = this.#asideFrom(wanted)
    this.#taken.add(to).add(path)
    if (this.#views.disk.get(path)?.kind === 'directory') this.#moving.push(path)
    this.#acts.push({ type: 'put-aside', path, to })
  }

  #asideFrom(path: string): string {
    const { disk, host } = this.#views
    const isTaken = (aside: string) =>
      disk.has(aside) ||
      this.#taken.has(aside) ||
      this.#placing.paths.has(aside) ||
      this.#keys().has(fileKey(aside))
    return asidePath(path, host, isTaken)
  }

  #isWanted(path: string, id: string): boolean {
    const entry = this.#byPath.get(path)
    return entry !== undefined && entry.id !== id
  }

  /** Whether something lies in a directory that waits to be removed. */
  #isInGone(path: string): boolean {
    for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
      if (this.#views.gone.has(this.#placing.holders.get(above) ?? '')) return true
    }
    return false
  }

  #park(id: string, { path, kind }: OnDisk): void {
    if (kind === 'directory') this.#moving.push(path)
    this.#acts.push({ type: 'move', id, from: path, to: parkedPath(id, nameOf(path)) })
  }

  /** Whether an entry will not stay where it is in the folder: others wait for its place. */
  #isLeaving(id: string): boolean {
    const known = this.#views.common.get(id)
    const entry = this.#views.folder.get(id)
    if (!known || !entry) return false
    const item = this.#placing.places.get(id)
    if (item) {
      const isMoved = item.path !== entry.path && entry.path === known.path
      return isMoved && !this.#comesBack(item, entry)
    }
    return this.#lost.has(id) && (entry.version === undefined || entry.version === known.version)
  }

  #holderInFolder(path: string): string | undefined {
    return this.#keys().get(fileKey(path))
  }

  /** Ids by the keys of their paths; of what this plan makes, the path. */
  #keys(): Map<string, string> {
    if (this.#byKey) return this.#byKey
    this.#byKey = new Map()
    for (const { id, path } of this.#views.folder.values()) this.#byKey.set(fileKey(path), id)
    return this.#byKey
  }

  #isDirectoryInFolder(path: string): boolean {
    if (path === '') return true
    const entry = this.#byPath.get(path)
    if (entry?.kind !== 'directory' || this.#deleted.includes(path)) return false
    // On the disk it must be the same one.
    return this.#placing.holders.get(path) === entry.id
  }

  #hasParentInFolder(path: string): boolean {
    const parent = parentOf(path)
    return this.#madeInFolder.has(parent) || this.#isDirectoryInFolder(parent)
  }

  #isDirectoryOnDisk(path: string): boolean {
    if (path === '') return true
    const entry = this.#byPath.get(path)
    // The folder's own one, and not another that has yet to make place for it.
    return entry !== undefined && this.#placing.holders.get(path) === entry.id
  }

  #isMoving(path: string): boolean {
    return this.#moving.some((directory) => path === directory || isBelow(path, directory))
  }

  #mustWait(...idsOrPaths: string[]): boolean {
    return idsOrPaths.some((each) => this.#views.waiting.has(each))
  }

  #read(id: string): void {
    // It may be asked for by itself and by its directory.
    if (this.#reads.has(id)) return
    this.#reads.add(id)
    this.#acts.push({ type: 'read', id })
  }

  /** What the folder has comes as soon as this is elsewhere. */
  #skipNamesake({ path, why = '' }: OnDisk): void {
    this.#skip(path, `The folder has something by this name, too. ${why}`.trim())
  }

  #skip(path: string, why: string): void {
    this.#skipped.push({ path, why })
  }

  // ------------------------------------------------------------------------------- deletions

  /** What moves along with its directory has its turn when it is there. */
  #release(): Pick<Plan, 'held' | 'asked' | 'agreed' | 'deletes'> {
    const isBack = (id: string) => this.#placing.places.has(id) && this.#views.folder.has(id)
    const deletions = this.#deletions.filter(
      ({ side, path }) => side === 'inFolder' || !this.#isMoving(path),
    )
    const { acts, ...released } = release(deletions, this.#views, isBack)
    this.#acts.push(...acts)
    return released
  }
}

/** Whether it is not known what the text is at this moment. */
function isUnread({ kind, version, isStale }: InFolder): boolean {
  return kind === 'text' && (version === undefined || isStale === true)
}

function sorted<T extends { path: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}
