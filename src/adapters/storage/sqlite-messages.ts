// What the threads of a SQLite store say to each other, and how a batch is packed for the writer.

import type { Origin, SubjectId } from '../../core/model/ids.ts'
import type { Snapshot, Update } from '../../core/model/wire.ts'
import type { Batch } from '../../core/ports.ts'
import { coversOf, subjectOf, type Progress } from './batch.ts'
import { RecordWriter } from './record-writer.ts'
import { recordSnapshot, type StoredRecord } from './record.ts'
import type { StorageErrorCode } from './storage-error.ts'

/** Entries of a version vector, or of a floor. */
export type Seqs = [origin: Origin, seq: number][]
/** How many loose updates subjects have. */
export type Counts = [subject: SubjectId, loose: number][]

/** Numbers per update in `UpdateRows.columns`. */
export const columnsPerUpdate = 5

/** Updates in a form that moves between threads without a copy of each. */
export interface UpdateRows {
  /** Per update: place in `origins`, seq, place in `subjects`, checksum, end in `records`. */
  columns: Uint32Array<ArrayBuffer>
  /** One after the other; there may be unused bytes after the last. */
  records: Uint8Array<ArrayBuffer>
  origins: Origin[]
  subjects: SubjectId[]
  /** Those of `subjects` that turn out to be entries. */
  entries: SubjectId[]
  operations: (OperationRow & { subject: SubjectId })[]
}

export interface OperationRow {
  id: string
  /** When it was stored here, (`runningTime`). */
  at: number
  digest: string
}

export interface PieceRow {
  subject: SubjectId
  isEntry: boolean
  covers: Seqs
  record: StoredRecord
  /** What came with it. */
  operations: OperationRow[]
}

/** What a batch holds beside its updates. */
export interface BatchEnd {
  pieces: PieceRow[]
  vector: Seqs
  floor: Seqs
  isComplete: boolean
  life: string | undefined
  /** Subjects whose number of loose updates must be counted anew. */
  recount: SubjectId[]
}

/** Of a batch in which there are only updates; the vector that holds then goes with it. */
export const endOfUpdates: BatchEnd = {
  pieces: [],
  vector: [],
  floor: [],
  isComplete: false,
  life: undefined,
  recount: [],
}

/** To the writer. A batch is any number of `rows` and then `commit`: one transaction. */
export type WriterRequest =
  | { type: 'rows'; rows: UpdateRows }
  | { type: 'commit'; rows: UpdateRows; end: BatchEnd }
  /** Instead of the pieces `old` stands `piece`, where there is one; rows up to `upTo` may go. */
  | {
      type: 'install'
      subject: SubjectId
      piece?: PieceRow
      old: number[]
      upTo: Seqs
      isPurge: boolean
    }
  /** Operations from before this instant are forgotten. */
  | { type: 'forget'; before: number }
  | { type: 'close' }

/** From the writer. After `failed` it writes nothing more. */
export type WriterReply =
  | { type: 'opened' }
  | { type: 'stored'; floor: Seqs; loose: Counts }
  /** The piece is there. Rows go and room is given back, slice by slice, until `compacted`. */
  | { type: 'installed'; floor: Seqs; loose: Counts }
  | { type: 'compacted' }
  | { type: 'failed'; code: StorageErrorCode; message: string; isDamaged: boolean }

/** To the compactor. */
export interface MergeRequest {
  subject: SubjectId
  upTo: Seqs
  /** Of what is merged only the tombstone stays. */
  isPurge: boolean
}

/** From the compactor. */
export type MergeReply =
  | { type: 'merged'; piece?: PieceRow; old: number[] }
  | { type: 'corrupt'; message: string; isDamaged: boolean }
  | { type: 'failed'; message: string }

/** `storedAt`: when the batch is stored. */
export function packUpdates(updates: readonly Update[], storedAt: number): UpdateRows {
  const columns = new Uint32Array(updates.length * columnsPerUpdate)
  const records = new RecordWriter(updates)
  const origins = new Places<Origin>()
  const subjects = new Places<SubjectId>()
  const entries = new Set<SubjectId>()
  const operations: UpdateRows['operations'] = []
  let column = 0
  for (const update of updates) {
    const subject = subjectOf(update)
    const checksum = records.write(update)
    columns[column++] = origins.of(update.origin as Origin)
    columns[column++] = update.seq
    columns[column++] = subjects.of(subject)
    columns[column++] = checksum
    columns[column++] = records.length
    if (update.body.case === 'entry') entries.add(subject)
    const { operation: id, operationDigest: digest } = update
    if (id !== '') operations.push({ id, subject, at: storedAt, digest })
  }
  return {
    columns,
    records: records.bytes,
    origins: origins.list,
    subjects: subjects.list,
    entries: [...entries],
    operations,
  }
}

/** What is written once after all rows of a batch. `recount`: whose loose updates are counted anew. */
export function packEnd(
  batch: Batch,
  storedAt: number,
  progress: Progress,
  recount: Set<SubjectId>,
): BatchEnd {
  return {
    pieces: batch.snapshots.map((snapshot) => packPiece(snapshot, storedAt)),
    vector: [...progress.vector],
    floor: [...progress.floor],
    isComplete: batch.isComplete ?? false,
    life: batch.life,
    recount: [...recount],
  }
}

/** `storedAt`: ms since 1970, from when its operations count. */
export function packPiece(snapshot: Snapshot, storedAt: number): PieceRow {
  return {
    subject: subjectOf(snapshot),
    isEntry: snapshot.entry.length > 0,
    covers: [...coversOf(snapshot)],
    record: recordSnapshot(snapshot),
    operations: snapshot.operations.map(({ id, digest }) => ({ id, at: storedAt, digest })),
  }
}

/** Each text once, and its place. */
class Places<Text extends string> {
  readonly list: Text[] = []
  readonly #places = new Map<Text, number>()

  of(text: Text): number {
    let place = this.#places.get(text)
    if (place === undefined) {
      place = this.list.length
      this.list.push(text)
      this.#places.set(text, place)
    }
    return place
  }
}
