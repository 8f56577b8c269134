// State vectors of Yjs that come from outside.

import { decodeStateVector } from 'yjs'

/** Whether these bytes are one; of none at all is said nothing. */
export function isStateVector(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return true
  try {
    decodeStateVector(bytes)
    return true
  } catch {
    // Whatever Yjs says of bytes that are none.
    return false
  }
}
