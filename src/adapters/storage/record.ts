// A stored record: an encoded update or snapshot with a checksum over all of it and its place.

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { checksum } from '../../core/model/checksum.ts'
import type { SubjectId } from '../../core/model/ids.ts'
import {
  mergeStored,
  purgedStored,
  verifySnapshot,
  verifyUpdate,
} from '../../core/model/snapshot.ts'
import { SnapshotSchema, UpdateSchema, type Snapshot, type Update } from '../../core/model/wire.ts'
import { CorruptError, type StoredSubject } from '../../core/ports.ts'
import { reachOf } from './batch.ts'
import { RecordWriter, recordChecksum, type Place } from './record-writer.ts'

export { comparePlaces, type Place } from './record-writer.ts'

/** What a disk keeps of one update or snapshot. The bytes are not changed any more. */
export interface StoredRecord {
  bytes: Uint8Array
  /** CRC-32. The checksum inside an update leaves out who, when and where; this one does not. */
  checksum: number
}

/** The record of an update: without its place, which its row says. */
export function recordUpdate(update: Update): StoredRecord {
  const writer = new RecordWriter([update])
  const checksum = writer.write(update)
  return { bytes: writer.bytes.slice(0, writer.length), checksum }
}

/** Its operations are kept beside it. */
export function recordSnapshot(snapshot: Snapshot): StoredRecord {
  const bytes = toBinary(SnapshotSchema, { ...snapshot, operations: [] })
  return { bytes, checksum: checksum(bytes) }
}

/** The update that was stored at this place. Throws CorruptError when it is not there unharmed. */
export function readUpdate(record: StoredRecord, place: Place): Update {
  const name = `update ${place.origin}/${place.seq} of ${place.subject}`
  if (recordChecksum(record.bytes, place) !== record.checksum) {
    throw new CorruptError(place.subject, `${name} has a wrong checksum`)
  }
  const update = decoded(place.subject, name, () => fromBinary(UpdateSchema, record.bytes))
  update.origin = place.origin
  update.seq = place.seq
  update.subject = place.subject
  if (!verifyUpdate(update)) {
    throw new CorruptError(place.subject, `${name} has a wrong inner checksum`)
  }
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

/** These parts of a subject as its tombstone; `undefined` when it is not purged. Throws CorruptError. */
export function purged(stored: StoredSubject, subject: SubjectId): Snapshot | undefined {
  return decoded(subject, `what is stored of ${subject}`, () =>
    purgedStored(stored, reachOf(stored.updates), subject),
  )
}

/** What is read; undefined where that throws a CorruptError. */
export function ifSound<Result>(read: () => Result): Result | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CorruptError) return undefined
    throw error
  }
}

/** Whether reading throws no CorruptError. */
export const isSound = (read: () => object) => ifSound(read) !== undefined

function decoded<Message>(subject: SubjectId, name: string, decode: () => Message): Message {
  try {
    return decode()
  } catch (error) {
    throw new CorruptError(subject, `${name} does not decode: ${String(error)}`)
  }
}
