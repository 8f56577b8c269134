// Ids: what they look like, and how those that are derived are derived.

import { digest as sha256 } from 'lib0/hash/sha256'
import { encodeUtf8 } from 'lib0/string'

/** A server's name within its set: 1-32 of a-z, 0-9 and "-". */
export type ReplicaId = string & { readonly __brand: 'ReplicaId' }
/** One life of one replica: "<replica>.<13 random characters>". */
export type Origin = string & { readonly __brand: 'Origin' }
/** A document or an entry: 22 characters of base64url. */
export type SubjectId = string & { readonly __brand: 'SubjectId' }
/** The public name of a session: 16 characters of base64url, derived from its secret key. */
export type SessionId = string & { readonly __brand: 'SessionId' }
/** The public name of a device: 16 characters of base64url, derived from its secret. */
export type DeviceId = string & { readonly __brand: 'DeviceId' }

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Base64url without padding (RFC 4648 section 5). */
export function base64url(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += alphabet[(held >> bits) & 63]
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + alphabet[(held << (6 - bits)) & 63] : text
}

/** A fresh 128-bit id from 16 random bytes. */
export function subjectId(random: Uint8Array): SubjectId {
  return base64url(random.subarray(0, 16)) as SubjectId
}

/** Whether a text from outside has the form of a 128-bit id. */
export function isSubjectId(text: string): text is SubjectId {
  return /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text)
}

export function isReplicaId(text: string): text is ReplicaId {
  return /^[a-z0-9-]{1,32}$/.test(text)
}

/** The origin of a new life, from at least 8 random bytes. */
export function originOf(replica: ReplicaId, random: Uint8Array): Origin {
  return `${replica}.${base64url(random.subarray(0, 10)).slice(0, 13)}` as Origin
}

export function isOrigin(text: string): text is Origin {
  return /^[a-z0-9-]{1,32}\.[A-Za-z0-9_-]{13}$/.test(text)
}

const ascii = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

function joined(label: string, bytes: Uint8Array): Uint8Array {
  const prefix = ascii(label)
  const whole = new Uint8Array(prefix.length + bytes.length)
  whole.set(prefix)
  whole.set(bytes, prefix.length)
  return whole
}

/** 53 bits, because Yjs client ids are JavaScript integers; never 0. */
function writerFrom(hash: Uint8Array): number {
  let id = hash[0]! & 31
  for (let index = 1; index < 7; index++) id = id * 256 + hash[index]!
  return id || 1
}

/**
 * The only Yjs client id under which the holder of a session key may write. Any server can check it
 * and nobody without the key can claim it.
 */
export function writerOf(key: Uint8Array): number {
  return writerFrom(sha256(joined('fourfold writer\n', key)))
}

/** The public id of the session with this key. */
export function sessionOf(key: Uint8Array): SessionId {
  return base64url(sha256(joined('fourfold session\n', key)).subarray(0, 12)) as SessionId
}

/** The public id of the device with this secret. */
export function deviceOf(secret: Uint8Array): DeviceId {
  return base64url(sha256(joined('fourfold device\n', secret)).subarray(0, 12)) as DeviceId
}

/**
 * The id of a directory that is made because something is to lie below it: the same wherever it is
 * made, so that people who do it at once, on servers that do not hear each other, make one.
 */
export function directoryIdOf(parent: string, nameKey: string): SubjectId {
  return subjectId(sha256(joined(`fourfold directory ${parent}\n`, encodeUtf8(nameKey))))
}

/**
 * The Yjs client id under which the first text of a created document is written: the same on every
 * server, so that one operation carried out by two of them gives one text.
 */
export function seedWriterOf(operation: string, text: Uint8Array): number {
  return writerFrom(sha256(joined(`fourfold seed ${operation}\n`, text)))
}

/**
 * The Yjs client id under which the edits of a save are made: the same for equal edits of a text in one
 * state, so that one operation carried out by two servers adds its text once, and another for any other.
 */
export function saveWriterOf(operation: string, edits: string, state: Uint8Array): number {
  const what = base64url(sha256(encodeUtf8(edits)))
  return writerFrom(sha256(joined(`fourfold save ${operation} ${what}\n`, state)))
}
