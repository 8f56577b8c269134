// One client's channel, as the runtime sees it: messages in, frames out, and the bounds of both.
//
//   silent ── Hello ──> greeted ── Welcome ──> joined        any of them ──> closed

import {
  firstMessageMs,
  helloBytesMax,
  idleClientMs,
  joinedBytesMax,
  messageBurstMax,
  messagesPerSecondMax,
  openWindowBytes,
  probeClientMs,
  sessionBurstBytesMax,
  unreadBytesMax,
} from '../core/model/limits.ts'
import { Allowance } from '../core/model/allowance.ts'
import { isBytesName } from '../core/model/contents.ts'
import {
  Code,
  Extent,
  ServerMessageSchema,
  type ClientMessage,
  type Hello,
  type ServerMessage,
} from '../core/model/wire.ts'
import { create } from '@bufbuild/protobuf'
import type { BlobName } from '../adapters/storage/blob.ts'
import type { Channel } from '../core/ports.ts'
import type { ClientChannel } from '../core/replica/messages.ts'
import { decodeFrame, encodeFrame, joinFrames, type Framed } from './frames.ts'

export interface ClientLinkOwner {
  now(): number
  /** Whether the set lets this client in: `undefined`, or why not. */
  turnsAway(hello: Hello): { code: Code; text: string } | undefined
  /** Whether these bytes are on this server's disk, as a whole. */
  hasBytes(name: BlobName): Promise<boolean>
  /** Whether an operation of this id was carried out, as far as this server knows. */
  isCarriedOut(operation: string): boolean
  received(link: ClientLink, message: ClientMessage, bytes: number): void
  /** Once, last. */
  closed(link: ClientLink): void
}

/** A channel of frames; `ping` asks the other end's library whether it is there, where it can. */
export interface FrameChannel extends Channel<Uint8Array, Uint8Array> {
  /** Sends what rests on nothing stored, before what waits for the disk, where anything does. */
  sendNow?(frame: Uint8Array): void
  ping?(alive: () => void): void
}

export class ClientLink {
  readonly id: ClientChannel
  readonly #channel: FrameChannel
  readonly #owner: ClientLinkOwner
  #state: 'silent' | 'greeted' | 'joined' | 'closed' = 'silent'
  /** What it may still say beside its pushes and operations. */
  readonly #messages: Allowance
  readonly #openedAt: number
  #heardAt: number

  /** Frames of this turn. */
  #pending: Uint8Array[] = []
  #sentBytes = 0
  /** What the client says it has read; absent: it does not say. */
  #creditBytes: number | undefined
  /** Ends, in sent bytes, and sizes of the pieces of opened documents that may not be read yet. */
  #pieces: { end: number; bytes: number }[] = []
  /** An Open is being answered: what comes after it waits until its answer is counted. */
  #isOpening = false
  /** It is looked whether bytes are here that an operation names: what comes after it waits. */
  #isLooking = false
  /** Something of the client is on its way to the mind, and not answered yet. */
  #isAsking = false
  /** Why it says nothing more; absent: it may. */
  #endedBy: string | undefined
  /** What the client sent while it had too much to read. */
  #held: Framed[] = []
  #heldBytes = 0

