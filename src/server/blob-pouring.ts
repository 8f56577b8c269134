// Sends bytes from a file of the blob store, be it whole or still on its way to this disk.

import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { pieceBytes } from '../core/model/limits.ts'
import { errorCodeOf } from '../adapters/error-code.ts'
import type { Upload } from '../adapters/storage/blob-upload.ts'
import { cut, give, isGone } from './taking.ts'

/** An upload that is followed. `isSure`: its end is not sent before all of it is verified. */
export interface Growth {
  upload: Upload
  isSure: boolean
}

/** What is sent of an open file. */
export interface Pouring {
  file: FileHandle
  start: number
  end: number
  growth: Growth | undefined
  /** The SHA-256 of all that is sent, where it is known: the end is not sent before it is that. */
  hash: string | undefined
}

/** `cut`: not all was sent. `spoilt`: because the disk does not give the bytes that it was given. */
export type Poured = 'sent' | 'cut' | 'spoilt'

/**
 * Sends a part of a file, as far as an upload of it comes. Two buffers serve for all of it: a stream
 * would make a new one of each piece, and the garbage collector would look at everything in this server
 * again and again. Rejects with the system's error.
 */
export async function pour(pouring: Pouring, response: ServerResponse): Promise<Poured> {
  const { start, end, growth, hash } = pouring
  const digest = hash === undefined ? undefined : createHash('sha256')
  const isWrong = () => digest !== undefined && digest.digest('hex') !== hash
  const buffers = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(pieceBytes)]
  let sent: Promise<void> = Promise.resolve()
  let isSpoilt = start === end && isWrong()
  for (let at = start, turn = 0; at < end && !isSpoilt; turn++) {
    const buffer = buffers[turn % buffers.length]!
    const bytesRead = await readGrown(pouring, buffer, at)
    const piece = buffer.subarray(0, bytesRead)
    at += bytesRead
    // While the network takes the piece before.
    digest?.update(piece)
    await sent
    isSpoilt = bytesRead === 0 ? growth === undefined : at === end && isWrong()
    if (bytesRead === 0 || isSpoilt || isGone(response)) {
      cut(response)
      return isSpoilt ? 'spoilt' : 'cut'
    }
    sent = give(response, piece)
  }
  if (isSpoilt) {
    cut(response)
    return 'spoilt'
  }
  await sent
  response.end()
  return isGone(response) ? 'cut' : 'sent'
}

/** Reads on from `at`, when there is something; 0: no more will come, or it is not what it should be. */
async function readGrown(
  { file, end, growth }: Pouring,
  buffer: Buffer,
  at: number,
): Promise<number> {
  const there = growth ? await growth.upload.beyond(at) : end
  const length = Math.min(buffer.length, Math.max(there, at) - at, end - at)
  const bytesRead = await readAt(file, buffer.subarray(0, length), at)
  const isEnd = at + bytesRead === growth?.upload.size
  return isEnd && growth?.isSure && !(await growth.upload.isWhole()) ? 0 : bytesRead
}

/** How many bytes of a file came; 0 also where the disk can read them no more. */
export async function readAt(file: FileHandle, buffer: Buffer, at: number): Promise<number> {
  try {
    return (await file.read(buffer, 0, buffer.length, at)).bytesRead
  } catch (error) {
    if (errorCodeOf(error) === 'EIO') return 0
    throw error
  }
}
