// Stored subjects: reading text, entry and versions out of pieces and updates; merging; checksums.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { checksum } from './checksum.ts'
import { copyEntry, mergeEntry } from './entry.ts'
import { integrate } from './integration.ts'
import { isStripped, tombstoneOf } from './purge.ts'
import { decodeTextUpdate, encodeTextUpdate, mergeTextUpdates, textRoot } from './text-update.ts'
import { fromSeen, raise, toSeen, type VersionVector } from './version-vector.ts'
import {
  EntrySchema,
  SnapshotSchema,
  VersionSchema,
  VersionsSchema,
  type Entry,
  type Snapshot,
  type Update,
  type Version,
} from './wire.ts'
import type { StoredSubject } from '../ports.ts'

export { textRoot }

/** Sets the checksum of an update from its body; returns the same update. */
export function sealUpdate(update: Update): Update {
  update.checksum = bodyChecksum(update)
  return update
}

/** Whether an update has a body that matches its checksum. */
export function verifyUpdate(update: Update): boolean {
  return update.body.case !== undefined && update.checksum === bodyChecksum(update)
}

/** Whether the content of a snapshot matches its checksum. */
export function verifySnapshot(snapshot: Snapshot): boolean {
  return snapshot.checksum === contentChecksum(snapshot)
}

/**
 * Everything that is stored of a subject as one snapshot, checksum included. `covers` is what the
 * loose updates reach to; what the pieces cover is added to it. Throws when a part does not decode.
 */
export function mergeStored(
  stored: StoredSubject,
  covers: VersionVector,
  subject: string,
): Snapshot {
  const reach: VersionVector = new Map(covers)
  for (const snapshot of stored.snapshots) raise(reach, fromSeen(snapshot.covers?.seen))
  const entry = storedEntry(stored)
  const versions = storedVersions(stored)
  const snapshot = create(SnapshotSchema, {
    subject,
    // The pending part, whose causes are missing, is in it too: nothing stored is dropped.
    text: hasText(stored) ? Y.encodeStateAsUpdate(storedText(stored)) : new Uint8Array(),
    entry: entry ? toBinary(EntrySchema, entry) : new Uint8Array(),
    versions:
      versions.length > 0
        ? toBinary(VersionsSchema, create(VersionsSchema, { versions }))
        : new Uint8Array(),
    covers: { seen: toSeen(reach) },
  })
  snapshot.checksum = contentChecksum(snapshot)
  return snapshot
}

/** What is left of a subject that was deleted for good: its tombstone, with what it stands for. */
export function purgedStored(
  stored: StoredSubject,
  covers: VersionVector,
  subject: string,
): Snapshot | undefined {
  const entry = storedEntry(stored)
  if (!entry?.purged) return undefined
  const reach: VersionVector = new Map(covers)
  for (const snapshot of stored.snapshots) raise(reach, fromSeen(snapshot.covers?.seen))
  const left = toBinary(EntrySchema, tombstoneOf(entry))
  const snapshot = create(SnapshotSchema, { subject, entry: left, covers: { seen: toSeen(reach) } })
  snapshot.checksum = contentChecksum(snapshot)
  return snapshot
}

/** Whether nothing is stored but the tombstone of what was deleted for good. */
export function isTombstone(stored: StoredSubject): boolean {
  const entry = storedEntry(stored)
  if (!entry || !isStripped(entry)) return false
  return !hasText(stored) && storedVersions(stored).length === 0
}

/** Whether anything of a document's text is stored. */
export function hasText(stored: StoredSubject): boolean {
  return (
    stored.snapshots.some((snapshot) => snapshot.text.length > 0) ||
    stored.updates.some((update) => update.body.case === 'text')
  )
}

/** A fresh document with the stored text; empty when there is none. Throws on malformed bytes. */
export function storedText(stored: StoredSubject): Y.Doc {
  // A name of its own is a random number that nobody asks for.
  const doc = new QuietDoc({ gc: true, guid: '' })
  doc.getText(textRoot)
  // One transaction: runs of text are joined and deleted text is dropped once, at its end.
  doc.transact(() => {
    for (const { text } of stored.snapshots) if (text.length > 0) integrate(doc, text)
    const loose = looseTexts(stored)
    if (loose.length > 0) integrate(doc, joinedTexts(loose))
  })
  return doc
}

/**
 * Yjs tells eight kinds of events in every transaction, and goes through a copy of the listeners of
 * each, though there be none: a tenth of what a keystroke costs a server.
 */
class QuietDoc extends Y.Doc {
  override emit(...event: Parameters<Y.Doc['emit']>): void {
    if (this._observers.has(event[0])) super.emit(...event)
  }
}

function looseTexts(stored: StoredSubject): Uint8Array[] {
  return stored.updates.flatMap(({ body }) => (body.case === 'text' ? [body.value] : []))
}

/**
 * Loose updates lie by origin, so that one may come long before its cause. Joined first: Yjs would
 * merge all that waits again and again.
 */
function joinedTexts(updates: Uint8Array[]): Uint8Array {
  return encodeTextUpdate(mergeTextUpdates(updates.map(decodeTextUpdate)))
}

/** The entry with all stored fields; absent when the subject is none. Throws on malformed bytes. */
export function storedEntry(stored: StoredSubject): Entry | undefined {
  let entry: Entry | undefined
  const take = (bytes: Uint8Array) => {
    const change = fromBinary(EntrySchema, bytes)
    if (entry) mergeEntry(entry, change)
    else entry = copyEntry(change)
  }
  for (const snapshot of stored.snapshots) if (snapshot.entry.length > 0) take(snapshot.entry)
  for (const { body } of stored.updates) if (body.case === 'entry') take(body.value)
  return entry
}

/** The versions, each once, oldest first. Throws on malformed bytes. */
export function storedVersions(stored: StoredSubject): Version[] {
  const byId = new Map<string, Version>()
  const take = (version: Version) => {
    const known = byId.get(version.id)
    // Two servers may carry out one operation, each at its own time and with the text that it has.
    if (!known || isAbove(version, known)) byId.set(version.id, version)
  }
  for (const { versions } of stored.snapshots) {
    if (versions.length > 0) fromBinary(VersionsSchema, versions).versions.forEach(take)
  }
  for (const { body } of stored.updates) {
    if (body.case === 'version') take(fromBinary(VersionSchema, body.value))
  }
  return [...byId.values()].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
}

/** Which of two of one id counts, the same wherever they meet: the earlier one, else that with more in it. */
function isAbove(one: Version, other: Version): boolean {
  if (one.at !== other.at) return one.at < other.at
  if (one.text.length !== other.text.length) return one.text.length > other.text.length
  const index = one.text.findIndex((byte, at) => byte !== other.text[at])
  return index >= 0 && one.text[index]! > other.text[index]!
}

function bodyChecksum(update: Update): number {
  return update.body.case === undefined ? 0 : checksum(update.body.value)
}

function contentChecksum(snapshot: Snapshot): number {
  return checksum(snapshot.text, snapshot.entry, snapshot.versions)
}
