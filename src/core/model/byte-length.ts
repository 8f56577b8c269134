// How long a text is as UTF-8.

import { encodeUtf8 } from 'lib0/string'

/** Whether a text has more bytes than this. It is encoded only where its length leaves that open. */
export function isLongerThan(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return true
  return 3 * text.length > bytesMax && encodeUtf8(text).length > bytesMax
}
