// The planted bugs: each a small change between a mind and its world, never in a mind, to see that
// the checkers find what it does.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Origin } from '../src/core/model/ids.ts'
import { sealUpdate, storedEntry } from '../src/core/model/snapshot.ts'
import type { VersionVector } from '../src/core/model/version-vector.ts'
import {
  EntrySchema,
  PeerMessageSchema,
  UpdateSchema,
  type Entry,
  type PeerMessage,
  type ServerMessage,
  type Update,
} from '../src/core/model/wire.ts'
import { CorruptError, type EntryFound, type StorageReader } from '../src/core/ports.ts'
import type { Answer } from '../src/core/replica/messages.ts'
import type { Random } from './random.ts'

/** Where a bug takes hold of a server. Without one it is as it is. */
export interface Plant {
  /** Its disk reports a flush before it happens. */
  isHasty?: boolean
  /** Whether this message waits for the true end of the flush, however hasty the disk. */
  waitsForFlush?: (message: PeerMessage | ServerMessage) => boolean
  /** The origin of a life, given the fresh one, those of its earlier lives, and what the disk has. */
  origin?: (fresh: Origin, earlier: readonly Origin[], vector: VersionVector) => Origin
  reader?: (reader: StorageReader) => StorageReader
  /** The channels that get this message of those that should. */
  fanOut?: (message: ServerMessage, channels: number[]) => number[]
  /** It removes what is deleted for good as soon as it hears of it. */
  purgesAtOnce?: boolean
  /** What it merges loses the last update. */
  compactsTooMuch?: boolean
  /** What others carried out it knows only from its disk. */
  forgetsComing?: boolean
  /** What whoever asked is answered instead of each answer. */
  answering?: (answer: Answer) => Answer[]
  /** Of bytes that it fetches a piece is another; nobody sees that. */
  mixesPieces?: boolean
  /** Of the bytes on its disk the last piece is gone. */
  losesPieces?: boolean
  /** It removes bytes that entries name. */
  sweepsNamed?: boolean
  /** What this life gets instead of each message of a peer; asked for once a life. */
  hearing?: (vector: VersionVector) => (message: PeerMessage) => PeerMessage[]
}

export const plants = {
  /** Edits are acknowledged, and passed on, before the disk has flushed them. */
  'acknowledge-before-flush': () => ({ isHasty: true }),

  /** Edits are passed on before the disk has flushed them, but acknowledged only after. */
  'relay-before-store': () => ({
    isHasty: true,
    waitsForFlush: ({ message }) =>
      message.case === 'stored' || message.case === 'done' || message.case === 'have',
  }),

  /** A server that lost its disk goes on under its old name, and counts from 1 again. */
  'reused-origin': () => ({
    origin: (fresh, earlier, vector) => {
      const last = earlier.at(-1)
      return last !== undefined && !vector.has(last) ? last : fresh
    },
  }),

  /** Of a thousand messages to those who follow a document one is not sent to one of them. */
  'drop-fan-out': (random) => ({
    fanOut: ({ message }, channels) =>
      message.case === 'changed' ? channels.filter(() => !random.chance(0.001)) : channels,
  }),

  /** Messages of peers get lost, and a log that goes on after a hole is taken as whole. */
  'ignore-gap': (random) => ({
    hearing: (vector) => {
      const heads = new Map(vector)
      return (message) => {
        if (message.message.case !== 'updates') return [message]
        if (random.chance(0.02)) return []
        return [withoutHoles(message.message.value.updates, heads)]
      }
    },
  }),

  /** What a peer says of files that were deleted is not taken in. */
  'skip-tombstone': () => hearingOnly(withoutTombstone),

  /** What a peer says of entries that were moved is not taken in. */
  'skip-move': () => hearingOnly(withoutMove),

  /** What a peer says of versions that somebody named is not taken in. */
  'forget-named-version': () => hearingOnly(withoutVersion),

  /** Of the bytes of a file a piece comes wrong from another server, and is taken. */
  'mix-pieces': () => ({ mixesPieces: true }),

  /** Some servers lose the last piece of bytes that they have whole. */
  'lose-piece': (random) => ({ losesPieces: random.chance(0.25) }),

  /** Bytes are removed though entries name them. */
  'sweep-named': () => ({ sweepsNamed: true }),

  /** Where people of other servers are in a text is not taken in. */
  'ignore-carets': () => ({
    hearing: () => (message) => {
      const { case: kind, value } = message.message
      return kind === 'ephemeral' && value.topic.case === 'caret' ? [] : [message]
    },
  }),

  /** No page is answered that asks whether the server is there. */
  'drop-pongs': () => ({
    fanOut: ({ message }, channels) => (message.case === 'pong' ? [] : channels),
  }),

  /** Of thirty changes one is not told to those who watch. */
  'drop-news': (random) => ({
    answering: (answer) =>
      answer.type === 'watched' && answer.event !== 'ready' && random.chance(1 / 30)
        ? []
        : [answer],
  }),

  /** What is deleted for good is removed from a disk before every server knows of it. */
  'purge-at-once': () => ({ purgesAtOnce: true }),

  /** Whole subjects come without the operations that have their effect in them. */
  'forget-operations': () => ({
    hearing:
      () =>
      ({ $typeName, message }) => {
        if (message.case !== 'snapshot') return [{ $typeName, message }]
        const value = { ...message.value, operations: [] }
        return [{ $typeName, message: { case: 'snapshot', value } }]
      },
  }),

  /** An operation that came from a peer is not known before the disk has it. */
  'forget-coming-operations': () => ({ forgetsComing: true }),

  /** A server that lost its disk serves what it has: nothing. */
  'trust-empty-member': () => ({
    reader: (reader) => ({ ...passing(reader), isComplete: () => true }),
  }),

  /** What is merged on a disk lacks the last of it. */
  'compact-too-much': () => ({ compactsTooMuch: true }),

  /** A server that starts does not read what lies in the trash. */
  'forget-trash': () => ({
    reader: (reader) => ({
      ...passing(reader),
      *eachEntry() {
        for (const each of reader.eachEntry()) if (!isInTrash(each)) yield each
      },
    }),
  }),

  /** Named versions are not read from what is merged. */
  'forget-versions': () => ({
    reader: (reader) => ({
      ...passing(reader),
      load: (subject) => {
        const { snapshots, updates } = reader.load(subject)
        const versions = new Uint8Array()
        return { updates, snapshots: snapshots.map((each) => ({ ...each, versions })) }
      },
    }),
  }),
} satisfies Record<string, (random: Random) => Plant>

