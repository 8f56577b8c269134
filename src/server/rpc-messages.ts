// The messages of a call, looked at before they are decoded: none may hold more than is decoded at once.
// What came compressed goes on swollen, so that this is done once.

import type { DescMessage } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { compressionBrotli, compressionGzip } from '@connectrpc/connect-node'
import { unpackedAtOnce } from '../core/model/limits.ts'
import { isCrowded, isCrowdedJson } from '../adapters/channel/crowded.ts'
import { errorCodeOf } from '../adapters/error-code.ts'
import { FewAtOnce } from '../adapters/few-at-once.ts'

/** Flags, and the length of the message that follows (gRPC and the streams of Connect). */
export const envelopeBytes = 5
/** In the flags. */
export const compressedFlag = 1

export const compressions = [compressionGzip, compressionBrotli]

type Pieces = AsyncIterable<Uint8Array>

export interface CallBody {
  /** Of the call. What it says of a body that goes on swollen is taken out. */
  header: Headers
  body: Pieces
  /** What the body holds. */
  schema: DescMessage
  /** How long one message may be when it has swollen. */
  bytesMax: number
  /** Told how much of a message in an envelope is here that is not whole; last 0. */
  begun?: ((bytes: number) => void) | undefined
}

interface Rules {
  bytesMax: number
  isCrowded: (message: Uint8Array) => boolean
  compression: (typeof compressions)[number] | undefined
}

/** The body again. It throws ConnectError where a message holds too much, or swells too far. */
export function uncrowded({ header, body, schema, bytesMax, begun }: CallBody): Pieces {
  const type = header.get('content-type') ?? ''
  const isEnveloped = /^application\/(grpc|connect\+)/.test(type)
  const ofStream = type.startsWith('application/grpc')
    ? 'grpc-encoding'
    : 'connect-content-encoding'
  const encoding = header.get(isEnveloped ? ofStream : 'content-encoding')
  const rules: Rules = {
    bytesMax,
    isCrowded: type.includes('json') ? isCrowdedJson : (message) => isCrowded(schema, message),
    compression: compressions.find(({ name }) => name === encoding),
  }
  if (isEnveloped) return enveloped(body, rules, begun)
  if (rules.compression)
    for (const name of ['content-encoding', 'content-length']) header.delete(name)
  return single(body, rules)
}

/** Of a body that is one message. */
async function* single(body: Pieces, rules: Rules): AsyncGenerator<Uint8Array> {
  const gathered = new Gathered()
  for await (const piece of body) {
    gathered.add(piece)
    // Whoever reads it refuses what is too long; nothing of it is gathered here.
    if (gathered.length > rules.bytesMax) yield gathered.take(gathered.length)
  }
  yield await looked(gathered.take(gathered.length), rules.compression !== undefined, rules)
}

/** Of a body of messages, each in an envelope. */
async function* enveloped(
  body: Pieces,
  rules: Rules,
  begun: CallBody['begun'],
): AsyncGenerator<Uint8Array> {
  const gathered = new Gathered()
  try {
    for await (const piece of body) {
      gathered.add(piece)
      yield* wholeIn(gathered, rules)
      begun?.(gathered.length)
    }
  } finally {
    begun?.(0)
  }
  // Cut off in the midst of a message: whoever reads it says so.
  if (gathered.length > 0) yield gathered.take(gathered.length)
}

/** The messages of which all is here. */
async function* wholeIn(gathered: Gathered, rules: Rules): AsyncGenerator<Uint8Array> {
  while (gathered.length >= envelopeBytes) {
    const head = gathered.head(envelopeBytes)
    const length = head.readUInt32BE(1)
    if (length > rules.bytesMax) {
      // As above; nothing can come after it.
      yield gathered.take(gathered.length)
      return
    }
    if (gathered.length < envelopeBytes + length) return
    const message = gathered.take(envelopeBytes + length)
    const flags = head[0]!
    const isToSwell = (flags & compressedFlag) !== 0 && rules.compression !== undefined
    const inside = await looked(message.subarray(envelopeBytes), isToSwell, rules)
    if (isToSwell) yield envelope(flags & ~compressedFlag, inside)
    else yield message
  }
}

/** The message as it is to be decoded. */
async function looked(bytes: Uint8Array, isToSwell: boolean, rules: Rules): Promise<Uint8Array> {
  const message = isToSwell ? await unpacked(bytes, rules) : bytes
  if (!rules.isCrowded(message)) return message
  throw new ConnectError('The message lists too much at once.', Code.ResourceExhausted)
}

async function unpacked(bytes: Uint8Array, { compression, bytesMax }: Rules): Promise<Uint8Array> {
  try {
    return await unpacking.run(() => compression!.decompress(bytes, bytesMax))
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    // Of one that is cut off zlib lacks the rest, which Connect takes for a mistake of the server.
    const isCutOff = errorCodeOf(error.cause) === 'Z_BUF_ERROR'
    if (!isCutOff && error.code !== Code.InvalidArgument) throw error
    throw new ConnectError(
      'The message does not unpack: it is cut off or malformed.',
      Code.InvalidArgument,
    )
  }
}

function envelope(flags: number, message: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(envelopeBytes + message.length)
  bytes[0] = flags
  bytes.writeUInt32BE(message.length, 1)
  bytes.set(message, envelopeBytes)
  return bytes
}

/** All of them at once would each have most of what it comes to before the first is done. */
const unpacking = new FewAtOnce(unpackedAtOnce)

/** Bytes that came in pieces. */
class Gathered {
  #pieces: Uint8Array[] = []
  length = 0

  add(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.length += piece.length
  }

  /** The first bytes; there must be so many. */
  head(count: number): Buffer {
    const [first] = this.#pieces
    if (first && first.length >= count) return asBuffer(first)
    this.#pieces = [Buffer.concat(this.#pieces)]
    return asBuffer(this.#pieces[0]!)
  }

  /** Takes the first bytes out; there must be so many. */
  take(count: number): Uint8Array {
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
    this.#pieces = count < all.length ? [all.subarray(count)] : []
    this.length -= count
    return all.subarray(0, count)
  }
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
