// Entries: stamped fields that merge in any order, any number of times, to one result.

import { create } from '@bufbuild/protobuf'
import { kindBy, mergeContents } from './contents.ts'
import { mergeAge, mergePurge } from './purge.ts'
import { counted, newer } from './stamps.ts'
import { EntrySchema, type Entry, type Stamp } from './wire.ts'

export { newer }

/**
 * Takes into `entry` every field of `change` that outranks its own; returns whether any did.
 * Commutative and idempotent. `change` stays as it is; its fields may be shared afterwards.
 */
export function mergeEntry(entry: Entry, change: Entry): boolean {
  let isChanged = false
  // Two servers may carry out one creation: the earlier counts, for what is set once.
  if (change.created && (!entry.created || newer(entry.created, change.created))) {
    entry.created = change.created
    entry.kind = change.kind
    entry.createdBy = change.createdBy
    entry.createdAt = change.createdAt
    isChanged = true
  }
  if (newer(change.name?.stamp, entry.name?.stamp)) {
    entry.name = change.name
    isChanged = true
  }
  if (newer(change.parent?.stamp, entry.parent?.stamp)) {
    entry.parent = change.parent
    isChanged = true
  }
  if (newer(change.deleted?.stamp, entry.deleted?.stamp)) {
    entry.deleted = change.deleted
    entry.deletedBy = change.deletedBy
    entry.deletedAt = change.deletedAt
    isChanged = true
  }
  const contents = mergeContents(entry.contents, change.contents)
  if (contents !== entry.contents) {
    entry.contents = contents
    isChanged = true
  }
  const purged = mergePurge(entry.purged, change.purged)
  const age = mergeAge(entry.age, change.age)
  if (purged !== entry.purged || age !== entry.age) {
    entry.purged = purged
    entry.age = age
    isChanged = true
  }
  if (entry.created) entry.kind = kindBy(entry.contents, entry.kind)
  return isChanged
}

/** An entry with the same fields, to be changed without changing this one. */
export function copyEntry(entry: Entry): Entry {
  const { $typeName: _, $unknown: unknown, ...fields } = entry
  const copy = create(EntrySchema, fields)
  if (unknown) copy.$unknown = unknown
  return copy
}

/** The highest counter in an entry's stamps: what its writer had seen at least. */
export function entryCounter({ created, name, parent, deleted, contents }: Entry): number {
  return Math.max(
    counterOf(created),
    counterOf(name?.stamp),
    counterOf(parent?.stamp),
    counterOf(deleted?.stamp),
    ...contents.map(({ stamp }) => counterOf(stamp)),
  )
}

const counterOf = (stamp: Stamp | undefined) => counted(stamp?.counter ?? 0)

/** Whether it is in the trash. */
export function isDeleted(entry: Entry): boolean {
  return entry.deleted?.value ?? false
}
