// How many fields an encoded message holds, counted where they lie: whoever decodes it makes an object
// or more of each, and two bytes are enough for one.

import { ScalarType, type DescMessage } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { messageFieldsMax } from '../../core/model/limits.ts'

/** What is shorter cannot hold many: a keystroke is not counted. */
const countedFromBytes = 64 * 1024

/**
 * Whether it holds more fields than are decoded. What the decoder would read otherwise than it is counted
 * here, which nobody writes, is too much as well.
 */
export function isCrowded(
  schema: DescMessage,
  bytes: Uint8Array,
  fieldsMax = messageFieldsMax,
): boolean {
  if (bytes.length < countedFromBytes) return false
  const reader = new BinaryReader(bytes)
  try {
    return leftAfter(fieldsOf(schema), reader, bytes.length, fieldsMax) < 0
  } catch {
    // It is no message: the decoder says why.
    return false
  }
}

/** How many more fields there may be after those up to `end`; below 0: it is over. */
function leftAfter(fields: Fields, reader: BinaryReader, end: number, most: number): number {
  let left = most
  // As the decoder does: who lies about a length is read on beyond it.
  while (reader.pos < end && left >= 0) {
    const [number, wireType] = reader.tag()
    left--
    const field = fields.get(number)
    // The decoder goes by its schema, whatever is said here. In a group there may be anything.
    const isOdd = field && field.wireType !== wireType
    if (isOdd || wireType === WireType.StartGroup) return -1
    if (field?.holds) {
      const length = reader.uint32()
      left = leftAfter(field.holds(), reader, reader.pos + length, left)
    } else {
      reader.skip(wireType, number)
    }
  }
  return left
}

/** By number, how fields of a message lie there, and what is in those that hold others. */
type Fields = Map<number, { wireType: WireType; holds: (() => Fields) | undefined }>

const known = new WeakMap<DescMessage, Fields>()

function fieldsOf(schema: DescMessage): Fields {
  let fields = known.get(schema)
  if (!fields) {
    fields = new Map()
    for (const field of schema.fields) {
      const { number, message, scalar } = field
      const inside = message && (() => fieldsOf(message))
      const value = { wireType: message ? delimited : wireTypeOf(scalar), holds: inside }
      if (field.fieldKind !== 'map') fields.set(number, value)
      else {
        const key = { wireType: wireTypeOf(field.mapKey), holds: undefined }
        const entry: Fields = new Map()
        entry.set(1, key).set(2, value)
        fields.set(number, { wireType: delimited, holds: () => entry })
      }
    }
    known.set(schema, fields)
  }
  return fields
}

const delimited = WireType.LengthDelimited

/** Of a list of numbers, which would be packed, nobody sends any. */
function wireTypeOf(scalar: ScalarType | undefined): WireType {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return delimited
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32
    default:
      return WireType.Varint
  }
}

/** Whether a text of JSON holds more values than are read. What is in strings does not count. */
export function isCrowdedJson(bytes: Uint8Array): boolean {
  if (bytes.length < countedFromBytes) return false
  let left = messageFieldsMax
  let isInString = false
  for (let at = 0; at < bytes.length && left >= 0; at++) {
    const byte = bytes[at]
    if (byte === quote) isInString = !isInString
    else if (!isInString && (byte === comma || byte === brace || byte === bracket)) left--
    else if (isInString && byte === backslash) at++
  }
  return left < 0
}

const [quote, comma, brace, bracket, backslash] = Buffer.from('",{[\\')
