// Texts that whole-file clients were given, so that a later save can say which one it was made from.

import { decodeUtf8, encodeUtf8 } from 'lib0/string'
import { textBytesMax } from '../model/limits.ts'

/** So many texts are remembered, and as many as have room; the longest unused go first. */
const textsMax = 1000

/** What the ring begins with: most servers are given short texts only, and the longest is 16 MiB. */
const firstBytes = 64 * 1024

interface Place {
  /** Of its first byte, in all that was ever written. */
  at: number
  bytes: number
}

/**
 * The last texts handed out, by the name of the version. They lie in one ring of bytes: each text that a
 * server is given is held here for a while, and as strings all of them would grow old, and stay until
 * the whole heap is collected.
 */
export class Bases {
  readonly #places = new Map<string, Place>()
  readonly #ringBytes: number
  /** Grows with what is written, up to all that there is room for. */
  #ring: Uint8Array
  /** Bytes written so far, and those passed over at the end of the ring. */
  #end = 0

  /** The longest text fits. */
  constructor(ringBytes = textBytesMax) {
    this.#ringBytes = ringBytes
    this.#ring = new Uint8Array(Math.min(firstBytes, ringBytes))
  }

  remember(version: string, text: string): void {
    const known = this.#places.get(version)
    // Not yet among those that go next.
    if (known && known.at >= this.#end - this.#ringBytes / 2) return
    this.#places.delete(version)
    const bytes = encodeUtf8(text)
    if (bytes.length > this.#ringBytes) return
    const left = this.#ringBytes - (this.#end % this.#ringBytes)
    if (bytes.length > left) this.#end += left
    const at = this.#end % this.#ringBytes
    this.#makeRoom(at + bytes.length)
    this.#ring.set(bytes, at)
    this.#places.set(version, { at: this.#end, bytes: bytes.length })
    this.#end += bytes.length
    this.#forget()
  }

  recall(version: string): string | undefined {
    const place = this.#places.get(version)
    if (!place) return undefined
    const at = place.at % this.#ringBytes
    const text = decodeUtf8(this.#ring.subarray(at, at + place.bytes))
    this.remember(version, text)
    return text
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#ring.length) return
    const ring = new Uint8Array(Math.min(this.#ringBytes, Math.max(bytes, 2 * this.#ring.length)))
    ring.set(this.#ring)
    this.#ring = ring
  }

  /** What was written over, and the oldest of too many. */
  #forget(): void {
    for (const [version, { at }] of this.#places) {
      if (this.#places.size <= textsMax && at >= this.#end - this.#ringBytes) return
      this.#places.delete(version)
    }
  }
}
