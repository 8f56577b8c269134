// Frames: what travels at once on a client's channel. A frame is the encoding of a message whose
// only field, number 1, holds messages; frames joined are a frame.

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { shortResponse } from '../core/model/short-messages.ts'
import { readShortRequest, type Read } from '../core/model/short-reading.ts'
import {
  ClientMessageSchema,
  SessionRequestSchema,
  SessionResponseSchema,
  type ClientMessage,
  type ServerMessage,
} from '../core/model/wire.ts'
import { isCrowded } from '../adapters/channel/crowded.ts'

/** One message as a frame. */
export function encodeFrame(message: ServerMessage): Uint8Array {
  const short = shortResponse(message, (written) => Buffer.from(written))
  if (short) return short
  return toBinary(SessionResponseSchema, {
    $typeName: 'fourfold.v1.SessionResponse',
    messages: [message],
  })
}

/** One frame of several: messages lie there one after the other. Of one the same bytes, not a copy. */
export function joinFrames(frames: Uint8Array[]): Uint8Array {
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames)
}

export type Framed = Read<ClientMessage>

/** Two bytes of a field that nobody knows would be kept as an object of a hundred. */
const known = { readUnknownFields: false }

/**
 * The messages of a client's frame; undefined: they are more than `most`, or hold too many fields.
 * Throws on malformed bytes.
 */
export function decodeFrame(frame: Uint8Array, most: number): Framed[] | undefined {
  const short = readShortRequest(frame)
  if (short) return short.length > most ? undefined : short
  if (isCrowded(SessionRequestSchema, frame)) return undefined
  const reader = new BinaryReader(frame)
  const messages: Framed[] = []
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === 1 && wireType === WireType.LengthDelimited) {
      if (messages.length === most) return undefined
      const bytes = reader.bytes()
      messages.push({ message: fromBinary(ClientMessageSchema, bytes, known), bytes: bytes.length })
    } else {
      // A field of a later revision.
      reader.skip(wireType, field)
    }
  }
  return messages
}
