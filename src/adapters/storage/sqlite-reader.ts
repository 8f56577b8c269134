// Reads of a SQLite store, on a read-only connection beside the one that writes.

import { create } from '@bufbuild/protobuf'
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { Origin, SubjectId } from '../../core/model/ids.ts'
import { operationLifeMs } from '../../core/model/limits.ts'
import { DoneOperationSchema, type DoneOperation, type Update } from '../../core/model/wire.ts'
import { raise, type VersionVector } from '../../core/model/version-vector.ts'
import {
  CorruptError,
  type Batch,
  type EntryFound,
  type OperationFound,
  type SoundSubject,
  type StorageReader,
  type StoredSubject,
} from '../../core/ports.ts'
import { coversOf, subjectOf, type Progress } from './batch.ts'
import { RecentUpdates, type TakenBatch } from './recent-updates.ts'
import { comparePlaces, ifSound, readUpdate, type Place } from './record.ts'
import { runningTime } from './running-time.ts'
import type { Counts, OperationRow, Seqs } from './sqlite-messages.ts'
import { prepareQueries, type Queries, type QueryName } from './sqlite-queries.ts'
import { recordOf, SubjectReader, type RecordRow } from './sqlite-subject.ts'
import { damaged, told } from './sqlite-directory.ts'
import { isDamage, isOfSqlite } from './storage-error.ts'

/** Up to so many rows beyond a vector are gone through, in some 5 ms; past that subjects are. */
const rowsBeyondMax = 20_000
/** Ids looked up at once. */
const idsAtOnce = 500

export interface ReaderOptions {
  directory: string
  /** How time passes; what it says at first does not matter. */
  now: () => number
  /** Called when SQLite finds the file itself damaged. */
  damaged: () => void
}

/**
 * What was taken in: the file as far as the writer has confirmed it here, and what is on its way there.
 * The file may be a batch or a compaction ahead; of that only what does no harm is shown, so that what
 * is read in one turn fits together.
 */
export class SqliteReader implements StorageReader {
  readonly #db: DatabaseSync
  readonly #options: ReaderOptions
  readonly #subjects: SubjectReader
  readonly #sql: Queries

  readonly #vector: VersionVector
  /** How far the file has it, by the writer's word; the rest is among the recent. */
  readonly #filed: VersionVector
  readonly #recent = new RecentUpdates()
  #floor: VersionVector
  /** Per log the highest seq that a piece covers: an update up to there may be covered already. */
  readonly #covered: VersionVector
  /** Only counts above zero. */
  readonly #loose: Map<SubjectId, number>
  #isComplete: boolean
  #life: string
  /** By which operations are dated. */
  readonly now: () => number
  /** When the batch under way is stored: no operation of another has that. */
  #aheadAt = -Infinity

