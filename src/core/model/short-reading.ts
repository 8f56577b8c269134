// Reads the messages of a keystroke: what `fromBinary` makes of a frame, at a third of its time.
//
// The counterpart of short-messages.ts. What does not look as written there is left to the library, be
// it an older way to say the same, a later revision, or malformed: this never judges.

import { changed, lengthy, messages, plain, pushed, stored } from './short-tags.ts'
import type { Changed, ClientMessage, Holding, Push, ServerMessage, Stored } from './wire.ts'

/** A frame that is longer is hardly one of a keystroke. */
const frameBytesMax = 4096

/**
 * Ids of documents and servers, which come again with each keystroke: to find one costs less than to
 * make it, and as a key the same string is found at once. Of those with one hash the newest; so many
 * hashes, a power of two.
 */
const recentTextsMax = 2048
const recentLengthMax = 32
const recentTexts: (string | undefined)[] = Array.from({ length: recentTextsMax })

/** A message, and how long its encoding is. */
export interface Read<Message> {
  message: Message
  bytes: number
}

/** The messages of a `SessionRequest`. Undefined: the library must read it. */
export function readShortRequest(frame: Uint8Array): Read<ClientMessage>[] | undefined {
  return readFrame(frame, clientMessage)
}

/** The messages of a `SessionResponse`. Undefined: the library must read it. */
export function readShortResponse(frame: Uint8Array): Read<ServerMessage>[] | undefined {
  return readFrame(frame, serverMessage)
}

/** Where a reading is; `isOdd`: something does not look as expected, and nothing read is worth anything. */
class Reader {
  readonly bytes: Uint8Array
  at = 0
  isOdd = false

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Whether this tag comes next; then it is read. */
  takes(tag: number, end: number): boolean {
    if (this.at >= end || this.bytes[this.at] !== tag) return false
    this.at++
    return true
  }

  /** A `uint32`, up to `end`. */
  number(end: number): number {
    let value = 0
    for (let shift = 0; shift < 28 && this.at < end; shift += 7) {
      const byte = this.bytes[this.at++]!
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
    const last = this.at < end ? this.bytes[this.at++]! : Infinity
    if (last > 15) this.isOdd = true
    return (value | (last << 28)) >>> 0
  }

  /** Where what follows ends, by the length that is said first. */
  end(outer: number): number {
    const length = this.number(outer)
    if (length > outer - this.at) this.isOdd = true
    return this.isOdd ? this.at : this.at + length
  }

  part(outer: number): Uint8Array {
    const end = this.end(outer)
    const part = this.bytes.subarray(this.at, end)
    this.at = end
    return part
  }

  /** Plain ASCII. */
  text(outer: number): string {
    const end = this.end(outer)
    const start = this.at
    this.at = end
    const isLong = end - start > recentLengthMax
    let hash = 0
    for (let at = start; at < end; at++) {
      const byte = this.bytes[at]!
      if (byte > 127) this.isOdd = true
      hash = (hash * 31 + byte) | 0
    }
    if (isLong) return textAt(this.bytes, start, end)
    const slot = hash & (recentTextsMax - 1)
    const recent = recentTexts[slot]
    if (recent !== undefined && isAt(recent, this.bytes, start, end)) return recent
    return (recentTexts[slot] = textAt(this.bytes, start, end))
  }
}

function isAt(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false
  }
  return true
}

function textAt(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!)
  return text
}

function readFrame<Message>(
  frame: Uint8Array,
  read: (reader: Reader, end: number) => Message | undefined,
): Read<Message>[] | undefined {
  if (frame.length > frameBytesMax) return undefined
  const reader = new Reader(frame)
  // Most often there is one: an array that grows takes room for 17.
  let all: Read<Message>[] | undefined
  while (reader.at < frame.length) {
    if (!reader.takes(messages, frame.length)) return undefined
    const end = reader.end(frame.length)
    const bytes = end - reader.at
    const message = read(reader, end)
    if (!message || reader.isOdd || reader.at !== end) return undefined
    if (all) all.push({ message, bytes })
    else all = [{ message, bytes }]
  }
  return all ?? []
}

function clientMessage(reader: Reader, end: number): ClientMessage | undefined {
  if (!reader.takes(pushed, end)) return undefined
  const value = push(reader, reader.end(end))
  return { $typeName: 'fourfold.v1.ClientMessage', message: { case: 'push', value } }
}

function serverMessage(reader: Reader, end: number): ServerMessage | undefined {
  const $typeName = 'fourfold.v1.ServerMessage'
  if (reader.takes(changed, end)) {
    const value = change(reader, reader.end(end))
    return { $typeName, message: { case: 'changed', value } }
  }
  if (!reader.takes(stored, end)) return undefined
  const value = holdings(reader, reader.end(end))
  return { $typeName, message: { case: 'stored', value } }
}

// What was left out is as in a message that has nothing; a field out of its order is not taken, and the
// message ends too early.

function push(reader: Reader, end: number): Push {
  const ticket = reader.takes(plain(1), end) ? reader.number(end) : 0
  const document = reader.takes(lengthy(2), end) ? reader.text(end) : ''
  const update = reader.takes(lengthy(3), end) ? reader.part(end) : new Uint8Array()
  const seal = reader.takes(lengthy(4), end) ? reader.part(end) : new Uint8Array()
  return { $typeName: 'fourfold.v1.Push', ticket, document, update, seal }
}

function change(reader: Reader, end: number): Changed {
  const document = reader.takes(lengthy(1), end) ? reader.text(end) : ''
  const number = reader.takes(plain(2), end) ? reader.number(end) : 0
  const update = reader.takes(lengthy(3), end) ? reader.part(end) : new Uint8Array()
  const seal = reader.takes(lengthy(4), end) ? reader.part(end) : new Uint8Array()
  return { $typeName: 'fourfold.v1.Changed', document, number, update, seal }
}

function holdings(reader: Reader, end: number): Stored {
  const all: Holding[] = []
  while (reader.takes(lengthy(1), end)) {
    const inner = reader.end(end)
    const server = reader.takes(lengthy(1), inner) ? reader.text(inner) : ''
    const ticket = reader.takes(plain(2), inner) ? reader.number(inner) : 0
    if (reader.at !== inner) reader.isOdd = true
    all.push({ $typeName: 'fourfold.v1.Holding', server, ticket })
  }
  return { $typeName: 'fourfold.v1.Stored', holdings: all }
}
