// UTF-8, in a room without the browser's TextEncoder.

import { getTextEncoding } from '@bufbuild/protobuf/wire'

/** The bytes of a text; a lone surrogate becomes U+FFFD. */
export function utf8(text: string): Uint8Array {
  return getTextEncoding().encodeUtf8(text)
}
