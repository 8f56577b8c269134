// Those who watch files: what is there, and then each change of it as it is stored.
//
// Each change is told with the updates it stands for, per log in their order. Merged, they are what a
// watcher knows: when its server dies it shows that to another, and is told what lies beyond.

import { createDecoder, readVarUint } from 'lib0/decoding'
import type { Change, Folder, Seen } from '../model/folder.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Origin, SubjectId } from '../model/ids.ts'
import { liveMs, streamsMax } from '../model/limits.ts'
import { isDirectory } from '../model/tree.ts'
import {
  covers,
  fromSeen,
  missing,
  raise,
  raiseTo,
  type VersionVector,
} from '../model/version-vector.ts'
import type { Entry, Update } from '../model/wire.ts'
import type { EngineReader, StoredSubject } from '../ports.ts'
import type { Documents } from './documents.ts'
import type { Answer, CallId, Extent } from './messages.ts'
import type { Views } from './views.ts'
import type { Voice } from './voice.ts'

type Event = Extract<Answer, { type: 'watched' }>['event']

/** Of so many changed subjects it is read whether their text changed; of more it is assumed. */
const readsMax = 1000
/** So many operations on one text are told one by one: a watcher that comes from elsewhere may know some. */
const operationsMax = 100
/** Subjects asked of the store at once. */
const pageSize = 1000

/** What lies beyond what a watcher knows, of one subject. */
interface Beyond {
  /** Whether where it lies, or something else of its entry, may have changed. */
  isPlace: boolean
  /** Those that changed the text; "" stands for all that are not known, and for too many. */
  operations: ReadonlySet<string>
}

/** It was not read: all of it may have changed. */
const unread: Beyond = { isPlace: true, operations: new Set(['']) }

export interface WatchesOptions {
  folder: Folder
  documents: Documents
  views: Views
  reader: EngineReader
  voice: Voice
}

/** One who knew something that is yet to come here. */
interface Ahead {
  /** What it knew, and was told since. */
  knows: VersionVector
  /** The texts that came here whole since, and that it was told of: of none of them more lies beyond. */
  wholes: Set<string>
  /** When it was asked last whether the rest can come at all; or when it began to wait, once that is known. */
  soughtAt: number | undefined
}

/** Why something is told: `operation` did it, where one alone did; "" otherwise. */
interface Why {
  seen: VersionVector
  operation: string
}

/** Something to tell when the turn ends. */
type Told = Why &
  /** Because of these updates; undefined: a subject that was received whole. */
  (
    | { type: 'text'; subject: SubjectId; causes: (Update | undefined)[] }
    | { type: 'entry'; call: CallId; event: Event; entry: Entry }
  )

export class Watches {
  readonly #options: WatchesOptions
  /** The id of what each watches; empty: all. */
  readonly #watched = new Map<CallId, string>()
  /** Those that knew more when they came than had come here. */
  readonly #ahead = new Map<CallId, Ahead>()
  /** The updates taken in here. */
  readonly #taken: VersionVector
  /** The update being taken in; undefined: a subject that was received whole. */
  #cause: Update | undefined
  #told: Told[] = []

  constructor(options: WatchesOptions) {
    this.#options = options
    this.#taken = options.reader.vector()
  }

  /**
   * Tells all that is there, or what lies beyond `since`; or that, and all that is there.
   * @throws FourfoldError not-found, unavailable
   */
  begin(call: CallId, file: string, { since, listsAll = false }: Extent = {}): void {
    if (this.#watched.size >= streamsMax) {
      throw new FourfoldError('unavailable', 'Too many watch this server; try another.')
    }
    const { views } = this.#options
    const top = file === '' ? undefined : views.find(file)
    // What others are to hear of this turn is in the listing.
    this.#tellChanges()
    this.#watched.set(call, top?.id ?? '')
    if (since) this.#tellBeyond(call, since, listsAll)
    else this.#tellThere(call, new Set())
    this.#tellReady(call)
  }

  end(call: CallId): void {
    this.#watched.delete(call)
    this.#ahead.delete(call)
  }

