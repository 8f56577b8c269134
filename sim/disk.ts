// A simulated disk: what is written is durable only after a flush; a crash leaves what was under way
// whole or not at all; a disk can be slow, lost, rolled back to a backup, or damaged.

import { fromBinary } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { isOfUpdates } from '../src/adapters/storage/batch.ts'
import { MemoryDisk, MemoryStorage } from '../src/adapters/storage/memory.ts'
import type { SubjectId } from '../src/core/model/ids.ts'
import { integrate } from '../src/core/model/integration.ts'
import { isTombstone, storedEntry, storedText, textRoot } from '../src/core/model/snapshot.ts'
import { EntrySchema, type Entry, type Update } from '../src/core/model/wire.ts'
import { covers, fromSeen, raise, type VersionVector } from '../src/core/model/version-vector.ts'
import { CorruptError, type Batch, type StorageReader } from '../src/core/ports.ts'
import type { Random } from './random.ts'
import { Shelf, type ShelfBackup } from './shelf.ts'
import type { Timeline } from './timeline.ts'

/** How long the process takes to hear that a flush is done. */
const tellMs = 0.2

export interface DiskOptions {
  timeline: Timeline
  random: Random
  /** Mean time of a flush. */
  flushMs: number
  /** A change of an entry became durable. */
  archived: (change: Entry) => void
  /** An update became durable. */
  kept: (update: Update) => void
  /** Something of these subjects became durable. */
  committed: (subjects: Set<SubjectId>) => void
  /** A planted bug: a flush is reported before it happens. */
  isHasty: boolean
  /** Updates are taken in at once (`Storage.take`). */
  takes: boolean
}

/** What a disk held at some moment. */
export interface Backup {
  durable: MemoryDisk
  bytes: ShelfBackup
}

export function emptyBackup(): Backup {
  return { durable: new MemoryDisk(), bytes: new Map() }
}

/** A text that follows what is durable, without asking the code under test. */
type Mirror = { name: 'whole'; doc: Y.Doc } | { name: 'damaged' }

/** What is to be merged; of a purged subject only the tombstone stays. */
export interface Compaction {
  subject: SubjectId
  upTo: VersionVector
  isPurge: boolean
}

type Job = { done: (isDamaged: boolean) => void } & (
  | { type: 'write'; batch: Batch; isTaken: boolean }
  | ({ type: 'compact' } & Compaction)
)

/** One server's disk. It outlives the server's processes. */
export class SimulatedDisk {
  readonly #options: DiskOptions
  /** The bytes of files, which lie beside. */
  readonly shelf = new Shelf()
  #durable = new MemoryDisk()
  /** What a running process sees: the same disk, but for a hasty one and one that takes. */
  #visible = this.#durable
  #storage: MemoryStorage
  /** What becomes durable goes through it: the same storage, where the process sees the same disk. */
  #durably: MemoryStorage
  readonly #mirrors = new Map<SubjectId, Mirror>()
  /** Subjects of which it was ever said that they are deleted for good. */
  readonly #marked = new Set<SubjectId>()
  /** What the whole subjects received cover. */
  #received: VersionVector = new Map()
  #underWay: Job[] = []
  /** Of whose end the process has not heard: also of some that became durable with a later one. */
  readonly #untold = new Set<Job>()
  #waiting: { last: Job; action: () => void }[] = []
  /** Counts crashes: what was begun before one does not go on after it. */
  #life = 0
  flushMs: number

  constructor(options: DiskOptions) {
    this.#options = options
    this.flushMs = options.flushMs
    this.#storage = new MemoryStorage(this.#visible)
    this.#durably = this.#storage
  }

