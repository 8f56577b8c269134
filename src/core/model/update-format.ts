// Yjs updates (encoding version 1) of flat text as bytes: reading within strict bounds, and writing.

import * as encoding from 'lib0/encoding'
import { decodeUtf8 } from 'lib0/string'
import { FourfoldError } from './errors.ts'

/** The name of the shared text in every document. */
export const textRoot = 'text'

/** One UTF-16 unit that was ever written: the writer, and how many it had written before. */
export interface Id {
  writer: number
  clock: number
}

/** A run of units of one writer, with the neighbours that it was written between. */
export interface TextStruct {
  writer: number
  clock: number
  /** UTF-16 units; at least 1. */
  length: number
  /**
   * deleted: text that is gone, its place remains. gc: even its place is gone. skip: nothing is
   * said about these clocks.
   */
  kind: 'text' | 'deleted' | 'gc' | 'skip'
  /** The unit to its left when it was written; absent at the start, and for gc and skip. */
  left: Id | undefined
  /** The unit to its right when it was written; absent at the end, and for gc and skip. */
  right: Id | undefined
  /** Of kind text: `length` units; else empty. */
  text: string
}

/** Clocks of one writer: the first, and how many. */
export type Range = [clock: number, length: number]

/** Deleted units by writer; the ranges ascend and do not overlap. */
export type Deletes = Map<number, Range[]>

export interface TextUpdate {
  /** By writer, in the order of clocks, without holes (a skip fills one). */
  structs: Map<number, TextStruct[]>
  deletes: Deletes
}

/**
 * Reads an update. Throws FourfoldError 'invalid' on bytes that are not one whole update, and on
 * content that has no place in a text file. Work and memory are bounded by the number of bytes,
 * whatever these announce.
 */
export function decodeTextUpdate(bytes: Uint8Array): TextUpdate {
  const reader = new Reader(bytes)
  const structs = readStructs(reader)
  const deletes = readDeletes(reader)
  if (reader.at !== bytes.length) throw malformed('bytes after its end')
  return { structs, deletes }
}

/**
 * The struct of an update that is one and deletes nothing; undefined: it is more. Cheaper than decoding
 * it. Throws like decodeTextUpdate.
 */
export function onlyStructOf(bytes: Uint8Array): TextStruct | undefined {
  const reader = new Reader(bytes)
  if (reader.count(5) !== 1 || reader.count(2) !== 1) return undefined
  const writer = reader.number()
  const clock = reader.number()
  const struct = readStruct(reader, writer, clock)
  if (clock + struct.length > Number.MAX_SAFE_INTEGER) throw malformed('a clock is too large')
  if (reader.count(4) > 0) return undefined
  if (reader.at !== bytes.length) throw malformed('bytes after its end')
  return struct
}

/** The delete set of an update alone; cheaper than decoding it. Throws like decodeTextUpdate. */
export function deletesOf(bytes: Uint8Array): Deletes {
  const reader = new Reader(bytes)
  for (let writers = reader.count(5); writers > 0; writers--) {
    let structs = reader.count(2)
    reader.number()
    reader.number()
    for (; structs > 0; structs--) skipStruct(reader)
  }
  return readDeletes(reader)
}

/** Writes an update that Yjs reads. A hole between two structs of a writer is written as a skip. */
export function encodeTextUpdate({ structs, deletes }: TextUpdate): Uint8Array {
  const encoder = encoding.createEncoder()
  const present = [...structs].filter(([, list]) => list.length > 0)
  encoding.writeVarUint(encoder, present.length)
  // Higher writers first, as Yjs does: its conflict resolution is faster so.
  for (const [writer, list] of present.sort((a, b) => b[0] - a[0])) {
    const whole = withSkips(list)
    encoding.writeVarUint(encoder, whole.length)
    encoding.writeVarUint(encoder, writer)
    encoding.writeVarUint(encoder, whole[0]!.clock)
    for (const struct of whole) writeStruct(encoder, struct)
  }
  const ranged = [...deletes].filter(([, ranges]) => ranges.length > 0)
  encoding.writeVarUint(encoder, ranged.length)
  for (const [writer, ranges] of ranged.sort((a, b) => b[0] - a[0])) {
    encoding.writeVarUint(encoder, writer)
    encoding.writeVarUint(encoder, ranges.length)
    for (const [clock, length] of ranges) {
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint(encoder, length)
    }
  }
  return encoding.toUint8Array(encoder)
}

