// A stored record: an encoded update or snapshot with a checksum over all of its bytes.

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { checksum } from '../../core/model/checksum.ts'
import type { Origin, SubjectId } from '../../core/model/ids.ts'
import { mergeStored, verifySnapshot, verifyUpdate } from '../../core/model/snapshot.ts'
import { SnapshotSchema, UpdateSchema, type Snapshot, type Update } from '../../core/model/wire.ts'
import { CorruptError, type StoredSubject } from '../../core/ports.ts'
import { reachOf } from './batch.ts'

/** What a disk keeps of one update or snapshot. The bytes are not changed any more. */
export interface StoredRecord {
  bytes: Uint8Array
  /** CRC-32 of `bytes`. The checksum inside leaves out who, when and where; this one does not. */
  checksum: number
}

/** Where an update must say that it belongs. */
export interface Place {
  origin: Origin
  seq: number
  subject: SubjectId
}

export function recordUpdate(update: Update): StoredRecord {
  const bytes = toBinary(UpdateSchema, update)
  return { bytes, checksum: checksum(bytes) }
}

export function recordSnapshot(snapshot: Snapshot): StoredRecord {
  const bytes = toBinary(SnapshotSchema, snapshot)
  return { bytes, checksum: checksum(bytes) }
}

/** The update that was stored at this place. Throws CorruptError when it is not there unharmed. */
export function readUpdate({ bytes, checksum: sum }: StoredRecord, place: Place): Update {
  const { origin, seq, subject } = place
  const name = `update ${origin}/${seq} of ${subject}`
  if (checksum(bytes) !== sum) throw new CorruptError(subject, `${name} has a wrong checksum`)
  const update = decoded(subject, name, () => fromBinary(UpdateSchema, bytes))
  if (update.origin !== origin || update.seq !== seq || update.subject !== subject) {
    throw new CorruptError(subject, `where ${name} should be lies another`)
  }
  if (!verifyUpdate(update)) throw new CorruptError(subject, `${name} has a wrong inner checksum`)
  return update
}

/** The piece of this subject that was stored. Throws CorruptError when it is not there unharmed. */
export function readSnapshot(record: StoredRecord, subject: SubjectId): Snapshot {
  const name = `a snapshot of ${subject}`
  if (checksum(record.bytes) !== record.checksum) {
    throw new CorruptError(subject, `${name} has a wrong checksum`)
  }
  const snapshot = decoded(subject, name, () => fromBinary(SnapshotSchema, record.bytes))
  if (snapshot.subject !== subject) {
    throw new CorruptError(subject, `where ${name} should be lies another`)
  }
  if (!verifySnapshot(snapshot)) {
    throw new CorruptError(subject, `${name} has a wrong inner checksum`)
  }
  return snapshot
}

/**
 * These parts of a subject as one snapshot, or `undefined` when they are one already. It covers no
 * more than what is in it, so that a peer is not sent subjects that have nothing for it. Throws
 * CorruptError.
 */
export function merged(stored: StoredSubject, subject: SubjectId): Snapshot | undefined {
  if (stored.updates.length === 0 && stored.snapshots.length <= 1) return undefined
  return decoded(subject, `what is stored of ${subject}`, () =>
    mergeStored(stored, reachOf(stored.updates), subject),
  )
}

/** Whether reading throws no CorruptError. */
export function isSound(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (error instanceof CorruptError) return false
    throw error
  }
}

function decoded<Message>(subject: SubjectId, name: string, decode: () => Message): Message {
  try {
    return decode()
  } catch (error) {
    throw new CorruptError(subject, `${name} does not decode: ${String(error)}`)
  }
}