  /** Begins the life of a process on this disk; `now` is its clock. */
  open(now = () => 0): StorageReader {
    const { isHasty, takes } = this.#options
    this.#visible = isHasty || takes ? this.#durable.clone() : this.#durable
    this.#storage = new MemoryStorage(this.#visible, { now })
    this.#durably = this.#storage
    if (this.#visible !== this.#durable) this.#durably = new MemoryStorage(this.#durable, { now })
    return this.#storage.reader
  }

  /**
   * `done` follows after the flush, unless the process dies before. True: it is taken in at once, and
   * `done` does not come.
   */
  write(batch: Batch, done: () => void): boolean {
    // As the real store: what says more than updates is written, and waited for.
    const isTaken = this.#options.takes && isOfUpdates(batch)
    if (isTaken) this.#storage.commit(batch)
    this.#begin({ type: 'write', batch, isTaken, done: isTaken ? () => {} : done })
    return isTaken
  }

  /** `done`: merged, or it met a damaged record and changed nothing. */
  compact(compaction: Compaction, done: (isDamaged: boolean) => void): void {
    const { subject, upTo, isPurge } = compaction
    this.#begin({ type: 'compact', subject, upTo, isPurge, done })
  }

  /** Does something when all that is written by now is durable; never, if a crash comes first. */
  afterFlush(action: () => void): void {
    const last = this.#underWay.findLast(({ type }) => type === 'write')
    if (last) this.#waiting.push({ last, action })
    else action()
  }

  #begin(job: Job): void {
    const { timeline, random, isHasty } = this.#options
    const life = this.#life
    this.#underWay.push(job)
    this.#untold.add(job)
    const tell = (isSound: boolean) =>
      timeline.after(tellMs, () => {
        if (life !== this.#life) return
        this.#untold.delete(job)
        job.done(!isSound)
      })
    if (isHasty) tell(perform(this.#storage, job))
    timeline.after(random.span(this.flushMs), () => {
      if (life !== this.#life) return
      // Jobs of a hasty disk overlap; they become durable in their order all the same.
      const count = this.#underWay.indexOf(job) + 1
      let isSound = true
      for (const each of this.#underWay.splice(0, count)) isSound = this.#becomeDurable(each)
      if (!isHasty) tell(isSound)
    })
  }

  /** False: it met a damaged record. */
  #becomeDurable(job: Job): boolean {
    const isSound = this.#perform(job)
    if (job.type === 'write') this.#follow(job.batch)
    else if (job.isPurge && isSound) this.#rebuild(job.subject)
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ last }) => last !== job)
    for (const { last, action } of waiting) if (last === job) action()
    return isSound
  }

  /** On what is durable, and on what the process sees, if that is another and has it not yet. */
  #perform(job: Job): boolean {
    const isSound = perform(this.#durably, job)
    const isSeen = this.#options.isHasty || (job.type === 'write' && job.isTaken)
    if (this.#durably !== this.#storage && !isSeen && isSound) perform(this.#storage, job)
    return isSound
  }

  /** The process died or the power failed: what was under way is there as a whole or not at all. */
  crash(): void {
    this.#life++
    this.#untold.clear()
    this.#waiting = []
    const kept = this.#options.random.below(this.#underWay.length + 1)
    for (const job of this.#underWay.splice(0).slice(0, kept)) this.#becomeDurable(job)
  }

  // --------------------------------------------------------------- what a nemesis does to it

  /** After a crash: the disk is lost, an empty one takes its place. */
  wipe(): void {
    this.rollBack(emptyBackup())
  }

  backup(): Backup {
    return { durable: this.#durable.clone(), bytes: this.shelf.backup() }
  }

  /** After a crash: the disk holds what it held when the backup was made. */
  rollBack({ durable, bytes }: Backup): void {
    this.#durable = durable.clone()
    this.shelf.rollBack(bytes)
    this.#received = new Map()
    // A transfer may have been under way when the backup was made.
    for (const { pieces } of this.#durable.shelves.values()) {
      for (const piece of pieces) raise(this.#received, piece.covers)
    }
    this.#visible = this.#durable
    this.#storage = new MemoryStorage(this.#durable)
    this.#durably = this.#storage
    const subjects = new Set(this.#mirrors.keys())
    this.#mirrors.clear()
    for (const subject of this.#durable.shelves.keys()) {
      subjects.add(subject)
      this.#rebuild(subject)
    }
    this.#options.committed(subjects)
  }

  /** One stored bit of a subject turns over. False when nothing is stored of it. */
  flip(subject: SubjectId, bit: number): boolean {
    // What a process sees beside what is durable was written by itself just now.
    if (this.#options.takes && this.isBusy) return false
    const isDamaged = this.#visible.flip(subject, bit)
    if (isDamaged && this.#options.takes) this.#durable.flip(subject, bit)
    if (isDamaged) this.#mirrors.set(subject, { name: 'damaged' })
    return isDamaged
  }

  // --------------------------------------------------------------- what a checker sees of it

  get isComplete(): boolean {
    return this.#durable.isComplete
  }

  vector(): VersionVector {
    return this.#durable.vector
  }

  /** Whether something is on its way to it. */
  get isBusy(): boolean {
    return this.#underWay.length > 0
  }

  /** Whether the process is yet to hear of something that it had written. */
  get isWaitedFor(): boolean {
    return this.#untold.size > 0
  }

  /** Whether it holds whole subjects of a transfer that its vector does not speak of yet. */
  get isAhead(): boolean {
    return !covers(this.#durable.vector, this.#received)
  }

  /** Whether anything of a subject is stored. */
  has(subject: SubjectId): boolean {
    return this.#durable.shelves.has(subject)
  }

  /** Whether it was ever told that a subject is deleted for good. */
  isMarked(subject: SubjectId): boolean {
    return this.#marked.has(subject)
  }

  /** Subjects with a text. */
  subjects(): SubjectId[] {
    return [...this.#mirrors.keys()]
  }

  /** The durable text of a subject as it was written; undefined while it is damaged. */
  doc(subject: SubjectId): Y.Doc | undefined {
    const mirror = this.#mirrors.get(subject)
    if (mirror?.name === 'damaged') this.#rebuild(subject)
    const rebuilt = this.#mirrors.get(subject)
    if (!rebuilt) return blank
    return rebuilt.name === 'whole' ? rebuilt.doc : undefined
  }

  isDamaged(subject: SubjectId): boolean {
    return this.#mirrors.get(subject)?.name === 'damaged' && !this.doc(subject)
  }

  /** Subjects that cannot be read now. */
  damaged(): SubjectId[] {
    return this.subjects().filter((subject) => this.isDamaged(subject))
  }

  /** A document read through the storage as a starting server would. Throws CorruptError. */
  loaded(subject: SubjectId): Y.Doc {
    return storedText(new MemoryStorage(this.#durable.clone()).reader.load(subject))
  }

  /** Every entry that is stored and can be read. */
  entries(): Entry[] {
    const { reader } = new MemoryStorage(this.#durable.clone())
    return [...this.#durable.shelves.keys()].flatMap((subject) => {
      if (this.isDamaged(subject)) return []
      const entry = storedEntry(reader.load(subject))
      return entry ? [entry] : []
    })
  }

  /** A subject of which something is not merged; undefined: all is. */
  loose(): SubjectId | undefined {
    const { reader } = new MemoryStorage(this.#durable.clone())
    return [...this.#durable.shelves.keys()].find((subject) => reader.loose(subject) > 0)
  }

  /** A planted bug: the last update of a subject is gone, as if it were merged. */
  loseLast(subject: SubjectId): void {
    for (const { shelves, logs, floor } of new Set([this.#durable, this.#visible])) {
      const place = shelves.get(subject)?.places.pop()
      if (!place) continue
      logs.get(place.origin)!.delete(place.seq)
      raise(floor, [[place.origin, place.seq]])
    }
  }

  /** One of these, which are deleted for good, of which more is stored than that. */
  leftOf(gone: ReadonlySet<string>): string | undefined {
    const { reader } = new MemoryStorage(this.#durable.clone())
    const subjects = [...this.#durable.shelves.keys()].filter((subject) => gone.has(subject))
    return subjects.find((subject) => !isTombstone(reader.load(subject)))
  }

  #archive(change: Entry): void {
    if (change.purged) this.#marked.add(change.id as SubjectId)
    this.#options.archived(change)
  }

  #follow(batch: Batch): void {
    const subjects = new Set<SubjectId>()
    for (const update of batch.updates) {
      const { subject, body } = update
      this.#options.kept(update)
      if (body.case === 'text') this.#integrate(subject as SubjectId, body.value, subjects)
      if (body.case === 'entry') this.#archive(fromBinary(EntrySchema, body.value))
    }
    for (const snapshot of batch.snapshots) {
      const { subject, text, entry } = snapshot
      if (entry.length > 0) this.#archive(fromBinary(EntrySchema, entry))
      raise(this.#received, fromSeen(snapshot.covers?.seen))
      if (text.length > 0) this.#integrate(subject as SubjectId, text, subjects)
      // What it mends can be read again, though it says nothing of the text.
      else if (this.#mirrors.get(subject as SubjectId)?.name === 'damaged')
        subjects.add(subject as SubjectId)
    }
    if (subjects.size > 0) this.#options.committed(subjects)
  }

  #integrate(subject: SubjectId, update: Uint8Array, subjects: Set<SubjectId>): void {
    subjects.add(subject)
    const mirror = this.#mirrors.get(subject)
    if (mirror?.name === 'damaged') return
    const doc = mirror?.doc ?? emptyDoc()
    integrate(doc, update)
    this.#mirrors.set(subject, { name: 'whole', doc })
  }

  #rebuild(subject: SubjectId): void {
    try {
      this.#mirrors.set(subject, { name: 'whole', doc: this.loaded(subject) })
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error
      this.#mirrors.set(subject, { name: 'damaged' })
    }
  }
}

/** False: a damaged record was in the way, and nothing changed. */
function perform(storage: MemoryStorage, job: Job): boolean {
  if (job.type === 'write') {
    storage.commit(job.batch)
    return true
  }
  try {
    storage.compactNow(job.subject, job.upTo, job.isPurge)
    return true
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error
    return false
  }
}

/** What is there of a document that nobody wrote; it stays as it is. */
const blank = emptyDoc()

function emptyDoc(): Y.Doc {
  // A name of its own would take more time than everything that happens to it here.
  const doc = new Y.Doc({ guid: '' })
  doc.getText(textRoot)
  return doc
}