  constructor(db: DatabaseSync, options: ReaderOptions) {
    this.#db = db
    this.#options = options
    this.#subjects = new SubjectReader(db)
    this.#sql = prepareQueries(db)
    this.#filed = new Map(this.#pairs<Origin>('vector'))
    this.#vector = new Map(this.#filed)
    this.#floor = new Map(this.#pairs<Origin>('floor'))
    this.#covered = new Map(this.#pairs<Origin>('covered'))
    this.#loose = new Map(this.#pairs<SubjectId>('loose'))
    this.#isComplete = this.#sql.complete.get() !== undefined
    this.#life = String(this.#sql.life.get()?.['value'] ?? '')
    this.now = runningTime(Number(this.#sql.newest.get()?.['at']), options.now)
  }

  isComplete(): boolean {
    return this.#isComplete
  }

  life(): string {
    return this.#life
  }

  vector(): VersionVector {
    return new Map(this.#vector)
  }

  floor(): VersionVector {
    return new Map(this.#floor)
  }

  covered(): VersionVector {
    return new Map(this.#covered)
  }

  load(subject: SubjectId): StoredSubject {
    try {
      return this.#watched(() => {
        return this.#withRecent(this.#subjects.read(subject, this.#isFiled), subject)
      })
    } catch (error) {
      if (!isDamage(error)) throw error
      throw new CorruptError(subject, `${subject} cannot be read: ${(error as Error).message}`)
    }
  }

  sound(subject: SubjectId): SoundSubject {
    return this.#watched(() => {
      const { lost, ...stored } = this.#subjects.readSound(subject, this.#isFiled)
      return { ...this.#withRecent(stored, subject), lost }
    })
  }

  after(origin: Origin, seq: number, bytesMax: number): Update[] {
    const head = this.#filed.get(origin) ?? 0
    if (seq >= head) return within(this.#recent.after(origin, seq), bytesMax)
    const updates = this.#needed(() => this.#run(origin, seq, head, bytesMax))
    // Rows that are gone before this thread heard of it: the floor on the disk says so.
    if (updates.length === 0) {
      this.#floor = new Map(this.#pairs<Origin>('floor'))
      const isGone = (this.#floor.get(origin) ?? 0) > seq
      if (!isGone) {
        this.#options.damaged()
        throw damaged(this.#options.directory, `the log ${origin} has a hole`)
      }
    }
    return updates
  }

  beyond(vector: VersionVector, after: SubjectId | '', limit: number): SubjectId[] {
    return this.#needed(() => {
      const bounds = this.#bounds(vector)
      const found = this.#fewBeyond(bounds) ?? this.#manyBeyond(bounds, after, limit)
      const recent = this.#recent.subjects(
        ({ origin, seq }) => seq > (vector.get(origin as Origin) ?? 0),
      )
      return page([...found, ...recent], after, limit)
    })
  }

  entries(after: SubjectId | '', limit: number): SubjectId[] {
    const filed = this.#needed(() => this.#ids('entries', after, limit))
    return page([...filed, ...this.#recent.subjects(isOfEntry)], after, limit)
  }

  *eachEntry(): Generator<EntryFound> {
    const recent = this.#recent.subjects(isOfEntry)
    for (let row = 0; ;) {
      const found: EntryFound[] = []
      try {
        row = this.#watched(() =>
          this.#subjects.readSome(row, ({ id: subject, isEntry }, readRows) => {
            const read = () => this.#withRecent(readRows(this.#isFiled), subject)
            // What is noted may be wrong; few are noted to be none.
            if (!isEntry && !mayHoldEntry(read)) return
            recent.delete(subject)
            found.push({ subject, read })
          }),
        )
      } catch (error) {
        if (!isDamage(error)) throw error
        // Something is in the way of all: each by itself.
        yield* this.#eachAlone()
        return
      }
      if (row === 0) break
      yield* found
    }
    for (const subject of recent) yield { subject, read: () => this.load(subject) }
  }

  *#eachAlone(): Generator<EntryFound> {
    let after: SubjectId | '' = ''
    for (;;) {
      const ids: SubjectId[] = this.entries(after, idsAtOnce)
      for (const subject of ids) yield { subject, read: () => this.load(subject) }
      const last = ids.at(-1)
      if (last === undefined) return
      after = last
    }
  }

  operation(id: string): OperationFound | undefined {
    const recent = this.#recent.operation(id)
    if (recent) return { subject: recent.subject, digest: recent.digest }
    const found = this.#needed(() => this.#sql.operation.get(id, this.#since()))
    return found && { subject: found['id'] as SubjectId, digest: found['digest'] as string }
  }

  operationsOf(subject: SubjectId, limit: number): DoneOperation[] {
    const rows = this.#needed(() => this.#sql.operationsOf.all(subject, this.#since(), limit))
    const filed = (rows as unknown as OperationRow[]).filter(
      ({ at }) => at !== this.#aheadAt && !this.#recent.isRecent(at),
    )
    return [...this.#recent.operationsOf(subject), ...filed]
      .slice(0, limit)
      .map(({ id, at, digest }) => create(DoneOperationSchema, { id, at, digest }))
  }

  #since(): number {
    return this.now() - operationLifeMs
  }

  loose(subject: SubjectId): number {
    return this.#loose.get(subject) ?? 0
  }