  constructor(id: ClientChannel, channel: FrameChannel, owner: ClientLinkOwner) {
    this.id = id
    this.#channel = channel
    this.#owner = owner
    this.#openedAt = owner.now()
    this.#heardAt = this.#openedAt
    this.#messages = new Allowance(this.#openedAt, messagesPerSecondMax, messageBurstMax)
    channel.listen({
      received: (frame) => this.#received(frame),
      ended: (why) => this.#ended(why),
      closed: () => this.#closed(),
    })
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Whether messages of the client wait until it has read more. */
  get isHolding(): boolean {
    return this.#held.length > 0
  }

  /** What waits here for the network to take it. */
  get queuedBytes(): number {
    return this.#channel.queuedBytes()
  }

  /** Queues a frame until `flush`. */
  send(frame: Uint8Array, kind: 'welcome' | 'piece' | 'other'): void {
    if (this.#state === 'closed') return
    this.#pending.push(frame)
    this.#sentBytes += frame.length
    if (kind === 'piece') this.#pieces.push({ end: this.#sentBytes, bytes: frame.length })
    if (kind === 'welcome' && this.#state === 'greeted') this.#state = 'joined'
  }

  /**
   * Gives the network what was queued, cuts a client that does not read, and takes what was held.
   * To be called after each turn with something of this client in it, and while `isHolding`.
   */
  flush(): void {
    if (this.#state === 'closed') return
    this.#isOpening = false
    this.#isAsking = false
    if (this.#endedBy !== undefined) {
      this.close(this.#endedBy)
      return
    }
    this.#sendPending()
    const unread = this.#unreadBytes()
    let pieces = 0
    for (const { bytes } of this.#pieces) pieces += bytes
    if (unread - pieces > unreadBytesMax) {
      this.close(`more than ${unreadBytesMax / 1024 / 1024} MiB wait unread; connect again`)
    }
    this.#release()
  }

  /** Tells why and closes. */
  refuse(code: Code, text: string): void {
    this.send(refusal(code, text), 'other')
    this.close(text)
  }

  /** Sends what was queued, then closes. */
  close(why: string): void {
    if (this.#state === 'closed') return
    this.#sendPending()
    this.#channel.close(why)
    this.#closed()
  }

  /** To be called every few seconds. */
  sweep(): void {
    const now = this.#owner.now()
    if (this.#state === 'silent' && now - this.#openedAt > firstMessageMs) {
      this.refuse(Code.INVALID, `No Hello came within ${firstMessageMs / 1000} s.`)
    } else if (now - this.#heardAt > idleClientMs) {
      this.close('nothing was heard for a minute')
    } else if (now - this.#heardAt > probeClientMs) {
      this.#channel.ping?.(() => (this.#heardAt = this.#owner.now()))
    }
  }

  #sendPending(): void {
    while (this.#pending.length > 0) this.#channel.send(joinFrames(this.#nextFrames()))
  }

  #nextFrames(): Uint8Array[] {
    let count = 1
    let bytes = this.#pending[0]!.length
    while (count < this.#pending.length) {
      bytes += this.#pending[count]!.length
      if (bytes > joinedBytesMax) break
      count++
    }
    const next = this.#pending
    this.#pending = next.splice(count)
    return next
  }

  #received(frame: Uint8Array): void {
    if (this.#state === 'closed') return
    this.#heardAt = this.#owner.now()
    if (this.#state === 'silent' && frame.length > firstFrameBytesMax) {
      this.#refuseTooLarge()
      return
    }
    let messages: Framed[] | undefined
    try {
      messages = decodeFrame(frame, messageBurstMax)
    } catch {
      // Whatever the decoder says, the client's program is broken.
      this.refuse(Code.INVALID, 'The message is malformed.')
      return
    }
    if (!messages || !this.#messages.take(this.#heardAt, countedIn(messages))) {
      this.refuse(Code.UNAVAILABLE, 'You are sending too much; wait a moment.')
      return
    }
    for (const framed of messages) this.#take(framed)
  }

  #take(framed: Framed): void {
    const { message } = framed.message
    switch (this.#state) {
      case 'closed':
        return
      case 'silent':
        if (message.case === 'hello') this.#greeted(framed, message.value)
        else this.refuse(Code.INVALID, 'The first message must be Hello.')
        return
      case 'greeted':
      case 'joined':
        if (message.case === undefined) {
          this.refuse(Code.PROTOCOL, 'This server is older than your client: use another server.')
        } else if (message.case === 'credit') this.#credited(message.value.bytesRead)
        else if (message.case === 'ping') this.#pong(message.value.number)
        else if (this.#isTooLarge(framed)) this.#refuseTooLarge()
        else if (this.#mustWait(message)) this.#hold(framed)
        else this.#pass(framed)
    }
  }

  // Whether this process turns is all that it asks: no mind need be woken to say so.
  #pong(number: number): void {
    const message = { case: 'pong' as const, value: { number } }
    const frame = encodeFrame(create(ServerMessageSchema, { message }))
    this.#sentBytes += frame.length
    if (this.#channel.sendNow) this.#channel.sendNow(frame)
    else this.#channel.send(frame)
  }

  #greeted(framed: Framed, hello: Hello): void {
    if (this.#isTooLarge(framed)) {
      this.#refuseTooLarge()
      return
    }
    const refused = this.#owner.turnsAway(hello)
    if (refused) {
      this.refuse(refused.code, refused.text)
      return
    }
    this.#state = 'greeted'
    this.#tell(framed)
  }

  // The channel itself lets nothing over `messageBytesMax` through.
  #isTooLarge({ bytes }: Framed): boolean {
    return this.#state !== 'joined' && bytes > helloBytesMax
  }

  #refuseTooLarge(): void {
    this.refuse(
      Code.TOO_LARGE,
      `A message before the Welcome may have ${helloBytesMax / 1024} KiB at most.`,
    )
  }

  // ------------------------------------------------------------------------ what is unread

  // Modulo 2^32: the distance to what was sent is exact, because less than 4 GiB are ever unread.
  #credited(bytesRead: number): void {
    const unread = (this.#sentBytes - bytesRead) >>> 0
    const read = this.#sentBytes - unread
    if (read < (this.#creditBytes ?? 0)) {
      this.refuse(Code.INVALID, 'The credit runs backwards.')
      return
    }
    this.#creditBytes = read
    this.#release()
  }

  #unreadBytes(): number {
    const queued = this.#channel.queuedBytes()
    const read = Math.max(0, Math.min(this.#creditBytes ?? Infinity, this.#sentBytes - queued))
    if (this.#pieces.length > 0) this.#pieces = this.#pieces.filter(({ end }) => end > read)
    return this.#sentBytes - read
  }

  #mustWait(message: ClientMessage['message']): boolean {
    if (this.#isOpening || this.#isLooking || this.#held.length > 0) return true
    return isOpening(message) && this.#unreadBytes() > openWindowBytes
  }

  #pass(framed: Framed): void {
    const named = bytesNamedIn(framed.message)
    // What has its effect already is answered so, wherever the bytes are.
    if (named && !this.#owner.isCarriedOut(named.operation)) {
      void this.#look(framed, named)
      return
    }
    this.#isOpening = isOpening(framed.message.message)
    this.#tell(framed)
  }

  #tell({ message, bytes }: Framed): void {
    this.#isAsking = true
    this.#owner.received(this, message, bytes)
  }

  // What it said is answered in the next turn, be it that it is refused: that it still hears.
  #ended(why: string): void {
    if (this.#isAsking) this.#endedBy = why
    else this.close(why)
  }

  // No entry names what nobody has. The operation is turned down before anything after it is taken, so
  // that no receipt can stand for it.
  async #look(framed: Framed, { ticket, name }: NamedBytes) {
    this.#isLooking = true
    // A disk that does not tell is as good as one without them: another server may have them.
    const isHere = await this.#owner.hasBytes(name).catch(() => false)
    this.#isLooking = false
    if (this.isClosed) return
    if (isHere) this.#tell(framed)
    else this.send(encodeFrame(rejected(ticket, lacking)), 'other')
    this.#sendPending()
    this.#release()
  }

  #hold(framed: Framed): void {
    this.#held.push(framed)
    this.#heldBytes += heldBytesOf(framed)
    if (this.#heldBytes > sessionBurstBytesMax) {
      this.refuse(Code.TOO_LARGE, 'More was sent than is read: connect again.')
    }
  }

  #release(): void {
    while (this.#held.length > 0 && !this.#isOpening && !this.#isLooking) {
      if (this.#unreadBytes() > openWindowBytes) return
      const framed = this.#held.shift()!
      this.#heldBytes -= heldBytesOf(framed)
      this.#pass(framed)
    }
  }

  #closed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#pending = []
    this.#held = []
    this.#owner.closed(this)
  }
}

/** A Hello, and what came with it: a stranger's frame is not looked through for more. */
const firstFrameBytesMax = 4 * helloBytesMax

/** About what a message takes while it is held, beside its bytes. */
const heldMessageBytes = 1024

const heldBytesOf = ({ bytes }: Framed) => bytes + heldMessageBytes

const lacking = 'These bytes are not on this server yet.'

interface NamedBytes {
  ticket: number
  /** Its id. */
  operation: string
  name: BlobName
}

/** The bytes that an operation gives to a file; none where its rules are broken. */
function bytesNamedIn({ message }: ClientMessage): NamedBytes | undefined {
  if (message.case !== 'operation') return undefined
  const { ticket, id, operation } = message.value
  if (operation.case !== 'createBinary' && operation.case !== 'setContent') return undefined
  const { hash, size } = operation.value
  return isBytesName({ hash, size }) ? { ticket, operation: id, name: { hash, size } } : undefined
}

function rejected(ticket: number, text: string): ServerMessage {
  const value = { ticket, code: Code.UNAVAILABLE, text }
  return create(ServerMessageSchema, { message: { case: 'rejected', value } })
}

/** How many messages a frame counts for: one where nothing is in it, which takes time as well. */
function countedIn(messages: Framed[]): number {
  if (messages.length === 0) return 1
  return messages.filter(({ message }) => !hasAllowance(message.message)).length
}

/** Whether the mind counts how many of these a session sends, as its operator has set. */
function hasAllowance({ case: type }: ClientMessage['message']): boolean {
  return type === 'push' || type === 'operation'
}

/** Whether it is answered by much more than itself. */
function isOpening(message: ClientMessage['message']): boolean {
  if (message.case === 'show') return message.value.extent === Extent.OPEN
  return message.case === 'open' || message.case === 'more'
}

function refusal(code: Code, text: string): Uint8Array {
  return encodeFrame(
    create(ServerMessageSchema, { message: { case: 'refused', value: { code, text } } }),
  )
}
