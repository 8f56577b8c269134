// What goes far in a session and in a channel between servers before it goes wrong: who speaks greets,
// mostly, counts its tickets, and what a server says of its logs has the checksums that fit.

import { create, toBinary } from '@bufbuild/protobuf'
import type { Random } from '../../sim/random.ts'
import { base64url, originOf, type ReplicaId } from '../../src/core/model/ids.ts'
import { sealUpdate } from '../../src/core/model/snapshot.ts'
import {
  EntrySchema,
  ExchangeRequestSchema,
  PeerHelloSchema,
  PeerMessageSchema,
  SessionRequestSchema,
  StampSchema,
  TextFieldSchema,
  sessionProtocol,
  VersionSchema,
  type PeerMessage,
  type Update,
} from '../../src/core/model/wire.ts'
import { Messages, spoilt, written, type Known } from './messages.ts'

/** Whom a server takes a channel from. */
export interface Peer {
  id: string
  set: string
}

/** What a client sends, one after the other. */
export function sessionFrames(random: Random, known: Known): Uint8Array[] {
  const messages = new Messages(random, known)
  const frames = random.chance(0.95) ? [greeting(random)] : []
  let ticket = 0
  for (let left = random.below(20); left > 0; left--) {
    const request = messages.any(SessionRequestSchema)
    for (const { message } of request.messages) {
      const isNumbered = ['push', 'operation', 'ask'].includes(message.case ?? '')
      if (isNumbered && random.chance(0.9)) Object.assign(message.value!, { ticket: ++ticket })
      // What one makes, others may name.
      if (message.case === 'operation' && random.chance(0.5)) {
        message.value.id = base64url(random.bytes(16))
      }
    }
    frames.push(maybeSpoilt(random, written(random, SessionRequestSchema, request)))
  }
  return frames
}

function greeting(random: Random): Uint8Array {
  const hello = {
    $typeName: 'fourfold.v1.Hello' as const,
    key: random.bytes(16),
    name: `Stranger ${random.below(1e9)}`,
    protocol: sessionProtocol,
    earlierKeys: [],
    isStandby: random.chance(0.1),
    token: '',
    agent: '',
    showsDirectories: random.chance(0.5),
    device: random.chance(0.5) ? random.bytes(16) : new Uint8Array(),
  }
  return toBinary(SessionRequestSchema, {
    $typeName: 'fourfold.v1.SessionRequest',
    messages: [
      { $typeName: 'fourfold.v1.ClientMessage', message: { case: 'hello', value: hello } },
    ],
  })
}

/** What another server sends, one after the other. */
export function peerMessages(random: Random, known: Known, peer: Peer): Uint8Array[] {
  const talk = new PeerTalk(random, known, peer)
  const count = random.between(1, 12)
  return Array.from({ length: count }, (_, index) => talk.next(index === 0 && random.chance(0.9)))
}

class PeerTalk {
  readonly #random: Random
  readonly #messages: Messages
  readonly #known: Known
  readonly #peer: Peer
  readonly #origin: string
  #seq = 0

  constructor(random: Random, known: Known, peer: Peer) {
    this.#random = random
    this.#messages = new Messages(random, known, true)
    this.#known = known
    this.#peer = peer
    this.#origin = originOf(peer.id as ReplicaId, random.bytes(10))
  }

  next(isGreeting: boolean): Uint8Array {
    const random = this.#random
    const messages: PeerMessage[] = []
    for (let left = random.between(1, 3); left > 0; left--) {
      const message = this.#messages.any(PeerMessageSchema)
      if (isGreeting) {
        message.message = { case: 'hello', value: this.#messages.any(PeerHelloSchema) }
      }
      this.#amend(message)
      messages.push(message)
    }
    const whole = { $typeName: 'fourfold.v1.ExchangeRequest' as const, messages }
    return maybeSpoilt(random, written(random, ExchangeRequestSchema, whole))
  }

  #amend({ message }: PeerMessage): void {
    if (message.case === 'hello') {
      const { id: replica, set } = this.#peer
      // Of another life it would be right to yield to it, and to serve nobody.
      Object.assign(message.value, { replica, set, protocol: 1, origin: this.#origin, life: '' })
    }
    if (message.case === 'have') message.value.life = ''
    if (message.case === 'updates') {
      for (const update of message.value.updates) this.#sound(update)
    }
  }

  /** What has its checksum was written by a server, and says what a server could say. */
  #sound(update: Update): void {
    const random = this.#random
    if (update.body.case === undefined || random.chance(0.05)) return
    const id = random.pick([...this.#known.ids, base64url(random.bytes(16))])
    const bodies = {
      text: () => this.#known.bytes[0]!,
      entry: () => this.#entry(id),
      version: () => written(random, VersionSchema, this.#messages.any(VersionSchema)),
    }
    update.body.value = bodies[update.body.case]()
    Object.assign(update, { origin: this.#origin, seq: ++this.#seq, subject: id })
    sealUpdate(update)
  }

  /** Every field with its rank, and nothing deleted for good: that takes a history. */
  #entry(id: string): Uint8Array {
    const entry = this.#messages.any(EntrySchema)
    const counter = this.#random.below(1000)
    const stamp = create(StampSchema, { counter, origin: this.#origin })
    entry.id = id
    entry.created = stamp
    entry.name ??= create(TextFieldSchema)
    entry.parent ??= create(TextFieldSchema)
    for (const field of [entry.name, entry.parent, entry.deleted, ...entry.contents]) {
      if (field) field.stamp = stamp
    }
    delete entry.purged
    delete entry.age
    return written(this.#random, EntrySchema, entry)
  }
}

function maybeSpoilt(random: Random, bytes: Uint8Array): Uint8Array {
  return random.chance(0.1) ? spoilt(random, bytes) : bytes
}