  mergedBytes(subject: SubjectId): number {
    try {
      return Number(this.#watched(() => this.#sql.mergedBytes.get(subject))?.['bytes'])
    } catch (error) {
      // It is merged all the same: that tells what is wrong with it.
      if (!isDamage(error)) throw error
      return 0
    }
  }

  /** The version vector itself, not to be changed. */
  get held(): ReadonlyMap<Origin, number> {
    return this.#vector
  }

  /** Subjects of these updates that an earlier piece may cover already. */
  coveredAhead(updates: readonly Update[]): Set<SubjectId> {
    const subjects = new Set<SubjectId>()
    for (const update of updates) {
      const covered = this.#covered.get(update.origin as Origin)
      if (covered !== undefined && update.seq <= covered) subjects.add(subjectOf(update))
    }
    return subjects
  }

  /** A batch that is stored then goes to the writer: the file may be ahead by it. */
  begin(storedAt: number): void {
    this.#aheadAt = storedAt
  }

  /** It is shown from now on; the file will have it. Of nothing that a piece may cover already. */
  take(batch: TakenBatch, { vector }: Progress): void {
    raise(this.#vector, vector)
    this.#recent.add(
      batch,
      (id) => this.#needed(() => this.#sql.operation.get(id, 0)) !== undefined,
    )
    this.#countLoose(batch.updates)
  }

  /** The oldest of what was taken is in the file, which holds this now. */
  filed(batches: readonly TakenBatch[], vector: VersionVector): void {
    this.#recent.drop(batches)
    raise(this.#filed, vector)
  }

  /** The batch is on stable storage; `stored` is what the writer found out about it. */
  confirmBatch(batch: Batch, progress: Progress, stored: { floor: Seqs; loose: Counts }): void {
    this.#aheadAt = -Infinity
    raise(this.#vector, progress.vector)
    raise(this.#filed, progress.vector)
    for (const snapshot of batch.snapshots) raise(this.#covered, coversOf(snapshot))
    this.#countLoose(batch.updates)
    // Counts of the moment of the commit go before what was added here.
    this.confirm(stored)
    this.#isComplete ||= batch.isComplete ?? false
    this.#life = batch.life ?? this.#life
  }

  /** These floors and counts hold. */
  confirm({ floor, loose }: { floor: Seqs; loose: Counts }): void {
    raise(this.#floor, floor)
    for (const [subject, filed] of loose) {
      const count = filed + this.#recent.of(subject).length
      if (count > 0) this.#loose.set(subject, count)
      else this.#loose.delete(subject)
    }
  }

  #countLoose(updates: readonly Update[]): void {
    for (const update of updates) {
      const subject = subjectOf(update)
      this.#loose.set(subject, (this.#loose.get(subject) ?? 0) + 1)
    }
  }

  readonly #isFiled = ({ origin, seq }: Place) => seq <= (this.#filed.get(origin) ?? 0)

  #withRecent({ snapshots, updates }: StoredSubject, subject: SubjectId): StoredSubject {
    const recent = this.#recent.of(subject)
    if (recent.length === 0) return { snapshots, updates }
    return { snapshots, updates: [...updates, ...recent].sort(byPlace) }
  }

  close(): void {
    this.#db.close()
  }

  /** The updates right after `seq`, up to `head`, without a hole. */
  #run(origin: Origin, seq: number, head: number, bytesMax: number): Update[] {
    const updates: Update[] = []
    let bytes = 0
    let next = seq + 1
    for (const found of this.#sql.log.iterate(origin, seq, head)) {
      const row = found as unknown as LogRow
      if (row.seq !== next) break
      bytes += row.record.length
      if (updates.length > 0 && bytes > bytesMax) break
      updates.push(readUpdate(recordOf(row), { origin, seq: next, subject: row.subject }))
      next++
    }
    return updates
  }

  /** Of the logs that reach beyond the vector: from which seq on. */
  #bounds(vector: VersionVector): Map<number, number> {
    const bounds = new Map<number, number>()
    for (const { origin, id, seq } of this.#sql.logs.all() as unknown as OriginRow[]) {
      const bound = vector.get(id) ?? 0
      if (Math.max(seq, this.#covered.get(id) ?? 0) > bound) bounds.set(origin, bound)
    }
    return bounds
  }

  /** All subjects beyond the bounds, in no order; `undefined` when there are too many rows. */
  #fewBeyond(bounds: Map<number, number>): SubjectId[] | undefined {
    const found = new Set<SubjectId>()
    let left = rowsBeyondMax
    for (const [origin, bound] of bounds) {
      const { count } = this.#sql.countBeyond.get(origin, bound, origin, bound, left + 1)!
      left -= Number(count)
      if (left < 0) return undefined
    }
    for (const [origin, bound] of bounds) {
      for (const id of this.#ids('beyond', origin, bound, origin, bound)) found.add(id)
    }
    return [...found]
  }

  /** Goes through the subjects in order until enough are found: most are, or the store is small. */
  #manyBeyond(bounds: Map<number, number>, after: SubjectId | '', limit: number): SubjectId[] {
    // First these: what is filed meanwhile is then found twice instead of never.
    const unfiled = new Set<SubjectId>()
    for (const { id, origin, seq } of this.#sql.unfiled.all() as unknown as UnfiledRow[]) {
      const bound = bounds.get(origin)
      if (bound !== undefined && seq > bound) unfiled.add(id)
    }
    const isBeyond = (subject: number) =>
      (this.#sql.reach.all(subject, subject) as unknown as ReachRow[]).some(({ origin, seq }) => {
        const bound = bounds.get(origin)
        return bound !== undefined && seq > bound
      })
    const ids: SubjectId[] = []
    for (const row of this.#sql.subjects.iterate(after)) {
      const { id, subject } = row as { id: SubjectId; subject: number }
      if (unfiled.has(id) || isBeyond(subject)) ids.push(id)
      if (ids.length === limit) break
    }
    return ids
  }

  #ids(query: QueryName, ...values: SQLInputValue[]): SubjectId[] {
    return this.#sql[query].all(...values).map(({ id }) => id as SubjectId)
  }

  #pairs<Key extends string>(query: QueryName): [Key, number][] {
    return this.#sql[query].all().map(({ id, value }) => [id as Key, value as number])
  }

