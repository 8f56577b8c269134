// What a blob is called, and what can be wrong with one that is uploaded.

import { errorCodeOf } from '../error-code.ts'

/** Names a blob: SHA-256 in hex, and how long it is. */
export interface BlobName {
  hash: string
  size: number
}

export type BlobErrorCode =
  /** Somebody uploads it at this moment. */
  | 'busy'
  /** It goes on elsewhere: `offset` tells where. */
  | 'offset'
  /** The bytes are not those that the name promises; what came is dropped. */
  | 'mismatch'
  /** The disk is full; what came is dropped, for it is in the way there. */
  | 'full'
  /** Too many uploads wait for their end. */
  | 'many'

export class BlobError extends Error {
  override readonly name = 'BlobError'
  readonly code: BlobErrorCode
  /** Where an upload of it goes on. */
  readonly offset: number

  constructor(code: BlobErrorCode, message: string, offset = 0) {
    super(message)
    this.code = code
    this.offset = offset
  }
}

/** As the upload's own error, when it is the disk that is full. */
export function fullOr(error: unknown): Error {
  if (!isFull(error)) return error as Error
  return new BlobError('full', 'The disk of this server is full. Try another.')
}

function isFull(error: unknown): boolean {
  const code = errorCodeOf(error)
  // The last: more than this file system holds in one file.
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
}
