// What another server says, judged before anything of it is taken in: a sentence about the first thing
// that no sound server says; undefined: it may be so.
//
// Not whether it is true: a server of the set is believed. But one that is broken, or a stranger who
// speaks in its name, must not end this process, fill it, or put on its disk what nobody can read again.
// Only what does harm is judged, and no rule of taste: what a later revision may say, and what an earlier
// one has said, stands in logs that must go on.

import { fromBinary } from '@bufbuild/protobuf'
import { isLongerThan } from '../model/byte-length.ts'
import { isBytesName, isHash, kindBy } from '../model/contents.ts'
import { whyOf } from '../model/errors.ts'
import { isOrigin, isSubjectId, type Origin } from '../model/ids.ts'
import {
  caretBytesMax,
  entryBytesMax,
  logsMax,
  operationsPerSnapshotMax,
  seqMax,
  wordsMax,
} from '../model/limits.ts'
import { breaksPaths } from '../model/names.ts'
import { verifySnapshot } from '../model/snapshot.ts'
import { counterMax } from '../model/stamps.ts'
import { causalOrder, decodeTextUpdate, refersToItself } from '../model/text-update.ts'
import type { SeenRecord } from '../model/version-vector.ts'
import {
  EntrySchema,
  VersionSchema,
  VersionsSchema,
  type Entry,
  type Ephemeral,
  type PeerHello,
  type PeerMessage,
  type Snapshot,
  type Stamp,
  type Update,
  type Version,
} from '../model/wire.ts'

type Fault = string | undefined

/** How far a log can be, as far as anybody here knows. */
export type Reach = (origin: Origin) => number

/** The furthest instant of a date: what is beyond has no day that could be shown. */
const instantMax = 8.64e15

/** Of a greeting, by whoever it is. */
export function helloFault(hello: PeerHello, reach: Reach): Fault {
  const { origin, replica, address, life, vector } = hello
  if (!isOrigin(origin)) return 'it names no origin'
  if (!origin.startsWith(`${replica}.`)) return `it names the origin of another server, ${origin}`
  if (life !== '' && !isOrigin(life)) return noLife
  return isTooLong(address) ? tooLong : vectorFault(vector?.seen, reach)
}

/** Of whatever is no greeting; of updates only each by itself, when it is known to be the next. */
export function messageFault(message: PeerMessage['message'], reach: Reach): Fault {
  switch (message.case) {
    case 'gossip':
    case 'advance':
      return vectorFault(message.value.vector?.seen, reach)
    case 'have': {
      const { changed, digest, life } = message.value
      if (isTooLong(digest)) return tooLong
      if (life !== '' && !isOrigin(life)) return noLife
      return vectorFault(changed?.seen, reach)
    }
    case 'snapshot':
      return snapshotFault(message.value, reach)
    case 'ephemeral':
      return ephemeralFault(message.value)
    case 'want':
    case 'damaged':
      return isSubjectId(message.value.subject) ? undefined : 'it is about nothing'
    // What a later revision says beside all that.
    case 'hello':
    case 'updates':
    case undefined:
      return undefined
  }
}

function vectorFault(seen: SeenRecord | undefined, reach: Reach): Fault {
  let logs = 0
  for (const origin in seen) {
    if (++logs > logsMax) return `it tells of more than ${logsMax} logs`
    if (!isOrigin(origin)) return 'it tells of a log that is none'
    const seq = seen[origin]!
    if (!(seq === 0 || isSeq(seq)) || seq > reach(origin))
      return `it tells of ${origin} up to ${seq}`
  }
  return undefined
}

/** Whether an update can have this number in its log. */
export function isSeq(seq: number): boolean {
  return Number.isInteger(seq) && seq > 0 && seq <= seqMax
}

/** Of an update that is the next of its log, and has the checksum that it says. */
export function updateFault(update: Update): Fault {
  const { author, at, operation, operationDigest, body, subject } = update
  if (isTooLong(author) || isTooLong(operation) || isTooLong(operationDigest)) return tooLong
  if (!isInstant(at)) return noInstant
  switch (body.case) {
    case 'text':
      return textFault(body.value)
    case 'entry':
      return entryBytesFault(body.value, subject)
    case 'version':
      return read(() => versionFault(fromBinary(VersionSchema, body.value)))
    case undefined:
      return 'it changes nothing'
  }
}

function snapshotFault(snapshot: Snapshot, reach: Reach): Fault {
  const { subject, text, entry, versions, covers, operations } = snapshot
  if (!isSubjectId(subject)) return 'it is about nothing'
  if (!verifySnapshot(snapshot)) return 'its checksum is wrong'
  if (operations.length > operationsPerSnapshotMax) return 'it has too many operations'
  for (const { id, digest, at } of operations) {
    if (isTooLong(id) || isTooLong(digest)) return tooLong
    if (!Number.isFinite(at)) return noInstant
  }
  return (
    vectorFault(covers?.seen, reach) ??
    (text.length > 0 ? textFault(text) : undefined) ??
    (entry.length > 0 ? entryBytesFault(entry, subject) : undefined) ??
    (versions.length > 0 ? read(() => versionsFault(versions)) : undefined)
  )
}

