// What lies in the trash: how long it has, when it goes for good, and when nothing of it is left.
//
//   in the trash ── steps of 12 hours, counted by whoever has seen the last one so long ──> old
//   old, or somebody asks ── Purge ──> hidden ── all have it ──> known ── all have that ──> removed
//                                        ^── a server that was put back to before brings it back ──┘
//
// Safety: time in the trash is counted by what servers saw pass while all were there, not by clocks
// (G12); nothing is removed that any server may still bring back.

import { create, toBinary } from '@bufbuild/protobuf'
import { isDeleted } from '../model/entry.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import type { ReplicaId, SubjectId } from '../model/ids.ts'
import { confirmationOf, isPurgedEverywhere, purgeOf, tombstoneOf } from '../model/purge.ts'
import { isSameStamp } from '../model/stamps.ts'
import { EntrySchema, ServerState, type Entry, type Stamp } from '../model/wire.ts'
import type { Mark, NewUpdate, ServerView } from '../ports.ts'
import type { Appends } from './appends.ts'
import type { Request } from './operations.ts'
import type { Voice } from './voice.ts'

/** What it takes until something in the trash goes by itself. */
export interface TrashTimes {
  /** One step of its age. */
  stepMs: number
  steps: number
  /** How often it is looked after. */
  lookMs: number
}

/** Entries made older, or purged, in one look: it is no hurry. */
const agedMax = 200
/** What is removed of one look's purges; each is a compaction. */
const removedMax = 200

export interface TrashOptions {
  replica: ReplicaId
  folder: Folder
  appends: Appends
  voice: Voice
  times: TrashTimes
  servers: () => readonly ServerView[]
  covered: ReadonlyMap<ReplicaId, Mark>
  /** Makes updates durable, and everybody hears of them. */
  keep: (updates: NewUpdate[]) => void
}

interface Seen {
  deletion: Stamp | undefined
  steps: number
  at: number
}

export class Trash {
  readonly #options: TrashOptions
  /** What is in the trash by itself: its age, and since when this life has seen it so. */
  readonly #seen = new Map<string, Seen>()
  /** Ids of what is purged and not removed here, with the mark that the others must cover. */
  readonly #marks = new Map<string, Mark | undefined>()
  /** Those of which this server said again in the log that nothing is left of them. */
  readonly #repeated = new Set<string>()
  #lookedAt = -Infinity

  constructor(options: TrashOptions) {
    this.#options = options
  }

  /**
   * Makes it final that something is in the trash, with all that is in it: what this server sees of
   * it, and no more. The last update is the operation's.
   * @throws FourfoldError invalid
   */
  purge({ operation, digest, author, at }: Request, root: Entry): NewUpdate[] {
    const { folder } = this.#options
    if (!isDeleted(root)) {
      const above = folder.trashedWith(root.id)
      const name = above && folder.shownName(above.id)
      const text = name
        ? `It is in the trash with "${name}": delete that for good, or move this out of it first.`
        : 'Only what is in the trash is deleted for good.'
      throw new FourfoldError('invalid', text)
    }
    const within = this.#within(root.id)
    return [...within, root].map((entry) => ({
      ...changeOf(purgeOf(entry, root)),
      author,
      at,
      ...(entry === root && { operation, operationDigest: digest }),
    }))
  }

