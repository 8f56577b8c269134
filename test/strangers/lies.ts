// What a peer says that lies: what a sound one could say, with one thing in it as it cannot be.

import {
  create,
  fromBinary,
  ScalarType,
  type DescField,
  type DescMessage,
  type Message,
} from '@bufbuild/protobuf'
import * as Y from 'yjs'
import type { Random } from '../../sim/random.ts'
import { base64url, isOrigin } from '../../src/core/model/ids.ts'
import { mergeStored, sealUpdate } from '../../src/core/model/snapshot.ts'
import { textRoot } from '../../src/core/model/text-update.ts'
import {
  EntrySchema,
  Kind,
  PeerMessageSchema,
  UpdateSchema,
  VersionSchema,
  type PeerMessage,
  type Snapshot,
  type Update,
} from '../../src/core/model/wire.ts'
import { spoilt, written } from './messages.ts'

/** What lies are told of. */
export interface Truth {
  set: string
  /** The log of the one that lies, fresh. */
  origin: string
  /** Files that are there. */
  files: string[]
  /** How far the logs of the set are, by those who listen. */
  seen: { [origin: string]: number }
}

const words = ['', '.', '..', '/', 'a/b', '../../x', '\0', 'x'.repeat(3000), '__proto__', '\u2028']
const counts = [0, 2 ** 31, 2 ** 31 + 1, 4_000_000_001, 2 ** 32 - 1]
const doubles = [NaN, Infinity, -Infinity, -1, 0.5, 2 ** 53, 1e308]

/** Says one lie after the other, of which each takes a file of its own that nobody else has. */
export class Liar {
  readonly #random: Random
  readonly #truth: Truth
  #seq = 0

  constructor(random: Random, truth: Truth) {
    this.#random = random
    this.#truth = truth
  }

  hello(isSpoilt: boolean): PeerMessage {
    const { origin, set, seen } = this.#truth
    const value = { replica: 'a', set, protocol: 1, origin, vector: { seen: { ...seen } } }
    const message = create(PeerMessageSchema, { message: { case: 'hello', value } })
    return isSpoilt ? this.#spoiltWhole(message) : message
  }