  /** What is watched, and all in it that is not in the trash; but not those told already. */
  #tellThere(call: CallId, told: ReadonlySet<string>): void {
    const { folder } = this.#options
    const directory = this.#watched.get(call) ?? ''
    const top = folder.get(directory)
    if (top && !told.has(top.id)) this.#answer(call, 'present', top)
    for (const entry of folder.list({ directory, isRecursive: true, inTrash: false })) {
      if (!told.has(entry.id)) this.#answer(call, 'present', entry)
    }
  }

  #tellReady(call: CallId): void {
    const seen = new Map(this.#taken)
    this.#options.voice.answer(call, { type: 'watched', event: 'ready', seen })
  }

  #tellBeyond(
    call: CallId,
    since: VersionVector,
    listsAll: boolean,
    wholes: ReadonlySet<string> = new Set(),
  ): void {
    const { folder } = this.#options
    const top = this.#watched.get(call) ?? ''
    const told = new Set<string>()
    let reads = 0
    let havePlacesChanged = false
    for (const id of this.#beyond(since)) {
      const entry = folder.get(id)
      if (folder.isPurged(id)) this.#tellPurged(call, id)
      const beyond = ++reads > readsMax ? unread : this.#readBeyond(id, since)
      havePlacesChanged ||= beyond.isPlace
      if (!entry || !folder.isWithin(id, top)) continue
      this.#answer(call, 'present', entry)
      told.add(id)
      if (folder.isTrashed(id) || isDirectory(entry) || wholes.has(id)) continue
      for (const operation of beyond.operations) this.#answer(call, 'changed', entry, operation)
    }
    // Others have another number because of one that came or went, or lie elsewhere. Where part of what
    // is known has yet to come, they lie where they lay before, and that would be told as news.
    if (!covers(this.#taken, since)) this.#wait(call, since)
    else if (listsAll) this.#tellAll(call, told)
    else if (havePlacesChanged) this.#tellThere(call, told)
  }

  /** All that was taken in here so far it was told by now. */
  #wait(call: CallId, since: VersionVector): void {
    const knows = new Map(since)
    raise(knows, this.#taken)
    this.#ahead.set(call, { knows, wholes: new Set(), soughtAt: undefined })
  }

  /**
   * Whoever told it that may have lost its disk since, and nobody else has it. A server that told it a
   * moment ago has said by then to the others what it has.
   */
  tick(now: number): void {
    for (const [call, ahead] of this.#ahead) {
      ahead.soughtAt ??= now
      if (now - ahead.soughtAt < liveMs) continue
      ahead.soughtAt = now
      const upTo = missing(this.#taken, ahead.knows)
      this.#options.voice.ask({ type: 'seek', tag: call, upTo })
    }
  }

  /** No server has more of these logs: what it knew of them beyond that is lost, and waited for no longer. */
  absent(call: CallId, origins: readonly Origin[]): void {
    const ahead = this.#ahead.get(call)
    if (!ahead) return
    for (const origin of origins) {
      const known = ahead.knows.get(origin) ?? 0
      ahead.knows.set(origin, Math.min(known, this.#taken.get(origin) ?? 0))
    }
  }

  /**
   * Tells one of those who knew more all that is there, in the trash or not, as soon as nothing of what it
   * knew is yet to come: what it was told meanwhile were changes of something else than it knew. One in a
   * turn, because each listing is as long as the folder.
   */
  #tellCaughtUp(): void {
    for (const [call, { knows, wholes }] of this.#ahead) {
      if (!covers(this.#taken, knows)) continue
      this.#ahead.delete(call)
      // What came here as a new file with its text, the caller may have known without part of that.
      this.#tellBeyond(call, knows, true, wholes)
      this.#tellReady(call)
      return
    }
  }

  /** The same, and what is in the trash. */
  #tellAll(call: CallId, told: ReadonlySet<string>): void {
    this.#tellThere(call, told)
    const { folder } = this.#options
    const top = this.#watched.get(call) ?? ''
    for (const entry of folder.list({ directory: '', isRecursive: true, inTrash: true })) {
      const isNew = folder.isWithin(entry.id, top) && !told.has(entry.id)
      if (isNew) this.#answer(call, 'present', entry)
    }
  }

  *#beyond(since: VersionVector): Generator<SubjectId> {
    let last: SubjectId | '' = ''
    for (;;) {
      const page: SubjectId[] = this.#options.reader.beyond(since, last, pageSize)
      yield* page
      const end = page.at(-1)
      if (end === undefined || page.length < pageSize) return
      last = end
    }
  }

  /** Deleted for good: whoever watches the whole folder hears at least that. */
  #tellPurged(call: CallId, id: SubjectId): void {
    const entry = this.#options.folder.known(id)
    if (entry && this.#watched.get(call) === '') this.#answer(call, 'present', entry)
  }

  #readBeyond(id: SubjectId, since: VersionVector): Beyond {
    const { documents, reader } = this.#options
    const stored = documents.attempt(id, () => reader.load(id))
    if (stored instanceof FourfoldError) return unread
    const isBeyond = (origin: string, seq: number) => seq > (since.get(origin as Origin) ?? 0)
    const wholes = stored.snapshots.filter(({ covers: held }) => {
      return [...fromSeen(held?.seen)].some(([origin, seq]) => isBeyond(origin, seq))
    })
    const isPlace =
      wholes.some(({ entry }) => entry.length > 0) ||
      stored.updates.some(({ body, origin, seq }) => body.case === 'entry' && isBeyond(origin, seq))
    if (wholes.some(({ text }) => text.length > 0)) return { ...unread, isPlace }
    const operations = textsBeyond(id, stored, isBeyond)
    return operations.size > operationsMax ? { ...unread, isPlace } : { isPlace, operations }
  }

  // ------------------------------------------------------------------------------ what changes

  /** An update is on disk: what is told next is because of it. */
  took(update: Update): void {
    this.#cause = update
    raiseTo(this.#taken, update.origin as Origin, update.seq)
  }

  /** A subject was received whole; by which updates it differs is not known. */
  tookWhole(): void {
    this.#cause = undefined
  }

  /** All of these logs was received, be it in whole subjects. */
  tookUpTo(vector: VersionVector): void {
    raise(this.#taken, vector)
  }

  #why(): Why {
    const cause = this.#cause
    return {
      seen: new Map(cause && [[cause.origin as Origin, cause.seq]]),
      operation: cause?.operation ?? '',
    }
  }

  /** The stored text of a document changed. */
  textChanged(subject: SubjectId): void {
    if (this.#watched.size === 0) return
    const last = this.#told.at(-1)
    const why = this.#why()
    const isOfSame = last?.type === 'text' && last.subject === subject
    // A burst of typing is one change; with another in between it would be told out of order. Of two
    // operations a watcher may know one, and of a text that came whole it knows no update.
    if (isOfSame && last.operation === why.operation && isWhole(last.seen) === isWhole(why.seen)) {
      raise(last.seen, why.seen)
      last.causes.push(this.#cause)
    } else this.#told.push({ type: 'text', subject, causes: [this.#cause], ...why })
  }

  /** A stored entry changed. */
  changed({ entry, before }: Change): void {
    const event = this.#watched.size > 0 && this.#eventOf(entry, before)
    if (!event) return
    const { folder } = this.#options
    for (const [call, watched] of this.#watched) {
      if (this.#isMeant(watched, entry, before)) this.#tellLater(call, event, entry)
      else if (isDirectory(entry) && folder.isWithin(watched, entry.id)) {
        this.#tellOfAbove(call, event, watched)
      }
    }
  }

  /**
   * These are deleted for good, and were seen so before: those that were there, because they were restored
   * at another server than the one that deleted them, go now. What lay in one of them goes with it.
   */
  hidden(seen: ReadonlyMap<string, Seen | undefined>): void {
    if (this.#watched.size === 0) return
    for (const [id, before] of seen) {
      const entry = this.#options.folder.known(id)
      if (!entry || !before || before.isDeleted || seen.has(before.parent)) continue
      for (const [call, watched] of this.#watched) {
        if (this.#isMeant(watched, entry, before)) this.#tellLater(call, 'deleted', entry)
      }
    }
  }

  /** Whether it lies in what is watched, or lay there before. */
  #isMeant(watched: string, { id }: Entry, before: Seen | undefined): boolean {
    const { folder } = this.#options
    if (folder.isWithin(id, watched)) return true
    return before !== undefined && folder.isWithin(before.parent, watched)
  }

  #eventOf(entry: Entry, before: Change['before']): Event | undefined {
    const after = this.#options.folder.seen(entry.id)!
    const wasThere = before !== undefined && !before.isDeleted
    if (wasThere !== !after.isDeleted) return wasThere ? 'deleted' : 'created'
    if (!wasThere) return undefined
    if (before.parent !== after.parent) return 'moved'
    if (before.name !== after.name) return 'renamed'
    return before.hash === after.hash ? undefined : 'changed'
  }

  /** A directory above what this one watches changed: that goes, comes and moves with it. */
  #tellOfAbove(call: CallId, event: Event, watched: string): void {
    const { folder } = this.#options
    const entry = folder.get(watched)
    if (!entry) return
    const isThere = !folder.isTrashed(watched)
    if (event === 'deleted') this.#tellLater(call, 'deleted', entry)
    else if (isThere) this.#tellLater(call, event === 'created' ? 'created' : 'moved', entry)
  }

  #tellLater(call: CallId, event: Event, entry: Entry): void {
    this.#told.push({ type: 'entry', call, event, entry, ...this.#why() })
  }

  // ----------------------------------------------------------------------------------- telling

  /** A turn ends: what changed in it is told, in the order in which it was stored. */
  tell(): void {
    this.#tellChanges()
    this.#tellCaughtUp()
  }

  #tellChanges(): void {
    if (this.#told.length === 0) return
    const told = this.#told
    this.#told = []
    const made = new Set(
      told.flatMap((each) =>
        each.type === 'entry' && each.event === 'created' ? each.entry.id : [],
      ),
    )
    const texts = told.flatMap((each) => (each.type === 'text' ? each.causes : []))
    const untold = new Set(texts.flatMap((cause) => (cause ? placeOf(cause) : [])))
    for (const each of told) {
      if (each.type === 'entry') this.#tellEntry(each)
      else {
        // What is new comes with its text.
        if (!made.has(each.subject)) this.#tellText(each, untold)
        for (const cause of each.causes) if (cause) untold.delete(placeOf(cause))
      }
    }
  }

  #tellEntry({ call, event, entry, operation, seen }: Extract<Told, { type: 'entry' }>): void {
    // Where it lay is known no more of what was deleted for good since, in the same turn.
    if (!this.#options.folder.isPurged(entry.id)) this.#answer(call, event, entry, operation, seen)
    else if (event !== 'created') this.#answer(call, 'deleted', entry, operation, seen)
  }

  #tellText(told: Extract<Told, { type: 'text' }>, untold: ReadonlySet<string>): void {
    const { subject, causes, seen, operation } = told
    const { folder } = this.#options
    const entry = folder.get(subject)
    if (!entry || folder.isTrashed(subject) || this.#areRepeated(subject, causes, untold)) return
    for (const [call, watched] of this.#watched) {
      if (folder.isWithin(subject, watched)) this.#answer(call, 'changed', entry, operation, seen)
    }
  }

  /**
   * Whether another server has carried out the same operations, so that these changed nothing.
   * `untold`: places in the logs of what this turn took in and is still to be told.
   */
  #areRepeated(
    subject: SubjectId,
    causes: (Update | undefined)[],
    untold: ReadonlySet<string>,
  ): boolean {
    if (!causes.every((cause) => cause && mayComeTwice(cause))) return false
    const { documents, reader } = this.#options
    const stored = documents.attempt(subject, () => reader.load(subject))
    if (stored instanceof FourfoldError) return false
    // The disk may be ahead of what was taken in: that is told when it is.
    const told = stored.updates.filter(({ origin, seq }) => {
      return (
        seq <= (this.#taken.get(origin as Origin) ?? 0) && !untold.has(placeOf({ origin, seq }))
      )
    })
    return causes.every((cause) => cause && told.some((each) => isSameText(each, cause)))
  }

  #answer(call: CallId, event: Event, entry: Entry, operation = '', seen?: VersionVector): void {
    const { views, voice } = this.#options
    const ahead = this.#ahead.get(call)
    if (ahead && seen) raise(ahead.knows, seen)
    if (event === 'changed' && seen && isWhole(seen)) ahead?.wholes.add(entry.id)
    const file = views.of(entry)
    voice.answer(call, {
      type: 'watched',
      event,
      file,
      ...(operation && { operation }),
      ...(seen && { seen }),
    })
  }
}

/** Whether what changed came as a whole: which updates it stands for is not known. */
const isWhole = (seen: VersionVector) => seen.size === 0

/** The operations of the updates of the text that lie beyond; "" stands for those that are not known. */
function textsBeyond(
  id: SubjectId,
  { updates }: StoredSubject,
  isBeyond: (origin: string, seq: number) => boolean,
): Set<string> {
  // The text of a new file comes right before it, and its id is that of the operation.
  const made = updates.find(({ operation }) => operation === id)
  const isSeed = ({ origin, seq }: Update) => origin === made?.origin && seq === made.seq - 1
  const texts = updates.flatMap((update) => {
    const { body, origin, seq } = update
    if (body.case !== 'text') return []
    const operation = isSeed(update) ? id : update.operation
    return [{ bytes: body.value, operation, isBeyond: isBeyond(origin, seq) }]
  })
  const known = texts.filter((each) => !each.isBeyond)
  const isNews = ({ bytes }: { bytes: Uint8Array }) =>
    !known.some((each) => areEqual(each.bytes, bytes))
  return new Set(texts.flatMap((each) => (each.isBeyond && isNews(each) ? [each.operation] : [])))
}

/** What servers write for a person has a writer of its own, from its first character on, or deletes. */
function mayComeTwice({ body }: Update): boolean {
  if (body.case !== 'text') return false
  const decoder = createDecoder(body.value)
  const writers = readVarUint(decoder)
  if (writers === 0) return true
  readVarUint(decoder) // How many runs of text.
  readVarUint(decoder) // The writer.
  return writers === 1 && readVarUint(decoder) === 0
}

function placeOf({ origin, seq }: Pick<Update, 'origin' | 'seq'>): string {
  return `${origin}/${seq}`
}

function isSameText({ body: one }: Update, { body: other }: Update): boolean {
  return one.case === 'text' && other.case === 'text' && areEqual(one.value, other.value)
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}
