// What goes to another server as bytes: what is long is not copied on its way there.
//
// Each layer of a message around a text would copy it, and its buffer while that grows, and all of this
// for each of three peers: ten times and more what is said, until the next collection comes. So a frame
// is a list of pieces, and long bodies are among them as they lie in memory.

import { create, toBinary } from '@bufbuild/protobuf'
import {
  ExchangeRequestSchema,
  UpdateSchema,
  UpdatesSchema,
  type PeerMessage,
  type Update,
  type VersionVector,
} from '../../core/model/wire.ts'

/** A flag and a length precede each message. */
export const prefixBytes = 5

/** A body from this length on is a piece of its own; a shorter one is copied sooner than told apart. */
const longBytes = 2048

/** Field number and wire type of what has a length: the byte before it. */
const tags = { messages: 10, updatesOfPeer: 34, update: 10, text: 66, entry: 74, version: 82 }

/** These messages as one of the stream, its prefix first. The same for both directions of the call. */
export function frameOf(messages: PeerMessage[]): Uint8Array[] {
  const body = inRuns(messages, hasLong, {
    together: (short) =>
      toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { messages: short })),
    alone: longMessage,
  })
  const prefix = new Uint8Array(prefixBytes)
  new DataView(prefix.buffer).setUint32(1, lengthOf(body))
  return inRuns([prefix, ...body], ({ length }) => length >= longBytes, {
    together: (short) => Buffer.concat(short),
    alone: (long) => [long],
  })
}

/** About how many bytes a message takes in memory and on the wire, without encoding it. */
export function messageBytes({ message }: PeerMessage): number {
  const perMessage = 100
  const perLog = 30
  const logs = (vector: VersionVector | undefined) =>
    perLog * Object.keys(vector?.seen ?? {}).length
  switch (message.case) {
    case 'updates':
      return message.value.updates.reduce(
        (bytes, { body }) => bytes + perMessage + (body.value?.length ?? 0),
        perMessage,
      )
    case 'snapshot': {
      const { text, entry, versions, covers, operations } = message.value
      const beside = logs(covers) + perMessage * operations.length
      return perMessage + text.length + entry.length + versions.length + beside
    }
    case 'hello':
    case 'gossip':
    case 'advance':
      return perMessage + logs(message.value.vector)
    case 'have':
      return perMessage + logs(message.value.changed)
    default:
      return perMessage
  }
}

function hasLong({ message }: PeerMessage): boolean {
  return message.case === 'updates' && message.value.updates.some(isLong)
}

function isLong({ body }: Update): boolean {
  return body.value !== undefined && body.value.length >= longBytes
}

function longMessage({ message }: PeerMessage): Uint8Array[] {
  const updates = message.case === 'updates' ? message.value.updates : []
  const inside = inRuns(updates, isLong, {
    together: (short) => toBinary(UpdatesSchema, create(UpdatesSchema, { updates: short })),
    alone: longUpdate,
  })
  return field(tags.messages, field(tags.updatesOfPeer, inside))
}

function longUpdate({ body, ...update }: Update): Uint8Array[] {
  if (body.case === undefined) return []
  const rest = toBinary(UpdateSchema, { ...update, body: { case: undefined } })
  return field(tags.update, [rest, ...field(tags[body.case], [body.value])])
}

/** What is short is written together with its neighbours, what is long by itself. */
function inRuns<Part>(
  parts: Part[],
  isAlone: (part: Part) => boolean,
  write: { together: (parts: Part[]) => Uint8Array; alone: (part: Part) => Uint8Array[] },
): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let run: Part[] = []
  const endRun = () => {
    if (run.length > 0) pieces.push(write.together(run))
    run = []
  }
  for (const part of parts) {
    if (!isAlone(part)) {
      run.push(part)
      continue
    }
    endRun()
    for (const piece of write.alone(part)) pieces.push(piece)
  }
  endRun()
  return pieces
}

/** A field that has a length, and what is in it. */
function field(tag: number, inside: Uint8Array[]): Uint8Array[] {
  const head = [tag]
  let rest = lengthOf(inside)
  for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128)
  return [Uint8Array.of(...head, rest), ...inside]
}

function lengthOf(pieces: Uint8Array[]): number {
  return pieces.reduce((bytes, { length }) => bytes + length, 0)
}
