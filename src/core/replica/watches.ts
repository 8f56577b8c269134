// Those who watch files: what is there, and then each change of it as it is stored.
//
// Each change is told with the updates it stands for, per log in their order. Merged, they are what a
// watcher knows: when its server dies it shows that to another, and is told what lies beyond.

import { createDecoder, readVarUint } from 'lib0/decoding'
import type { Change, Folder } from '../model/folder.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Origin, SubjectId } from '../model/ids.ts'
import { streamsMax } from '../model/limits.ts'
import { isDirectory } from '../model/tree.ts'
import { fromSeen, raise, raiseTo, type VersionVector } from '../model/version-vector.ts'
import type { Entry, Update } from '../model/wire.ts'
import type { EngineReader } from '../ports.ts'
import type { Documents } from './documents.ts'
import type { Answer, CallId } from './messages.ts'
import type { Views } from './views.ts'
import type { Voice } from './voice.ts'

type Event = Extract<Answer, { type: 'watched' }>['event']

/** Of so many changed subjects it is read whether their text changed; of more it is assumed. */
const readsMax = 1000
/** Subjects asked of the store at once. */
const pageSize = 1000

export interface WatchesOptions {
  folder: Folder
  documents: Documents
  views: Views
  reader: EngineReader
  voice: Voice
}

/** Why something is told: `operation` did it, where one alone did; "" otherwise. */
interface Why {
  seen: VersionVector
  operation: string
}

/** Something to tell when the turn ends. */
type Told = Why &
  /** Because of this one update; undefined: of several. */
  (
    | { type: 'text'; subject: SubjectId; cause: Update | undefined }
    | { type: 'entry'; call: CallId; event: Event; entry: Entry }
  )