  /** All in a directory, each before the directory that it lies in. */
  #within(id: string): Entry[] {
    const { folder } = this.#options
    return folder.childrenOf(id).flatMap((child) => [...this.#within(child), folder.get(child)!])
  }

  /** Something is hidden, or was when this server started: it is to be removed. */
  hidden(ids: Iterable<string>): void {
    const { appends } = this.#options
    const fresh = [...ids].filter((id) => !this.#marks.has(id))
    if (fresh.length === 0) return
    for (const id of fresh) this.#marks.set(id, undefined)
    // Whoever covers this holds all that this server holds now.
    appends.barrier((mark) => {
      for (const id of fresh) if (this.#marks.has(id)) this.#marks.set(id, mark)
    })
  }

  /**
   * Something is stored again of what some server has removed. That it did is in no log: said there,
   * servers that hold the same know the same of it.
   */
  returned(id: SubjectId, isInLog: boolean): void {
    const { folder, keep } = this.#options
    this.hidden([id])
    if (isInLog || this.#repeated.has(id)) return
    this.#repeated.add(id)
    keep([changeOf(tombstoneOf(folder.known(id)!))])
  }

  /** The store has nothing of it any more. */
  removed(id: SubjectId): void {
    const { folder } = this.#options
    const entry = folder.known(id)
    if (entry?.purged && folder.isPurged(id)) folder.strip(tombstoneOf(entry))
    this.#marks.delete(id)
    this.#repeated.delete(id)
  }

  tick(now: number): void {
    const { times, servers } = this.#options
    if (now - this.#lookedAt < times.lookMs) return
    this.#lookedAt = now
    if (servers().some(({ state }) => state !== ServerState.LIVE)) {
      // Whoever is away may not have it: its time does not run.
      this.#seen.clear()
      return
    }
    this.#confirm()
    this.#remove()
    this.#age(now)
  }

  /** Tells that all have what is purged. One server does, and all see it. */
  #confirm(): void {
    const { folder, covered, servers, replica, keep } = this.#options
    if (servers()[0]?.id !== replica) return
    const updates: NewUpdate[] = []
    for (const [id, mark] of this.#marks) {
      const entry = folder.isPurged(id) ? folder.known(id) : undefined
      if (!entry?.purged || entry.purged.isKnown) continue
      if (mark === undefined || updates.length >= agedMax) continue
      if (servers().some((server) => (covered.get(server.id) ?? 0) < mark)) continue
      updates.push(changeOf(confirmationOf(entry)))
    }
    keep(updates)
  }

  #remove(): void {
    const { folder, voice } = this.#options
    let count = 0
    for (const id of this.#marks.keys()) {
      const entry = folder.known(id)
      if (!entry || !folder.isPurged(id)) this.#marks.delete(id)
      else if (count < removedMax && isPurgedEverywhere(entry, (each) => folder.known(each))) {
        count++
        voice.ask({ type: 'purge', subject: id as SubjectId })
      }
    }
  }

  #age(now: number): void {
    const { folder, times, keep, appends } = this.#options
    if (appends.isAhead) return
    const updates: NewUpdate[] = []
    const trash = { directory: '', isRecursive: false, inTrash: true }
    const present = new Set<string>()
    for (const entry of folder.list(trash)) {
      const { id } = entry
      present.add(id)
      const seen = this.#look(now, entry)
      if (now - seen.at < times.stepMs || updates.length >= agedMax) continue
      if (seen.steps + 1 >= times.steps) {
        const request = { operation: '', digest: '', author: '', at: now }
        updates.push(...this.purge(request, entry))
      } else {
        const { deletion } = seen
        const age = { steps: seen.steps + 1, ...(deletion && { deletion }) }
        updates.push(changeOf(create(EntrySchema, { id, age })))
      }
    }
    for (const id of this.#seen.keys()) if (!present.has(id)) this.#seen.delete(id)
    keep(updates.map((update) => ({ ...update, at: now })))
  }

  #look(now: number, { id, deleted, age }: Entry): Seen {
    const deletion = deleted?.stamp
    const steps = age && isSameStamp(age.deletion, deletion) ? age.steps : 0
    const before = this.#seen.get(id)
    if (before?.steps === steps && isSameStamp(before.deletion, deletion)) return before
    const seen = { deletion, steps, at: now }
    this.#seen.set(id, seen)
    return seen
  }
}

function changeOf(entry: Entry): NewUpdate {
  const body: NewUpdate['body'] = { case: 'entry', value: toBinary(EntrySchema, entry) }
  return { subject: entry.id, author: '', at: 0, operation: '', body }
}
