// Messages as nobody would send them: in every field of a schema anything at all, then in the bytes.

import {
  create,
  ScalarType,
  toBinary,
  type DescField,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf'
import type { Random } from '../../sim/random.ts'

/** Fields in fields, at most. */
const depthMax = 6

/** What a server has heard before: only what names something gets far. */
export interface Known {
  ids: string[]
  bytes: Uint8Array[]
}

const texts = [
  ...['', 'x.md', 'dir', 'dir/sub/y.md', '..', '/', 'CON', '2', '__proto__', 'constructor', '*.md'],
  ...['\u202e', '\0', '😀', '\ud800', '€'.repeat(90), 'x'.repeat(300), 'a/'.repeat(80), ' '],
  ...['(a*)*b', '[^]*', 'a{1000}', '(?=x)', '\\p{L}+', '.*.*.*x', 'e30.x', 'ab'.repeat(32)],
  ...['a.0123456789abc', 'b.0123456789abc'],
]
const numbers = [0, 1, 2, 3, 7, 1000]
const largeNumbers = [...numbers, 2 ** 31, 2 ** 32 - 1]
const doubles = [0, 1, -1, 0.5, 5, NaN, Infinity, -Infinity, 2 ** 53, 1e308]
const shortBytes = [[], [0], [1], [0, 0], [0, 1], [1, 255], [255, 255, 255, 255, 255, 255]]

/** A message of this schema. */
export class Messages {
  readonly #random: Random
  readonly #known: Known
  readonly #numbers: readonly number[]

  /** `areCounted`: no number is far from those that count up: of servers these are believed. */
  constructor(random: Random, known: Known, areCounted = false) {
    this.#random = random
    this.#known = known
    this.#numbers = areCounted ? numbers : largeNumbers
  }

  /** One of the schema, as bytes: sometimes with a mistake in them. */
  bytes(schema: DescMessage): Uint8Array {
    const bytes = written(this.#random, schema, this.any(schema))
    return this.#random.chance(0.15) ? spoilt(this.#random, bytes) : bytes
  }

  any<Desc extends DescMessage>(schema: Desc, depth = 0): MessageShape<Desc> {
    const fields: { [name: string]: unknown } = {}
    for (const field of schema.fields) {
      if (field.oneof || this.#random.chance(0.2)) continue
      fields[field.localName] = this.#field(field, depth)
    }
    for (const { localName, fields: cases } of schema.oneofs) {
      if (this.#random.chance(0.05)) continue
      const field = this.#random.pick(cases)
      const value = this.#field(field, depth)
      if (value !== undefined) fields[localName] = { case: field.localName, value }
    }
    return create(schema, fields as MessageInitShape<Desc>)
  }

  #field(field: DescField, depth: number): unknown {
    const random = this.#random
    const many = depth < depthMax ? random.below(4) : 0
    if (field.fieldKind === 'list') {
      return Array.from({ length: many }, () => this.#value(field, depth))
    }
    if (field.fieldKind === 'map') {
      const entries = Array.from({ length: many }, () => [this.#text(), this.#value(field, depth)])
      return Object.fromEntries(entries)
    }
    return this.#value(field, depth)
  }

  #value({ message, enum: values, scalar }: DescField, depth: number): unknown {
    if (message) return depth < depthMax ? this.any(message, depth + 1) : create(message)
    if (values) return this.#random.pick([0, 1, 2, 3, 99])
    return this.#scalar(scalar!)
  }

  #scalar(type: ScalarType): unknown {
    const random = this.#random
    switch (type) {
      case ScalarType.STRING:
        return this.#text()
      case ScalarType.BYTES:
        return this.#bytes()
      case ScalarType.BOOL:
        return random.chance(0.5)
      case ScalarType.DOUBLE:
        return random.pick(doubles)
      case ScalarType.INT32:
        return random.pick([0, 1, -1, 2 ** 31 - 1])
      default:
        return random.pick(this.#numbers)
    }
  }

  #text(): string {
    const random = this.#random
    return random.chance(0.5) ? random.pick(this.#known.ids) : random.pick(texts)
  }

  #bytes(): Uint8Array {
    const random = this.#random
    const roll = random.next()
    if (roll < 0.4) return spoilt(random, random.pick(this.#known.bytes))
    if (roll < 0.6) return random.pick(this.#known.bytes)
    if (roll < 0.8) return Uint8Array.from(random.pick(shortBytes))
    return random.bytes(random.pick([3, 16, 16, 60]))
  }
}

/** Of what cannot be written, as half of a pair of surrogates, any bytes. */
export function written<Desc extends DescMessage>(
  random: Random,
  schema: Desc,
  message: MessageShape<Desc>,
): Uint8Array {
  try {
    return toBinary(schema, message)
  } catch {
    return random.bytes(random.below(40))
  }
}

/** The same with something changed, put in, taken out or cut off. */
export function spoilt(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1)
  switch (random.below(5)) {
    case 0:
      return bytes.slice(0, at)
    case 1:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(3), bytes.subarray(at)])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    case 3:
      return Buffer.concat([bytes, bytes])
    default: {
      const changed = Uint8Array.from(bytes)
      if (at < changed.length) changed[at]! ^= 1 << random.below(8)
      return changed
    }
  }
}

/** As a message of gRPC travels, mostly; sometimes it says something else of itself. */
export function enveloped(random: Random, message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head[0] = random.chance(0.95) ? 0 : random.pick([1, 2, 128, 255])
  const length = random.chance(0.95) ? message.length : random.pick([0, 3, 2 ** 31, 2 ** 32 - 1])
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, message])
}
