// Writes the messages of a keystroke: what `toBinary` gives, at a tenth of its time and garbage.
//
// The library asks the description of each field of each message what to do, in a buffer that grows.
// That is right for what happens now and then. These three happen for every character that anybody
// types, for everyone who sees it; whatever of them is not short, or not as usual, is left to it.
// They are written from the end to the beginning: so each length is known when it comes before.

import { changed as changedTag, lengthy, messages, plain, pushed, stored } from './short-tags.ts'
import type { Changed, ClientMessage, Push, ServerMessage, Stored } from './wire.ts'

/** More than the longest of what is written here: twice the longest update, and what stands around it. */
const roomBytes = 4096
const updateBytesMax = 2048
/** Seals, ids of documents and of servers are much shorter; a set has a few servers. */
const fieldBytesMax = 64
const holdingsMax = 16

class BackwardWriter {
  readonly #bytes = new Uint8Array(roomBytes)
  #start = roomBytes

  begin(): void {
    this.#start = roomBytes
  }

  /** What was written, until `begin`. */
  get written(): Uint8Array {
    return this.#bytes.subarray(this.#start)
  }

  /** How much was written. */
  get length(): number {
    return roomBytes - this.#start
  }

  bytes(tag: number, value: Uint8Array): void {
    if (value.length === 0) return
    this.#start -= value.length
    this.#bytes.set(value, this.#start)
    this.#head(tag, value.length)
  }

  /** Plain ASCII. */
  text(tag: number, value: string): void {
    if (value === '') return
    this.#start -= value.length
    for (let index = 0; index < value.length; index++) {
      this.#bytes[this.#start + index] = value.charCodeAt(index)
    }
    this.#head(tag, value.length)
  }

  number(tag: number, value: number): void {
    if (value !== 0) this.#head(tag, value)
  }

  /** What was written since this length is one field. */
  within(tag: number, length: number): void {
    this.#head(tag, this.length - length)
  }

  #head(tag: number, value: number): void {
    let size = 1
    for (let rest = value; rest > 127; rest >>>= 7) size++
    this.#start -= size + 1
    this.#bytes[this.#start] = tag
    let at = this.#start + 1
    for (let rest = value; ; rest >>>= 7) {
      this.#bytes[at++] = rest > 127 ? (rest & 127) | 128 : rest
      if (rest <= 127) return
    }
  }
}

const writer = new BackwardWriter()

/** As `SessionRequest`: what `copy` makes of it. Undefined: the library must write it. */
export function shortRequest<Copy>(
  { message, $unknown }: ClientMessage,
  copy: (written: Uint8Array) => Copy,
): Copy | undefined {
  const isWritten = !$unknown && message.case === 'push' && writePush(message.value)
  return isWritten ? copy(writer.written) : undefined
}

/** As `SessionResponse`: what `copy` makes of it. Undefined: the library must write it. */
export function shortResponse<Copy>(
  { message, $unknown }: ServerMessage,
  copy: (written: Uint8Array) => Copy,
): Copy | undefined {
  const isWritten = !$unknown && writeTold(message)
  return isWritten ? copy(writer.written) : undefined
}

function writeTold(message: ServerMessage['message']): boolean {
  if (message.case === 'changed') return writeChanged(message.value)
  return message.case === 'stored' && writeStored(message.value)
}

function writePush(push: Push): boolean {
  const { ticket, document, update, seal } = push
  if (push.$unknown || !isShort(document, update, seal) || !isNumber(ticket)) return false
  writer.begin()
  writer.bytes(lengthy(4), seal)
  writer.bytes(lengthy(3), update)
  writer.text(lengthy(2), document)
  writer.number(plain(1), ticket)
  writer.within(pushed, 0)
  writer.within(messages, 0)
  return true
}

function writeChanged(changed: Changed): boolean {
  const { document, number, update, seal } = changed
  if (changed.$unknown || !isShort(document, update, seal) || !isNumber(number)) return false
  writer.begin()
  writer.bytes(lengthy(4), seal)
  writer.bytes(lengthy(3), update)
  writer.number(plain(2), number)
  writer.text(lengthy(1), document)
  writer.within(changedTag, 0)
  writer.within(messages, 0)
  return true
}

function writeStored({ holdings, $unknown }: Stored): boolean {
  if ($unknown || holdings.length > holdingsMax) return false
  writer.begin()
  for (let index = holdings.length - 1; index >= 0; index--) {
    const { server, ticket, $unknown: more } = holdings[index]!
    if (more || !isPlain(server) || !isNumber(ticket)) return false
    const { length } = writer
    writer.number(plain(2), ticket)
    writer.text(lengthy(1), server)
    writer.within(lengthy(1), length)
  }
  writer.within(stored, 0)
  writer.within(messages, 0)
  return true
}

function isShort(document: string, update: Uint8Array, seal: Uint8Array): boolean {
  return isPlain(document) && update.length <= updateBytesMax && seal.length <= fieldBytesMax
}

function isPlain(text: string): boolean {
  if (text.length > fieldBytesMax) return false
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false
  return true
}

/** Whether it is a `uint32`: of anything else the library says what is wrong. */
function isNumber(value: number): boolean {
  return value >>> 0 === value
}
