// How long a text is as UTF-8.

import { encodeUtf8 } from 'lib0/string'

/** Whether a text has more bytes than this. It is encoded only where its length leaves that open. */
export function isLongerThan(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return true
  return 3 * text.length > bytesMax && encodeUtf8(text).length > bytesMax
}

/** From here on encoding a text is cheaper than looking at each of its units. */
const longUnits = 1000

/** How many bytes the units from `start` to before `end` have; each half of a pair has half of its four. */
export function byteLength(text: string, start = 0, end = text.length): number {
  let bytes = end - start
  if (bytes >= longUnits && bytes === text.length) return encodeUtf8(text).length
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x80) continue
    bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2
  }
  return bytes
}