  /** What a sound server could say, and that it does. */
  sound(): PeerMessage {
    return updates(this.#update(this.#id(), this.#random.pick(['text', 'entry', 'version'])))
  }

  lie(): PeerMessage {
    const random = this.#random
    switch (random.pick(['update', 'update', 'update', 'update', 'snapshot', 'whole', 'whole'])) {
      case 'update':
        return this.#lieInUpdate()
      case 'snapshot':
        return this.#spoiltWhole(this.#snapshot(random.chance(0.5)))
      default:
        return this.#spoiltWhole(this.#other())
    }
  }

  /** In what is in an update, or around that, under a checksum that fits. */
  #lieInUpdate(): PeerMessage {
    const random = this.#random
    const subject = random.chance(0.3) ? random.pick(this.#truth.files) : this.#id()
    const update = this.#update(subject, random.pick(['text', 'entry', 'entry', 'version']), true)
    if (random.chance(0.2) && subject !== this.#truth.files[0]) {
      this.#spoil(UpdateSchema, update)
      return updates(sealed(update))
    }
    return updates(update)
  }

  #update(subject: string, what: NonNullable<Update['body']['case']>, isLie = false): Update {
    const { origin } = this.#truth
    const bodies = {
      text: () => (isLie ? this.#brokenText() : textBytes(this.#random)),
      entry: () => this.#entry(subject, isLie),
      version: () => {
        const version = create(VersionSchema, { id: this.#id(), name: 'v', at: 1 })
        if (isLie) this.#spoil(VersionSchema, version)
        return written(this.#random, VersionSchema, version)
      },
    }
    const body = { case: what, value: bodies[what]() } as Update['body']
    return sealed(create(UpdateSchema, { origin, seq: ++this.#seq, subject, at: 1, body }))
  }

  #brokenText(): Uint8Array {
    const random = this.#random
    const bytes = textBytes(random)
    const isOther = random.chance(0.3)
    if (!isOther) return spoilt(random, bytes)
    const doc = new Y.Doc()
    doc.getMap('map').set('x', new Y.Doc())
    doc.getText(textRoot).insertEmbed(0, {})
    return Y.encodeStateAsUpdate(doc)
  }

  #entry(id: string, isLie: boolean): Uint8Array {
    const random = this.#random
    const stamp = { counter: random.between(1, 9), origin: this.#truth.origin }
    const isFresh = !this.#truth.files.includes(id)
    const isBinary = random.chance(0.3)
    const entry = create(EntrySchema, {
      // Of a file that is there only what says so wrongly.
      id: isFresh && isLie && random.chance(0.2) ? random.pick(this.#truth.files) : id,
      kind: isBinary ? Kind.BINARY : Kind.TEXT,
      created: stamp,
      name: { value: `lie ${this.#seq}.md`, stamp },
      parent: { value: '', stamp },
      deleted: { value: random.chance(0.5), stamp },
      contents: isBinary ? [{ hash: 'a'.repeat(64), size: 3, stamp }] : [],
      ...(random.chance(0.5) && { purged: { root: id, deletion: stamp, place: stamp } }),
    })
    if (entry.purged && entry.id !== id) entry.purged.isDone = true
    if (!isFresh) return random.bytes(random.below(9) + 1)
    if (isLie && entry.id === id) this.#spoil(EntrySchema, entry)
    return written(random, EntrySchema, entry)
  }

  #snapshot(isOfText: boolean): PeerMessage {
    const subject = this.#id()
    const update = this.#update(subject, isOfText ? 'text' : 'entry', this.#random.chance(0.3))
    try {
      const value = mergeStored({ snapshots: [], updates: [update] }, new Map(), subject)
      value.covers = vectorOf({ [update.origin]: update.seq })
      return create(PeerMessageSchema, { message: { case: 'snapshot', value } })
    } catch {
      // What lies so badly that it cannot be merged here is said as it is.
      return updates(update)
    }
  }

  #other(): PeerMessage {
    const { seen, files } = this.#truth
    const session = base64url(this.#random.bytes(12))
    const vector = vectorOf({ ...seen })
    const messages = [
      () => ({ case: 'gossip' as const, value: { vector } }),
      () => ({ case: 'have' as const, value: { changed: vector, digest: 'ab' } }),
      () => ({ case: 'advance' as const, value: { vector } }),
      () => ({ case: 'want' as const, value: { subject: files[0]! } }),
      () => {
        const value = { session, name: 'Lia', counter: 1, isHere: true, device: session }
        const topic = { case: 'presence' as const, value }
        return { case: 'ephemeral' as const, value: { topic } }
      },
      () => {
        const value = { session, document: files[0]!, writer: 5, clock: 1, state: '{}' }
        return { case: 'ephemeral' as const, value: { topic: { case: 'caret' as const, value } } }
      },
    ]
    return create(PeerMessageSchema, { message: this.#random.pick(messages)() })
  }

  #spoiltWhole(whole: PeerMessage): PeerMessage {
    this.#spoil(PeerMessageSchema, whole)
    const { message } = whole
    // Of another life it would be right to yield to it, and to serve nobody.
    if (message.case === 'snapshot') this.#state(message.value)
    const isGreeting = message.case === 'hello' || message.case === 'have'
    if (isGreeting && isOrigin(message.value.life)) message.value.life = ''
    return whole
  }

  // What no log says others would never be sent: that no check at the door can see.
  #state(snapshot: Snapshot): void {
    const { origin } = this.#truth
    const seen = { ...snapshot.covers?.seen }
    if (!seen[origin]) snapshot.covers = vectorOf({ ...seen, [origin]: this.#seq })
  }

  // -------------------------------------------------------------------------- one thing in it

  #spoil(schema: DescMessage, message: Message): void {
    const places = [...placesIn(schema, message)]
    if (places.length > 0) this.#random.pick(places)(this.#random, this.#truth)
  }

  #id(): string {
    return base64url(this.#random.bytes(16))
  }
}

type Spoil = (random: Random, truth: Truth) => void

/** One for each field in a message and in those that are in it. */
function* placesIn(schema: DescMessage, message: Message): Generator<Spoil> {
  for (const field of schema.fields) {
    const holder = holderOf(field, message)
    if (!holder) continue
    const { fields, name } = holder
    const value = fields[name]
    yield (random, truth) => {
      const spoiltValue = anyOf(field, value, random, truth)
      if (spoiltValue !== undefined) fields[name] = spoiltValue
      else if (field.fieldKind === 'message' && !field.oneof) delete fields[name]
    }
    const inside = Array.isArray(value) ? value : [value]
    for (const each of inside) {
      if (field.message && each) yield* placesIn(field.message, each as Message)
    }
  }
}

interface Holder {
  fields: { [name: string]: unknown }
  name: string
}

/** What a field is set in; undefined: another of its group is set. */
function holderOf(field: DescField, message: Message): Holder | undefined {
  const fields = message as unknown as { [name: string]: unknown }
  if (!field.oneof) return { fields, name: field.localName }
  const group = fields[field.oneof.localName] as { case?: string }
  const isSet = group.case === field.localName
  return isSet ? { fields: group as { [name: string]: unknown }, name: 'value' } : undefined
}

/** Instead of what a field has, something that it cannot be; undefined: nothing at all. */
function anyOf(field: DescField, value: unknown, random: Random, truth: Truth): unknown {
  const logs = Object.keys(truth.seen)
  if (field.fieldKind === 'map') {
    const name = random.pick([...logs, ...logs, truth.origin, ...words])
    return { ...(value as object), [name]: random.pick(counts) }
  }
  if (field.fieldKind === 'list') {
    const list = value as unknown[]
    if (list.length === 0) return undefined
    return random.chance(0.5) ? [] : Array(random.pick([2, 50, 11_000])).fill(list[0])
  }
  if (field.message) return undefined
  switch (field.scalar) {
    case ScalarType.STRING:
      return random.pick([...words, ...logs, base64url(random.bytes(16))])
    case ScalarType.BYTES:
      return random.chance(0.2) ? new Uint8Array() : spoilt(random, value as Uint8Array)
    case ScalarType.BOOL:
      return !(value as boolean)
    case ScalarType.DOUBLE:
      return random.pick(doubles)
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return random.pick(counts)
    default:
      return 99
  }
}

// ----------------------------------------------------------------------------------- the truth

function updates(update: Update): PeerMessage {
  return create(PeerMessageSchema, { message: { case: 'updates', value: { updates: [update] } } })
}

const sealed = (update: Update) => (update.body.case === undefined ? update : sealUpdate(update))

function vectorOf(seen: { [origin: string]: number }) {
  return { $typeName: 'fourfold.v1.VersionVector' as const, seen }
}

function textBytes(random: Random): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = random.between(1, 2 ** 31)
  doc.getText(textRoot).insert(0, 'some text')
  doc.getText(textRoot).delete(2, 3)
  return Y.encodeStateAsUpdate(doc)
}

/** What a lie says, for whoever looks for the one that ended a server. */
export function inWords({ message }: PeerMessage): string {
  return JSON.stringify(message, (_, value: unknown) => {
    if (!(value instanceof Uint8Array)) return typeof value === 'bigint' ? String(value) : value
    try {
      return { hex: Buffer.from(value).toString('hex'), entry: fromBinary(EntrySchema, value) }
    } catch {
      return Buffer.from(value).toString('hex')
    }
  }).slice(0, 1000)
}