/** The part of a struct from `offset` on (0 < offset < length): its left is the unit before. */
export function structFrom(struct: TextStruct, offset: number): TextStruct {
  const clock = struct.clock + offset
  return {
    writer: struct.writer,
    clock,
    length: struct.length - offset,
    kind: struct.kind,
    left: isItem(struct) ? { writer: struct.writer, clock: clock - 1 } : undefined,
    right: struct.right,
    text: struct.text.slice(offset),
  }
}

/** The part of a struct before `offset` (0 < offset < length). */
export function structTo(struct: TextStruct, offset: number): TextStruct {
  return { ...struct, length: offset, text: struct.text.slice(0, offset) }
}

/** Whether a struct has a place in the text. */
export function isItem(struct: TextStruct): boolean {
  return struct.kind === 'text' || struct.kind === 'deleted'
}

/** Whether a struct names itself, or what its writer wrote after it, as its neighbour. */
export function refersToItself({ writer, clock, left, right }: TextStruct): boolean {
  const isLater = (id: Id | undefined) => id?.writer === writer && id.clock >= clock
  return isLater(left) || isLater(right)
}

function withSkips(list: TextStruct[]): TextStruct[] {
  const whole: TextStruct[] = []
  for (const struct of list) {
    const last = whole.at(-1)
    const clock = last ? last.clock + last.length : struct.clock
    if (clock < struct.clock) {
      const length = struct.clock - clock
      const neighbours = { left: undefined, right: undefined }
      whole.push({ writer: struct.writer, clock, length, kind: 'skip', ...neighbours, text: '' })
    }
    whole.push(struct)
  }
  return whole
}

// ------------------------------------------------------------------------------- The format
//
// update  = count of writers, { count of structs, writer, first clock, struct … } …, deletes
// struct  = byte: low five bits the kind of content, 128: has left, 64: has right, 32: has a key;
//           left and right as (writer, clock); without either the parent: 1 and the root's name;
//           then the content
// deletes = count of writers, { writer, count of ranges, { clock, length } … } …
// All numbers are unsigned, seven bits a byte, the lowest first.

const gcContent = 0
const deletedContent = 1
const textContent = 4
const skipContent = 10
const contentMask = 31
const keyFlag = 32
const rightFlag = 64
const leftFlag = 128

/** What else an update can hold, in words for people. */
const foreignContent: Record<number, string> = {
  2: 'JSON',
  3: 'binary content',
  5: 'an embed',
  6: 'a format',
  7: 'a nested type',
  8: 'a value of an array or map',
  9: 'a subdocument',
}

const outOfPlace = (what: string) =>
  new FourfoldError('invalid', `${what} has no place in a text file`)

/** The error of an update that no honest client sends. `why`: the end of its sentence. */
export const malformed = (why: string): FourfoldError =>
  new FourfoldError('invalid', `malformed update: ${why}`)

/** Reads numbers and strings, never past the end. */
class Reader {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw malformed('it ends too early')
    return this.bytes[this.at++]!
  }

  number(): number {
    const { bytes } = this
    const first = bytes[this.at]
    if (first !== undefined && first < 128) {
      this.at++
      return first
    }
    let value = 0
    for (let factor = 1; this.at < bytes.length; factor *= 128) {
      const byte = bytes[this.at++]!
      value += (byte & 127) * factor
      if (value > Number.MAX_SAFE_INTEGER) throw malformed('a number is too large')
      if (byte < 128) return value
      if (factor > Number.MAX_SAFE_INTEGER) throw malformed('a number is too long')
    }
    throw malformed('it ends too early')
  }

  /** A number of things that take at least `bytesEach` each: never more than can follow. */
  count(bytesEach: number): number {
    const count = this.number()
    if (count * bytesEach > this.bytes.length - this.at) {
      throw malformed('it announces more than it holds')
    }
    return count
  }

  length(): number {
    const length = this.number()
    if (length === 0) throw malformed('a length is zero')
    return length
  }

  id(): Id {
    return { writer: this.number(), clock: this.number() }
  }

  skipId(): void {
    this.number()
    this.number()
  }

  string(): string {
    const length = this.count(1)
    const first = this.at
    const end = first + length
    const { bytes } = this
    // Typing: a few ASCII letters, faster without the decoder.
    if (length <= 24) {
      let text = ''
      while (this.at < end && bytes[this.at]! < 128) text += String.fromCharCode(bytes[this.at++]!)
      if (this.at === end) return text
    }
    this.at = end
    try {
      return decodeUtf8(bytes.subarray(first, end))
    } catch {
      // The decoder's own words would say nothing to a person.
      throw malformed('its text is not UTF-8')
    }
  }

  /** The parent of a struct without neighbours: must be the root of the text, by name. */
  parent(): void {
    if (this.number() !== 1) throw outOfPlace('a nested type')
    if (this.string() !== textRoot) throw outOfPlace('another root')
  }
}