  #watched<Result>(read: () => Result): Result {
    try {
      return read()
    } catch (error) {
      if (isDamage(error)) this.#options.damaged()
      throw error
    }
  }

  /** What is not about one subject comes from no peer: throws StorageError where SQLite does not read it. */
  #needed<Result>(read: () => Result): Result {
    try {
      return this.#watched(read)
    } catch (error) {
      throw isOfSqlite(error) ? told(this.#options.directory, error) : error
    }
  }
}

const isOfEntry = ({ body }: Update) => body.case === 'entry'

/** Also when it is damaged. */
function mayHoldEntry(read: () => StoredSubject): boolean {
  const stored = ifSound(read)
  if (!stored) return true
  return stored.snapshots.some(({ entry }) => entry.length > 0) || stored.updates.some(isOfEntry)
}

const byPlace = (one: Update, other: Update) => comparePlaces(placeOf(one), placeOf(other))

function placeOf({ origin, seq, subject }: Update): Place {
  return { origin: origin as Origin, seq, subject: subject as SubjectId }
}

/** Each once, in order, those after one of them. */
function page(ids: Iterable<SubjectId>, after: SubjectId | '', limit: number): SubjectId[] {
  return [...new Set(ids)]
    .filter((id) => id > after)
    .sort()
    .slice(0, limit)
}

/** The first of these, at least one. */
function within(updates: Update[], bytesMax: number): Update[] {
  let bytes = 0
  const end = updates.findIndex(({ body }, index) => {
    bytes += body.value?.length ?? 0
    return index > 0 && bytes > bytesMax
  })
  return end < 0 ? updates : updates.slice(0, end)
}

interface LogRow extends RecordRow {
  seq: number
  subject: SubjectId
}
interface OriginRow {
  origin: number
  id: Origin
  seq: number
}
interface UnfiledRow {
  id: SubjectId
  origin: number
  seq: number
}
interface ReachRow {
  origin: number
  seq: number
}