function ephemeralFault({ topic }: Ephemeral): Fault {
  if (topic.case === 'presence') {
    const { session, device, name, counter } = topic.value
    if (!isSession(session)) return 'it tells of a session that is none'
    if (device !== '' && !isSession(device)) return 'it tells of a device that is none'
    if (isTooLong(name)) return tooLong
    if (counter > counterMax) return tooFar(counter)
  }
  if (topic.case === 'caret') {
    const { session, state, writer } = topic.value
    if (!isSession(session)) return 'it tells of a session that is none'
    if (isLongerThan(state, caretBytesMax)) return tooLong
    if (!Number.isSafeInteger(writer)) return 'it tells of a writer that is none'
  }
  return undefined
}

// ------------------------------------------------------------------------------- what is in updates

// Also what a client may not send, as a gap, stands in what a server has merged.
function textFault(bytes: Uint8Array): Fault {
  return read(() => {
    const { structs } = decodeTextUpdate(bytes)
    for (const list of structs.values()) {
      for (const struct of list) if (refersToItself(struct)) return 'its text refers to itself'
    }
    return causalOrder(structs) ? undefined : 'its text refers to itself'
  })
}

function entryBytesFault(bytes: Uint8Array, subject: string): Fault {
  if (bytes.length > entryBytesMax) return 'its entry is too long'
  return read(() => {
    const entry = fromBinary(EntrySchema, bytes)
    return entry.id === subject ? entryFault(entry) : 'its entry is another one'
  })
}

function entryFault(entry: Entry): Fault {
  const { name, parent, deleted, created, contents, purged, age, kind } = entry
  const ranked = [name, parent, deleted, ...contents].filter((field) => field !== undefined)
  if (ranked.some(({ stamp }) => stamp === undefined)) return 'a field of its entry has no stamp'
  const others = [created, purged?.deletion, purged?.place, age?.deletion]
  for (const stamp of [...ranked.map((field) => field.stamp), ...others]) {
    const fault = stamp && stampFault(stamp)
    if (fault) return fault
  }
  // Without a place it lies at the top: so it was before there were directories.
  if (created && !name) return 'an entry is created without a name'
  // Who merges it with another would have another kind of it than who does not.
  if (created && kindBy(contents, kind) !== kind)
    return 'its entry is not what its contents make it'
  if (name && breaksPaths(name.value)) return 'the name of its entry breaks paths'
  if (parent && !isPlace(parent.value)) return 'the place of its entry is none'
  if (purged && !isSubjectId(purged.root)) return 'its entry is deleted with what is none'
  if (purged && purged.generation > counterMax) return tooFar(purged.generation)
  if (isTooLong(entry.createdBy) || isTooLong(entry.deletedBy)) return tooLong
  if (!isInstant(entry.createdAt) || !isInstant(entry.deletedAt)) return noInstant
  for (const { hash, size, base, author, at } of contents) {
    const isName = hash === '' ? Number.isFinite(size) : isBytesName({ hash, size })
    if (!isName || (base !== '' && !isHash(base))) return 'its entry names bytes that cannot be'
    if (isTooLong(author)) return tooLong
    if (!isInstant(at)) return noInstant
  }
  return undefined
}

function stampFault({ counter, origin }: Stamp): Fault {
  if (!isOrigin(origin)) return 'a stamp of its entry is of no log'
  return counter > counterMax ? tooFar(counter) : undefined
}

function versionsFault(bytes: Uint8Array): Fault {
  for (const version of fromBinary(VersionsSchema, bytes).versions) {
    const fault = versionFault(version)
    if (fault) return fault
  }
  return undefined
}

function versionFault({ id, name, author, at }: Version): Fault {
  if (isTooLong(id) || isTooLong(name) || isTooLong(author)) return tooLong
  return isInstant(at) ? undefined : noInstant
}

// ------------------------------------------------------------------------------------------- words

const noLife = 'it names a life that is none'
const tooLong = 'a word of it is too long'
const noInstant = 'an instant of it is none'
const tooFar = (counter: number) => `it has counted up to ${counter}`

/** Whatever a decoder says: the bytes are none of ours. */
function read(judge: () => Fault): Fault {
  try {
    return judge()
  } catch (error) {
    return `its bytes cannot be read: ${whyOf(error)}`
  }
}

const isInstant = (at: number) => Math.abs(at) <= instantMax

const isTooLong = (word: string) => word.length > wordsMax

const isPlace = (parent: string) => parent === '' || isSubjectId(parent)

const isSession = (id: string) => /^[A-Za-z0-9_-]{16}$/.test(id)