function readStructs(reader: Reader): Map<number, TextStruct[]> {
  const structs = new Map<number, TextStruct[]>()
  for (let writers = reader.count(5); writers > 0; writers--) {
    let count = reader.count(2)
    const writer = reader.number()
    let clock = reader.number()
    if (count === 0) throw malformed('a writer without text')
    if (structs.has(writer)) throw malformed('a writer appears twice')
    const list: TextStruct[] = []
    structs.set(writer, list)
    for (; count > 0; count--) {
      const struct = readStruct(reader, writer, clock)
      list.push(struct)
      clock += struct.length
      if (clock > Number.MAX_SAFE_INTEGER) throw malformed('a clock is too large')
    }
  }
  return structs
}

function readStruct(reader: Reader, writer: number, clock: number): TextStruct {
  const header = reader.byte()
  const content = header & contentMask
  if (content === gcContent || content === skipContent) {
    if (header !== content) throw malformed('a gap with neighbours')
    const kind = content === gcContent ? 'gc' : 'skip'
    const length = reader.length()
    return { writer, clock, length, kind, left: undefined, right: undefined, text: '' }
  }
  expectText(header)
  const left = header & leftFlag ? reader.id() : undefined
  const right = header & rightFlag ? reader.id() : undefined
  if (left === undefined && right === undefined) reader.parent()
  if (content === deletedContent) {
    return { writer, clock, length: reader.length(), kind: 'deleted', left, right, text: '' }
  }
  const text = reader.string()
  if (text.length === 0) throw malformed('a length is zero')
  return { writer, clock, length: text.length, kind: 'text', left, right, text }
}

function skipStruct(reader: Reader): void {
  const header = reader.byte()
  const content = header & contentMask
  if (content !== gcContent && content !== skipContent) {
    expectText(header)
    if (header & leftFlag) reader.skipId()
    if (header & rightFlag) reader.skipId()
    if ((header & (leftFlag | rightFlag)) === 0) reader.parent()
  }
  const length = content === textContent ? reader.count(1) : reader.length()
  if (content === textContent) reader.at += length
}

function expectText(header: number): void {
  const content = header & contentMask
  if (content !== textContent && content !== deletedContent) {
    const foreign = foreignContent[content]
    throw foreign ? outOfPlace(foreign) : malformed('an unknown kind of content')
  }
  if (header & keyFlag) throw outOfPlace('a key of a map')
}

function readDeletes(reader: Reader): Deletes {
  const deletes: Deletes = new Map()
  for (let writers = reader.count(4); writers > 0; writers--) {
    const writer = reader.number()
    if (deletes.has(writer)) throw malformed('a writer appears twice')
    const ranges: Range[] = []
    let count = reader.count(2)
    let end = 0
    if (count === 0) throw malformed('a writer without ranges')
    for (; count > 0; count--) {
      const clock = reader.number()
      const length = reader.length()
      if (clock < end) throw malformed('deleted ranges overlap')
      end = clock + length
      if (end > Number.MAX_SAFE_INTEGER) throw malformed('a clock is too large')
      ranges.push([clock, length])
    }
    deletes.set(writer, ranges)
  }
  return deletes
}

function writeStruct(encoder: encoding.Encoder, struct: TextStruct): void {
  const { kind, left, right } = struct
  if (!isItem(struct)) {
    encoding.writeUint8(encoder, kind === 'gc' ? gcContent : skipContent)
    encoding.writeVarUint(encoder, struct.length)
    return
  }
  const content = kind === 'text' ? textContent : deletedContent
  encoding.writeUint8(encoder, content | (left ? leftFlag : 0) | (right ? rightFlag : 0))
  for (const id of [left, right]) {
    if (id === undefined) continue
    encoding.writeVarUint(encoder, id.writer)
    encoding.writeVarUint(encoder, id.clock)
  }
  if (left === undefined && right === undefined) {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarString(encoder, textRoot)
  }
  if (kind === 'text') encoding.writeVarString(encoder, struct.text)
  else encoding.writeVarUint(encoder, struct.length)
}