export class Watches {
  readonly #options: WatchesOptions
  /** The id of what each watches; empty: all. */
  readonly #watched = new Map<CallId, string>()
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
   * Tells all that is there, or what lies beyond `since`.
   * @throws FourfoldError not-found, unavailable
   */
  begin(call: CallId, file: string, since?: VersionVector): void {
    if (this.#watched.size >= streamsMax) {
      throw new FourfoldError('unavailable', 'Too many watch this server; try another.')
    }
    const { views, folder, voice } = this.#options
    const top = file === '' ? undefined : views.find(file)
    // What others are to hear of this turn is in the listing.
    this.tell()
    this.#watched.set(call, top?.id ?? '')
    if (since) this.#tellBeyond(call, since)
    else {
      if (top) this.#answer(call, 'present', top)
      const scope = { directory: top?.id ?? '', isRecursive: true, inTrash: false }
      for (const entry of folder.list(scope)) this.#answer(call, 'present', entry)
    }
    const seen = new Map(this.#taken)
    voice.answer(call, { type: 'watched', event: 'ready', seen })
  }

  end(call: CallId): void {
    this.#watched.delete(call)
  }

  #tellBeyond(call: CallId, since: VersionVector): void {
    const { reader, folder } = this.#options
    let reads = 0
    let last: SubjectId | '' = ''
    for (;;) {
      const page: SubjectId[] = reader.beyond(since, last, pageSize)
      for (const id of page) {
        const entry = folder.get(id)
        if (folder.isPurged(id)) this.#tellPurged(call, id)
        if (!entry || !folder.isWithin(id, this.#watched.get(call) ?? '')) continue
        this.#answer(call, 'present', entry)
        if (folder.isTrashed(id) || isDirectory(entry)) continue
        const operations = ++reads > readsMax ? [''] : this.#textBeyond(id, since)
        if (operations.length > 0) this.#answer(call, 'changed', entry, oneOf(operations))
      }
      const end = page.at(-1)
      if (end === undefined || page.length < pageSize) return
      last = end
    }
  }

  /** Deleted for good: whoever watches the whole folder hears at least that. */
  #tellPurged(call: CallId, id: SubjectId): void {
    const { views, folder, voice } = this.#options
    const entry = folder.known(id)
    if (!entry || this.#watched.get(call) !== '') return
    const file = { ...views.of(entry), isDeleted: true }
    voice.answer(call, { type: 'watched', event: 'present', file })
  }

  /** Of each update of the text that lies beyond the operation; "" stands for those that are not known. */
  #textBeyond(id: SubjectId, since: VersionVector): string[] {
    const { documents, reader } = this.#options
    const stored = documents.attempt(id, () => reader.load(id))
    if (stored instanceof FourfoldError) return ['']
    const isBeyond = (origin: string, seq: number) => seq > (since.get(origin as Origin) ?? 0)
    const isWholeBeyond = stored.snapshots.some(
      ({ text, covers }) =>
        text.length > 0 &&
        [...fromSeen(covers?.seen)].some(([origin, seq]) => isBeyond(origin, seq)),
    )
    if (isWholeBeyond) return ['']
    // The text of a new file comes right before it, and its id is that of the operation.
    const made = stored.updates.find(({ operation }) => operation === id)
    const isSeed = ({ origin, seq }: Update) => origin === made?.origin && seq === made.seq - 1
    const texts = stored.updates.flatMap((update) => {
      const { body, origin, seq } = update
      if (body.case !== 'text') return []
      const operation = isSeed(update) ? id : update.operation
      return [{ bytes: body.value, operation, isBeyond: isBeyond(origin, seq) }]
    })
    const known = texts.filter((each) => !each.isBeyond)
    const isNews = ({ bytes }: { bytes: Uint8Array }) =>
      !known.some((each) => areEqual(each.bytes, bytes))
    return texts.flatMap((each) => (each.isBeyond && isNews(each) ? [each.operation] : []))
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
    // A burst of typing is one change; with another in between it would be told out of order.
    if (last?.type === 'text' && last.subject === subject) {
      const { seen, operation } = this.#why()
      raise(last.seen, seen)
      last.operation = oneOf([last.operation, operation])
      last.cause = undefined
    } else this.#told.push({ type: 'text', subject, cause: this.#cause, ...this.#why() })
  }

  /** A stored entry changed. */
  changed({ entry, before }: Change): void {
    const event = this.#watched.size > 0 && this.#eventOf(entry, before)
    if (!event) return
    const { folder } = this.#options
    for (const [call, watched] of this.#watched) {
      const isMeant =
        folder.isWithin(entry.id, watched) ||
        (before !== undefined && folder.isWithin(before.parent, watched))
      if (isMeant) this.#tellLater(call, event, entry)
      else if (isDirectory(entry) && folder.isWithin(watched, entry.id)) {
        this.#tellOfAbove(call, event, watched)
      }
    }
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
    if (this.#told.length === 0) return
    const told = this.#told
    this.#told = []
    const made = new Set(
      told.flatMap((each) =>
        each.type === 'entry' && each.event === 'created' ? each.entry.id : [],
      ),
    )
    for (const each of told) {
      if (each.type === 'entry')
        this.#answer(each.call, each.event, each.entry, each.operation, each.seen)
      // What is new comes with its text.
      else if (!made.has(each.subject)) this.#tellText(each)
    }
  }

  #tellText({ subject, cause, seen, operation }: Extract<Told, { type: 'text' }>): void {
    const { folder } = this.#options
    const entry = folder.get(subject)
    if (!entry || folder.isTrashed(subject) || this.#isRepeated(subject, cause)) return
    for (const [call, watched] of this.#watched) {
      if (folder.isWithin(subject, watched)) this.#answer(call, 'changed', entry, operation, seen)
    }
  }

  /** Whether another server has carried out the same operation, so that this one changed nothing. */
  #isRepeated(subject: SubjectId, cause: Update | undefined): boolean {
    if (cause?.body.case !== 'text' || !mayComeTwice(cause.body.value)) return false
    const { documents, reader } = this.#options
    const { origin, seq, body } = cause
    const stored = documents.attempt(subject, () => reader.load(subject))
    if (stored instanceof FourfoldError) return false
    return stored.updates.some(
      (other) =>
        other.body.case === 'text' &&
        (other.origin !== origin || other.seq !== seq) &&
        areEqual(other.body.value, body.value),
    )
  }

  #answer(call: CallId, event: Event, entry: Entry, operation = '', seen?: VersionVector): void {
    const { views, voice } = this.#options
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

/** The operation of all of these; "": there are several, or it is not known. */
function oneOf(operations: string[]): string {
  const [first = ''] = operations
  return operations.every((each) => each === first) ? first : ''
}

/** What servers write for a person has a writer of its own, from its first character on, or deletes. */
function mayComeTwice(update: Uint8Array): boolean {
  const decoder = createDecoder(update)
  const writers = readVarUint(decoder)
  if (writers === 0) return true
  readVarUint(decoder) // How many runs of text.
  readVarUint(decoder) // The writer.
  return writers === 1 && readVarUint(decoder) === 0
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}