export type PlantName = keyof typeof plants

export function isPlantName(name: string): name is PlantName {
  return Object.hasOwn(plants, name)
}

/** All that a reader says, for one that says something else. */
function passing(reader: StorageReader): StorageReader {
  return {
    isComplete: () => reader.isComplete(),
    life: () => reader.life(),
    vector: () => reader.vector(),
    floor: () => reader.floor(),
    covered: () => reader.covered(),
    sound: (subject) => reader.sound(subject),
    load: (subject) => reader.load(subject),
    after: (origin, seq, bytesMax) => reader.after(origin, seq, bytesMax),
    beyond: (vector, after, limit) => reader.beyond(vector, after, limit),
    entries: (after, limit) => reader.entries(after, limit),
    eachEntry: () => reader.eachEntry(),
    operation: (id) => reader.operation(id),
    operationsOf: (subject, limit) => reader.operationsOf(subject, limit),
    loose: (subject) => reader.loose(subject),
    mergedBytes: (subject) => reader.mergedBytes(subject),
  }
}

function isInTrash({ read }: EntryFound): boolean {
  try {
    return storedEntry(read())?.deleted?.value === true
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error
    return false
  }
}

/** An update that changes no text. */
const nothing = new Uint8Array([0, 0])

/** Updates with something harmless wherever a log would have a hole. */
function withoutHoles(updates: Update[], heads: VersionVector): PeerMessage {
  const filled: Update[] = []
  for (const update of updates) {
    const origin = update.origin as Origin
    const { subject } = update
    for (let seq = (heads.get(origin) ?? 0) + 1; seq < update.seq; seq++) {
      const body = { case: 'text' as const, value: nothing }
      filled.push(sealUpdate(create(UpdateSchema, { origin, seq, subject, body })))
    }
    filled.push(update)
    heads.set(origin, Math.max(update.seq, heads.get(origin) ?? 0))
  }
  return updatesMessage(filled)
}

function withoutTombstone(update: Update): Update {
  return withoutChange(update, ({ deleted }) => deleted?.value === true)
}

function withoutMove(update: Update): Update {
  return withoutChange(update, ({ created, parent }) => !created && parent !== undefined)
}

function withoutVersion(update: Update): Update {
  if (update.body.case !== 'version') return update
  return withBody(update, { case: 'text', value: nothing })
}

/** An update that changes no entry in such a way. */
function withoutChange(update: Update, isUnwanted: (entry: Entry) => boolean): Update {
  if (update.body.case !== 'entry') return update
  const entry = fromBinary(EntrySchema, update.body.value)
  if (!isUnwanted(entry)) return update
  const value = toBinary(EntrySchema, create(EntrySchema, { id: entry.id }))
  return withBody(update, { case: 'entry', value })
}

function withBody(update: Update, body: Update['body']): Update {
  const { $typeName: _, body: _body, ...rest } = update
  return sealUpdate(create(UpdateSchema, { ...rest, body }))
}

/** Of what peers say each update is taken in as this makes it. */
function hearingOnly(changed: (update: Update) => Update): Plant {
  return {
    hearing: () => (message) => {
      if (message.message.case !== 'updates') return [message]
      return [updatesMessage(message.message.value.updates.map(changed))]
    },
  }
}

function updatesMessage(updates: Update[]): PeerMessage {
  return create(PeerMessageSchema, { message: { case: 'updates', value: { updates } } })
}
