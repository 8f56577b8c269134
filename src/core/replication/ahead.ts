// What is here ahead of its logs: subjects that came whole by a transfer that broke off. As a rule they
// come again, with their logs. Whoever had those may be away, or its disk lost:
//
//   ahead ── no peer has more of these logs, for a second ──> said again in the own log ──> settled
//     └── the logs come ──> settled
//
// Safety: without that equal version vectors would be unequal texts (5), what is written here on top of
// it would wait for it at others, and receipts for what nobody has. If the logs come after all, nothing
// is there twice. The pieces on the disk go on to stand for these logs: each life says it again.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Origin, SubjectId } from '../model/ids.ts'
import { liveMs, operationsPerSnapshotMax, pieceBytesMax } from '../model/limits.ts'
import { mergeStored } from '../model/snapshot.ts'
import { covers, fromSeen, missing, raise, type VersionVector } from '../model/version-vector.ts'
import { VersionSchema, VersionsSchema, type Snapshot } from '../model/wire.ts'
import { CorruptError, type NewUpdate, type StorageReader } from '../ports.ts'
import type { Links } from './links.ts'
import type { Marks } from './marks.ts'

/** Subjects looked up at once. */
const pageMax = 64

export interface AheadOptions {
  origin: Origin
  reader: StorageReader
  /** What is on this disk. */
  vector: VersionVector
  links: Links
  marks: Marks
  isComplete: () => boolean
  /** Appends to the own log; the seq there. */
  say: (update: NewUpdate) => number
  /** A subject does not load here. */
  unreadable: (error: CorruptError) => void
}

interface Saying {
  /** What is said when it ends. */
  upTo: VersionVector
  /** The last subject said. */
  after: SubjectId | ''
  isAll: boolean
  /** Where the last of it is in the own log. */
  lastSeq: number
}

export class Ahead {
  readonly #options: AheadOptions
  /** How far it reaches, in the logs of which that is more than is on this disk. */
  #reach: VersionVector
  #lackingSince: number | undefined
  #saying: Saying | undefined

  constructor(options: AheadOptions) {
    this.#options = options
    this.#reach = missing(options.vector, options.reader.covered())
  }

  /** Whether the version vector does not speak of all that is here. */
  get isAny(): boolean {
    return this.#reach.size > 0
  }

  get isSaying(): boolean {
    return this.#saying !== undefined
  }

  /** A subject is on the disk that stands for its logs up to there. */
  came(upTo: VersionVector): void {
    const ahead = missing(this.#options.vector, upTo)
    if (ahead.size === 0) return
    raise(this.#reach, ahead)
    // It may lie before what was said already.
    this.#saying = undefined
  }

  /** The logs on this disk have come further. */
  advanced(): void {
    if (!this.isAny && !this.isSaying) return
    const { origin, vector, marks } = this.#options
    this.#reach = missing(vector, this.#reach)
    const saying = this.#saying
    if (!saying?.isAll || (vector.get(origin) ?? 0) < saying.lastSeq) return
    this.#saying = undefined
    this.#reach = missing(saying.upTo, this.#reach)
    marks.restate(saying.upTo, vector, [origin, saying.lastSeq])
  }

  tick(now: number): void {
    if (this.#saying) this.#sayMore(this.#saying)
    else if (!this.#isLacking()) this.#lackingSince = undefined
    else {
      this.#lackingSince ??= now
      if (now - this.#lackingSince < liveMs) return
      const upTo = new Map(this.#reach)
      this.#saying = { upTo, after: '', isAll: false, lastSeq: 0 }
      this.#sayMore(this.#saying)
    }
  }

  #isLacking(): boolean {
    const { links, isComplete } = this.#options
    if (!this.isAny || !isComplete()) return false
    const isSomebodyThere = !links.peers().next().done
    return isSomebodyThere && ![...this.#reach.keys()].some((origin) => links.hasMoreOf(origin))
  }

  #sayMore(saying: Saying): void {
    if (saying.isAll) return
    const { reader, vector } = this.#options
    let bytes = 0
    const subjects = reader.beyond(vector, saying.after, pageMax)
    for (const subject of subjects) {
      bytes += this.#sayAgain(saying, subject)
      saying.after = subject
      if (bytes >= pieceBytesMax) return
    }
    saying.isAll = subjects.length < pageMax
    if (saying.isAll) this.advanced()
  }

  #sayAgain(saying: Saying, subject: SubjectId): number {
    const { reader, vector, say, unreadable } = this.#options
    try {
      const { snapshots } = reader.load(subject)
      const ahead = snapshots.filter((each) => !covers(vector, fromSeen(each.covers?.seen)))
      const merged = mergeStored({ snapshots: ahead, updates: [] }, new Map(), subject)
      const bodies = bodiesOf(merged)
      const operations = reader.operationsOf(subject, operationsPerSnapshotMax)
      // Whoever gets effects gets to know of what they are: the last is repeated for those left.
      const count = bodies.length > 0 ? Math.max(bodies.length, operations.length) : 0
      for (let index = 0; index < count; index++) {
        const body = bodies[index] ?? bodies.at(-1)!
        const { id: operation = '', digest: operationDigest = '' } = operations[index] ?? {}
        saying.lastSeq = say({ subject, author: '', at: 0, operation, operationDigest, body })
      }
      return bodies.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error
      unreadable(error)
      return 0
    }
  }
}

/** What a subject is made of, as updates; what is short and may be said often last. */
function bodiesOf({ text, entry, versions }: Snapshot): NewUpdate['body'][] {
  const bodies: NewUpdate['body'][] = fromBinary(VersionsSchema, versions).versions.map(
    (version) => {
      return { case: 'version', value: toBinary(VersionSchema, create(VersionSchema, version)) }
    },
  )
  if (text.length > 0) bodies.push({ case: 'text', value: text })
  if (entry.length > 0) bodies.push({ case: 'entry', value: entry })
  return bodies
}
